from __future__ import annotations

import os
import time
from typing import Any

import pytest

from dockertpl.detect import look
from dockertpl.errors import BadInputError, DockertplError

GIVEN = {"kind": "nextjs-standalone"}
NEXT = '{"scripts": {"build": "next build"}, "dependencies": {"next": "16.0.0"}}'


def test_a_package_json_that_is_a_link_out_is_as_if_it_were_absent(repo: Any, tmp_path: Any) -> None:
    (tmp_path / "outside.json").write_text(NEXT.replace("next build", "secret"))
    root = repo({"README.md": ""})
    (root / "package.json").symlink_to(tmp_path / "outside.json")
    found, problem = look(root, ".", GIVEN)
    assert problem
    assert "secret" not in str(found)


def test_a_package_json_that_is_a_folder_or_a_pipe_is_as_if_it_were_absent(repo: Any) -> None:
    root = repo({"README.md": ""})
    (root / "package.json").mkdir()
    assert look(root, ".", GIVEN)[1]
    (root / "package.json").rmdir()
    os.mkfifo(root / "package.json")
    assert look(root, ".", GIVEN)[1]


def test_an_invalid_package_json_is_one_clear_error(repo: Any) -> None:
    with pytest.raises(BadInputError, match=r"^package\.json:2 is not valid JSON: ") as caught:
        look(repo({"package.json": '{"dependencies": {"next": "16"},\n x}'}), None, GIVEN)
    assert caught.value.exit_code == 2
    assert caught.value.remedy


def test_one_that_is_huge_is_not_read(repo: Any) -> None:
    root = repo({"package.json": NEXT + " " * (2 << 20)})
    found, problem = look(root, ".", GIVEN)
    assert problem
    assert any("package.json is bigger than" in text for text in found.warnings)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "1",
        '{"dependencies": [], "scripts": 1, "name": {}, "workspaces": {"packages": 1}}',
        '{"dependencies": {"next": 1}, "scripts": {"build": ["next"]}, "engines": "x", "volta": []}',
        '{"dependencies": {"next": "16"}, "devEngines": {"packageManager": []}, "packageManager": 1, "prisma": 2}',
        '{"dependencies": {"next": "16"}, "workspaces": ["/", "..", "**/**/**", "!!", ""], "pnpm": 1}',
    ],
)
def test_values_of_the_wrong_type_do_not_crash(look_at: Any, text: str) -> None:
    look_at({"package.json": text, "next.config.js": "", "turbo.json": "[]", "nx.json": "1"}, app_dir=".", given=GIVEN)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "package-lock.json",
        "pnpm-lock.yaml",
        "yarn.lock",
        "pnpm-workspace.yaml",
        "next.config.js",
        ".npmrc",
        ".nvmrc",
        "turbo.json",
        "tsconfig.json",
        ".env.production",
        "Dockerfile",
        "app/a.ts",
        "prisma.config.ts",
        "project.json",
        ".tool-versions",
    ],
)
def test_every_file_may_be_absurd_and_detection_ends(look_at: Any, name: str) -> None:
    for content in (
        "[" * 50_000,
        "a" * 900_000,
        "${" * 10_000,
        "\n" * 100_000,
        "{" * 50_000,
        "process.env" * 20_000,
        "{a" * 40_000,
    ):
        began = time.monotonic()
        try:
            look_at({name: content}, app_dir=".", given=GIVEN)
        except DockertplError as error:
            assert error.exit_code == 2
        assert time.monotonic() - began < 20


def test_scripts_that_are_absurd_end(look_at: Any) -> None:
    for script in (
        "next build " * 9000,
        "npm run build " * 9000,
        "prisma " * 9000,
        "node " + "a/" * 9000,
        "PORT=" * 9000,
    ):
        look_at(package={"scripts": {"build": script, "start": script, "postinstall": script}})


def test_a_pnpm_workspace_that_doubles_itself_ends(look_at: Any) -> None:
    lines = ["x0: &x0 {a: b}"] + [f"x{i}: &x{i} {{<<: [*x{i - 1}, *x{i - 1}]}}" for i in range(1, 60)]
    look_at({"pnpm-workspace.yaml": "\n".join(lines)})


def test_members_that_depend_on_one_another_end(look_at: Any) -> None:
    members = {
        f"p/{n}/package.json": {"name": f"m{n}", "dependencies": {f"m{k}": "*" for k in range(30)}} for n in range(30)
    }
    look_at(
        {**members, "w/package.json": {"scripts": {"build": "next build"}, "dependencies": {"next": "16", "m0": "*"}}},
        {"workspaces": ["p/*", "w"], "dependencies": {}, "scripts": {}},
        app_dir="w",
    )
