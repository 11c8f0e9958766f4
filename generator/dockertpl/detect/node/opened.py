"""Which files the application's JavaScript opens below its own folder."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Literal

from dockertpl.detect.node.modules import IMPORT, aliases_of, target_of
from dockertpl.detect.node.package import Package
from dockertpl.detect.opened import Opened, dropped
from dockertpl.detect.repository import clean, join, parent
from dockertpl.kinds import NEXTJS_STANDALONE

_TEXT = r"""(?:"[^"\n]*"|'[^'\n]*'|`[^`\n]*`)"""
# path.join(process.cwd(), "docs"), or of a name that was given such a path.
_JOIN = (
    r"(?:path\s*\.\s*)?(?:join|resolve)\(\s*(?:/\*[^*]*\*/\s*)?(process\.cwd\(\)|[\w$]+)\s*"
    r"((?:,[^,()]+(?:\(\))?)*),?\s*\)"
)
# process.cwd() + "/docs"
_PLUS = re.compile(rf"(process\.cwd\(\)|\b[\w$]+)\s*\+\s*(?=({_TEXT}))")
_TEMPLATE = re.compile(r"`\$\{(process\.cwd\(\)|[\w$]+)\}/([^`$\n]*)")
_CWD = re.compile(r"\b(?:const|let|var)\s+([\w$]+)\s*(?::[^=\n]{1,99})?=\s*process\.cwd\(\)\s*(?=[;\n,])")
_NAMED = re.compile(rf"\b(?:const|let|var)\s+([\w$]+)\s*(?::[^=\n]+)?=\s*(?:{_JOIN}|({_TEXT}))")
_ANY_JOIN = re.compile(rf"\b{_JOIN}")
_URL = re.compile(r"\bnew\s+URL\(\s*[\"'`](\.\.?/[^\"'`$\n]+)[\"'`]\s*,\s*import\.meta\.url\s*\)")
_GLOB = re.compile(
    r"\b(?:glob|globSync|globby|globbySync|fg|fastGlob|fg\.sync|fastGlob\.sync|glob\.sync)\(\s*\[?\s*"
    r"[\"'`](?:\./)?([\w@.-]+(?:/[\w@.-]+)*)/[^\"'`\n]*[*{][^\"'`\n]*[\"'`]"
)
# Where the configuration of a Markdown tool names its content folder.
_CONTENT = re.compile(r"\b(?:dir|directory|contentDirPath|root)\s*:\s*[\"'`](?:\./)?([\w@.-]+(?:/[\w@.-]+)*)/?[\"'`]")
_CONTENT_FILES = ("source.config", "contentlayer.config", "velite.config", "content-collections")
_READ = ("readFileSync", "readFile", "readdirSync", "readdir", "createReadStream", "opendirSync", "opendir")
_WRITTEN = ("writeFileSync", "writeFile", "appendFileSync", "appendFile", "createWriteStream")
_MADE = ("mkdirSync", "mkdir")
_CALL = re.compile(rf"\b({'|'.join((*_READ, *_WRITTEN, *_MADE))})\(\s*(?:{_JOIN}|({_TEXT})|([\w$]+)\s*[,)])")
_DATABASE = re.compile(rf"\bnew\s+(?:Database|DatabaseSync)\(\s*(?:{_JOIN}|({_TEXT})|([\w$]+)\s*[,)])")
_DEFAULTED = re.compile(r"process\.env\.\w+ ?(?:\|\||\?\?) ?(?=[\"'`])")
# What libSQL calls the address of a file.
_FILE_URL = re.compile(r"[\"'`]file:(?:\./)?([\w-][\w./-]*\.(?:db|sqlite3?))[\"'`]")
_LONGEST = 1 << 17

_How = Literal["served", "read", "file", "folder"]


def opened(package: Package, modules: Sequence[str]) -> Iterator[Opened]:
    """Yield what the sources of an application open, as far as it lies in a known folder.

    Args:
        package: The application's folder.
        modules: Its sources.
    """
    files = dropped(package.repository, NEXTJS_STANDALONE, package.folder)
    # What an import of them may end in: nearly all imports are of modules.
    endings = {part.partition(".")[0] for file in files for part in file.split("/")[-2:]}
    aliases = aliases_of(package) if files else {}
    for path in modules:
        text = (package.repository.text(path) or "")[:_LONGEST]
        if "process.env" in text:
            # What a variable defaults to; every character keeps its place.
            text = _DEFAULTED.sub(lambda match: " " * len(match[0]), text)
        for match in _FILE_URL.finditer(text) if "file:" in text else ():
            yield from _found(join(package.folder, match[1]), "file", path, text, match)
        if files:
            yield from _imported(files, endings, aliases, path, text)
            yield from _named_folders(package.folder, path, text)
        if not any(
            name in text
            for name in ("readFile", "readdir", "Stream(", "opendir", "writeFile", "appendFile", "mkdir", "Database")
        ):
            continue
        names = _names(text)
        for match in _CALL.finditer(text):
            how: _How = "read" if match[1] in _READ else "folder" if match[1] in _MADE else "file"
            yield from _place(package.folder, path, text, match, names, how, 2)
        for match in _DATABASE.finditer(text):
            yield from _place(package.folder, path, text, match, names, "file", 1)

    for path in package.repository.listed(package.folder, ".ts", ".js", ".mjs", ".mts", ".cjs") if files else ():
        if path.rpartition("/")[2].startswith(_CONTENT_FILES):
            text = (package.repository.text(path) or "")[:_LONGEST]
            for match in _CONTENT.finditer(text):
                yield from _read(join(package.folder, match[1]), path, text, match)


