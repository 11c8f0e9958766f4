from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect import detect
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.lock import Locked, Production
from dockertpl.detect.python.project import Dependency, Project
from dockertpl.detect.python.server import find_options, find_server
from dockertpl.detect.python.starts import Start
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]


def production(*names: str, extras: tuple[str, ...] = ()) -> Production:
    direct = {name: Dependency(name=name, path="pyproject.toml", line=1) for name in names}
    direct["fastapi"] = Dependency(name="fastapi", extras=frozenset(extras), path="pyproject.toml", line=2)
    return Production(packages={name: Locked(name=name) for name in direct}, path="pyproject.toml", direct=direct)


def server(root: Path, locked: Production, *starts: Start, manager: str = "uv") -> Detection:
    found = Detection()
    found.answer("manager", manager)
    find_server(Project(Repository(root), "."), found, starts, locked)
    return found


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (("uvicorn",), "uvicorn"),
        (("gunicorn", "uvicorn"), "gunicorn"),
        (("granian", "uvicorn"), "granian"),
        (("hypercorn",), "hypercorn"),
        (("fastapi-cli",), "uvicorn"),
    ],
)
def test_the_server_is_the_dependency(repo: Repo, names: tuple[str, ...], name: str) -> None:
    found = server(repo({}), production(*names))
    assert (found.answers["server"], found.warnings) == (name, [])


def test_fastapi_standard_brings_uvicorn(repo: Repo) -> None:
    assert server(repo({}), production(extras=("standard",))).answers["server"] == "uvicorn"


def test_what_starts_it_now_wins_if_it_is_a_dependency(repo: Repo) -> None:
    start = Start(server="uvicorn", weight=100, path="Dockerfile", line=3)
    found = server(repo({}), production("gunicorn", "uvicorn"), start)
    assert (found.answers["server"], found.evidence["server"].where) == ("uvicorn", "Dockerfile:3")
    found = server(repo({}), production("uvicorn"), Start(server="gunicorn", weight=100, path="Procfile", line=1))
    assert found.answers["server"] == "uvicorn"
    assert "Procfile:1 starts gunicorn, which is not a dependency" in found.warnings[0]


def test_a_readme_does_not_choose_the_server(repo: Repo) -> None:
    assert (
        server(repo({}), production("granian", "uvicorn"), Start(server="uvicorn", weight=30)).answers["server"]
        == "granian"
    )


@pytest.mark.parametrize(
    ("manager", "remedy"), [("uv", "uv add uvicorn"), ("poetry", "poetry add"), ("pip", "requirements.txt")]
)
def test_a_missing_server_is_reported_with_a_remedy(repo: Repo, manager: str, remedy: str) -> None:
    found = server(repo({}), production(), manager=manager)
    assert "server" not in found.answers
    assert "no ASGI server" in found.warnings[0]
    assert remedy in found.warnings[0]


