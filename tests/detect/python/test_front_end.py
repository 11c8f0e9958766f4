"""The image builds a front end that the application serves and that Git has only as sources."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dockertpl.detect import Detection, look

Repo = Callable[[Mapping[str, str]], Path]
HEAD = """\
from pathlib import Path
from fastapi import FastAPI
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
app = FastAPI()
"""
PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["fastapi", "uvicorn"]\n'
PACKAGE = '{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "7.1.0"}}'
LOCK = '{"lockfileVersion": 3}'
FRONT = {"package.json": PACKAGE, "package-lock.json": LOCK, ".gitignore": "node_modules\ndist\n"}
BESIDE = 'app.mount("/", StaticFiles(directory=Path(__file__).parents[2] / "web/dist"))\n'
INSIDE = 'app.mount("/", StaticFiles(directory="web/dist"))\n'


def known(
    repo: Repo,
    main: str,
    app_dir: str = ".",
    front: Mapping[str, str | None] | None = None,
    files: Mapping[str, str | None] | None = None,
    given: Mapping[str, Any] | None = None,
    folder: str = "web",
) -> Detection:
    """Return what detection finds for an application in `app_dir` beside or around a front end."""
    own = {"pyproject.toml": PROJECT, "uv.lock": "version = 1\n", "app/__init__.py": "", "app/main.py": HEAD + main}
    texts: dict[str, str | None] = {str(Path(app_dir, path)): text for path, text in own.items()}
    texts |= {str(Path(folder, path)): text for path, text in {**FRONT, **(front or {})}.items()}
    texts |= files or {}
    root = repo({path: text for path, text in texts.items() if text is not None})
    return look(root, given=given)[0]


def front_end_of(found: Detection) -> dict[str, Any]:
    keys = ("context", "own_lock", "frontend", "frontend_output", "frontend_manager", "frontend_root")
    return {key: found.answers[key] for key in keys if key in found.answers}


@pytest.mark.parametrize(
    "main",
    [
        INSIDE,
        'app.mount("/assets", StaticFiles(directory="web/dist/assets"))\n',
        'D = Path(__file__).parent.parent / "web/dist"\nif D.is_dir(): app.mount("/", StaticFiles(directory=D))\n',
        'app.frontend("/", directory="web/dist")\n',
        'def page(): return FileResponse("web/dist/index.html")\n',
        'def page(name): return FileResponse(Path("web/dist") / name)\n',
        'Path("web/dist").mkdir(exist_ok=True)\napp.mount("/", StaticFiles(directory="web/dist"))\n',
        'app.mount("/", StaticFiles(directory="/app/web/dist"))\n',
    ],
)
@pytest.mark.parametrize("built", [False, True])
def test_what_the_code_serves_of_a_build_is_built_in_the_image(main: str, built: bool, repo: Repo) -> None:
    found = known(repo, main, front={"dist/index.html": "", "dist/assets/x.js": ""} if built else {})
    expected = {"frontend": "web", "frontend_output": "web/dist", "frontend_manager": "npm"}
    assert front_end_of(found) == expected
    assert not found.warnings and "writable" not in found.answers


def test_the_evidence_names_the_build_and_the_line_that_serves(repo: Repo) -> None:
    evidence = known(repo, INSIDE).evidence["frontend"]
    assert evidence.where == "web/package.json:1"
    assert evidence.note == "its build makes web/dist, which app/main.py:6 serves"


def test_one_beside_the_application_makes_the_root_the_build_context(repo: Repo) -> None:
    found = known(repo, BESIDE, app_dir="backend")
    assert front_end_of(found) == {
        "context": ".",
        "own_lock": True,
        "frontend": "web",
        "frontend_output": "web/dist",
        "frontend_manager": "npm",
    }
    assert not found.warnings


def test_one_that_builds_into_the_application_does_too(repo: Repo) -> None:
    front = {"vite.config.ts": "export default defineConfig({ build: { outDir: '../backend/app/static' } })"}
    main = 'app.mount("/", StaticFiles(directory=Path(__file__).parent / "static"))\n'
    found = known(repo, main, app_dir="backend", front=front)
    assert front_end_of(found) == {
        "context": ".",
        "own_lock": True,
        "frontend": "web",
        "frontend_output": "backend/app/static",
        "frontend_manager": "npm",
    }


def test_paths_of_other_answers_follow_the_build_context(repo: Repo) -> None:
    project = (
        '[project]\nname = "shop"\nversion = "1"\ndynamic = ["dependencies"]\n'
        '[tool.setuptools.dynamic]\ndependencies = { file = ["requirements.txt"] }\n'
    )
    files = {
        "backend/pyproject.toml": project,
        "backend/requirements.txt": "fastapi\nuvicorn\n",
        "backend/README.md": "x",
    }
    found = known(repo, BESIDE + 'open("README.md")\n', app_dir="backend", files=files, given={"manager": "uv"})
    assert found.answers["install_files"] == ["backend/requirements.txt"]
    assert found.answers["context_files"] == ["backend/README.md"]


def test_a_member_of_a_uv_workspace_has_the_root_as_build_context_anyway(repo: Repo) -> None:
    files = {"pyproject.toml": '[tool.uv.workspace]\nmembers = ["backend"]\n', "uv.lock": "version = 1\n"}
    found = known(repo, BESIDE, app_dir="backend", files={**files, "backend/uv.lock": None})
    assert front_end_of(found)["frontend"] == "web"
    assert found.answers["context"] == "." and "own_lock" not in found.answers


@pytest.mark.parametrize(("given", "app_dir"), [({"frontend": ""}, "backend"), ({"frontend": ""}, ".")])
def test_without_it_the_served_folder_is_warned_of(given: dict[str, str], app_dir: str, repo: Repo) -> None:
    found = known(repo, BESIDE if app_dir == "backend" else INSIDE, app_dir=app_dir, given=given)
    assert not front_end_of(found)
    (warning,) = found.warnings
    assert "serves web/dist" in warning and "web/.gitignore:2" in warning and "stages" in warning


def test_a_build_context_that_cannot_reach_it_is_reported(repo: Repo) -> None:
    found = known(repo, BESIDE, app_dir="backend", given={"context": "backend"})
    assert not front_end_of(found)
    assert "outside of the build context (backend)" in found.warnings[0]
    assert "serves web/dist" in found.warnings[1]


@pytest.mark.parametrize(
    ("main", "front"),
    [
        (INSIDE, {"package.json": None}),
        (INSIDE, {"package.json": "{}"}),
        (INSIDE, {"vite.config.js": "export default { build: { outDir: 'other' } }"}),
        ('app.mount("/", StaticFiles(directory="static"))\n', {}),
    ],
)
def test_a_folder_that_no_build_makes_is_warned_of_as_before(
    main: str, front: dict[str, str | None], repo: Repo
) -> None:
    found = known(repo, main, front=front)
    assert not front_end_of(found)
    assert "front end's build creates it" in found.warnings[0]


@pytest.mark.parametrize("built", [False, True])
def test_an_output_that_is_in_git_as_an_empty_folder_is_built(built: bool, repo: Repo) -> None:
    front = {".gitignore": "node_modules\ndist/*\n!dist/.gitkeep\n", "dist/.gitkeep": ""}
    front |= {"dist/index.html": "", "dist/assets/x.js": ""} if built else {}
    assert front_end_of(known(repo, INSIDE, front=front))["frontend_output"] == "web/dist"


def test_an_output_that_git_has_is_not_built(repo: Repo) -> None:
    found = known(repo, INSIDE, front={".gitignore": "node_modules\n", "dist/index.html": ""})
    assert not front_end_of(found) and not found.warnings


def blocked(found: Detection) -> tuple[str, str]:
    (problem,) = [one for one in found.unknown if one.key == "frontend"]
    assert problem.blocks
    return problem.message, problem.remedy


def test_without_a_lock_no_build_is_the_same_twice(repo: Repo) -> None:
    message, remedy = blocked(known(repo, INSIDE, front={"package-lock.json": None}))
    assert "app/main.py:6 serves web/dist" in message and "No lock file was found in web" in message
    assert "`npm install --package-lock-only`" in remedy
    assert remedy.splitlines()[-1].endswith("-d frontend=")


def test_of_two_locks_one_is_chosen_by_the_front_end_s_question(repo: Repo) -> None:
    front = {"yarn.lock": "# yarn lockfile v1\n"}
    _, remedy = blocked(known(repo, INSIDE, front=front))
    assert "-d frontend_manager=npm" in remedy and "-d frontend_manager=yarn" in remedy
    chosen = known(repo, INSIDE, front=front, given={"frontend_manager": "yarn"})
    assert front_end_of(chosen) == {"frontend": "web", "frontend_output": "web/dist"} and not chosen.unknown


def test_a_build_that_opens_secrets_is_refused(repo: Repo) -> None:
    package = '{"scripts": {"build": "env-cmd -f .env.production vite build"}, "devDependencies": {"vite": "7"}}'
    message, _ = blocked(known(repo, INSIDE, front={"package.json": package}))
    assert "opens .env.production" in message


@pytest.mark.parametrize(
    ("front", "key", "value"),
    [
        ({".nvmrc": "22\n"}, "frontend_node", "22"),
        ({"package-lock.json": None, "pnpm-lock.yaml": "lockfileVersion: '9.0'\n"}, "frontend_manager", "pnpm"),
        ({"package-lock.json": None, "pnpm-lock.yaml": "lockfileVersion: '6.0'\n"}, "frontend_manager", "pnpm@8.15.9"),
        ({"package-lock.json": None, "bun.lockb": "x"}, "frontend_manager", "bun"),
        ({"package-lock.json": None, "yarn.lock": "__metadata:\n  version: 8\n"}, "frontend_manager", "yarn-berry"),
        (
            {".env": "VITE_API=/api\nSECRET=x\n", ".env.production": "VITE_API=/v1\n"},
            "frontend_env",
            {"VITE_API": "/v1"},
        ),
        ({".npmrc": "//npm.acme.dev/:_authToken=${NPM_TOKEN}\n"}, "build_secrets", ["NPM_TOKEN"]),
    ],
)
def test_what_its_build_needs_is_known(front: dict[str, str | None], key: str, value: Any, repo: Repo) -> None:
    assert known(repo, INSIDE, front=front).answers[key] == value


def test_variables_of_this_machine_alone_are_not_taken(repo: Repo) -> None:
    front = {".env": "VITE_API=/api\n", ".gitignore": "dist\n.env\n"}
    assert "frontend_env" not in known(repo, INSIDE, front=front).answers


def test_webpack_4_gets_the_switch_that_it_needs(repo: Repo) -> None:
    package = '{"scripts": {"build": "react-scripts build"}, "dependencies": {"react-scripts": "4.0.3"}}'
    lock = json.dumps({"lockfileVersion": 3, "packages": {"node_modules/webpack": {"version": "4.44.2"}}})
    found = known(repo, INSIDE.replace("dist", "build"), front={"package.json": package, "package-lock.json": lock})
    assert found.answers["frontend_env"] == {"NODE_OPTIONS": "--openssl-legacy-provider"}


WORKSPACE = {
    "package.json": '{"workspaces": ["web", "packages/*"]}',
    "package-lock.json": LOCK,
    "packages/ui/package.json": '{"name": "ui", "main": "src/index.ts"}',
    "packages/other/package.json": '{"name": "other"}',
    "web/package-lock.json": None,
    "web/package.json": PACKAGE.replace("devDependencies", "dependencies").replace('{"vite"', '{"ui": "*", "vite"'),
}


def test_a_member_of_a_workspace_is_installed_at_its_root(repo: Repo) -> None:
    found = known(repo, BESIDE, app_dir="backend", files=WORKSPACE)
    assert front_end_of(found)["frontend_root"] == "."
    assert found.answers["frontend_files"] == ["packages/other/package.json", "packages/ui"]


def test_a_member_that_needs_another_one_s_build_is_refused(repo: Repo) -> None:
    files = {
        **WORKSPACE,
        ".gitignore": "dist\n",
        "packages/ui/package.json": '{"name": "ui", "main": "dist/index.js", "scripts": {"build": "tsc"}}',
    }
    message, remedy = blocked(known(repo, BESIDE, app_dir="backend", files=files))
    assert "web/package.json needs packages/ui, which must be built first" in message
    assert "packages/ui/package.json" in remedy


def test_one_that_is_named_is_taken_though_no_path_is_seen(repo: Repo) -> None:
    main = 'import os\napp.mount("/", StaticFiles(directory=os.environ["PAGES"]))\n'
    found = known(repo, main, app_dir="backend", given={"frontend": "web"})
    assert (found.answers["context"], found.answers["own_lock"]) == (".", True)
    assert found.answers["frontend_output"] == "web/dist"


def test_the_front_end_may_be_the_folder_of_the_application(repo: Repo) -> None:
    found = known(repo, 'app.mount("/", StaticFiles(directory="dist"))\n', folder=".")
    assert front_end_of(found) == {"frontend": ".", "frontend_output": "dist", "frontend_manager": "npm"}