def _named_folders(folder: str, path: str, text: str) -> Iterator[Opened]:
    """Yield the places below the working directory that a module names, whatever it gives them to."""
    for match in _URL.finditer(text) if "import.meta.url" in text else ():
        yield from _read(join(parent(path), match[1]), path, text, match)
    for match in _GLOB.finditer(text) if "lob" in text or "fg" in text else ():
        yield from _read(join(folder, match[1]), path, text, match)
    if "process.cwd()" not in text:
        return
    names = _names(text)
    for match in _ANY_JOIN.finditer(text):
        joined = _joined(match[1], match[2], names)
        if joined:
            yield from _read(join(folder, joined[0]), path, text, match)
    for match in (*_PLUS.finditer(text), *_TEMPLATE.finditer(text)):
        start = ("", False) if match[1] == "process.cwd()" else names.get(match[1])
        if start and not start[1] and "${" not in match[2]:
            yield from _read(join(folder, start[0], match[2].strip("\"'`/")), path, text, match)


def _read(place: str, path: str, text: str, match: re.Match[str]) -> Iterator[Opened]:
    return _found(place, "read", path, text, match)


def _found(place: str, how: _How, path: str, text: str, match: re.Match[str]) -> Iterator[Opened]:
    cleaned = clean(place)
    if cleaned is not None and cleaned != "." and cleaned.isprintable():
        yield Opened(cleaned, how, False, path, text.count("\n", 0, match.start()) + 1)


def _names(text: str) -> dict[str, tuple[str, bool]]:
    """Return the variables with a path below the working directory, each with whether more follows."""
    found: dict[str, tuple[str, bool]] = {match[1]: ("", False) for match in _CWD.finditer(text)}
    for match in _NAMED.finditer(text):
        name, base, rest, literal = match.groups()
        if literal and (inner := re.fullmatch(r"`\$\{(process\.cwd\(\)|[\w$]+)\}/([^`$]*)`", literal)):
            base, rest, literal = inner[1], f', "{inner[2]}"', ""
        value = (
            (literal[1:-1], False) if literal and "${" not in literal else _joined(base, rest, found) if base else None
        )
        if value is not None:
            found.setdefault(name, value)
    return found


def _joined(base: str, rest: str, names: dict[str, tuple[str, bool]]) -> tuple[str, bool] | None:
    start = ("", False) if base == "process.cwd()" else names.get(base)
    if start is None or start[1]:
        return start
    parts = [start[0]]
    for word in filter(None, (word.strip() for word in rest.split(","))):
        if not re.fullmatch(_TEXT, word) or "${" in word:
            return "/".join(filter(None, parts)), True
        parts.append(word[1:-1])
    return "/".join(filter(None, parts)), False


def _place(
    folder: str,
    path: str,
    text: str,
    match: re.Match[str],
    names: dict[str, tuple[str, bool]],
    how: _How,
    first: int,
) -> Iterator[Opened]:
    base, rest, literal, name = match.group(first, first + 1, first + 2, first + 3)
    value: tuple[str, bool] | None = None
    if base:
        value = _joined(base, rest, names)
    elif literal and "${" not in literal:
        value = literal[1:-1], False
    elif literal and (inner := re.match(r"`\$\{process\.cwd\(\)\}/([^`$]*)", literal)):
        value = inner[1].rstrip("/"), "${" in literal[len(inner[0]) :]
    elif name:
        value = names.get(name)
    if value is None or "://" in value[0] or not value[0].isprintable() or value[0] in ("", ".", ":memory:"):
        return
    place = value[0] if value[0].startswith("/") else clean(join(folder, value[0]))
    if place is not None:
        yield Opened(place, how, value[1], path, text.count("\n", 0, match.start()) + 1)


def _imported(
    files: Collection[str], endings: Collection[str], aliases: Mapping[str, str], path: str, text: str
) -> Iterator[Opened]:
    """Yield those of some files that a module imports, such as ../README.md."""
    for match in IMPORT.finditer(text):
        name = match[1].partition("?")[0]
        if name.rpartition("/")[2].partition(".")[0] not in endings:
            continue
        if place := target_of(name, parent(path), files, aliases):
            yield Opened(place, "read", False, path, text.count("\n", 0, match.start()) + 1)
