"""Variables without which a build or a start fails: modules that throw, and Prisma's configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockertpl.detect.dotenv import find_example
from dockertpl.detect.facts import Detection
from dockertpl.detect.node.javascript import LONGEST, Source
from dockertpl.detect.node.package import Package
from dockertpl.detect.placeholders import answer
from dockertpl.detect.repository import Repository

_NAME = r"(?!NEXT_PUBLIC_|NODE_ENV\b|SKIP_ENV_VALIDATION\b)[A-Z][A-Z0-9_]{2,}"
_READ = re.compile(rf"process\.env(?:\.({_NAME})\b|\[\"({_NAME})\"\]|\['({_NAME})'\])")
_SET = re.compile(rf"(?:const|let|var)([\w$]+)(?::[\w|]+)?=process\.env(?:\.({_NAME})|\[[\"']({_NAME})[\"'])$")
_TAKEN_APART = re.compile(r"\b(?:const|let|var)\s*\{([^{}=]*)\}\s*=\s*process\.env\b(?!\s*[.\[])")
# Functions whose name says that they throw, and clients that do so when they are made.
_ASSERTED = re.compile(
    rf"\b(?:assert\w*|invariant|required?(?:Env)?|mustGetEnv|neon|newStripe|newResend)\(process\.env\.({_NAME})\b"
)
_MAY_STOP = re.compile(r"\bthrow\b|assert|nvariant|equire|neon|new ")
_PRISMA = re.compile(rf"\benv\(\s*[\"']({_NAME})[\"']\s*\)")
_PROVIDER = re.compile(r"\bprovider\s*=\s*\"(mysql|mongodb|sqlite|sqlserver)\"")

_ENV = r"process\s*\.\s*env\s*(?:\.\s*([A-Z][A-Z0-9_]*)|\[\s*[\"']([A-Z][A-Z0-9_]*)[\"']\s*\])"
_THROWS = re.compile(
    rf"if\s*\(\s*!\s*{_ENV}\s*\)\s*\{{?\s*throw\b"
    rf"|{_ENV}\s*(?:\?\?|\|\|)\s*\(?\s*(?:\(\)\s*=>|function)[^;]{{0,40}}\bthrow\b"
)
_TAKEN = re.compile(rf"\b(?:const|let|var)\s+([\w$]+)\s*(?::[^=\n]+)?=\s*{_ENV}\s*[;\n]")


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
        if "process.env" not in text or len(text) > LONGEST or not _MAY_STOP.search(text):
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


def provider(schema: str) -> str:
    """Return the kind of database that a Prisma schema names, empty if that is PostgreSQL or unknown.

    Args:
        schema: Its text.
    """
    found = _PROVIDER.search(schema)
    return found[1] if found else ""


def find_required(package: Package, found: Detection, modules: Sequence[str]) -> None:
    """Answer `smoke_test_env` with the variables without which the sources throw.

    Args:
        package: The application's folder.
        found: Where the answer goes.
        modules: The application's sources.
    """
    needed: dict[str, tuple[str, str, int]] = {}
    for path in modules:
        text = (package.repository.text(path) or "")[:LONGEST]
        if "process" not in text or "throw" not in text:
            continue
        for match in _THROWS.finditer(text):
            _needed(needed, match, path, text)
        for match in _TAKEN.finditer(text):
            if re.search(rf"if\s*\(\s*!\s*{re.escape(match[1])}\s*\)\s*\{{?\s*throw\b", text):
                _needed(needed, match, path, text, 2)
    file, example = find_example(package.repository, (package.folder, "."))
    answer(found, needed, file, example)


def _needed(
    needed: dict[str, tuple[str, str, int]], match: re.Match[str], path: str, text: str, first: int = 1
) -> None:
    name = next(filter(None, match.groups()[first - 1 :]), "")
    # Next.js writes these into the pages when it builds, and NODE_ENV is set.
    if name and name != "NODE_ENV" and not name.startswith("NEXT_PUBLIC_"):
        needed.setdefault(name, ("", path, text.count("\n", 0, match.start()) + 1))
