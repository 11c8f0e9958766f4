from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("scripts", "name"),
    [
        ({"build": "next build"}, "build"),
        ({"build": "npm run gen && npm run build:next", "gen": "x", "build:next": "next build"}, "build"),
        ({"build": "run-s a build:*", "build:app": "next  build"}, "build:app"),
        ({"compile": "cross-env X=1 next build --turbopack"}, "compile"),
    ],
)
def test_the_script_that_ends_in_next_build_is_found(look_at: Any, scripts: dict[str, str], name: str) -> None:
    found, problem = look_at(package={"scripts": scripts})
    assert (found.answers["build_script"], problem) == (name, None)


def test_no_such_script_is_refused(look_at: Any) -> None:
    problem = look_at(package={"scripts": {"dev": "next dev"}})[1]
    assert problem
    assert '"build": "next build"' in problem.remedy


def test_several_are_a_choice(look_at: Any) -> None:
    problem = look_at(package={"scripts": {"a": "next build", "b": "next build"}})[1]
    assert problem
    assert "-d build_script=a\n-d build_script=b" in problem.remedy


@pytest.mark.parametrize(
    "migration",
    [
        "prisma migrate deploy",
        "prisma db push",
        "npx drizzle-kit migrate",
        "payload migrate",
        "tsx scripts/migrate.ts",
        "npm run db:migrate",
        "typeorm migration:run",
    ],
)
def test_a_script_that_only_builds_is_taken_where_build_also_migrates(look_at: Any, migration: str) -> None:
    scripts = {"build": f"{migration} && next build", "build:analyze": "next build", "build:next": "next build"}
    found, problem = look_at(package={"scripts": scripts})
    assert (found.answers["build_script"], problem) == ("build:next", None)
    assert found.evidence["build_script"].note.startswith("build runs `")


def test_what_only_its_name_says_to_migrate_is_warned_of(look_at: Any) -> None:
    found, problem = look_at(package={"scripts": {"build": "node migrate-content.js && next build"}})
    assert (found.answers["build_script"], problem) == ("build", None)
    assert any("the script build runs `node migrate" in text for text in found.warnings)


def test_a_build_that_migrates_is_refused_where_no_other_script_builds(look_at: Any) -> None:
    package = {"scripts": {"prebuild": "prisma migrate deploy", "build": "next build"}}
    problem = look_at(package=package)[1]
    assert problem
    assert "the script prebuild runs `prisma migrate deploy`, but a build has no database" in problem.message
    assert '"build:next": "next build"' in problem.remedy
    assert look_at(package=package, given={"build_script": "build"})[1] is None


@pytest.mark.parametrize("text", ["prisma generate && next build", "npm run prisma:generate && next build"])
def test_generating_a_client_is_not_a_migration(look_at: Any, text: str) -> None:
    assert look_at(package={"scripts": {"build": text}})[0].answers["build_script"] == "build"


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("env-cmd -f .env.production next build", ".env.production"),
        ("env-cmd --file ./config/prod.env next build", "config/prod.env"),
        ("env-cmd next build", ".env"),
        ("node --env-file=.env node_modules/.bin/next build", ".env"),
        ("node --env-file=.env x.js && next build", ".env"),
        ("source .env.local && next build", ".env.local"),
        ("cp .env.ci .env && next build", ".env.ci"),
    ],
)
def test_a_script_that_opens_a_file_of_secrets_is_refused(look_at: Any, text: str, file: str) -> None:
    problem = look_at(package={"scripts": {"build": f"{text} && next build"}})[1]
    assert problem
    assert f"package.json:4: the script build opens {file}. The build context does not include it" in problem.message
    assert "public_variables, build_env or build_secrets" in problem.remedy


COMMAND = {"scripts": {"build": "env-cmd -f .env.production next build"}}


def test_a_file_that_git_has_and_browsers_see_is_let_through(look_at: Any) -> None:
    found, problem = look_at({".env.production": "NEXT_PUBLIC_API=https://api.example.com\n"}, COMMAND)
    assert problem is None and not found.warnings
    assert found.answers["context_files"] == [".env.production"]
    assert found.evidence["context_files"].where == "package.json:4"


@pytest.mark.parametrize(
    "files",
    [
        {".env.production": "NEXT_PUBLIC_API=x\nSTRIPE_KEY=sk\n"},
        {".env.production": "NEXT_PUBLIC_API=x\n", ".gitignore": ".env*\n"},
        {".env.production": ""},
    ],
)
def test_a_file_that_may_hold_secrets_is_not(look_at: Any, files: dict[str, str]) -> None:
    found, problem = look_at(files, COMMAND)
    assert problem
    assert "context_files" not in found.answers


@pytest.mark.parametrize(
    "text", ["env-cmd -f .env --fallback next build", "dotenv -e .env -- next build", "env-cmd -e prod next build"]
)
def test_a_script_that_does_without_the_file_is_taken(look_at: Any, text: str) -> None:
    assert look_at(package={"scripts": {"build": text}})[1] is None


def test_a_build_that_does_not_show_it_is_warned_of(look_at: Any) -> None:
    found, problem = look_at({"next.config.js": ""}, {"scripts": {"build": "node build.js"}})
    assert problem is None
    assert any("does not seem to run `next build`" in text for text in found.warnings)


@pytest.mark.parametrize(
    ("start", "port"),
    [
        ("next start -p 4000", 4000),
        ("next start --port=4000", 4000),
        ("PORT=4000 next start", 4000),
        ("next start", None),
    ],
)
def test_the_start_script_names_a_port(look_at: Any, start: str, port: int | None) -> None:
    found, _ = look_at(package={"scripts": {"build": "next build", "start": start}})
    assert found.answers.get("port") == port


def test_a_dockerfile_names_one_and_a_low_one_is_refused(look_at: Any) -> None:
    found, _ = look_at({"Dockerfile": "FROM node:24\nEXPOSE 4000\n"})
    assert (found.answers["port"], found.evidence["port"].where) == (4000, "Dockerfile:2")
    found, _ = look_at({"Dockerfile": "FROM node:24\nEXPOSE 80\n"})
    assert "port" not in found.answers
    assert any("port 80" in text for text in found.warnings)


@pytest.mark.parametrize("start", ["node server.js", "NODE_ENV=production node ./server.js", "tsx src/server.ts"])
def test_a_custom_server_is_reported_as_left_out(look_at: Any, start: str) -> None:
    found, _ = look_at(package={"scripts": {"build": "next build", "start": start}})
    assert any("a custom server" in text for text in found.warnings)
