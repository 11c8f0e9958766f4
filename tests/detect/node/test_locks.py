from __future__ import annotations

from typing import Any

import pytest

from dockertpl.errors import NotDetectedError

PNPM9 = "lockfileVersion: '9.0'\n"
BERRY = "__metadata:\n  version: 8\n"
CLASSIC = "# yarn lockfile v1\n"


def _locks(**locks: str) -> dict[str, Any]:
    names = {"npm": "package-lock.json", "pnpm": "pnpm-lock.yaml", "yarn": "yarn.lock", "bun": "bun.lock"}
    return {"package-lock.json": None, **{names[name]: text for name, text in locks.items()}}


@pytest.mark.parametrize(
    ("locks", "manager"),
    [
        ({"npm": '{"lockfileVersion": 3}'}, "npm"),
        ({"pnpm": PNPM9}, "pnpm"),
        ({"yarn": CLASSIC}, "yarn"),
        ({"yarn": BERRY}, "yarn-berry"),
        ({"bun": "{}"}, "bun"),
    ],
)
def test_the_lock_says_which_manager(look_at: Any, locks: dict[str, str], manager: str) -> None:
    found, problem = look_at(_locks(**locks))
    assert (found.answers["manager"], problem) == (manager, None)


@pytest.mark.parametrize(
    ("package", "version"),
    [
        ({"packageManager": "pnpm@10.33.2"}, "10.33.2"),
        ({"packageManager": "pnpm@9.15.4+sha512.abc"}, "9.15.4"),
        ({"devEngines": {"packageManager": {"name": "pnpm", "version": "10.1.0"}}}, "10.1.0"),
    ],
)
def test_package_json_says_which_version(look_at: Any, package: dict[str, Any], version: str) -> None:
    assert look_at(_locks(pnpm=PNPM9), package)[0].answers["manager_version"] == version


@pytest.mark.parametrize(("lock", "version"), [("6.0", "8."), ("5.4", "7.")])
def test_an_old_lock_brings_the_manager_that_reads_it(look_at: Any, lock: str, version: str) -> None:
    found, problem = look_at(_locks(pnpm=f"lockfileVersion: '{lock}'\n"))
    assert problem is None
    assert found.answers["manager_version"].startswith(version)


@pytest.mark.parametrize(
    ("package", "command"),
    [
        ({}, "npm install --package-lock-only"),
        ({"engines": {"pnpm": "^9"}}, "pnpm install --lockfile-only"),
        ({"packageManager": "pnpm@10.1.0"}, "pnpm install --lockfile-only"),
    ],
)
def test_no_lock_names_the_command_that_makes_one(look_at: Any, package: dict[str, Any], command: str) -> None:
    problem = look_at(_locks(), package)[1]
    assert problem
    assert "No lock file" in problem.message
    assert command in problem.remedy


def test_two_locks_are_a_choice(look_at: Any) -> None:
    problem = look_at(_locks(npm="{}", yarn=CLASSIC))[1]
    assert problem
    assert "package-lock.json and yarn.lock" in problem.message
    assert "-d manager=npm\n-d manager=yarn" in problem.remedy


def test_two_locks_are_settled_by_package_json_or_an_answer(look_at: Any) -> None:
    two = _locks(npm="{}", yarn=BERRY)
    assert look_at(two, {"packageManager": "yarn@4.1.0"})[0].answers["manager"] == "yarn-berry"
    assert look_at(two, given={"manager": "npm"})[1] is None


def test_a_manager_without_its_lock_is_refused(look_at: Any) -> None:
    problem = look_at(_locks(npm="{}"), given={"manager": "pnpm"})[1]
    assert problem
    assert "package-lock.json" in problem.message
    assert "pnpm install --lockfile-only" in problem.remedy


@pytest.mark.parametrize(
    ("lock", "manager", "says"),
    [
        ({"pnpm": "lockfileVersion: '6.0'\n"}, "pnpm@10.1.0", "written by pnpm 8, but package.json:"),
        ({"pnpm": PNPM9}, "pnpm@8.15.0", "lockfileVersion 9.0 was written by pnpm 9"),
        ({"yarn": CLASSIC}, "yarn@4.1.0", "written by Yarn 1"),
        ({"yarn": BERRY}, "yarn@1.22.22", "written by Yarn 2 or newer"),
    ],
)
def test_a_lock_of_another_major_version_is_refused(
    look_at: Any, lock: dict[str, str], manager: str, says: str
) -> None:
    problem = look_at(_locks(**lock), {"packageManager": manager})[1]
    assert problem
    assert says in problem.message


def test_the_lock_of_a_published_package_says_what_to_do(look_at: Any) -> None:
    problem = look_at({**_locks(), "npm-shrinkwrap.json": "{}"})[1]
    assert isinstance(problem, NotDetectedError)
    assert "git mv" in problem.remedy


def test_bun_s_binary_lock_is_installed_from(look_at: Any) -> None:
    found, problem = look_at({**_locks(), "bun.lockb": "#!/usr/bin/env bun\nbun-lockfile-format-v0\n"})
    assert problem is None
    assert (found.answers["manager"], found.answers["binary_lock"]) == ("bun", True)
    assert "binary_lock" not in look_at({**_locks(bun="{}"), "bun.lockb": ""})[0].answers


