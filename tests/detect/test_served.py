"""What detection knows from sources about the pages that an application serves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockertpl.detect.facts import Served
from dockertpl.detect.served import choose, find_served, is_safe

Repo = Callable[[dict[str, str]], Path]
FASTAPI = "python-fastapi"
NEXT = "nextjs-standalone"
PACKAGE = '{"dependencies": {"next": "16.0.0"}}'
PAGE = "export default function Page() {}"


def paths(root: Path, kind: str | None, **answers: Any) -> set[str]:
    return {one.path for one in find_served(root, ".", kind, answers)}


def test_routes_are_found_through_routers_and_those_with_parameters_left_out(repo: Repo) -> None:
    root = repo(
        {
            "shop/main.py": """
from fastapi import FastAPI
from shop.items import router
app = FastAPI()
app.include_router(router, prefix="/api")
@app.get("/")
def index(): ...
""",
            "shop/items.py": """
from fastapi import APIRouter
router = APIRouter(prefix="/items")
@router.get("")
def all_items(page: int = 1): ...
@router.get("/{number}")
def one(number: int): ...
@router.get("/search")
def search(q: str): ...
@router.post("/new")
def new(): ...
""",
        }
    )
    expected = {"/", "/api/items"}
    assert paths(root, FASTAPI, app="shop.main:app", app_file="shop/main.py") == expected
    # Without an answers file, detection looks for the application.
    assert paths(root, None) == expected


def test_of_a_mounted_folder_a_file_is_asked_for(repo: Repo) -> None:
    main = """
from pathlib import Path
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
app = FastAPI()
app.mount("/static", StaticFiles(directory=Path(__file__).parent / "assets"), name="static")
"""
    root = repo({"shop/main.py": main, "shop/assets/app.css": "", "shop/assets/deep/a.css": "", "shop/assets/x.py": ""})
    assert find_served(root, ".", FASTAPI, {}) == [Served("/static/app.css", "file", "shop/assets/app.css")]


def test_pages_and_routes_of_both_routers_and_a_file_of_public(repo: Repo) -> None:
    root = repo(
        {
            "package.json": PACKAGE,
            "src/app/page.tsx": PAGE,
            "src/app/(shop)/about/page.tsx": PAGE,
            "src/app/item/[id]/page.tsx": PAGE,
            "src/app/@modal/page.tsx": PAGE,
            "src/app/api/ping/route.ts": "export async function GET() {}",
            "src/app/api/order/route.ts": "export async function POST() {}",
            "src/app/about/button.tsx": PAGE,
            "src/pages/old.tsx": PAGE,
            "src/pages/_app.tsx": PAGE,
            "src/pages/404.tsx": PAGE,
            "public/deep/a.svg": "",
            "public/icon.svg": "",
        }
    )
    expected = {"/", "/about", "/api/ping", "/old", "/icon.svg"}
    assert paths(root, NEXT) == expected == paths(root, None)


def test_pages_lie_below_the_base_path_and_nowhere_where_it_is_computed(repo: Repo) -> None:
    files = {"package.json": PACKAGE, "app/page.tsx": PAGE, "app/a/page.tsx": PAGE, "public/a.txt": ""}
    config = "module.exports = { basePath: '/shop' }"
    assert paths(repo({**files, "next.config.js": config}), NEXT) == {"/shop", "/shop/a", "/shop/a.txt"}
    computed = "module.exports = { basePath: compute() }"
    assert paths(repo({**files, "next.config.js": computed}), NEXT) == set()


@pytest.mark.parametrize("name", ["logout", "sentry-debug", "users/export", "events", "reset_db", "error", "cron"])
def test_what_its_name_warns_of_is_not_asked_for(name: str) -> None:
    assert not is_safe(f"/api/{name}")


@pytest.mark.parametrize("path", ["/", "/items", "/users/me", "/news", "/resets", "/about-us", "/wsgi"])
def test_what_is_plain_is_asked_for(path: str) -> None:
    assert is_safe(path)


def test_each_part_of_an_application_has_its_turn() -> None:
    served = [Served(f"/api/v1/a{letter}/{number}", "page", "") for letter in "bcd" for number in range(9)]
    served += [Served("/", "page", ""), Served("/logo.svg", "file", ""), Served("/other.svg", "file", "")]
    chosen = [one.path for one in choose(served)]
    assert len(chosen) == 8 and {"/", "/logo.svg", "/other.svg"} <= set(chosen)
    assert {path.split("/")[3] for path in chosen if path.startswith("/api")} == {"ab", "ac", "ad"}


def test_a_repository_without_an_application_is_asked_for_nothing(repo: Repo) -> None:
    assert find_served(repo({"main.go": "package main"}), ".", None, {}) == []
    assert find_served(repo({"package.json": "{"}), ".", None, {}) == []
