"""Variables that the source reads while it is built, and secrets that installing needs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from dockertpl.detect.facts import Detection
from dockertpl.detect.node.conventions import NOT_BUILT, SOURCES, private_registry
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.workspace import Workspace
from dockertpl.detect.repository import Repository, is_within, join, relative_to
from dockertpl.detect.tomlfile import line_of

_PUBLIC = r"NEXT_PUBLIC_[A-Z0-9_]+"
_READ = re.compile(rf"process\s*\??\.\s*env\s*(?:\??\.\s*({_PUBLIC})\b|(?:\?\.)?\[\s*[\"'`]({_PUBLIC})[\"'`]\s*\])")
_TAKEN_APART = re.compile(r"\{([^{}]*)\}\s*=\s*process\s*\.\s*env\b(?!\s*[.\[])")
_SKIP = r"process\s*\??\.\s*env\s*\??\.\s*SKIP_ENV_VALIDATION\b"
_TEST = re.compile(r"\.(?:test|spec|cy|stories|d)\.[cm]?[jt]sx?$")
_TOKEN = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)(?:[?:]?-[^}]*)?\??\}")
_REGISTRY = r"^[ \t]*(?:@[\w.-]+:)?registry[ \t]*=[ \t]*[\"']?([^\s\"']+)"
_RC_FILES = (".npmrc", ".yarnrc.yml", ".yarnrc", "bunfig.toml")


def find_variables(package: Package, found: Detection, workspace: Workspace) -> None:
    """Answer `public_variables` and `build_env`, and say what `.env` files hold that the build does not see.

    Args:
        package: The application's folder.
        found: Where answers and warnings go.
        workspace: The workspace, of whose packages the application is made too.
    """
    repository = package.repository
    where: dict[str, tuple[str, int | None]] = {}
    skipped: tuple[str, int | None] | None = None
    for path in sources(repository, [package.folder, *workspace.packages]):
        text = repository.text(path) or ""
        if "NEXT_PUBLIC_" in text:
            for name in _public(text):
                where.setdefault(name, (path, line_of(text, rf"\b{name}\b")))
        if skipped is None and "SKIP_ENV_VALIDATION" in text and re.search(_SKIP, text):
            skipped = path, line_of(text, _SKIP)
    if where:
        first = min(where)
        others = len(where) - 1
        note = f"and {others} more" if others else ""
        found.answer("public_variables", sorted(where), *where[first], note)
    if skipped:
        found.answer("build_env", {"SKIP_ENV_VALIDATION": "1"}, *skipped, "the build has none of the run's variables")
    _dotenv(package, found, workspace)


def sources(repository: Repository, folders: Sequence[str]) -> Iterator[str]:
    """Yield the files of some folders that a build may read: no tests, no stories, no declarations."""
    for path in repository.files:
        if not path.endswith(SOURCES) or _TEST.search(path):
            continue
        folder = next((folder for folder in folders if is_within(path, folder)), None)
        if folder is not None:
            parts = PurePosixPath(relative_to(path, folder)).parts[:-1]
            if not NOT_BUILT.intersection(parts):
                yield path


def _public(text: str) -> Iterator[str]:
    for match in _READ.finditer(text):
        yield match[1] or match[2]
    if "process" in text:
        for match in _TAKEN_APART.finditer(text):
            yield from re.findall(rf"\b{_PUBLIC}\b", match[1])
    # T3's createEnv lists them as keys, and may be given the whole of process.env.
    if "createEnv" in text:
        yield from re.findall(rf"\b({_PUBLIC})\s*:", text)


def _dotenv(package: Package, found: Detection, workspace: Workspace) -> None:
    repository = package.repository
    for folder in dict.fromkeys([package.folder, workspace.root]):
        for name in (".env.production", ".env", ".env.production.local", ".env.local"):
            path = join(folder, name)
            names = re.findall(
                rf"^[ \t]*(?:export[ \t]+)?({_PUBLIC})[ \t]*=", repository.text(path) or "", re.MULTILINE
            )
            if names:
                some = ", ".join(sorted(set(names))[:3]) + (" and more" if len(set(names)) > 3 else "")
                found.warn(
                    f"{path} sets {some}, and no .env file is in the build context: give the values as build arguments."
                )
                return


def find_secrets(package: Package, found: Detection, root: str) -> None:
    """Answer `build_secrets` and `private_index`, by the settings of the manager.

    Args:
        package: The application's folder.
        found: Where answers and warnings go.
        root: The folder that dependencies are installed in.
    """
    repository = package.repository
    names: dict[str, tuple[str, int | None]] = {}
    for path in dict.fromkeys(join(folder, name) for folder in (root, package.folder) for name in _RC_FILES):
        text = repository.text(path) or ""
        for number, line in enumerate(text.splitlines()[:1000], 1):
            if line.lstrip().startswith(("#", ";")):
                continue
            for name in _TOKEN.findall(line[:1000]):
                names.setdefault(name, (path, number))
    if names:
        first = min(names)
        found.answer("build_secrets", sorted(names), *names[first], "")
    _index(repository, found, dict.fromkeys([join(root, ".npmrc"), package.at(".npmrc")]), bool(names))


def _index(repository: Repository, found: Detection, paths: dict[str, None], has_secrets: bool) -> None:
    for path in paths:
        text = repository.text(path) or ""
        if line := line_of(text, r"^[ \t]*[^#;\n]*:?(?:_authToken|_auth|_password)[ \t]*=[ \t]*[^$\s]"):
            found.warn(
                f"{path}:{line} holds a password. Take it out, make a new one, and put ${{NPM_TOKEN}} in its place: it "
                "is then a build secret."
            )
        for match in re.finditer(_REGISTRY, text, re.MULTILINE):
            if not has_secrets and private_registry().search(match[1]) and "_auth" not in text:
                host = re.sub(r"^\w+://(?:[^/@]*@)?", "", match[1]).partition("/")[0]
                line = text.count("\n", 0, match.start()) + 1
                found.answer("private_index", True, path, line, f"a registry at {host}, and no token for it")
                return
