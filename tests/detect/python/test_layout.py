from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect import detect
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.asgi import Candidate
from dockertpl.detect.python.layout import (
    find_groups,
    find_import_root,
    find_layout,
    find_name,
)
from dockertpl.detect.python.project import Project
from dockertpl.detect.python.starts import Start
from dockertpl.detect.python.syntax import Code
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]
BUILT = "[project]\nname = 'shop'\nreadme = 'README.md'\n[build-system]\nrequires = ['{0}']\nbuild-backend = '{0}'\n"


def look(root: Path, file: str, manager: str = "uv", target: str = "") -> tuple[Detection, str]:
    repository = Repository(root)
    found = Detection()
    dockerfiles = [path for path in repository.files if path.endswith("Dockerfile")]
    code = Code(repository, ".", [path for path in repository.files if path.endswith(".py")])
    return found, find_layout(Project(repository, "."), found, code, file, manager, target, dockerfiles)


@pytest.mark.parametrize(
    ("files", "file", "target", "layout", "base"),
    [
        ({"app/main.py": ""}, "app/main.py", "", "flat", "."),
        ({"main.py": ""}, "main.py", "", "flat", "."),
        ({"src/shop/main.py": ""}, "src/shop/main.py", "", "src", "src"),
        ({"src/main.py": "from src.db import x"}, "src/main.py", "", "flat", "."),
        ({"src/__init__.py": "", "src/main.py": ""}, "src/main.py", "", "flat", "."),
        ({"src/main.py": ""}, "src/main.py", "src.main:app", "flat", "."),
        ({"src/__init__.py": "", "src/main.py": ""}, "src/main.py", "main:app", "src", "src"),
    ],
)
def test_code_that_is_not_packaged(
    repo: Repo, files: dict[str, str], file: str, target: str, layout: str, base: str
) -> None:
    found, seen_from = look(repo(files), file, target=target)
    assert (found.answers["layout"], seen_from) == (layout, base)


@pytest.mark.parametrize("backend", ["hatchling.build", "setuptools.build_meta", "uv_build", "pdm.backend"])
@pytest.mark.parametrize("manager", ["uv", "pdm", "pyproject", "pip", "pipenv"])
def test_a_build_system_makes_a_package(repo: Repo, manager: str, backend: str) -> None:
    root = repo({"pyproject.toml": BUILT.format(backend), "README.md": "", "src/shop/main.py": ""})
    found, base = look(root, "src/shop/main.py", manager)
    assert (found.answers["layout"], found.answers["readme"], base) == ("package", "README.md", "src")


@pytest.mark.parametrize(
    ("manager", "text"),
    [
        ("uv", BUILT + "[tool.uv]\npackage = false\n"),
        ("pdm", BUILT + "[tool.pdm]\ndistribution = false\n"),
        ("poetry", "[tool.poetry]\nname = 'shop'\npackage-mode = false\n"),
        ("uv", "[project]\nname = 'shop'\n"),
        ("poetry", "[tool.poetry]\nname = 'other'\n"),
        ("uv", BUILT.replace("shop", "other")),
    ],
)
def test_what_is_switched_off_or_not_part_of_the_package_is_none(repo: Repo, manager: str, text: str) -> None:
    found, _ = look(
        repo({"pyproject.toml": text.format("hatchling.build"), "shop/main.py": ""}), "shop/main.py", manager
    )
    assert found.answers["layout"] == "flat"
    assert "readme" not in found.answers


@pytest.mark.parametrize(
    "settings",
    [
        "[tool.hatch.build.targets.wheel]\npackages = ['app']\n",
        "[tool.setuptools]\npackages = [\n  'app',\n]\n",
        "[tool.uv.build-backend]\nmodule-name = 'app'\n",
    ],
)
def test_a_package_may_have_another_name_than_the_project(repo: Repo, settings: str) -> None:
    found, _ = look(repo({"pyproject.toml": BUILT.format("x") + settings, "app/main.py": ""}), "app/main.py")
    assert found.answers["layout"] == "package"


def test_poetry_packages_its_project_and_names_its_readme(repo: Repo) -> None:
    text = "[tool.poetry]\nname = 'shop'\nreadme = ['R.md']\npackages = [{include = 'api', from = 'lib'}]\n"
    found, base = look(repo({"pyproject.toml": text, "R.md": "", "lib/api/main.py": ""}), "lib/api/main.py", "poetry")
    assert (found.answers["layout"], found.answers["readme"], base) == ("package", "R.md", "lib")


def test_a_dockerfile_that_installs_only_requirements_runs_the_code_as_it_lies(repo: Repo) -> None:
    files = {
        "pyproject.toml": BUILT.format("x"),
        "shop/main.py": "",
        "Dockerfile": "FROM python\nRUN pip install -r r.txt",
    }
    assert look(repo(files), "shop/main.py", "pip")[0].answers["layout"] == "flat"
    files["Dockerfile"] += " && pip install .\n"
    assert look(repo(files), "shop/main.py", "pip")[0].answers["layout"] == "package"


@pytest.mark.parametrize("readme", ["absent.md", "../README.md", "/etc/passwd"])
def test_a_missing_readme_is_reported(repo: Repo, readme: str) -> None:
    found, _ = look(
        repo({"pyproject.toml": BUILT.format("x").replace("README.md", readme), "shop/main.py": ""}), "shop/main.py"
    )
    assert "readme" not in found.answers
    assert [(unknown.key, unknown.blocks) for unknown in found.unknown] == [("readme", True)]


