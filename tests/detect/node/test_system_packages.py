from __future__ import annotations

from typing import Any

import pytest

from dockertpl.detect.node.conventions import system_packages


@pytest.mark.parametrize(("version", "packages"), [("6.19.1", ["openssl"]), ("^7.0.0", None)])
def test_prisma_below_7_needs_openssl_in_both_stages(look_at: Any, version: str, packages: list[str] | None) -> None:
    found, _ = look_at(package={"dependencies": {"next": "16.0.0", "@prisma/client": version}})
    assert found.answers.get("build_packages") == found.answers.get("runtime_packages") == packages
    if packages:
        assert found.evidence["runtime_packages"].where == "package.json:8"


def test_a_browser_is_warned_of_only_in_production(look_at: Any) -> None:
    assert look_at(package={"dependencies": {"next": "16.0.0", "puppeteer": "1"}})[0].warnings
    assert not look_at(package={"devDependencies": {"playwright": "1"}})[0].warnings


def test_every_rule_has_only_what_is_read() -> None:
    assert all(set(rule) <= {"below", "build", "run", "warn"} for rule in system_packages().values())


@pytest.mark.parametrize(
    ("wanted", "ssh", "packages"),
    [
        ("git+ssh://git@github.com/acme/core.git#v1", True, None),
        ("git@gitlab.com:acme/core.git", True, None),
        ("git+https://git.acme.dev/core.git#v1", None, ["ca-certificates", "git"]),
        ("https://git.acme.dev/core.git", None, ["ca-certificates", "git"]),
        ("github:acme/core", None, None),
        ("acme/core#v1", None, None),
        ("https://example.com/core.tgz", None, None),
    ],
)
def test_what_comes_from_git_gets_git_or_ssh(
    look_at: Any, wanted: str, ssh: bool | None, packages: list[str] | None
) -> None:
    found, problem = look_at(package={"dependencies": {"next": "16.0.0", "core": wanted}})
    assert problem is None
    assert (found.answers.get("ssh"), found.answers.get("build_packages")) == (ssh, packages)
