"""What `new` does with the Dockerfile and the ignore file that a repository has."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from tests.commands.conftest import Done
from tests.parity import read_tree

from dockertpl.adopt.adoption import BACKUP

pytestmark = pytest.mark.slow

Run = Callable[..., Done]
CMD = 'CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"]\n'
OLD = f"FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nENV MODE=shop\n{CMD}"
APP = {
    "requirements.txt": "fastapi==0.115.12\nuvicorn==0.34.0\n",
    "app/__init__.py": "",
    "app/main.py": 'from fastapi import FastAPI\napp = FastAPI()\n@app.get("/health")\ndef health(): return 1\n',
}
ABOVE = (
    "FROM node:24-slim AS ui\nWORKDIR /ui\nCOPY frontend/ ./\nRUN npm run build\n"
    "FROM python:3.13-slim\nWORKDIR /app\nCOPY backend/requirements.txt .\nRUN pip install -r requirements.txt\n"
    f"COPY backend/ .\nCOPY --from=ui /ui/dist ./static\n{CMD}"
)


@pytest.fixture(autouse=True)
def _plain_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKERTPL_IGNORE_MACHINE", "1")


def _make(root: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(root)]
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", root], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "x"], check=True)
    return root


def test_a_dockerfile_without_losses_is_converted_without_a_question(tmp_path: Path, dockertpl: Run) -> None:
    root = _make(tmp_path, {**APP, "Dockerfile": OLD})
    done = dockertpl("new", root, "--defaults", "--json")
    assert done.code == 0, done.json
    assert done.json["adopted"]["dockerfile"] == "Dockerfile"
    assert "ENV MODE=shop" in (root / "Dockerfile").read_text()


def test_a_changed_port_needs_a_confirmation(tmp_path: Path, dockertpl: Run) -> None:
    root = _make(tmp_path, {**APP, "Dockerfile": OLD.replace("8000", "80")})
    before = read_tree(root)
    done = dockertpl("new", root, "--defaults")
    assert (done.code, read_tree(root)) == (2, before)
    assert "--port 80" in done.err and "--accept-dropped" in done.err
    assert dockertpl("new", root, "--defaults", "--accept-dropped").code == 0


def test_what_only_development_has_stops_nobody(tmp_path: Path, dockertpl: Run) -> None:
    text = (
        OLD.replace('"8000"]', '"8000", "--reload"]') + "HEALTHCHECK --interval=5s CMD curl -f localhost:8000/health\n"
    )
    root = _make(tmp_path, {**APP, "Dockerfile": text})
    assert dockertpl("new", root, "--defaults").code == 0


def test_replacing_converts_nothing_and_keeps_what_no_commit_has(tmp_path: Path, dockertpl: Run) -> None:
    root = _make(tmp_path, {**APP, "Dockerfile": OLD})
    (root / ".dockerignore").write_text("mine\n")
    done = dockertpl("new", root, "--defaults", "--replace", "--json")
    assert done.code == 0, done.json
    assert "MODE=shop" not in (root / "Dockerfile").read_text()
    assert (root / f".dockerignore{BACKUP}").read_text() == "mine\n"
    assert not (root / f"Dockerfile{BACKUP}").exists()
    assert dockertpl("new", root, "--replace", "--adopt").code == 2


def test_an_ignore_file_without_a_dockerfile_is_merged(tmp_path: Path, dockertpl: Run) -> None:
    root = _make(tmp_path, {**APP, ".dockerignore": "__pycache__\nfixtures/\n"})
    assert dockertpl("new", root, "--defaults").code == 0
    lines = (root / ".dockerignore").read_text().splitlines()
    assert "fixtures/" in lines and "**/__pycache__" in lines


@pytest.mark.parametrize("path", ["Dockerfile.prod", "docker/Dockerfile", "deploy/api.Dockerfile"])
def test_a_dockerfile_elsewhere_is_converted_and_stays(path: str, tmp_path: Path, dockertpl: Run) -> None:
    compose = f"services:\n  api:\n    build: {{context: ., dockerfile: {path}}}\n"
    root = _make(tmp_path, {**APP, path: OLD, "compose.yaml": compose})
    done = dockertpl("new", root, "--defaults")
    assert done.code == 0, done.err
    assert "ENV MODE=shop" in (root / "Dockerfile").read_text()
    assert (root / path).read_text() == OLD
    assert f"{path} stays as it is. compose.yaml:2 still builds it." in " ".join(done.err.split())


def test_one_above_the_application_is_built_from_the_root(tmp_path: Path, dockertpl: Run) -> None:
    files = {f"backend/{path}": text for path, text in APP.items()}
    root = _make(tmp_path, {**files, "frontend/package.json": '{"name": "ui"}', "Dockerfile": ABOVE})
    done = dockertpl("new", root, "--defaults", "--json")
    assert done.code == 0, done.json
    new = (root / "backend" / "Dockerfile").read_text()
    assert "COPY backend/requirements.txt backend/" in new
    assert "COPY --from=ui /ui/dist /app/static" in new
    assert "FROM node:24-slim AS ui" in new
    assert "context: ." in (root / done.json["answers_file"]).read_text()
    assert (root / "Dockerfile").read_text() == ABOVE


def test_where_it_cannot_be_built_from_the_root_the_way_is_said(tmp_path: Path, dockertpl: Run) -> None:
    files = {f"backend/{path}": text for path, text in APP.items() if path != "requirements.txt"}
    project = (
        '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["fastapi", "uvicorn"]\n'
    )
    text = ABOVE.replace("backend/requirements.txt", "backend/pyproject.toml").replace("-r requirements.txt", ".")
    root = _make(tmp_path, {**files, "backend/pyproject.toml": project, "frontend/x": "", "Dockerfile": text})
    done = dockertpl("new", root, "--defaults", "-d", "manager=pyproject")
    assert done.code == 2
    assert "move the files below backend" in done.err


def test_of_two_that_are_equally_likely_one_is_chosen_by_name(tmp_path: Path, dockertpl: Run) -> None:
    files = {"docker/a.Dockerfile": OLD, "docker/b.Dockerfile": OLD.replace("shop", "other")}
    root = _make(tmp_path, {**APP, **files})
    done = dockertpl("new", root, "--defaults")
    assert done.code == 2
    assert "--adopt-file docker/a.Dockerfile" in done.err and "--adopt-file docker/b.Dockerfile" in done.err
    assert dockertpl("new", root, "--defaults", "--adopt-file", "docker/none").code == 2
    assert dockertpl("new", root, "--defaults", "--adopt-file", "docker/b.Dockerfile").code == 0
    assert "MODE=other" in (root / "Dockerfile").read_text()


@pytest.mark.parametrize(
    ("files", "options", "reason"),
    [
        ({"Dockerfile": OLD.replace("8000", "80")}, (), "not every platform lets a user other than root bind it"),
        ({".github/workflows/shop-image.yml": "on: push\n"}, (), "already exists and differs"),
        ({"Dockerfile": OLD}, ("--no-detect",), "Dockerfile already exists and differs"),
    ],
)
def test_a_dry_run_ends_with_the_reason_for_a_stop(
    files: dict[str, str], options: tuple[str, ...], reason: str, tmp_path: Path, dockertpl: Run
) -> None:
    root = _make(tmp_path, {**APP, **files})
    done = dockertpl("new", root, "--defaults", "-d", "name=shop", "--dry-run", *options)
    assert done.code == 1
    end = done.err[done.err.index("Without --dry-run") :]
    assert reason in end


def test_a_file_that_is_not_converted_is_not_reported_as_converted(tmp_path: Path, dockertpl: Run) -> None:
    root = _make(tmp_path, {**APP, ".github/workflows/shop-image.yml": "on: push\n"})
    done = dockertpl("new", root, "--defaults", "-d", "name=shop", "--adopt")
    assert done.code == 2
    assert "With --adopt" not in done.err and "--replace" in done.err


def test_an_entry_point_that_is_kept_is_not_warned_of(tmp_path: Path, dockertpl: Run) -> None:
    text = OLD.replace(CMD, "RUN apt-get update && apt-get install -y libfoo1\n") + (
        "CMD alembic upgrade head && uvicorn app.main:app --host 0.0.0.0 --port 8000\n"
    )
    root = _make(tmp_path, {**APP, "Dockerfile": text})
    done = dockertpl("new", root, "--defaults", "--json", "--accept-dropped")
    assert done.code == 0, done.json
    assert "alembic upgrade head" in (root / "Dockerfile").read_text()
    assert not any(text.startswith("Dockerfile:") for text in done.json["warnings"])


def test_a_served_folder_that_a_kept_stage_builds_is_not_warned_of(tmp_path: Path, dockertpl: Run) -> None:
    serves = 'from fastapi.staticfiles import StaticFiles\napp.mount("/", StaticFiles(directory="static"))\n'
    files = {f"backend/{path}": text for path, text in APP.items()}
    files["backend/app/main.py"] += serves
    root = _make(tmp_path, {**files, "frontend/package.json": "{}", "Dockerfile": ABOVE})
    done = dockertpl("new", root / "backend", "--defaults", "--json")
    assert done.code == 0, done.json
    assert not any("serves" in text for text in done.json["warnings"])


SERVED = "app.mount('/', StaticFiles(directory=Path(__file__).parents[2] / 'frontend/dist'))\n"


def _with_front_end(root: Path, lock: bool) -> Path:
    files = {f"backend/{path}": text for path, text in APP.items()}
    imports = "from pathlib import Path\nfrom fastapi.staticfiles import StaticFiles\n"
    files["backend/app/main.py"] = imports + APP["app/main.py"] + SERVED
    files |= {"frontend/package.json": '{"scripts": {"build": "node build.mjs"}}', ".gitignore": "dist\n"}
    files |= {"frontend/package-lock.json": '{"lockfileVersion": 3}'} if lock else {}
    old = ABOVE.replace("./static", "/frontend/dist").replace("AS ui", "AS frontend").replace("=ui", "=frontend")
    return _make(root, {**files, "Dockerfile": old})


@pytest.mark.parametrize("lock", [True, False])
def test_a_front_end_that_a_kept_stage_builds_gets_no_second_one(lock: bool, tmp_path: Path, dockertpl: Run) -> None:
    root = _with_front_end(tmp_path, lock)
    done = dockertpl("new", root, "--defaults", "--json", "--accept-dropped")
    assert done.code == 0, done.json
    text = (root / "backend/Dockerfile").read_text()
    assert text.count("AS frontend") == 1 and "COPY frontend/ ./\nRUN npm run build\n" in text
    assert "frontend:" not in (root / done.json["answers_file"]).read_text()


def test_where_the_old_dockerfile_is_replaced_the_front_end_has_the_template_s_stage(
    tmp_path: Path, dockertpl: Run
) -> None:
    root = _with_front_end(tmp_path, lock=True)
    done = dockertpl("new", root, "--defaults", "--json", "--replace")
    assert done.code == 0, done.json
    text = (root / "backend/Dockerfile").read_text()
    assert "FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS frontend" in text and "COPY frontend/ ./" not in text


def test_alpine_stays_alpine(tmp_path: Path, dockertpl: Run) -> None:
    package = '{"name": "shop", "scripts": {"build": "next build"}, "dependencies": {"next": "15.5.0"}}'
    files = {
        "package.json": package,
        "package-lock.json": '{"lockfileVersion": 3, "packages": {"node_modules/next": {"version": "15.5.0"}}}',
        "app/page.js": "export default function Page() { return 1 }\n",
        "Dockerfile": "FROM node:22-alpine AS b\nWORKDIR /app\nCOPY . .\nRUN npm ci\nRUN npm run build\n"
        "FROM node:22-alpine\nCOPY --from=b /app/.next/standalone ./\nCMD node server.js\n",
    }
    root = _make(tmp_path, files)
    done = dockertpl("new", root, "--defaults", "--json")
    assert done.code == 0, done.json
    assert "node:22-alpine" in (root / "Dockerfile").read_text()
