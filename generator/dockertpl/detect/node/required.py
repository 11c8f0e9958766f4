"""Variables without which a build stops: modules that throw where one is not set, and Prisma's configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockertpl.detect.node.javascript import LONGEST, Source
from dockertpl.detect.repository import Repository

_NAME = r"(?!NEXT_PUBLIC_|NODE_ENV\b|SKIP_ENV_VALIDATION\b)[A-Z][A-Z0-9_]{2,}"
_READ = re.compile(rf"process\.env(?:\.({_NAME})\b|\[\"({_NAME})\"\]|\['({_NAME})'\])")
_SET = re.compile(rf"(?:const|let|var)([\w$]+)(?::[\w|]+)?=process\.env(?:\.({_NAME})|\[[\"']({_NAME})[\"'])$")
_TAKEN_APART = re.compile(r"\b(?:const|let|var)\s*\{([^{}=]*)\}\s*=\s*process\.env\b(?!\s*[.\[])")
# Functions whose name says that they throw, and clients that do so when they are made.
_ASSERTED = re.compile(
    rf"\b(?:assert\w*|invariant|required?(?:Env)?|mustGetEnv|neon|newStripe|newResend)\(process\.env\.({_NAME})\b"
)
_MAY_STOP = re.compile(r"\bthrow\b|assert|invariant|require|mustGetEnv|\bneon\(|\bnew (?:Stripe|Resend)\b")
_PRISMA = re.compile(rf"\benv\(\s*[\"']({_NAME})[\"']\s*\)")
#: Addresses of databases and the like: a placeholder of the right form connects to nothing.
_PLACEHOLDERS = (
    (re.compile(r"MONGO"), "mongodb://localhost/build"),
    (re.compile(r"REDIS|VALKEY|KV_URL"), "redis://localhost"),
    (re.compile(r"MYSQL|MARIADB|PLANETSCALE"), "mysql://user:password@localhost/build"),
    (re.compile(r"(?:DATABASE|POSTGRES|POSTGRESQL|PG|DB|DIRECT|NEON)\w*_UR[LI]|DATABASE_URL|DIRECT_URL"), ""),
)
_PROVIDERS = {
    "mysql": "mysql://user:password@localhost/build",
    "mongodb": "mongodb://localhost/build",
    "sqlite": "file:./build.db",
    "sqlserver": "sqlserver://localhost;database=build",
}
_USUAL = "postgresql://user:password@localhost/build"


class Required(NamedTuple):
    """A variable that has to be set.

    Attributes:
        name: The variable.
        path: The file that stops without it.
        line: The line there.
    """

    name: str
    path: str
    line: int


def required(repository: Repository, paths: Sequence[str]) -> Iterator[Required]:
    """Yield the variables that modules need when they are loaded, each once.

    Args:
        repository: Where they are read.
        paths: The files that a build loads.
    """
    seen: set[str] = set()
    for path in paths:
        text = repository.text(path) or ""
        if (
            "process.env" not in text
            or len(text) > LONGEST
            or not re.search(r"\bthrow\b|assert|nvariant|equire|neon|new ", text)
        ):
            continue
        for name in _of_module(text):
            if name not in seen:
                seen.add(name)
                yield Required(name, path, text.count("\n", 0, max(text.find(name), 0)) + 1)


def _of_module(text: str) -> Iterator[str]:
    """Yield the variables that a module's own statements, outside of its functions, throw without."""
    source = Source(text)
    if not source.sound:
        return
    variables = {name: name for names in _TAKEN_APART.findall(text) for name in re.findall(_NAME, names)}
    outer: list[str] = []
    at = 0
    while at < len(source.tokens):
        if source.at(at) == "if" and source.at(at + 1) == "(":
            behind = source.after(at + 1)
            end = source.after(behind) if source.at(behind) == "{" else behind + 1
            if any(source.at(index) == "throw" for index in range(behind, end)):
                condition = "".join(source.at(index) for index in range(at + 1, behind))
                yield from _missing(condition, variables)
            at = end
            continue
        outer.append(source.at(at))
        if match := _SET.search(" ".join(outer[-16:]).replace(" ", "")):
            variables[match[1]] = match[2] or match[3]
        # What is in braces is a function, a class or an object.
        at = source.after(at) if source.at(at) == "{" else at + 1
    yield from _ASSERTED.findall("".join(outer))


def _missing(condition: str, variables: dict[str, str]) -> Iterator[str]:
    """Yield the variables that a condition asks to be missing."""
    if "!" not in condition and "undefined" not in condition and "null" not in condition and '""' not in condition:
        return
    for names in _READ.findall(condition):
        yield next(filter(None, names))
    for word in re.findall(r"[\w$]+", condition):
        if word in variables:
            yield variables[word]


def of_prisma(text: str) -> list[str]:
    """Return the variables that a prisma.config.ts cannot be loaded without.

    Args:
        text: Its text.
    """
    return list(dict.fromkeys(_PRISMA.findall(text)))


def placeholder(name: str, schema: str = "") -> str:
    """Return an address that has the right form and leads nowhere; empty where the name tells of no database.

    Args:
        name: The variable.
        schema: The text of the Prisma schema, whose provider decides.
    """
    provider = re.search(r"\bprovider\s*=\s*\"(mysql|mongodb|sqlite|sqlserver)\"", schema)
    for pattern, value in _PLACEHOLDERS:
        if pattern.search(name):
            return value or (_PROVIDERS[provider[1]] if provider else _USUAL)
    return ""
