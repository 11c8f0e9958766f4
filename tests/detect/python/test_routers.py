from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.python.routers import Routers, asks_who
from dockertpl.detect.python.syntax import Code, Name
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
HEAD = "from fastapi import APIRouter, Depends, FastAPI\n"


def prefixes(root: Path, router: Name) -> list[str]:
    repository = Repository(root)
    places = Routers(Code(repository, ".", repository.files), Name("main.py", "app")).places()
    return sorted(place.prefix for place in places.get(router, []))


@pytest.mark.parametrize(
    ("main", "prefix"),
    [
        ("app = FastAPI()\napp.include_router(r)", "/own"),
        ("app = FastAPI()\napp.include_router(r, prefix='/v1')", "/v1/own"),
        ("app = FastAPI()\napp.include_router(router=r, prefix='/v' + '1')", "/v1/own"),
        ("P = '/v1'\napp = FastAPI()\napp.include_router(r, prefix=f'{P}/x')", "/v1/x/own"),
        ("app = FastAPI()\nfor x in (r,):\n    app.include_router(x)", "/own"),
        ("def add(app: FastAPI):\n    app.include_router(r)\napp = FastAPI()\nadd(app)", "/own"),
        ("def create():\n    a = FastAPI()\n    a.include_router(r)\n    return a\napp = create()", "/own"),
        ("app = FastAPI()\ntop = APIRouter(prefix='/api')\ntop.include_router(r)\napp.include_router(top)", "/api/own"),
        ("app = FastAPI()\nsub = FastAPI()\napp.mount('/sub/', sub)\nsub.include_router(r)", "/sub/own"),
    ],
)
def test_prefixes_are_followed(repo: Repo, main: str, prefix: str) -> None:
    root = repo({"main.py": f"{HEAD}from routes import r\n{main}", "routes.py": f"{HEAD}r = APIRouter(prefix='/own')"})
    assert prefixes(root, Name("routes.py", "r")) == [prefix]


def test_a_setting_with_one_value_is_taken_and_named(repo: Repo) -> None:
    root = repo(
        {
            "main.py": f"{HEAD}from config import settings\napp = FastAPI()\nr = APIRouter()\n"
            "app.include_router(r, prefix=settings.API_V1_STR)",
            "config.py": 'class S:\n    API_V1_STR: str = "/api/v1"\nsettings = S()',
        }
    )
    repository = Repository(root)
    places = Routers(Code(repository, ".", repository.files), Name("main.py", "app")).places()
    (place,) = places[Name("main.py", "r")]
    assert (place.prefix, place.assumes) == ("/api/v1", ("API_V1_STR",))


@pytest.mark.parametrize(
    "main",
    [
        "app = FastAPI()\napp.include_router(r, prefix=compute())",
        "app = FastAPI()\napp.include_router(r, dependencies=[Depends(get_current_user)])",
        "app = FastAPI(dependencies=[Depends(verify_token)])\napp.include_router(r)",
        "other = FastAPI()\napp = FastAPI()\nother.include_router(r)",
        "app = FastAPI()",
    ],
)
def test_what_cannot_be_told_or_asks_who_is_calling_hangs_nowhere(repo: Repo, main: str) -> None:
    root = repo({"main.py": f"{HEAD}r = APIRouter()\n{main}"})
    assert prefixes(root, Name("main.py", "r")) == []


def test_routers_that_include_each_other_end(repo: Repo) -> None:
    text = (
        f"{HEAD}app = FastAPI()\na = APIRouter()\nb = APIRouter(prefix='/b')\n"
        "a.include_router(b)\nb.include_router(a)\napp.include_router(a)"
    )
    assert "" in prefixes(repo({"main.py": text}), Name("main.py", "a"))


def test_words_of_authentication() -> None:
    assert asks_who("Depends(get_current_user)")
    assert not asks_who("Depends(get_db)")
