"""npm, pnpm and Yarn: the template builds, and packages installed outside the lock stay."""

from __future__ import annotations

from typing import Any

import pytest
from tests.adopt.adopting import read

from dockertpl import adopt


def _read(*lines: str, **known: Any) -> adopt.Adoption:
    body = "\n".join(lines)
    text = f"FROM node:24-slim AS b\nWORKDIR /app\n{body}\nFROM node:24-slim\nCOPY --from=b /app/.next/standalone ./\n"
    return read(text + "CMD node server.js\n", kind="nextjs-standalone", **known)


@pytest.mark.parametrize(
    "command",
    [
        "npm ci",
        "npm ci --omit=dev --no-audit --loglevel error",
        "yarn install --frozen-lockfile --network-timeout 100000",
        "corepack enable && pnpm i --frozen-lockfile",
        "npm ci && npm run build && npm cache clean --force",
        "npx next build",
        "pnpm build",
        "npx turbo prune web --docker",
        "turbo run build --filter=web...",
        "npm i -g pnpm turbo",
    ],
)
def test_what_the_template_does_leaves_nothing(command: str) -> None:
    adoption = _read(f"RUN {command}")
    assert adoption.regions == {}
    assert adoption.doubts == ()


@pytest.mark.parametrize(
    ("command", "manager", "flags"),
    [
        ("npm ci --legacy-peer-deps", "npm", ["--legacy-peer-deps"]),
        ("npm config set legacy-peer-deps true && npm ci", "npm", ["--legacy-peer-deps"]),
        ("npm install --force --no-audit", "npm", ["--force"]),
        ("yarn --frozen-lockfile --ignore-engines", "yarn", ["--ignore-engines"]),
        ("pnpm i --frozen-lockfile --shamefully-hoist --network-concurrency 4", "pnpm", ["--shamefully-hoist"]),
        ("bun install --frozen-lockfile --linker=hoisted", "bun", ["--linker=hoisted"]),
        (
            "if [ -f yarn.lock ]; then yarn --ignore-engines; elif [ -f package-lock.json ]; then npm ci --force; fi",
            "npm",
            ["--force"],
        ),
    ],
)
def test_a_flag_that_changes_the_installation_is_an_answer_and_in_the_list(
    command: str, manager: str, flags: list[str]
) -> None:
    adoption = _read(f"RUN {command}", manager=manager)
    assert adoption.answers["install_flags"] == flags
    assert [item.outcome for item in adoption.items if item.what in flags] == ["answer"] * len(flags)
    assert (adoption.regions, adoption.doubts) == ({}, ())


def test_a_flag_that_cannot_be_kept_is_a_doubt() -> None:
    assert "-x" in " ".join(_read("RUN npm ci -x").doubts)


def test_another_script_that_builds_is_an_answer() -> None:
    assert _read("RUN npm run build:docker").answers["build_script"] == "build:docker"


def test_a_full_version_of_the_manager_is_an_answer() -> None:
    assert _read("RUN corepack prepare pnpm@10.33.2 --activate", manager="pnpm").answers["manager_version"] == "10.33.2"
    assert "manager_version" not in _read("RUN corepack prepare pnpm@latest --activate", manager="pnpm").answers


def test_a_variable_for_the_build_alone_is_an_answer() -> None:
    assert _read("RUN SKIP=1 npm run build").answers["build_env"] == {"SKIP": "1"}


def test_packages_beside_the_lock_stay() -> None:
    assert _read("RUN npm ci", "COPY . .", "RUN npm install sharp").regions["code"] == "RUN npm install sharp\n"
    assert "RUN npm install -g node-gyp-build" in _read("RUN npm install -g node-gyp-build").regions["build"]