def test_another_manager_than_the_lock_s_is_warned_of(look_at: Any) -> None:
    found, _ = look_at(_locks(npm="{}"), {"packageManager": "pnpm@10.1.0"})
    assert "manager_version" not in found.answers
    assert any("names pnpm, but the lock is package-lock.json" in text for text in found.warnings)


@pytest.mark.parametrize(
    "locks",
    [
        {"npm": '{"packages": {"node_modules/next": {"version": "15.1.2"}}}'},
        {"pnpm": PNPM9 + "packages:\n\n  next@14.0.0:\n    x: y\n  next@15.1.2:\n    x: y\n"},
        {"yarn": CLASSIC + '\nnext@^15.0.0:\n  version "15.1.2"\n'},
        {"yarn": BERRY + '\n"next@npm:^15.0.0":\n  version: 15.1.2\n'},
        {"bun": '{"packages": {\n  "next": ["next@15.1.2", ""],\n}}'},
    ],
)
def test_the_lock_says_which_next_is_installed(look_at: Any, locks: dict[str, str]) -> None:
    found, _ = look_at(_locks(**locks), {"dependencies": {"next": "^15.0.0"}})
    assert [fact.value for fact in found.facts["next"]] == ["15.1.2"]


@pytest.mark.parametrize(
    ("settings", "is_said"), [(None, True), ("nodeLinker: pnp\n", True), ("nodeLinker: node-modules\n", False)]
)
def test_plug_n_play_is_said_to_become_node_modules(look_at: Any, settings: str | None, is_said: bool) -> None:
    found, problem = look_at({**_locks(yarn=BERRY), ".yarnrc.yml": settings})
    assert problem is None
    assert any("Plug'n'Play" in text for text in found.warnings) is is_said


@pytest.mark.parametrize(
    ("files", "package", "version", "where"),
    [
        ({}, {"engines": {"pnpm": "^9.0.0"}}, "9.15.9", "package.json:10"),
        ({}, {"engines": {"pnpm": ">=11"}}, "12.21.0", "package.json:10"),
        ({}, {"engines": {"pnpm": "~9.1.0"}}, "9.1.0", "package.json:10"),
        ({}, {"packageManager": "pnpm@9"}, "9.15.9", "package.json:9"),
        ({}, {"devEngines": {"packageManager": [{"name": "pnpm", "version": "^11"}]}}, "11.28.11", "package.json:10"),
        ({}, {"volta": {"pnpm": "9.4.0"}}, "9.4.0", "package.json:10"),
        ({".tool-versions": "pnpm 11.2.0\n"}, {}, "11.2.0", ".tool-versions:1"),
        ({"mise.toml": "[tools]\npnpm = '9'\n"}, {}, "9.15.9", "mise.toml:2"),
        ({"mise.toml": "[tools]\n'npm:pnpm' = '9'\n"}, {"engines": {"pnpm": ">=9"}}, "9.15.9", "mise.toml:2"),
        ({}, {"engines": {"pnpm": ">=9"}}, None, None),
        ({}, {"engines": {"node": ">=22"}}, None, None),
    ],
)
def test_the_newest_release_in_the_range_that_the_project_names(
    look_at: Any, files: Any, package: Any, version: str | None, where: str | None
) -> None:
    found, problem = look_at({**_locks(pnpm=PNPM9), **files}, package)
    assert problem is None
    assert found.answers.get("manager_version") == version
    assert where is None or found.evidence["manager_version"].where == where


@pytest.mark.parametrize(
    ("locks", "package", "says"),
    [
        (_locks(pnpm=PNPM9), {"engines": {"pnpm": "^7"}}, "package.json:10 asks for ^7, and pnpm-lock.yaml:1"),
        (_locks(pnpm=PNPM9), {"engines": {"pnpm": ">=99"}}, "asks for >=99"),
        (_locks(yarn=CLASSIC), {"engines": {"yarn": "^4"}}, "asks for ^4"),
        ({**_locks(npm="{}"), ".npmrc": "engine-strict=true\n"}, {"engines": {"npm": "^7.5"}}, "asks for ^7.5"),
    ],
)
def test_a_range_without_a_release_is_refused_where_the_manager_would_refuse(
    look_at: Any, locks: Any, package: Any, says: str
) -> None:
    problem = look_at(locks, package)[1]
    assert problem
    assert says in problem.message
    assert (
        look_at(locks, package, given={"manager_version": "9.15.9" if "pnpm-lock.yaml" in locks else "1.22.22"})[1]
        is None
    )


@pytest.mark.parametrize(
    ("package", "version"),
    [
        ({"engines": {"npm": "10.x"}}, "10.9.9"),
        ({"engines": {"npm": ">=9"}}, None),
        ({"engines": {"npm": "^6"}}, None),
        ({"engines": {"npm": "^11", "node": "22"}}, "11.21.2"),
        ({"engines": {"npm": "^10", "node": "22"}}, None),
    ],
)
def test_npm_is_what_node_brings_where_the_range_allows_it(look_at: Any, package: Any, version: str | None) -> None:
    found, problem = look_at(_locks(npm="{}"), package)
    assert problem is None
    assert found.answers.get("manager_version") == version


def test_a_pin_outside_of_engines_is_reported(look_at: Any) -> None:
    package = {"packageManager": "pnpm@10.1.0", "engines": {"pnpm": "^9"}}
    found, _ = look_at(_locks(pnpm=PNPM9), package)
    assert found.answers["manager_version"] == "10.1.0"
    assert any("which package.json:11 (^9) does not allow" in text for text in found.warnings)
