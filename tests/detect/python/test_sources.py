from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.projects import project_of
from dockertpl.detect.python.sources import all_starts, dockerfiles, from_code, project_folders
from dockertpl.detect.python.starts import Start
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]


def starts(root: Path, app_dir: str = ".") -> list[Start]:
    repository = Repository(root)
    return all_starts(repository, app_dir, project_folders(repository) | {app_dir})


def test_projects_are_the_folders_with_a_manifest(repo: Repo) -> None:
    root = repo(
        {
            "services/a/pyproject.toml": "",
            "services/b/requirements/prod.txt": "",
            "c/app/__init__.py": "",
            "c/app/requirements.txt": "",
            "core/setup.py": "def create_application(): ...",
            "lib/setup.py": "from setuptools import setup",
        }
    )
    found = project_folders(Repository(root))
    assert found == {".", "services/a", "services/b", "lib"}
    assert project_of("services/a/x/y.py", found) == "services/a"
    assert project_of("core/y.py", found) == "."


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("Dockerfile", "FROM python\nCMD uvicorn app.main:app\n", 2),
        ("Dockerfile", 'FROM python\nENTRYPOINT ["uvicorn", "app.main:app"]\n', 2),
        ("Dockerfile", 'FROM python\nENTRYPOINT ["uvicorn"]\nCMD ["app.main:app"]\n', 3),
        ("docker/api.Dockerfile", 'FROM python\nCMD ["uvicorn", "app.main:app"]\n', 2),
        ("Procfile", "web: uvicorn app.main:app\n", 1),
        ("docker-compose.yml", "services:\n  api:\n    build: .\n    command: uvicorn app.main:app\n", 2),
        ("compose.yaml", "services:\n  api:\n    command: [uvicorn, 'app.main:app']\n", 2),
        ("Makefile", "run:\n\tuvicorn app.main:app\n", 2),
        ("scripts/start.sh", "#!/bin/sh\nexec uvicorn app.main:app\n", 2),
        ("pyproject.toml", "[tool.fastapi]\nentrypoint = 'app.main:app'\n", 2),
        ("pyproject.toml", "[tool.taskipy.tasks]\nrun = 'uvicorn app.main:app'\n", 2),
        ("README.md", "Run `uvicorn app.main:app`.\n", 1),
        ("deploy/supervisor.conf", "[program:x]\ncommand=/venv/bin/uvicorn app.main:app\n", 2),
    ],
)
def test_every_place_that_starts_the_application_is_read(repo: Repo, path: str, text: str, line: int) -> None:
    (found,) = (start for start in starts(repo({path: text})) if start.target)
    assert (found.target, found.path, found.line) == ("app.main:app", path, line)


def test_production_weighs_more_than_development_and_prose(repo: Repo) -> None:
    root = repo(
        {
            "README.md": "`uvicorn a:readme`",
            "Makefile": "run:\n\tuvicorn a:make --reload\n",
            "compose.yaml": "services:\n  x:\n    command: uvicorn a:compose\n",
            "Procfile": "web: uvicorn a:web\n",
            "Dockerfile": "FROM python\nCMD uvicorn a:docker\n",
        }
    )
    assert [start.target for start in starts(root)] == ["a:docker", "a:web", "a:compose", "a:make", "a:readme"]


def test_a_script_that_the_dockerfile_runs_counts_as_production(repo: Repo) -> None:
    root = repo(
        {"Dockerfile": 'FROM python\nCMD ["./start.sh"]\n', "start.sh": "uvicorn a:b", "other.sh": "uvicorn c:d"}
    )
    assert [(start.target, start.weight >= 80) for start in starts(root)] == [("a:b", True), ("c:d", False)]


def test_another_services_commands_are_not_this_ones(repo: Repo) -> None:
    root = repo(
        {
            "services/a/pyproject.toml": "",
            "services/b/pyproject.toml": "",
            "services/b/Dockerfile": "FROM python\nCMD uvicorn main:app --port 1111\n",
            "compose.yaml": "services:\n  a:\n    build: ./services/a\n    command: uvicorn main:app --port 2222\n"
            "  b:\n    build: {context: services/b}\n    command: uvicorn main:app --port 3333\n",
        }
    )
    assert [start.port for start in starts(root, "services/a")] == [2222]


def test_a_published_port_is_the_containers_side(repo: Repo) -> None:
    text = "services:\n  api:\n    build: .\n    ports: ['80:9000']\n"
    assert [start.port for start in starts(repo({"compose.yaml": text}))] == [9000]
    assert starts(repo({"compose.yaml": "", "compose.override.yml": text})) == []


@pytest.mark.parametrize(
    "text", ["services: [uvicorn", "uvicorn: &a [*a]", "- uvicorn", "services: {a: uvicorn}", "\t uvicorn"]
)
def test_a_broken_compose_file_does_not_crash(repo: Repo, text: str) -> None:
    assert starts(repo({"compose.yaml": text})) == []


def test_a_service_takes_what_its_anchor_brings(repo: Repo) -> None:
    text = "x-a: &a\n  build: .\n  command: uvicorn a:b\nservices:\n  api:\n    <<: *a\n"
    assert [start.target for start in starts(repo({"compose.yaml": text}))] == ["a:b"]


def test_dockerfiles_of_the_application_come_first_and_others_not_at_all(repo: Repo) -> None:
    root = repo(
        {
            "api/pyproject.toml": "",
            "api/Dockerfile": "FROM python",
            "docker/Dockerfile.api": "FROM python",
            "web/Dockerfile": "FROM node",
            "worker/pyproject.toml": "",
            "worker/Dockerfile": "FROM python",
            "bin/Dockerfile-template": "FROM python",
        }
    )
    repository = Repository(root)
    assert dockerfiles(repository, "api", project_folders(repository)) == ["api/Dockerfile", "docker/Dockerfile.api"]


def test_a_server_that_code_starts() -> None:
    tree = ast.parse("import uvicorn\nuvicorn.run(app='a:b', port=9000, workers=2, reload=DEBUG)\nother.run('a:b')")
    (found,) = from_code(tree, "run.py")
    assert (found.target, found.port, found.workers, found.line) == ("a:b", 9000, 2, 2)
    assert next(from_code(tree, "run.py", started=True)).weight > found.weight
