"""A path in code resolves to its place in the checkout, and an unclear one resolves to nothing."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.python.paths import Paths, Place
from dockertpl.detect.python.syntax import Code, Module
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
HEAD = """\
import os
import os.path as osp
from pathlib import Path
from app.config import BASE_DIR, get_settings, settings, Settings
HERE = Path(__file__).resolve().parent
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
"""
CONFIG = """\
from pathlib import Path
from pydantic import Field
from pydantic_settings import BaseSettings
BASE_DIR = Path(__file__).parents[1]
class Settings(BaseSettings):
    upload_dir: str = "uploads"
    data_dir: Path = Field(default=BASE_DIR / "data")
    secret: str
settings = Settings()
def get_settings():
    return Settings()
"""


def paths(root: Path, text: str) -> tuple[Paths, Module]:
    repository = Repository(root)
    code = Code(repository, ".", [path for path in repository.files if path.endswith(".py")])
    tree = ast.parse(text)
    return Paths(code, code.app_dir), Module("app/main.py", tree, text)


def value(repo: Repo, expression: str) -> Place | None:
    text = f"{HEAD}target = {expression}\n"
    reader, module = paths(repo({"app/__init__.py": "", "app/main.py": text, "app/config.py": CONFIG}), text)
    return reader.place(module.assigned["target"][0], module)


@pytest.mark.parametrize(
    ("expression", "path"),
    [
        ("'static'", "static"),
        ("'./static/'", "static"),
        ("'/srv/data'", "/srv/data"),
        ("Path('a', 'b')", "a/b"),
        ("Path('a') / 'b'", "a/b"),
        ("Path()", "."),
        ("Path.cwd() / 'a'", "a"),
        ("HERE / 'templates'", "app/templates"),
        ("str(HERE.parent / 'static')", "static"),
        ("Path(__file__).parent.parent.joinpath('README.md')", "README.md"),
        ("Path(__file__).resolve().parents[1] / 'x'", "x"),
        ("os.path.join(ROOT, 'app', 'x.json')", "app/x.json"),
        ("osp.join(osp.dirname(__file__), '..', 'x')", "x"),
        ("f'{ROOT}/frontend/dist'", "frontend/dist"),
        ("ROOT + '/x'", "x"),
        ("BASE_DIR / 'x'", "x"),
        ("settings.upload_dir", "uploads"),
        ("Path(settings.data_dir)", "data"),
        ("get_settings().upload_dir", "uploads"),
        ("Settings.upload_dir", "uploads"),
        ("os.getenv('UPLOADS', 'uploads')", "uploads"),
        ("os.environ.get('UPLOADS') or 'uploads'", "uploads"),
    ],
)
def test_an_expression_is_the_path_that_it_has_in_the_checkout(repo: Repo, expression: str, path: str) -> None:
    assert value(repo, expression) == Place(path)


@pytest.mark.parametrize("expression", ["Path('uploads') / name", "f'uploads/{name}'", "os.path.join('uploads', name)"])
def test_what_follows_an_unknown_name_is_below_the_known_folder(repo: Repo, expression: str) -> None:
    assert value(repo, expression) == Place("uploads", below=True)


@pytest.mark.parametrize(
    "expression",
    [
        "name",
        "f'{name}/x'",
        "'upload-' + name",
        "os.environ['X']",
        "'https://example.com/x'",
        "'~/x'",
        "'../../x'",
        "Path(__file__).parents[7]",
        "settings.secret",
        "target",
    ],
)
def test_a_text_without_the_information_gives_nothing(repo: Repo, expression: str) -> None:
    assert value(repo, expression) is None


@pytest.mark.parametrize(
    ("expression", "path"),
    [
        ("'sqlite:///database.db'", "database.db"),
        ("'sqlite:///./app.db?check_same_thread=false'", "app.db"),
        ("'sqlite+aiosqlite:////srv/app.db'", "/srv/app.db"),
        ("f'sqlite:///{BASE_DIR}/app.db'", "app.db"),
        ("f'sqlite:///{HERE}/app.db'", "app/app.db"),
        ("'sqlite:///' + ROOT + '/app.db'", "app.db"),
    ],
)
def test_a_database_s_address_names_its_file(repo: Repo, expression: str, path: str) -> None:
    text = f"{HEAD}target = {expression}\n"
    reader, module = paths(repo({"app/main.py": text, "app/config.py": CONFIG}), text)
    node = module.assigned["target"][0]
    assert node and reader.database(node, module) == Place(path)


@pytest.mark.parametrize("text", ["sqlite://", "sqlite:///:memory:", "postgresql://db/x", "sqlite", "sqlite:///file:x"])
def test_other_addresses_name_no_file(repo: Repo, text: str) -> None:
    reader, module = paths(repo({"app/main.py": ""}), "")
    assert reader.database(ast.Constant(text), module) is None
