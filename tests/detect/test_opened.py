"""A file that sources open is in the image, is writable, or is reported with its line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pathspec
import pytest
from tests.renderings import rendered

from dockertpl.detect import Detection, look
from dockertpl.detect.opened import left_out

Repo = Callable[[Mapping[str, str]], Path]
MANIFEST = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["fastapi", "uvicorn"]\n'
HEAD = """\
from pathlib import Path
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
app = FastAPI()
"""


def found(repo: Repo, main: str, files: Mapping[str, str] | None = None, head: str = HEAD) -> Detection:
    texts = {"pyproject.toml": MANIFEST, "uv.lock": "version = 1\n", "app/__init__.py": "", "app/main.py": head + main}
    return look(repo({**texts, **(files or {})}))[0]


@pytest.mark.slow
def test_the_table_holds_what_the_ignore_files_leave_out() -> None:
    for answers, tree in rendered():
        kind = answers.values["kind"]
        if kind not in ("python-fastapi", "nextjs-standalone") or answers.values["context_files"]:
            continue
        path = next(path for path in tree if path.endswith(".dockerignore"))
        below = f"{answers.values['app_dir']}/" if answers.values["context"] != answers.values["app_dir"] else ""
        lines = tree[path].content.decode().splitlines()
        spec = pathspec.GitIgnoreSpec.from_lines(line for line in lines if not line.startswith("#"))
        for pattern in left_out(kind):
            example = pattern.replace("**/", "x/").replace("*", "x").lstrip("/")
            assert spec.match_file(below + example), (pattern, path)


@pytest.mark.parametrize(
    "line",
    [
        'Path("README.md").read_text()',
        'open("README.md")',
        'Path(__file__).parent.parent.joinpath("README.md").read_text()',
        '(Path(__file__).parents[1] / "README.md").open()',
    ],
)
def test_a_readme_that_the_code_reads_is_let_through_the_ignore_file(repo: Repo, line: str) -> None:
    known = found(repo, f"{line}\n", {"README.md": "hello"})
    assert known.answers["context_files"] == ["README.md"]
    assert known.evidence["context_files"].where == "app/main.py:5"


def test_a_folder_that_the_ignore_file_drops_is_let_through_where_it_is_served(repo: Repo) -> None:
    known = found(repo, 'app.mount("/help", StaticFiles(directory="docs"))\n', {"docs/index.html": ""})
    assert known.answers["context_files"] == ["docs"]


def test_a_module_that_is_imported_from_a_folder_that_the_ignore_file_drops_is_let_through(repo: Repo) -> None:
    known = found(repo, "from tests.data import prices\n", {"tests/__init__.py": "", "tests/data.py": "prices = 1\n"})
    assert known.answers["context_files"] == ["tests/__init__.py", "tests/data.py"]


def test_what_only_tests_read_is_not_let_through(repo: Repo) -> None:
    files = {"README.md": "", "tests/test_x.py": 'open("README.md")\n', "scripts/x.py": 'open("README.md")\n'}
    assert "context_files" not in found(repo, "", files).answers


def test_a_package_called_docs_needs_nothing(repo: Repo) -> None:
    known = found(repo, "from app.docs import x\n", {"app/docs/__init__.py": "x = 1\n"})
    assert "context_files" not in known.answers and not known.warnings


def test_a_possible_secret_is_reported_and_stays_ignored(repo: Repo) -> None:
    known = found(repo, 'open("certs/ca.pem")\n', {"certs/ca.pem": ""})
    assert "context_files" not in known.answers
    assert any("app/main.py:5 reads certs/ca.pem" in one and "context_files" in one for one in known.warnings)


@pytest.mark.parametrize(
    "line",
    [
        'app.mount("/s", StaticFiles(directory="app/dist"))',
        'app.mount("/s", StaticFiles(directory=Path(__file__).parent / "dist"))',
        'app.frontend("/", directory="app/dist")',
    ],
)
@pytest.mark.parametrize("built", [False, True])
def test_a_served_folder_missing_from_git_is_reported_with_both_lines(repo: Repo, line: str, built: bool) -> None:
    files = {".gitignore": "*.log\napp/dist/\n"} | ({"app/dist/index.html": ""} if built else {})
    (warning,) = found(repo, f"{line}\n", files).warnings
    assert "app/main.py:5 serves app/dist" in warning
    assert ".gitignore:2" in warning and "front end" in warning and "stages" in warning


def test_a_missing_served_folder_is_reported(repo: Repo) -> None:
    (warning,) = found(repo, 'app.mount("/s", StaticFiles(directory="static"))\n').warnings
    assert "serves static, but it is not in the repository" in warning


def test_a_class_that_serves_as_static_files_does_is_read(repo: Repo) -> None:
    spa = "class SPA(StaticFiles):\n    pass\n"
    main = 'from app.spa import SPA\napp.mount("/", SPA(directory="front/dist", html=True))\n'
    known = found(repo, main, {"app/spa.py": f"{HEAD}{spa}", ".gitignore": "dist\n", "front/package.json": ""})
    assert "app/main.py:6 serves front/dist" in known.warnings[0]


def test_a_file_above_the_build_context_is_reported_with_its_line(repo: Repo) -> None:
    main = f"{HEAD}TEXT = Path(__file__).parents[2].joinpath('README.md').read_text()\n"
    files = {"api/pyproject.toml": MANIFEST, "api/uv.lock": "version = 1\n", "api/app/main.py": main, "README.md": ""}
    (warning,) = look(repo(files))[0].warnings
    assert warning == "api/app/main.py:5 reads README.md, which is not in the build context: move it into api."


@pytest.mark.parametrize(
    "line",
    [
        'import logging; logging.basicConfig(filename="app.log")',
        'import logging.config; logging.config.dictConfig({"handlers": {"f": '
        '{"class": "logging.handlers.RotatingFileHandler", "filename": "app.log"}}})',
    ],
)
def test_a_log_beside_the_code_is_a_link_to_where_it_may_be_written(repo: Repo, line: str) -> None:
    assert found(repo, f"{line}\n").answers["writable_files"] == ["app.log"]


def test_the_database_of_the_example_file_can_be_written(repo: Repo) -> None:
    main = 'import os\nURL = os.environ["DATABASE_URL"]\n'
    known = found(repo, main, {".env.example": "DATABASE_URL=sqlite+aiosqlite:///./app.db\n"})
    assert known.answers["writable_files"] == ["app.db"]


def test_a_served_folder_in_git_is_not_mentioned(repo: Repo) -> None:
    known = found(repo, 'app.mount("/s", StaticFiles(directory="static"))\n', {"static/x.css": ""})
    assert not known.warnings and "writable" not in known.answers


@pytest.mark.parametrize(
    "line",
    [
        'UPLOADS = Path("uploads"); UPLOADS.mkdir(exist_ok=True)',
        'import os; os.makedirs("uploads/images", exist_ok=True); os.makedirs("uploads", exist_ok=True)',
        'def save(name): (Path("uploads") / name).write_bytes(b"")',
        'def save(name): open(f"uploads/{name}", "wb")',
        'import logging.handlers; logging.handlers.RotatingFileHandler("uploads/app.log")',
        'URL = "sqlite:///./uploads/app.db"',
        'Path("uploads").mkdir(); app.mount("/u", StaticFiles(directory="uploads"))',
    ],
)
@pytest.mark.parametrize("files", [{}, {"uploads/.gitkeep": ""}, {"uploads/old.png": "", ".gitignore": "uploads/\n"}])
def test_a_folder_that_the_code_writes_to_is_writable(repo: Repo, line: str, files: dict[str, str]) -> None:
    known = found(repo, f"{line}\n", files)
    assert known.answers["writable"] == ["uploads"]
    assert known.evidence["writable"].where == "app/main.py:5"
    assert not known.warnings and "writable_files" not in known.answers


def test_folders_outside_of_the_application_are_named_as_they_are(repo: Repo) -> None:
    known = found(repo, 'Path("/data/files").mkdir(); Path("/tmp/x").mkdir(); open("/dev/null", "w")\n')
    assert known.answers["writable"] == ["/data/files"]


def test_a_path_of_the_image_is_the_one_that_it_is_copied_from(repo: Repo) -> None:
    made = 'Path("/app/models").mkdir()\n'
    assert found(repo, made).answers["writable"] == ["models"]
    assert "writable" not in found(repo, made, {"models/a.bin": "x"}).answers


def test_a_database_beside_the_code_is_a_link_to_where_it_may_be_written(repo: Repo) -> None:
    known = found(repo, 'A = "sqlite:///database.db"\nB = "sqlite:///app/jobs.db"\n')
    assert known.answers["writable_files"] == ["app/jobs.db", "database.db"]
    assert "writable" not in known.answers


def test_a_folder_with_files_of_the_application_is_not_covered(repo: Repo) -> None:
    known = found(repo, 'Path("static").mkdir(exist_ok=True)\n', {"static/x.css": ""})
    assert "writable" not in known.answers


def test_it_works_below_an_application_s_folder(repo: Repo) -> None:
    root = {f"services/api/{path}": text for path, text in {"pyproject.toml": MANIFEST, "README.md": ""}.items()}
    main = f'{HEAD}open("README.md")\nPath("uploads").mkdir()\n'
    known = look(repo({**root, "services/api/app/main.py": main, "services/api/uv.lock": "version = 1\n"}))[0]
    assert (known.answers["app_dir"], known.answers["writable"]) == ("services/api", ["uploads"])
    assert known.answers["context_files"] == ["README.md"]
