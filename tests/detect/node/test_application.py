from __future__ import annotations

from typing import Any

import pytest

from dockertpl.detect.node.conventions import QUESTIONS


def test_a_whole_repository(look_at: Any) -> None:
    found, problem = look_at(
        {
            ".nvmrc": "24",
            "next.config.ts": "const c: NextConfig = { output: 'standalone' }\nexport default c",
            "app/api/health/route.ts": "export const GET = () => new Response()",
            "app/page.tsx": "process.env.NEXT_PUBLIC_URL",
            "public/a.svg": "",
            "Dockerfile": "FROM node:22-alpine\nEXPOSE 3000\n",
        },
        {"name": "@acme/Shop"},
    )
    assert problem is None
    assert found.answers == {
        "kind": "nextjs-standalone",
        "name": "shop",
        "app_dir": ".",
        "manager": "npm",
        "node_version": "24",
        "build_script": "build",
        "standalone": True,
        "public_variables": ["NEXT_PUBLIC_URL"],
        "port": 3000,
        "health_path": "/api/health",
    }
    assert {key: [fact.value for fact in facts] for key, facts in found.facts.items()} == {
        "next": ["16.0.0"],
        "router": ["app"],
        "public_dir": ["public"],
        "dockerfile": ["Dockerfile"],
    }
    assert (found.unknown, found.warnings) == ([], [])


def test_every_answer_has_its_evidence_in_the_order_of_the_questions(look_at: Any) -> None:
    found, _ = look_at()
    assert list(found.answers) == [key for key in QUESTIONS if key in found.answers]
    assert set(found.evidence) == set(found.answers)


def test_what_is_given_is_not_repeated(look_at: Any) -> None:
    given = {"manager": "npm", "build_script": "x", "name": "y", "kind": "nextjs-standalone"}
    assert not set(given) & set(look_at(given=given)[0].answers)


def test_several_applications_are_listed_each_with_its_flag(look_at: Any) -> None:
    one = {"dependencies": {"next": "16.0.0"}, "scripts": {"build": "next build"}}
    nothing = {"package.json": None, "package-lock.json": None, "app/page.tsx": None}
    problem = look_at({**nothing, "a/package.json": one, "b/package.json": one})[1]
    assert problem
    assert "several Next.js applications: a, b" in problem.message
    assert "-d app_dir=a  (a/package.json:3)" in problem.remedy


def test_all_that_is_wrong_is_said_at_once_the_first_as_the_error(look_at: Any) -> None:
    found, problem = look_at({"package-lock.json": None}, {"scripts": {"dev": "next"}})
    assert problem
    assert "No lock file" in problem.message
    assert any("no script that runs `next build`" in unknown.message for unknown in found.unknown)


@pytest.mark.parametrize("name", ["next.config.js", "scripts/x.js", ".pnpmfile.cjs"])
def test_nothing_of_the_repository_is_run(look_at: Any, tmp_path: Any, name: str) -> None:
    bomb = f"require('fs').writeFileSync({str(tmp_path / 'ran')!r}, '')"
    look_at({name: bomb}, {"scripts": {"build": "next build", "postinstall": "node scripts/x.js"}})
    assert not (tmp_path / "ran").exists()
