"""Find obstacles to a script in a build: a database migration, or a file with secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from dockertpl.detect import dotenv
from dockertpl.detect.gitignore import ignored_by
from dockertpl.detect.node.package import Package
from dockertpl.detect.opened import Opened

_RUNNER = r"(?:npx|npm|pnpm|yarn|bunx?|node|tsx|ts-node|run|exec|dlx)\s+(?:-\S+\s+)*"
_MIGRATES = re.compile(
    r"\bprisma\s+(?:migrate\s+(?:deploy|dev|reset)|db\s+(?:push|seed|execute))\b"
    r"|\bdrizzle-kit\s+(?:migrate|push)\b"
    r"|\b(?:knex|kysely|payload|sequelize(?:-cli)?|typeorm(?:-ts-node-\w+)?|mikro-orm|node-pg-migrate|dbmate)"
    r"\s+\S*(?:migrat|up\b)"
)
# Only by its name: its real effect is unknown.
_MAY_MIGRATE = re.compile(rf"\b{_RUNNER}[\w@./:-]*\bmigrat\w*")
# `env-cmd -f .env.production next build` and the like end with an error where the file is not there.
_OPENS = re.compile(
    r"\benv-cmd\b(?P<options>[^&|;]*?)\s(?:-f|--file)[ =](?P<named>[\w./-]+)"
    r"|--env-file[ =](?P<node>[\w./-]+)"
    r"|(?:^|[&|;]\s*)(?:source|\.)\s+(?P<sourced>[\w./-]+)"
    r"|\bcp\s+(?:-\S+\s+)*(?P<copied>[\w./-]+)\s"
    r"|\benv-cmd\s+(?!-f|--file|-e|--environments|-r|--rc-file)(?P<usual>)"
)
_ENV_FILE = re.compile(r"(?:.*/)?(?:\.env(?:\..+)?|.+\.env)")
_LONGEST = 4096


class Obstacle(NamedTuple):
    """Why a script cannot run in a build.

    Attributes:
        what: A database that it migrates for sure, or may migrate, or a file that it opens.
        script: The script, or one that it calls.
        line: Its line.
        detail: The command, or the file's name relative to the package.
    """

    what: Literal["database", "migration", "file"]
    script: str
    line: int | None
    detail: str


def obstacle(package: Package, script: str) -> Obstacle | None:
    """Return the first obstacle of a script and of the scripts that it calls, or None.

    Args:
        package: The package whose script it is.
        script: Its name.
    """
    suspected: Obstacle | None = None
    for name in package.called(script):
        text = package.scripts[name][:_LONGEST]
        line = package.line("scripts", name)
        if found := _MIGRATES.search(text):
            return Obstacle("database", name, line, found[0].strip())
        if (found := _MAY_MIGRATE.search(text)) and not found[0].split()[-1].startswith("@"):
            suspected = suspected or Obstacle("migration", name, line, found[0].strip())
        for file in _env_files(text):
            if not _is_public(package, file):
                return Obstacle("file", name, line, file)
    return suspected


def public_files(package: Package, script: str) -> Iterator[Opened]:
    """Yield the files of variables that a script opens and that the build may have: Git has them, and browsers, too.

    Args:
        package: The package whose script it is.
        script: Its name.
    """
    for name in package.called(script):
        for file in _env_files(package.scripts[name][:_LONGEST]):
            if _is_public(package, file):
                yield Opened(package.at(file), "public", False, package.path, package.line("scripts", name) or 1)


def _env_files(text: str) -> Iterator[str]:
    for match in _OPENS.finditer(text):
        file = match["named"] or match["node"] or match["sourced"] or match["copied"] or ".env"
        if _ENV_FILE.fullmatch(file) and "--fallback" not in text:
            yield file.removeprefix("./")


def _is_public(package: Package, file: str) -> bool:
    """Tell whether Git has a file, and Next.js writes all that it sets into the pages."""
    path = package.at(file)
    if ".." in file.split("/") or file.startswith("/") or ignored_by(package.repository, path):
        return False
    names = dotenv.parse(package.repository.text(path) or "")
    return bool(names) and all(name.startswith("NEXT_PUBLIC_") or name == "NODE_ENV" for name in names)
