"""Small real applications for the tests: one source, put under every manager, layout and server.

Locks hold the name of the index that made them, so they are in no commit: each is made once by the tool itself and kept
in the tests' cache, by its manifest and the tool's version.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import string
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement
from pip._internal.models.index import PyPI
from uv import find_uv_bin

HERE = Path(__file__).parent
VERSIONS = HERE.parents[1] / "templates" / "lib" / "versions.yml"
PACKAGE = "orders"
LOCK_SECONDS = 300
MANIFESTS = ("pyproject.toml", "Pipfile", "requirements.in")


@functools.cache
def catalog() -> dict[str, Any]:
    """Return what samples.toml says: `app`, `servers`, `layouts`, `managers`."""
    return tomllib.loads((HERE / "samples.toml").read_text())


def is_possible(manager: str, layout: str) -> bool:
    """Tell whether a manager knows a layout: workspaces are uv's alone."""
    return manager == "uv" or "workspace" not in catalog()["layouts"][layout]


def write_sample(
    folder: Path, *, manager: str, layout: str, server: str, package: str = PACKAGE, lock: bool = True
) -> Path:
    """Write a repository with one application, as a new git repository.

    Args:
        folder: The repository's root, which is made and has to be empty.
        manager: A key of `managers` in samples.toml.
        layout: A key of `layouts` there.
        server: A key of `servers` there.
        package: The application's import package. The conventional one is "app".
        lock: Whether to write the lock; making it needs the network once.

    Returns:
        The application's folder, the root itself except in a workspace.

    Raises:
        ValueError: The manager does not know this layout.
        RuntimeError: The lock cannot be made; holds what the tool printed.
    """
    if not is_possible(manager, layout):
        raise ValueError(f"{manager} has no layout {layout}")
    place = catalog()["layouts"][layout]
    workspace = "workspace" in place
    app_dir = folder / str(place["app_dir"])
    app_dir.mkdir(parents=True, exist_ok=True)
    _copy_source(app_dir, app_dir / place["source"] / package, workspace)
    for path, text in _manifests(manager, layout, server, package).items():
        (app_dir / path).write_text(text)
    if workspace:
        shutil.copy(HERE / "workspace" / "pyproject.toml", folder)
        for library in ("pricing", "reports"):
            shutil.copytree(HERE / "workspace" / library, folder / "libs" / library)
    if lock and "lock" in catalog()["managers"][manager]:
        _lock(folder, manager, source="pyproject.toml" if place["packaged"] else "requirements.in")
    if manager in ("pip", "pip-hashed"):
        (folder / "requirements.in").unlink(missing_ok=True)
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return app_dir


def relock(folder: Path, manager: str) -> None:
    """Lock again after a change of the manifest at `folder`, a repository without a workspace."""
    _lock(folder, manager, source="requirements.in" if (folder / "requirements.in").exists() else "pyproject.toml")


def _copy_source(app_dir: Path, package_dir: Path, workspace: bool) -> None:
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(HERE / "app" / "orders", package_dir, ignore=ignore)
    shutil.copytree(HERE / "app" / "tests", app_dir / "tests", ignore=ignore)
    shutil.copy(HERE / "app" / "README.md", app_dir)
    if workspace:
        shutil.copytree(HERE / "workspace" / "app" / "orders", package_dir, ignore=ignore, dirs_exist_ok=True)


def _manifests(manager: str, layout: str, server: str, package: str) -> dict[str, str]:
    """Return the manifests' texts by path."""
    known, place = catalog(), catalog()["layouts"][layout]
    app, tool = known["app"], known["managers"][manager]
    dependencies = [*app["dependencies"], *known["servers"][server]]
    if "workspace" in place:
        dependencies.append("pricing")
    readme = 'readme = "README.md"\n' if place["packaged"] else ""
    values = {"name": package, "version": app["version"], "readme": readme, "index": _index()}
    as_list = {
        key: "\n".join(f'    "{item}",' for item in items)
        for key, items in (("dependencies", dependencies), ("dev", app["dev"]))
    }
    as_table = {"dependencies": _table(dependencies), "dev": _table(app["dev"])}
    extra = _build_system(tool, layout, package)
    result = {}
    if manager == "poetry":
        values["readme"] = readme or "package-mode = false\n"
        result["pyproject.toml"] = _fill("poetry.toml", {**values, **as_table}) + extra
    elif not manager.startswith("pip") or place["packaged"]:
        result["pyproject.toml"] = _fill("project.toml", {**values, **as_list}) + extra
    if "workspace" in place:
        result["pyproject.toml"] += "\n[tool.uv.sources]\npricing = { workspace = true }\n"
    if manager == "pipenv":
        result["Pipfile"] = _fill("Pipfile", {**values, **as_table})
    elif manager.startswith("pip"):
        result["requirements-dev.txt"] = "\n".join(["-r requirements.txt", *app["dev"], ""])
        if not place["packaged"]:
            result["requirements.in"] = "\n".join([*dependencies, ""])
    return result


