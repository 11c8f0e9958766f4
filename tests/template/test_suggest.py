"""A wrong answer gets a suggestion only if it is close and right."""

from __future__ import annotations

import pytest

from dockertpl.template.suggest import choice, nearest

PYTHONS = ["3.15", "3.14", "3.13", "3.12", "3.11", "3.10"]
NODES = ["26", "24", "22"]
PLATFORMS = ["amd64", "arm64", "native", "emulated"]
DISTRIBUTIONS = ["ubuntu:26.04", "ubuntu:24.04", "ubuntu:22.04", "debian:trixie-slim", "debian:bookworm-slim"]
MANAGERS = ["uv", "poetry", "pdm", "pipenv", "pip", "npm", "pnpm", "yarn", "yarn-berry", "bun"]
KINDS = ["python-fastapi", "nextjs-standalone", "sandbox-multi-runtime", "shared-base"]


@pytest.mark.parametrize(
    ("value", "choices", "suggestion"),
    [
        ("3.9", PYTHONS, "Choose 3.10 or newer."),
        ("2.7", PYTHONS, "Choose 3.10 or newer."),
        ("3.1", PYTHONS, "Choose 3.10 or newer."),
        ("3.16", PYTHONS, "Choose 3.15 or older."),
        ("3.13.2", PYTHONS, "Did you mean 3.13?"),
        ("313", PYTHONS, "Did you mean 3.13?"),
        ("python3.13", PYTHONS, "Did you mean 3.13?"),
        ("3", PYTHONS, ""),
        ("20", NODES, "Choose 22 or newer."),
        ("23", NODES, "The next newer one is 24."),
        ("v22.11.0", NODES, "Did you mean 22?"),
        ("ubuntu:20.04", DISTRIBUTIONS, "Choose ubuntu:22.04 or newer."),
        ("debian:buster-slim", DISTRIBUTIONS, ""),
        ("debian", DISTRIBUTIONS, ""),
        ("linux/arm64", PLATFORMS, "Did you mean arm64?"),
        ("aarch64", PLATFORMS, "Did you mean arm64?"),
        ("amd64,arm64", PLATFORMS, ""),
        ("yarn2", MANAGERS, ""),
        ("potery", MANAGERS, "Did you mean poetry?"),
        ("UV", MANAGERS, "Did you mean uv?"),
        ("gcr", ["ghcr", "gitlab", "ecr", "gar"], ""),
        ("fastapi", KINDS, "Did you mean python-fastapi?"),
        ("nextjs", KINDS, "Did you mean nextjs-standalone?"),
    ],
)
def test_a_suggestion_is_close_and_right(value: str, choices: list[str], suggestion: str) -> None:
    assert choice(value, choices).strip() == suggestion


def test_an_unknown_name_gets_the_nearest_one() -> None:
    assert nearest("manger", ["kind", "manager"]) == " Did you mean manager?"
    assert nearest("xyz", ["kind", "manager"]) == ""
