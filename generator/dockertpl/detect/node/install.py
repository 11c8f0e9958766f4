"""What the installation reads besides manifests and lock: patches, hooks, schemas, scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.gitignore import ignored_by
from dockertpl.detect.node.conventions import HARMLESS, RUNNERS
from dockertpl.detect.node.locks import Lock
from dockertpl.detect.node.package import LIFECYCLE, Package
from dockertpl.detect.node.prisma import GENERATE, config_of, schema_of
from dockertpl.detect.node.workspace import Workspace, resolved, siblings
from dockertpl.detect.repository import Repository, is_within, join, parent, relative_to
from dockertpl.detect.tables import table
from dockertpl.detect.yamlfile import load_yaml

_IS_FILE = re.compile(r"\.?/|\S+\.[cm]?[jt]s$")


def find_install_files(package: Package, found: Detection, lock: Lock, workspace: Workspace) -> None:
    """Answer `install_files`, relative to the build context.

    Args:
        package: The application's folder.
        found: Collects answers and warnings.
        lock: The lock.
        workspace: The workspace that the lock covers.
    """
    repository = package.repository
    folders = dict.fromkeys([lock.folder, package.folder, *workspace.members])
    files: dict[str, str] = {}
    for path, why in _of_manager(repository, lock):
        files.setdefault(path, why)
    for folder in folders:
        one = Package(repository, folder)
        for path, why in _of_scripts(one, found):
            files.setdefault(path, why)
    for path in siblings(repository, folders):
        if path not in (*workspace.members, *workspace.packages):
            files.setdefault(path, "a dependency by its path")
    if lock.folder == package.folder:
        # The members of a workspace whose root is the application itself: the lock covers their manifests.
        for folder in workspace.members:
            files.setdefault(join(folder, "package.json"), "a member of the workspace")
    context = workspace.seen_from
    inside = sorted(path for path in files if is_within(path, context) and path != context)
    kept = [path for path in inside if not any(path != other and is_within(path, other) for other in inside)]
    if kept:
        notes = ", ".join(dict.fromkeys(files[path] for path in kept))
        found.answer("install_files", [relative_to(path, context) for path in kept], kept[0], None, notes)


def _of_manager(repository: Repository, lock: Lock) -> Iterator[tuple[str, str]]:
    folder = lock.folder
    patched: list[str] = []
    root = Package(repository, folder)
    if lock.manager == "pnpm":
        for name in (".pnpmfile.cjs", ".pnpmfile.mjs"):
            if repository.is_file(join(folder, name)):
                yield join(folder, name), "pnpm's hooks"
        patched += _texts(table(root.data, "pnpm", "patchedDependencies"))
        try:
            settings = load_yaml(repository.text(join(folder, "pnpm-workspace.yaml")) or "")
        except ValueError:
            settings = None
        patched += _texts(table(settings, "patchedDependencies"))
    elif lock.manager == "bun":
        patched += _texts(table(root.data, "patchedDependencies"))
    elif lock.manager == "yarn-berry":
        for name in (".yarn/releases", ".yarn/plugins", ".yarn/patches", ".yarn/cache"):
            path = join(folder, name)
            if repository.is_dir(path) and not ignored_by(repository, join(path, "file")):
                yield path, "Yarn's own files"
    elif lock.manager == "yarn" and repository.is_dir(join(folder, ".yarn/releases")):
        yield join(folder, ".yarn/releases"), "Yarn's own files"
    for path in patched:
        target = resolved(folder, path)
        if target and repository.is_file(target):
            above = parent(target)
            yield (target if above == folder else above), "patches"


def _texts(values: dict[str, object]) -> list[str]:
    return [value for value in values.values() if isinstance(value, str)]


def _of_scripts(package: Package, found: Detection) -> Iterator[tuple[str, str]]:
    repository = package.repository
    for script in LIFECYCLE:
        for name in package.called(script):
            text = package.scripts[name]
            if re.search(GENERATE, text) and (schema := schema_of(package, text)):
                yield _schema_folder(schema), "the Prisma schema"
                if config := config_of(package):
                    yield config, "the Prisma schema"
            if re.search(r"\bpatch-package\b", text):
                folder = re.search(r"--patch-dir[ =](\S+)", text)
                patches = resolved(package.folder, folder[1] if folder else "patches")
                if patches and repository.is_dir(patches):
                    yield patches, "patches"
            named = list(_files(package, text))
            yield from ((target, f"{name} runs it") for target in named)
            unknown = _unknown(package, text)
            if unknown and not named:
                line = package.line("scripts", name)
                found.warn(
                    f"{package.path}:{line} runs `{unknown}` during the installation, before the source is "
                    "copied. If it reads files, add them with -d 'install_files=[…]'."
                )


def _files(package: Package, text: str) -> Iterator[str]:
    for word in dockerfile.split(text[:4096]):
        if re.fullmatch(r"[\w@./-]+", word) and ("/" in word or "." in word):
            target = resolved(package.folder, word)
            if target and package.repository.is_file(target) and not target.endswith((".prisma", "package.json")):
                yield target


def _unknown(package: Package, text: str) -> str:
    """Return the first unknown command of a script, or an empty string."""
    commands: list[list[str]] = [[]]
    for word in dockerfile.split(text[:4096]):
        if word in ("&&", "||", ";", "|"):
            commands.append([])
        else:
            commands[-1].append(word)
    for command in commands:
        words = [word for word in command if word not in RUNNERS and "=" not in word and not word.startswith("-")]
        name = words[0].rpartition("/")[2].partition("@")[0] if words else ""
        known = not name or name in HARMLESS or words[0] in package.scripts or _IS_FILE.match(words[0])
        if not known:
            return " ".join(command)[:80]
    return ""


def _schema_folder(schema: str) -> str:
    """Return a schema's folder if it has only the schema, since a schema may have several files."""
    above = parent(schema)
    return above if above.rpartition("/")[2] == "prisma" else schema