def _build_system(tool: dict[str, Any], layout: str, package: str) -> str:
    packaged = catalog()["layouts"][layout]["packaged"]
    texts = []
    if packaged:
        requirement, backend = tool["build_backend"]
        texts.append(f'[build-system]\nrequires = ["{requirement}"]\nbuild-backend = "{backend}"')
    special = tool.get("tool", {})
    text = special.get(layout) or special.get("packaged" if packaged else "unpackaged")
    texts += [text.replace(PACKAGE, package)] if text else []
    return "".join(f"\n{text}\n" for text in texts)


def _fill(name: str, values: dict[str, str]) -> str:
    return string.Template((HERE / "manifests" / name).read_text()).substitute(values)


def _table(requirements: list[str]) -> str:
    """Return requirements in the form that Poetry and Pipenv have for them."""
    lines = []
    for requirement in map(Requirement, requirements):
        version = f'"{requirement.specifier or "*"}"'
        if requirement.extras:
            version = f"{{ version = {version}, extras = {json.dumps(sorted(requirement.extras))} }}"
        lines.append(f"{requirement.name} = {version}")
    return "\n".join(lines)


def _lock(folder: Path, manager: str, source: str) -> None:
    tool, versions = catalog()["managers"][manager], yaml.safe_load(VERSIONS.read_text())
    command = [word.format(source=source, **versions) for word in tool["lock"]]
    manifests = [path for path in sorted(folder.rglob("*")) if path.name in MANIFESTS]
    key = hashlib.sha256(json.dumps([command, versions["uv"], sys.version_info[:2]]).encode())
    for path in manifests:
        key.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    cached = cache() / "locks" / key.hexdigest()[:20] / tool["lock_file"]
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        # Elsewhere, since some tools leave an environment behind; renamed, so that a test beside this one never reads
        # half a lock.
        with tempfile.TemporaryDirectory(dir=cached.parent) as work:
            for path in manifests:
                copy = Path(work, path.relative_to(folder))
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)
            _run([find_uv_bin(), *command], Path(work))
            Path(work, tool["lock_file"]).replace(cached)
    shutil.copy(cached, folder / tool["lock_file"])


def run(command: list[str], folder: Path, *, without: Collection[str], environ: Mapping[str, str]) -> None:
    """Run what makes a lock.

    Args:
        command: The program and its arguments.
        folder: Where it runs.
        without: Variables of the tests' own environment that are no business of it.
        environ: Variables that it gets besides.

    Raises:
        RuntimeError: It failed; holds what it printed.
    """
    ours = {name: value for name, value in os.environ.items() if name not in without}
    done = subprocess.run(
        command,
        cwd=folder,
        env={**ours, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LOCK_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} exited {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")


def _run(command: list[str], folder: Path) -> None:
    special = {
        "UV_PYTHON": sys.executable,
        "PDM_CHECK_UPDATE": "0",
        "POETRY_VIRTUALENVS_CREATE": "0",
        "PIPENV_IGNORE_VIRTUALENVS": "1",
        "PIPENV_VENV_IN_PROJECT": "1",
    }
    # Which Python runs the tests, and which environment, is no business of the lock.
    run(command, folder, without=("VIRTUAL_ENV", "PYTHONPATH"), environ=special)


def _index() -> str:
    """Return the address of the package index that this machine uses."""
    named = next((os.environ[key] for key in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL") if os.environ.get(key)), "")
    return named or str(PyPI.simple_url)


def cache() -> Path:
    """Return the folder of what the tests keep from one run to the next."""
    return Path(os.environ.get("DOCKERTPL_TEST_CACHE") or "~/.cache/dockertpl-tests").expanduser()
