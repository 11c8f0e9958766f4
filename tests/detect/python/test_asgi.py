from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.python.asgi import Candidate, Finder, best, python_files, with_starts
from dockertpl.detect.python.starts import Start
from dockertpl.detect.python.syntax import Code
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def code_of(root: Path) -> Code:
    repository = Repository(root)
    return Code(repository, ".", python_files(repository.files, "."))


def names(root: Path) -> list[tuple[str, str, bool]]:
    return sorted((c.path, c.name, c.factory) for c in Finder(code_of(root)).candidates())


@pytest.mark.parametrize(
    "text",
    [
        APP,
        "import fastapi\napp = fastapi.FastAPI(title='x')",
        "import fastapi as f\napp = f.FastAPI()",
        "from fastapi import FastAPI as F\napp: F = F()",
        "from fastapi import FastAPI\nclass Mine(FastAPI): pass\napp = Mine()",
        "from fastapi import FastAPI\napp: FastAPI = build()",
        "from fastapi import FastAPI\ntry:\n    app = FastAPI()\nexcept ImportError:\n    raise",
        "from fastapi.applications import FastAPI\napp = FastAPI()",
        "from fastapi import FastAPI\nfrom x import CORSMiddleware\napp = FastAPI()\napp = CORSMiddleware(app)",
        "from starlette.applications import Starlette\napp = Starlette()",
        "def _make():\n    from fastapi import FastAPI\n    return FastAPI()\napp = _make()",
    ],
)
def test_an_application_is_found_however_it_is_written(repo: Repo, text: str) -> None:
    assert names(repo({"main.py": text})) == [("main.py", "app", False)]


@pytest.mark.parametrize(
    "text",
    [
        "from fastapi import FastAPI\ndef create_app() -> FastAPI: ...",
        "from fastapi import FastAPI\ndef create_app(debug=False):\n    app = FastAPI()\n    return app",
        "from fastapi import FastAPI\ndef _inner():\n    return FastAPI()\ndef create_app():\n    return _inner()",
        "import fastapi\ndef create_app() -> 'fastapi.FastAPI': ...",
    ],
)
def test_a_factory_is_found(repo: Repo, text: str) -> None:
    assert names(repo({"main.py": text})) == [("main.py", "create_app", True)]


@pytest.mark.parametrize(
    "text",
    [
        "from fastapi import FastAPI\ndef create_app(settings) -> FastAPI: ...",
        "from fastapi import FastAPI\nasync def create_app() -> FastAPI: ...",
        "from fastapi import FastAPI\n@pytest.fixture\ndef app() -> FastAPI: ...",
        "from fastapi import FastAPI\ndef use(app: FastAPI): ...",
        "class FastAPI: pass\napp = FastAPI()",
        "from fastapi import APIRouter\napp = APIRouter()",
        "if __name__ == '__main__':\n    from fastapi import FastAPI\n    app = FastAPI()",
    ],
)
def test_what_no_server_can_start_is_no_application(repo: Repo, text: str) -> None:
    assert names(repo({"main.py": text})) == []


def test_a_class_and_a_factory_are_followed_across_modules(repo: Repo) -> None:
    root = repo(
        {
            "core/base.py": "from fastapi import FastAPI\nclass Base(FastAPI): pass",
            "core/factory.py": "from .base import Base\ndef create(settings):\n    app = Base()\n    return app",
            "asgi.py": "from core.factory import create\napplication = create({})",
        }
    )
    assert names(root) == [("asgi.py", "application", False)]


def test_a_method_that_returns_one_is_followed(repo: Repo) -> None:
    root = repo(
        {
            "server.py": "import fastapi\nclass Server:\n    def app(self) -> fastapi.FastAPI: ...",
            "main.py": "from server import Server\napp = Server().app()",
        }
    )
    assert names(root) == [("main.py", "app", False)]


def test_what_is_mounted_into_another_is_no_application_of_its_own(repo: Repo) -> None:
    root = repo(
        {
            "main.py": "from fastapi import FastAPI\nfrom v1 import api\napp = FastAPI()\nadmin = FastAPI()\n"
            "app.mount('/v1', api)\napp.mount('/admin', app=admin)",
            "v1.py": "from fastapi import FastAPI\napi = FastAPI()",
        }
    )
    assert names(root) == [("main.py", "app", False)]


def test_what_wraps_an_application_is_served_instead_of_it(repo: Repo) -> None:
    text = "import socketio\nfrom fastapi import FastAPI\napp = FastAPI()\nasgi = socketio.ASGIApp(sio, other=app)"
    assert names(repo({"main.py": text})) == [("main.py", "asgi", False)]


def test_tests_documents_examples_and_migrations_are_left_out(repo: Repo) -> None:
    paths = ("tests/app.py", "docs/main.py", "examples/x/main.py", "migrations/env.py", "test_main.py", "conftest.py")
    assert names(repo(dict.fromkeys(paths, APP))) == []


def ranked(root: Path, *starts: Start) -> list[tuple[str, str]]:
    code = code_of(root)
    return [(c.path, c.name) for c in best(with_starts(Finder(code).candidates(), starts, code))]


def test_the_conventional_module_wins(repo: Repo) -> None:
    assert ranked(repo({"app/main.py": APP, "app/helper.py": APP})) == [("app/main.py", "app")]


def test_a_variable_wins_over_its_factory(repo: Repo) -> None:
    text = "from fastapi import FastAPI\ndef create_app() -> FastAPI: ...\napp = create_app()"
    assert ranked(repo({"main.py": text})) == [("main.py", "app")]


def test_two_equally_good_ones_are_both_returned(repo: Repo) -> None:
    assert ranked(repo({"a/main.py": APP, "b/main.py": APP})) == [("a/main.py", "app"), ("b/main.py", "app")]


@pytest.mark.parametrize(
    "start",
    [
        Start(target="b.helper:app", weight=100),
        Start(file="b/helper.py", weight=100),
        Start(file="/code/b/helper.py", weight=100),
        Start(target="helper:app", weight=100),
    ],
)
def test_what_a_command_names_wins(repo: Repo, start: Start) -> None:
    assert ranked(repo({"a/main.py": APP, "b/helper.py": APP}), start) == [("b/helper.py", "app")]


def test_a_re_export_that_a_command_names_means_the_original(repo: Repo) -> None:
    root = repo({"svc/__init__.py": "from .service import app", "svc/service.py": APP, "other/main.py": APP})
    assert ranked(root, Start(target="svc:app", weight=90)) == [("svc/service.py", "app")]


def test_a_command_may_name_an_application_that_no_source_shows(repo: Repo) -> None:
    root = repo({"main.py": "app = magic()"})
    assert ranked(root, Start(target="main:app", weight=90)) == [("main.py", "app")]
    assert ranked(root, Start(target="main:absent", weight=90)) == []


def test_a_factory_that_production_starts_wins_over_a_variable(repo: Repo) -> None:
    text = "from fastapi import FastAPI\ndef create_app() -> FastAPI: ...\napp = create_app()"
    assert ranked(repo({"main.py": text}), Start(target="main:create_app", factory=True, weight=90)) == [
        ("main.py", "create_app")
    ]


def test_nothing_is_best_of_nothing() -> None:
    assert best([]) == []
    assert Candidate(path="a.py", name="x", line=1).score < Candidate(path="main.py", name="app", line=1).score
