from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dockertpl.detect.python.syntax import Code, Module, Name
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]


def code_of(root: Path, app_dir: str = ".") -> Code:
    repository = Repository(root)
    return Code(repository, app_dir, repository.files)


def module(code: Code, path: str) -> Module:
    found = code.module(path)
    assert found
    return found


def test_names_are_followed_through_imports_and_re_exports(repo: Repo) -> None:
    code = code_of(
        repo(
            {
                "app/__init__.py": "",
                "app/main.py": "from app.api import router as r\nfrom . import api\n"
                "import app.api as whole\nimport fastapi as f",
                "app/api/__init__.py": "from .routes import router\nfrom .routes import health",
                "app/api/routes/__init__.py": "router = 1",
                "app/api/routes/health.py": "router = 2",
            }
        )
    )
    main = module(code, "app/main.py")
    assert code.resolve(main, "r") == Name("app/api/routes/__init__.py", "router")
    assert code.resolve(main, "api.health.router") == Name("app/api/routes/health.py", "router")
    assert code.resolve(main, "whole.router") == Name("app/api/routes/__init__.py", "router")
    assert code.resolve(main, "f.FastAPI") == Name("", "fastapi.FastAPI")


def test_imports_in_a_circle_end(repo: Repo) -> None:
    code = code_of(repo({"a.py": "from b import x", "b.py": "from a import x"}))
    assert code.resolve(module(code, "a.py"), "x").name == "x"


def test_a_module_named_like_the_framework_does_not_hide_it(repo: Repo) -> None:
    code = code_of(repo({"server/fastapi/__init__.py": "import fastapi"}))
    assert code.resolve(module(code, "server/fastapi/__init__.py"), "fastapi.FastAPI") == Name("", "fastapi.FastAPI")


def test_modules_are_found_in_src_and_in_the_applications_folder(repo: Repo) -> None:
    root = repo({"api/src/shop/main.py": "", "api/tool.py": ""})
    assert code_of(root, "api").find("shop.main") == "api/src/shop/main.py"
    assert code_of(root, "api").find("tool") == "api/tool.py"
    assert code_of(root, "api").find("absent") is None


def test_what_runs_on_import_is_seen_and_the_main_guard_is_not(repo: Repo) -> None:
    text = "try:\n    a = 1\nexcept E:\n    b = 1\nif x:\n    c = 1\nif __name__ == '__main__':\n    d = 1\n"
    code = code_of(repo({"a.py": text}))
    assert set(module(code, "a.py").assigned) == {"a", "b", "c"}


def test_only_modules_that_mention_it_are_parsed(repo: Repo) -> None:
    code = code_of(repo({"a.py": "FastAPI", "b.py": "("}))
    assert [found.path for found in code.mentioning("FastAPI")] == ["a.py"]
    assert code.repository.unreadable == []
