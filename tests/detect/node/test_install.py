from __future__ import annotations

from typing import Any

import pytest

PNPM = {"package-lock.json": None, "pnpm-lock.yaml": "lockfileVersion: '9.0'\n"}
BERRY = {"package-lock.json": None, "yarn.lock": "__metadata:\n  version: 8\n"}
SCHEMA = {"prisma/schema.prisma": "generator client {}"}


def _scripts(**scripts: str) -> dict[str, Any]:
    return {"scripts": {"build": "next build", **scripts}}


@pytest.mark.parametrize(
    ("files", "package", "expected"),
    [
        ({"patches/a.patch": ""}, _scripts(postinstall="patch-package"), ["patches"]),
        ({"fix/a.patch": ""}, _scripts(postinstall="patch-package --patch-dir fix"), ["fix"]),
        ({**PNPM, "patches/a.patch": ""}, {"pnpm": {"patchedDependencies": {"a": "patches/a.patch"}}}, ["patches"]),
        (
            {**PNPM, "p/a.patch": "", "pnpm-workspace.yaml": "patchedDependencies:\n  a@1: p/a.patch\n"},
            {},
            ["p"],
        ),
        ({**PNPM, ".pnpmfile.cjs": ""}, {}, [".pnpmfile.cjs"]),
        (SCHEMA, _scripts(postinstall="prisma generate"), ["prisma"]),
        (
            {"db/schema.prisma": ""},
            _scripts(postinstall="npx prisma generate --schema db/schema.prisma"),
            ["db/schema.prisma"],
        ),
        (SCHEMA, _scripts(postinstall="npm run db", db="prisma generate"), ["prisma"]),
        ({"scripts/x.js": ""}, _scripts(postinstall="node scripts/x.js && husky"), ["scripts/x.js"]),
        ({"libs/a.tgz": ""}, {"dependencies": {"next": "16.0.0", "a": "file:./libs/a.tgz"}}, ["libs/a.tgz"]),
        (
            {**BERRY, ".yarn/releases/y.cjs": "", ".yarn/cache/a.zip": "", ".gitignore": ".yarn/*\n!.yarn/releases\n"},
            {},
            [".yarn/releases"],
        ),
        ({**BERRY, ".yarn/cache/a.zip": ""}, {}, [".yarn/cache"]),
        (
            {
                **BERRY,
                ".yarn/releases/y.cjs": "",
                ".yarn/cache/a.zip": "",
                ".gitignore": "/.yarn/*\n!/.yarn/releases\n",
            },
            {},
            [".yarn/releases"],
        ),
    ],
)
def test_what_the_installation_reads_is_named(look_at: Any, files: Any, package: Any, expected: list[str]) -> None:
    found, problem = look_at(files, package)
    assert problem is None
    assert found.answers["install_files"] == expected
    assert not [text for text in found.warnings if "install_files" in text]


def test_what_lies_outside_is_not_named(look_at: Any) -> None:
    found, _ = look_at(
        {}, {**_scripts(postinstall="node ../../etc/x.js"), "dependencies": {"next": "16", "a": "file:../a"}}
    )
    assert "install_files" not in found.answers


def test_an_unknown_command_is_reported(look_at: Any) -> None:
    found, _ = look_at({}, _scripts(postinstall="npx fumadocs-mdx"))
    assert any("runs `npx fumadocs-mdx` during the installation" in text for text in found.warnings)


def test_prisma_s_client_is_generated_where_no_script_does(look_at: Any) -> None:
    wants = {"dependencies": {"next": "16.0.0", "@prisma/client": "7.0.0"}}
    found, _ = look_at(SCHEMA, wants)
    assert (found.answers["prisma_schema"], found.evidence["prisma_schema"].path) == (
        "prisma/schema.prisma",
        "prisma/schema.prisma",
    )
    for scripts in (
        {"postinstall": "prisma generate"},
        {"build": "prisma generate && next build"},
        {"prebuild": "prisma generate"},
    ):
        assert "prisma_schema" not in look_at(SCHEMA, {**wants, **_scripts(**scripts)})[0].answers


def test_a_schema_is_found_where_package_json_says(look_at: Any) -> None:
    wants = {"dependencies": {"next": "16.0.0", "@prisma/client": "6.0.0"}, "prisma": {"schema": "db/main.prisma"}}
    assert look_at({"db/main.prisma": ""}, wants)[0].answers["prisma_schema"] == "db/main.prisma"