LOCK = "[[package]]\nname = 'fastapi'\n[[package]]\nname = 'uvicorn'\n[[package]]\nname = 'gunicorn'\n"
MAIN = "from fastapi import FastAPI\napp = FastAPI()\n"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"uv.lock": LOCK}, "`uv add uvicorn`"),
        ({"pdm.lock": LOCK}, "`pdm add uvicorn`"),
        # Everything is listed and pinned, as by `pip freeze`.
        (
            {"requirements.txt": "fastapi==1\nstarlette==1\npydantic-core==2 \\\n    --hash=sha256:0\n"},
            "requirements.txt",
        ),
    ],
)
def test_a_lock_without_a_server_stops(repo: Repo, files: dict[str, str], command: str) -> None:
    manifest = {} if "requirements.txt" in files else {"pyproject.toml": "[project]\ndependencies = ['fastapi']\n"}
    found = detect(repo({**manifest, **files, "app/main.py": MAIN}))
    server = next(unknown for unknown in found.unknown if unknown.key == "server")
    assert server.blocks
    assert command in server.remedy


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "fastapi==1\n"},
        {"requirements.txt": "fastapi==1\nstarlette==1\npydantic-core==2\n./libs/web\n", "libs/web/pyproject.toml": ""},
        {"requirements.txt": "fastapi==1\nstarlette==1\npydantic-core>=2\n"},
        {
            "uv.lock": LOCK,
            "pyproject.toml": "[project]\ndependencies = ['fastapi']\n",
            "Dockerfile": "FROM python:3.13\nRUN pip install uvicorn\n",
        },
    ],
)
def test_a_server_that_may_come_from_elsewhere_is_a_warning(repo: Repo, files: dict[str, str]) -> None:
    found = detect(repo({**files, "app/main.py": MAIN}))
    assert not [unknown for unknown in found.unknown if unknown.key == "server"]
    assert any("no ASGI server" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    ("manager", "tables", "groups", "server"),
    [
        ("uv", "[dependency-groups]\nserve = ['uvicorn']\n", ["serve"], "uvicorn"),
        ("uv", "[dependency-groups]\na = ['uvicorn']\nprod = ['x', {include-group = 'a'}]\n", ["a"], "uvicorn"),
        ("pdm", "[dependency-groups]\nserve = ['uvicorn']\n", ["serve"], "uvicorn"),
        ("pdm", "[tool.pdm.dev-dependencies]\nserve = ['uvicorn']\n", ["serve"], "uvicorn"),
        (
            "poetry",
            "[tool.poetry.group.prod]\noptional = true\n[tool.poetry.group.prod.dependencies]\nuvicorn = '*'\n",
            ["prod"],
            "uvicorn",
        ),
        # The default groups stay.
        (
            "uv",
            "[dependency-groups]\nserve = ['uvicorn']\ndb = []\n[tool.uv]\ndefault-groups = ['db']\n",
            ["db", "serve"],
            "uvicorn",
        ),
    ],
)
def test_a_group_that_brings_the_server_is_installed(
    repo: Repo, manager: str, tables: str, groups: list[str], server: str
) -> None:
    manifest = f"[project]\nname = 'shop'\ndependencies = ['fastapi']\n{tables}"
    found = detect(repo({"pyproject.toml": manifest, f"{manager}.lock": LOCK, "app/main.py": MAIN}))
    assert (found.answers["groups"], found.answers["server"]) == (groups, server)


def test_a_group_that_brings_the_server_of_the_procfile_is_installed(repo: Repo) -> None:
    manifest = "[project]\ndependencies = ['fastapi', 'uvicorn']\n[dependency-groups]\nprod = ['gunicorn']\n"
    start = "web: gunicorn app.main:app -k uvicorn.workers.UvicornWorker\n"
    found = detect(repo({"pyproject.toml": manifest, "pdm.lock": LOCK, "app/main.py": MAIN, "Procfile": start}))
    assert (found.answers["groups"], found.answers["server"]) == (["prod"], "gunicorn")


@pytest.mark.parametrize(
    ("lock", "manifest"),
    [
        ("uv.lock", "[project]\ndependencies = ['fastapi']\n[dependency-groups]\ndev = ['uvicorn']\n"),
        ("uv.lock", "[project]\ndependencies = ['fastapi']\n[tool.uv]\ndev-dependencies = ['uvicorn']\n"),
        ("poetry.lock", "[tool.poetry.dependencies]\nfastapi = '*'\n[tool.poetry.dev-dependencies]\nuvicorn = '*'\n"),
    ],
)
def test_a_server_in_a_group_for_development_stops_with_its_name(repo: Repo, lock: str, manifest: str) -> None:
    found = detect(repo({"pyproject.toml": manifest, lock: LOCK, "app/main.py": MAIN}))
    server = next(unknown for unknown in found.unknown if unknown.key == "server")
    assert server.blocks
    assert "uvicorn in the group dev is for development" in server.message
    assert "-d groups='[dev]'" in server.remedy


def test_a_server_of_a_pipfiles_dev_packages_stops(repo: Repo) -> None:
    lock = '{"default": {"fastapi": {"version": "==1"}}, "develop": {"uvicorn": {"version": "==1"}}}'
    pipfile = '[packages]\nfastapi = "*"\n[dev-packages]\nuvicorn = "*"\n'
    found = detect(repo({"Pipfile": pipfile, "Pipfile.lock": lock, "app/main.py": MAIN}))
    server = next(unknown for unknown in found.unknown if unknown.key == "server")
    assert "dev-packages" in server.message
    assert server.remedy == "Add one: `pipenv install uvicorn`."


