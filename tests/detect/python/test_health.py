from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.python.health import health_routes
from dockertpl.detect.python.syntax import Code, Name
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
HEAD = "from typing import Annotated\nfrom fastapi import APIRouter, Depends, FastAPI, Request\n"
ROUTER = "app = FastAPI()\nr = APIRouter()\n@r.get('/health')\ndef h(): ...\n"


def found(root: Path) -> list[str]:
    repository = Repository(root)
    routes, _ = health_routes(Code(repository, ".", repository.files), Name("main.py", "app"))
    return [route.path for route in routes]


@pytest.mark.parametrize(
    "route",
    [
        "@app.get('/health')\ndef h(): ...",
        "@app.get(path='/health')\nasync def h(): ...",
        "@app.api_route('/health', methods=['GET', 'HEAD'])\ndef h(): ...",
        "@app.get('/health')\ndef h(request: Request): ...",
        "@app.get('/health')\ndef h(verbose: bool = False): ...",
        "def h(): ...\napp.add_api_route('/health', h)",
        "r = APIRouter(prefix='/health')\n@r.get('')\ndef h(): ...\napp.include_router(r)",
        "r = APIRouter()\n@r.get('/health')\ndef h(): ...\napp.include_router(r)",
        "def add(app: FastAPI):\n    @app.get('/health')\n    def h(): ...",
    ],
)
def test_a_route_is_found_however_it_is_written(repo: Repo, route: str) -> None:
    assert found(repo({"main.py": f"{HEAD}app = FastAPI()\n{route}"})) == ["/health"]


@pytest.mark.parametrize(
    "route",
    [
        "@app.post('/health')\ndef h(): ...",
        "@app.api_route('/health', methods=['POST'])\ndef h(): ...",
        "@app.get('/health')\ndef h(name: str): ...",
        "@app.get('/health')\ndef h(name): ...",
        "@app.get('/{x}/health')\ndef h(x): ...",
        "@app.get('/health')\ndef h(user=Depends(get_current_user)): ...",
        "@app.get('/health')\ndef h(user: CurrentUser): ...",
        "@app.get('/health')\ndef h(token: Annotated[str, Depends(bearer)]): ...",
        "@app.get('/health', dependencies=[Depends(verify_token)])\ndef h(): ...",
        "@app.get(PATH)\ndef h(): ...",
        "r = APIRouter()\n@r.get('/health')\ndef h(): ...",
    ],
)
def test_a_route_that_a_probe_cannot_call_is_ignored(repo: Repo, route: str) -> None:
    assert found(repo({"main.py": f"{HEAD}app = FastAPI()\n{route}"})) == []


def test_liveness_comes_before_readiness_and_what_needs_nothing_before_what_needs_a_database(repo: Repo) -> None:
    text = f"""{HEAD}
app = FastAPI()
@app.get('/ready')
def a(): ...
@app.get('/health')
def b(db: Annotated[Session, Depends(get_db)]): ...
@app.get('/live')
def c(): ...
"""
    assert found(repo({"main.py": text})) == ["/live", "/health", "/ready"]


def test_what_a_route_needs_is_named(repo: Repo) -> None:
    root = repo(
        {"main.py": f"{HEAD}app = FastAPI()\n@app.get('/health')\ndef h(db: SessionDep, r=Depends(get_redis)): ..."}
    )
    repository = Repository(root)
    (route,), _ = health_routes(Code(repository, ".", repository.files), Name("main.py", "app"))
    assert (route.needs, route.line) == (("SessionDep", "get_redis"), 4)


def test_a_route_whose_place_is_not_static_is_told_apart(repo: Repo) -> None:
    text = f"{HEAD}{ROUTER}app.include_router(r, prefix=compute())"
    repository = Repository(repo({"main.py": text}))
    routes, lost = health_routes(Code(repository, ".", repository.files), Name("main.py", "app"))
    assert (routes, [route.path for route in lost]) == ([], ["/health"])


def test_a_guarded_router_is_not_ambiguous(repo: Repo) -> None:
    text = f"{HEAD}{ROUTER}app.include_router(r, dependencies=[Depends(get_current_user)])"
    repository = Repository(repo({"main.py": text}))
    assert health_routes(Code(repository, ".", repository.files), Name("main.py", "app")) == ([], [])


def test_the_factory_is_the_application_too(repo: Repo) -> None:
    text = f"{HEAD}def create_app():\n    api = FastAPI()\n    @api.get('/healthz')\n    def h(): ...\n    return api"
    repository = Repository(repo({"main.py": text}))
    routes, _ = health_routes(Code(repository, ".", repository.files), Name("main.py", "create_app"))
    assert [route.path for route in routes] == ["/healthz"]