def test_setuptools_builds_without_its_readme(repo: Repo) -> None:
    text = BUILT.format("setuptools").replace("README.md", "absent.md")
    found, _ = look(repo({"pyproject.toml": text, "shop/main.py": ""}), "shop/main.py")
    assert not found.unknown and not found.warnings


@pytest.mark.parametrize(
    ("manager", "text", "groups"),
    [
        ("uv", "[dependency-groups]\ndev = []\n", ["dev"]),
        ("uv", "[tool.uv]\ndev-dependencies = []\n", ["dev"]),
        ("poetry", "[tool.poetry.group.dev.dependencies]\nx = '*'\n", ["dev"]),
        ("poetry", "[tool.poetry.dev-dependencies]\nx = '*'\n", ["dev"]),
        ("pdm", "[tool.pdm.dev-dependencies]\ndev = []\n", ["dev"]),
        ("uv", "[dependency-groups]\ntest = []\n", []),
    ],
)
def test_the_group_of_development(repo: Repo, manager: str, text: str, groups: list[str]) -> None:
    found = Detection()
    find_groups(Project(Repository(repo({"pyproject.toml": text})), "."), found, manager)
    assert found.answers["dev_groups"] == groups


@pytest.mark.parametrize(
    ("app_dir", "name"),
    [(".", "my-shop"), ("services/Order_API", "order-api"), ("backend/app", "backend"), ("src", "my-shop")],
)
def test_the_images_name(repo: Repo, app_dir: str, name: str) -> None:
    root = repo(
        {"pyproject.toml": "[project]\nname = 'My_Shop'\n", "src/pyproject.toml": "[project]\nname = 'My_Shop'\n"}
    )
    found = Detection()
    find_name(Project(Repository(root), app_dir), found)
    assert found.answers["name"] == name


@pytest.mark.parametrize(
    ("files", "start", "expected"),
    [
        # Started in a folder: imports and files are relative to it.
        ({"server/main.py": "app = 1"}, "server", {"import_root": "server", "start_folder": "server"}),
        ({"a/b/main.py": "app = 1"}, "./a/", {"import_root": "a", "start_folder": "a"}),
        # Imports of neighbors by their bare names.
        ({"server/main.py": "from db import x", "server/db.py": ""}, "", {"import_root": "server"}),
        ({"api/app/main.py": "from app.db import x", "api/app/db.py": ""}, "", {"import_root": "api"}),
        ({"api/app/main.py": "from core import x", "api/core/__init__.py": ""}, "", {"import_root": "api"}),
        ({"api/app/main.py": "from api.app import x", "api/app/__init__.py": ""}, "", {}),
        ({"server/main.py": "from server.a import y\nimport logging", "server/logging.py": ""}, "", {}),
        ({"server/main.py": "app = 1"}, "/app/server", {}),
        ({"main.py": "app = 1"}, ".", {}),
    ],
)
def test_the_folder_that_imports_are_relative_to_is_found(
    repo: Repo, files: dict[str, str], start: str, expected: dict[str, str]
) -> None:
    repository = Repository(repo(files))
    code = Code(repository, ".", repository.files)
    starts = (Start(server="uvicorn", folder=start, path="Makefile", line=2),)
    path = next(path for path in files if path.endswith("main.py"))
    chosen = Candidate(path=path, name="app", line=1, starts=starts)
    found = Detection()
    root = find_import_root(Project(repository, "."), found, code, chosen, ".")
    assert root == expected.get("import_root", ".")
    assert {key: value for key, value in found.answers.items() if key != "layout"} == expected


BACKEND = {
    "requirements.txt": "fastapi==1\nuvicorn==1\n",
    "backend/main.py": "from fastapi import FastAPI\napp = FastAPI()\nopen('data.txt')\n",
    "backend/data.txt": "",
}
BELOW = {"app": "main:app", "import_root": "backend", "start_folder": "backend"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"run.sh": "cd backend\nexec uvicorn main:app\n"}, BELOW),
        ({"compose.yaml": "services: {api: {working_dir: /code/backend, command: uvicorn main:app}}\n"}, BELOW),
        ({"Dockerfile": "FROM python:3.13\nCOPY backend/ /app\nWORKDIR /app\nCMD uvicorn main:app\n"}, BELOW),
        # Detection looks only for imports there.
        ({"Makefile": "run:\n\tuvicorn --app-dir backend main:app\n"}, {**BELOW, "start_folder": None}),
        ({"Makefile": "run:\n\tPYTHONPATH=backend uvicorn main:app\n"}, {**BELOW, "start_folder": None}),
        # Nothing points to a folder, or what does is wrong.
        ({}, {"app": "backend.main:app", "import_root": None, "start_folder": None}),
        (
            {
                "run.sh": "uvicorn main:app\n",
                "backend/main.py": "from backend.db import x\nfrom fastapi import FastAPI\napp = FastAPI()\n",
                "backend/db.py": "x = 1\n",
            },
            {"app": "backend.main:app", "import_root": None, "start_folder": None},
        ),
    ],
)
def test_an_import_string_tells_where_the_server_is_started(
    repo: Repo, files: dict[str, str], expected: dict[str, str | None]
) -> None:
    found = detect(repo({**BACKEND, **files}))
    assert {key: found.answers.get(key) for key in expected} == expected
