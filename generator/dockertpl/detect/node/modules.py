"""The modules of an application: what Next.js loads by name, and all that they import."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from dockertpl.detect.node.conventions import NOT_BUILT, SOURCES
from dockertpl.detect.node.package import Package
from dockertpl.detect.repository import Repository, clean, is_within, join, relative_to

IMPORT = re.compile(r"(?:\bfrom|\bimport|\brequire\(|\bimport\()\s*[\"']([^\"'\n]+)[\"']")
#: A key of `paths` in a tsconfig, with its first target.
PATHS = re.compile(r"\"(@?[~\w./*-]+)\"\s*:\s*\[\s*\"([\w./*-]+)\"")
_BASE_URL = re.compile(r"\"baseUrl\"\s*:\s*\"([\w./-]+)\"")
_TEST = re.compile(r"\.(?:test|spec|cy|stories|d)\.[cm]?[jt]sx?$")
# https://nextjs.org/docs/app/api-reference/file-conventions
_ENTRY_FOLDERS = ("app", "pages", "src/app", "src/pages")
_ENTRY_FILES = re.compile(
    r"(?:src/)?(?:middleware|proxy|instrumentation(?:-client)?|mdx-components|i18n/request|i18n)\.\w+|next\.config\.\w+"
)
_LONGEST = 1 << 18


def sources(repository: Repository, folders: Sequence[str]) -> Iterator[str]:
    """Yield the files of some folders that a build may read: no tests, no stories, no declarations.

    Args:
        repository: The repository.
        folders: The folders.
    """
    for path in repository.files:
        if not path.endswith(SOURCES) or _TEST.search(path):
            continue
        folder = next((folder for folder in folders if is_within(path, folder)), None)
        if folder is not None:
            parts = PurePosixPath(relative_to(path, folder)).parts[:-1]
            if not NOT_BUILT.intersection(parts):
                yield path


def loaded(package: Package, members: Sequence[str]) -> list[str]:
    """Return the source files that the application itself loads, directly or by way of others.

    Scripts, configurations of tools, and tests are not among them.

    Args:
        package: The application's folder.
        members: The folders of the workspace's packages that it is made of.
    """
    repository = package.repository
    files = list(sources(repository, [package.folder, *members]))
    everything = set(files)
    packages = {Package(repository, folder).name: folder for folder in members}
    aliases = aliases_of(package)
    waiting = [
        path for path in files if is_within(path, package.folder) and _is_entry(relative_to(path, package.folder))
    ]
    found = dict.fromkeys(waiting)
    meant: dict[tuple[str, str], str] = {}
    while waiting:
        path = waiting.pop()
        text = (repository.text(path) or "")[:_LONGEST]
        for name in IMPORT.findall(text):
            if member := _member(name, packages):
                # A package may export any of its files under another name.
                folder = packages.pop(member)
                targets = [one for one in files if is_within(one, folder) and is_module(relative_to(one, folder))]
            else:
                key = (path.rpartition("/")[0] if name.startswith(".") else "", name.partition("?")[0])
                if key not in meant:
                    meant[key] = target_of(key[1], key[0], everything, aliases)
                targets = [meant[key]] if meant[key] else []
            fresh = [target for target in targets if target not in found]
            found.update(dict.fromkeys(fresh))
            waiting += fresh
    return [path for path in files if path in found]


def _is_entry(path: str) -> bool:
    return _ENTRY_FILES.fullmatch(path) is not None or any(is_within(path, folder) for folder in _ENTRY_FOLDERS)


def aliases_of(package: Package) -> dict[str, str]:
    """Return the prefixes of the application's imports, each with its folder or file."""
    texts = [package.repository.text(package.at(name)) or "" for name in ("tsconfig.json", "jsconfig.json")]
    text = next(filter(None, texts), "")
    base = match[1] if (match := _BASE_URL.search(text)) else "."
    found = {"@/": package.folder, "~/": package.folder}
    if package.repository.is_dir(package.at("src")):
        found = dict.fromkeys(found, package.at("src"))
    if match:
        found[""] = clean(join(package.folder, base)) or package.folder
    for alias, target in PATHS.findall(text):
        place = clean(join(package.folder, base, target.removesuffix("*")))
        if place is not None:
            found[alias.removesuffix("*")] = place
    return found


def _member(name: str, packages: Mapping[str, str]) -> str:
    """Return the workspace package of an import, or an empty string."""
    scope, _, rest = name.partition("/")
    own = f"{scope}/{rest.partition('/')[0]}" if name.startswith("@") else scope
    return own if own in packages else ""


def target_of(name: str, folder: str, known: Collection[str], aliases: Mapping[str, str]) -> str:
    """Return the known file that an import in a folder, or an empty string."""
    if name.startswith("."):
        return _file(clean(join(folder, name)), known)
    alias = max((alias for alias in aliases if name.startswith(alias)), key=len, default=None)
    return "" if alias is None else _file(clean(join(aliases[alias], name[len(alias) :])), known)


def _file(place: str | None, known: Collection[str]) -> str:
    if place is None:
        return ""
    stem = re.sub(r"\.[cm]?js$", "", place)
    candidates = (place, *(f"{start}{end}" for start in (place, stem, f"{place}/index") for end in SOURCES))
    return next((candidate for candidate in candidates if candidate in known), "")


def is_module(path: str) -> bool:
    """Tell whether a file of a package may be a module of it: no script that people run, no tool's configuration.

    Args:
        path: The file, relative to the package.
    """
    parts = PurePosixPath(path)
    is_tool = re.search(r"\.config\.[cm]?[jt]s$", parts.name) is not None
    return not is_tool and not {"scripts", "prisma", "drizzle", "migrations", "seeds"}.intersection(parts.parts[:-1])