def test_the_worker_is_of_the_package_that_is_there(repo: Repo) -> None:
    worker = "uvicorn_worker.UvicornWorker"
    assert server(repo({}), production("gunicorn", "uvicorn-worker")).answers["gunicorn_worker"] == worker
    assert "gunicorn_worker" not in server(repo({}), production("gunicorn", "uvicorn")).answers


def test_gunicorn_alone_serves_no_asgi(repo: Repo) -> None:
    assert "uvicorn, whose workers" in server(repo({}), production("gunicorn")).warnings[0]
    assert server(repo({}), production("gunicorn", "uvicorn-worker")).warnings == []


def test_fastapi_missing_from_production_is_reported(repo: Repo) -> None:
    locked = Production(packages={"uvicorn": Locked(name="uvicorn")}, path="uv.lock", direct={})
    assert "does not have fastapi" in server(repo({}), locked).warnings[0]


def options(root: Path, *starts: Start) -> Detection:
    repository = Repository(root)
    found = Detection()
    dockerfiles = [path for path in repository.files if path.endswith("Dockerfile")]
    find_options(Project(repository, "."), found, starts, dockerfiles)
    return found


def test_options_come_from_the_weightiest_command(repo: Repo) -> None:
    found = options(
        repo({}),
        Start(server="uvicorn", port=9000, workers=2, root_path="/api", proxy_headers=True, weight=100),
        Start(server="uvicorn", port=7000, workers=9, weight=60),
    )
    assert found.answers == {"port": 9000, "workers": 2, "root_path": "/api", "proxy_headers": True}


def test_a_command_for_development_gives_a_port_and_no_more(repo: Repo) -> None:
    found = options(repo({}), Start(port=9000, workers=2, root_path="/x", proxy_headers=True, reload=True, weight=60))
    assert found.answers == {"port": 9000}


@pytest.mark.parametrize(
    ("text", "port", "line"),
    [
        ("FROM x\nEXPOSE 9000/tcp\n", 9000, 2),
        ("FROM x\nENV PORT=9000\nEXPOSE $PORT\n", 9000, 3),
        ("FROM x\nENV PORT=9000\n", 9000, 2),
        ("FROM x AS a\nEXPOSE 1111\nFROM y\nEXPOSE 9000\n", 9000, 4),
    ],
)
def test_the_port_of_an_existing_dockerfile(repo: Repo, text: str, port: int, line: int) -> None:
    found = options(repo({"Dockerfile": text}))
    assert (found.answers["port"], found.evidence["port"].line) == (port, line)


def test_two_exposed_ports_tell_nothing(repo: Repo) -> None:
    assert "port" not in options(repo({"Dockerfile": "FROM x\nEXPOSE 8000 9000\n"})).answers


def test_a_low_port_is_left_out_and_reported(repo: Repo) -> None:
    found = options(repo({}), Start(port=80, weight=100, path="Dockerfile", line=4))
    assert "port" not in found.answers
    assert "Dockerfile:4 listens on port 80" in found.warnings[0]


@pytest.mark.parametrize("prefix", ["api", "/a b", "/$X", "/"])
def test_an_invalid_root_path_is_left_out(repo: Repo, prefix: str) -> None:
    assert "root_path" not in options(repo({}), Start(root_path=prefix, weight=100)).answers


def test_gunicorns_settings_file_is_read(repo: Repo) -> None:
    text = "import os\nbind = os.getenv('BIND', '0.0.0.0:9000')\nworkers = 3\n"
    found = options(
        repo({"conf/gunicorn.conf.py": text}), Start(server="gunicorn", config="/app/conf/gunicorn.conf.py", weight=100)
    )
    assert (found.answers["port"], found.answers["workers"]) == (9000, 3)
    assert found.evidence["port"].where == "conf/gunicorn.conf.py:2"
