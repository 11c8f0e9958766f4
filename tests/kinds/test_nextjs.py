"""The effect of answers on the Dockerfile of a Next.js application."""

from __future__ import annotations

from typing import Any

import pytest

from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled

SIBLING = {"app_dir": "apps/web", "context": ".", "own_lock": True, "install_files": ["packages/shared"]}


def _rendered(**answers: Any) -> dict[str, str]:
    template = Template(bundled())
    given = {"kind": "nextjs-standalone", "name": "web", **answers}
    tree = render(template, resolve(template, folder_name="web", data=given))
    return {path: file.content.decode() for path, file in tree.items()}


def _dockerfile(**answers: Any) -> str:
    return next(text for path, text in _rendered(**answers).items() if path.endswith("Dockerfile"))


def test_a_lock_beside_the_application_is_installed_where_it_lies() -> None:
    text = _dockerfile(**SIBLING)
    deps, build = text.partition("# --- build")[0], text.partition("# --- build")[2]
    assert "WORKDIR /app/apps/web" in deps
    assert "COPY apps/web/package.json apps/web/package-lock.json apps/web/.npmrc* ./" in deps
    assert "COPY packages/shared /app/packages/shared" in deps
    assert "COPY apps/web /app/apps/web" in build
    assert "mv .next/standalone/apps/web/node_modules /modules" in build
    assert "--from=build /modules ./apps/web/node_modules" in build


def test_its_workflow_runs_when_a_folder_beside_it_changes() -> None:
    workflow = next(text for path, text in _rendered(**SIBLING).items() if path.endswith("web-image.yml"))
    assert "packages/shared/**" in workflow
    assert "apps/web/**" in workflow


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answers", "line"),
    [
        ({"install_flags": ["--legacy-peer-deps"]}, "npm ci --no-audit --no-fund --legacy-peer-deps\n"),
        ({"install_env": {"DATABASE_URL": "a$b"}}, 'ARG DATABASE_URL="a\\$b"\n'),
        ({"ssh": True}, "RUN --mount=type=cache,target=/root/.npm \\\n    --mount=type=ssh \\\n    npm ci"),
        ({"ssh": True}, "install -y --no-install-recommends git openssh-client\n"),
        ({"manager": "bun", "binary_lock": True}, "COPY package.json bun.lockb "),
    ],
)
def test_an_answer_shows_in_the_installation(answers: dict[str, Any], line: str) -> None:
    deps = _dockerfile(**answers).partition("# --- build")[0]
    assert line in deps
    assert line not in _dockerfile()


@pytest.mark.parametrize(
    ("old", "command"), [(False, "turbo run build --env-mode=loose --filter"), (True, "turbo run build --filter")]
)
def test_an_old_turborepo_gets_no_flag_that_it_does_not_know(old: bool, command: str) -> None:
    member = {"app_dir": "apps/web", "context": ".", "workspace_tool": "turborepo", "workspace_name": "web"}
    assert command in _dockerfile(**member, old_turbo=old)
