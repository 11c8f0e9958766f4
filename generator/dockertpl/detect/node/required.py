"""Find variables that a build or a start needs: modules that throw, and Prisma's configuration."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from dockertpl.detect.dotenv import find_example
from dockertpl.detect.facts import Detection
from dockertpl.detect.node.javascript import LONGEST, Source
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.schemas import of_schemas
from dockertpl.detect.placeholders import answer
from dockertpl.detect.repository import Repository

_NAME = r"(?!NEXT_PUBLIC_|NODE_ENV\b|SKIP_ENV_VALIDATION\b)[A-Z][A-Z0-9_]{2,}"
_READ = re.compile(rf"process\.env(?:\.({_NAME})\b|\[\"({_NAME})\"\]|\['({_NAME})'\])")
_SET = re.compile(rf"(?:const|let|var)([\w$]+)(?::[\w|]+)?=process\.env(?:\.({_NAME})|\[[\"']({_NAME})[\"'])$")
_TAKEN_APART = re.compile(r"\b(?:const|let|var)\s*\{([^{}=]*)\}\s*=\s*process\.env\b(?!\s*[.\[])")
# Functions whose name says that they throw, and clients that do so when they are made.
_ASSERTED = re.compile(
    rf"(?:\b|exportdefault)(?:assert\w*|invariant|required?(?:Env)?|mustGetEnv|neon|newStripe|newResend)\(process\.env\.({_NAME})\b"
    rf"|new(?:OpenAI|Pinecone)\(\{{(?:[^()]{{0,299}},)?apiKey:process\.env\.({_NAME})\b"
    # Supabase's, which wants an address and a key.
    rf"|(?:\b|exportdefault)createClient\((?:process\.env\.({_NAME})!?,)?process\.env\.({_NAME})\b"
    rf"|process\.env\.({_NAME})(?:\?\?|\|\|)\((?:\(\)=>|function\()"
)
_MAY_STOP = re.compile(r"\bthrow\b|assert|nvariant|equire|neon|new |createClient|\bparse|safeParse|createEnv|cleanEnv")
_VARIABLE = re.compile(_NAME)
# function getEnv(name) {…}, and const getEnv = (name) => {…}.
_READER = re.compile(
    r"\bfunction\s+([\w$]+)\s*(?:<[^>]{0,99}>)?\(\s*([\w$]+)[^)]{0,299}\)[^{;]{0,99}\{"
    r"|\b(?:const|let|var)\s+([\w$]+)\s*(?::[^=]{1,199})?=\s*(?:async\s*)?\(\s*([\w$]+)[^)]{0,299}\)[^{;]{0,99}=>\s*\{"
)
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
        value: A valid value by the file's schema, or an empty string.
    """

    name: str
    path: str
    line: int
    value: str = ""


def required(repository: Repository, paths: Sequence[str]) -> list[Required]:
    """Return the variables that modules need when they are loaded; one that several need is there for each.

    Args:
        repository: Where they are read.
        paths: The files that a build loads.
    """
    texts = {path: text for path in paths if (text := repository.text(path) or "") and len(text) <= LONGEST}
    readers = {name for text in texts.values() for name in _readers(text)}
    calls = re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(readers)))})\(" if readers else r"(?!)")
    found: list[Required] = []
    for path, text in texts.items():
        reads = "process.env" in text and _MAY_STOP.search(text)
        if not reads and not calls.search(text):
            continue
        source = Source(text)
        if not source.sound:
            continue
        found += (
            Required(name, path, text.count("\n", 0, max(text.find(name), 0)) + 1)
            for name in _of_module(text, source, readers)
        )
        found += (Required(name, path, line, value) for name, value, line in of_schemas(source, _VARIABLE))
    return found


def once(needed: Iterable[Required]) -> list[Required]:
    """Return each variable once, where it is needed first."""
    first: dict[str, Required] = {}
    for one in needed:
        first.setdefault(one.name, one)
    return list(first.values())


def _readers(text: str) -> Iterator[str]:
    """Yield the functions of a module that throw where the variable that they are given the name of is not set."""
    if not re.search(r"process\.env\[\w", text) or "throw" not in text:
        return
    for match in _READER.finditer(text):
        name, parameter = match[1] or match[3], match[2] or match[4]
        body = text[match.end() : match.end() + 600]
        read = re.search(rf"process\.env\[{re.escape(parameter)}\]", body)
        if read and "throw" in body[read.end() :].partition("function")[0]:
            yield name


def _of_module(text: str, source: Source, readers: Collection[str]) -> Iterator[str]:
    """Yield the variables that a module's own statements, outside of its functions, throw without."""
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
        # What is in braces is a function or a class, but for an object.
        is_body = source.at(at) == "{" and source.at(at - 1) not in ("=", "(", ",", ":", "[")
        at = source.after(at) if is_body else at + 1
    statements = "".join(outer)
    for names in _ASSERTED.findall(statements):
        yield from filter(None, names)
    if readers:
        called = "|".join(map(re.escape, sorted(readers)))
        yield from re.findall(rf"(?<![\w$.])(?:{called})\([\"']({_NAME})[\"']\)", statements)


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


def find_required(package: Package, found: Detection, modules: Sequence[str], loaded: Sequence[Required]) -> None:
    """Answer `smoke_test_env` with the variables without which the sources throw.

    Args:
        package: The application's folder.
        found: Where the answer goes.
        modules: The application's sources.
        loaded: What they need when they are loaded.
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
    for one in once(loaded):
        if one.value or one.name not in needed:
            needed[one.name] = (f"={one.value}" if one.value else "", one.path, one.line)
    file, example = find_example(package.repository, (package.folder, "."))
    answer(found, needed, file, example)


def _needed(
    needed: dict[str, tuple[str, str, int]], match: re.Match[str], path: str, text: str, first: int = 1
) -> None:
    name = next(filter(None, match.groups()[first - 1 :]), "")
    # Next.js writes these into the pages when it builds, and NODE_ENV is set.
    if name and name != "NODE_ENV" and not name.startswith("NEXT_PUBLIC_"):
        needed.setdefault(name, ("", path, text.count("\n", 0, match.start()) + 1))
