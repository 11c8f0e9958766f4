"""pip, uv and Poetry: the template installs the lock, and other packages stay."""

from __future__ import annotations

from typing import Any

import pytest
from tests.adopt.adopting import found, read

from dockertpl import adopt


def _read(command: str, **known: Any) -> adopt.Adoption:
    return read(f"FROM python:3.13\nWORKDIR /app\nRUN {command}\nCMD uvicorn orders.main:app\n", **known)


@pytest.mark.parametrize(
    "command",
    [
        "pip install -r requirements.txt",
        "pip3 install --no-cache-dir --upgrade -r /app/requirements.txt",
        "python -m pip install --upgrade pip setuptools wheel",
        "pip install poetry==1.8 && poetry install --no-root --only main",
        "uv pip install --system -r requirements.txt",
        "pip install pipx && pipx ensurepath && pipx install poetry && poetry install",
        "pip install .",
        "pip install -e .",
        "pip install /wheels/*",
        "curl -sSL https://install.python-poetry.org | python3 -",
        "curl -LsSf https://astral.sh/uv/install.sh | sh",
        "python -m venv /opt/venv && /opt/venv/bin/pip install -r requirements.txt",
        "pip install -r requirements.txt >/dev/null 2>&1",
    ],
)
def test_what_the_lock_brings_leaves_nothing(command: str) -> None:
    adoption = _read(command)
    assert adoption.regions == {}
    assert adoption.doubts == ()


def test_packages_that_are_named_stay_with_their_index() -> None:
    text = _read("pip install --no-cache-dir --extra-index-url https://x.example.com/s 'torch>=2' debugpy").regions[
        "image"
    ]
    assert text.endswith("--python /opt/venv/bin/python --extra-index-url https://x.example.com/s 'torch>=2' debugpy\n")
    assert text.startswith("ARG UV_DEFAULT_INDEX\n")


def test_another_requirements_file_stays_where_the_code_has_it() -> None:
    assert "-r /app/extra/gpu.txt" in _read("pip install -r extra/gpu.txt").regions["image"]


def test_development_is_left_to_its_stage() -> None:
    adoption = _read("pip install -r requirements-dev.txt")
    assert found(adoption)["pip install -r requirements-dev.txt"][0] == "dropped"
    assert adoption.regions == {}
    assert "no development dependencies" in " ".join(adoption.improvements)


def test_extras_are_answers_but_for_those_of_development() -> None:
    adoption = _read("pip install '.[postgres,dev]'", manager="uv")
    assert adoption.answers["extras"] == ["postgres"]
    assert found(adoption)["the extra dev"][0] == "dropped"
    assert _read("uv sync --no-dev --extra redis", manager="uv").answers["extras"] == ["redis"]


@pytest.mark.parametrize(
    ("command", "groups"),
    [
        ("poetry install --without dev --no-root", ["db", "mail"]),
        ("poetry install --without=dev,mail", ["db"]),
        ("poetry install --only main,db", ["db"]),
        ("poetry install --only main", []),
        ("poetry install --without dev --with 'cache'", ["db", "mail", "cache"]),
        ("uv sync --no-dev --no-group mail", ["db"]),
        ("uv sync --no-default-groups --group cache", ["cache"]),
        ("pdm sync --prod -G cache", ["db", "mail", "cache"]),
    ],
)
def test_the_groups_are_those_that_the_old_file_installs(command: str, groups: list[str]) -> None:
    adoption = _read(command, manager=command.partition(" ")[0], groups=["db", "mail"])
    assert adoption.answers["groups"] == groups
    assert adoption.doubts == ()


def test_a_group_of_development_stays_out() -> None:
    adoption = _read("poetry install --with test", manager="poetry")
    assert "groups" not in adoption.answers
    assert found(adoption)["the group test"][0] == "dropped"
