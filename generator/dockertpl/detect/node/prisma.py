"""Prisma: its schema, what generates its client, and the variables that its configuration reads."""

from __future__ import annotations

import re

from dockertpl.detect.facts import Detection
from dockertpl.detect.node.package import LIFECYCLE, Package
from dockertpl.detect.node.workspace import Workspace, resolved
from dockertpl.detect.repository import Repository, is_within, relative_to

GENERATE = r"\bprisma\s+(?:\S+\s+)?generate\b"
_ENDINGS = ("ts", "mts", "cts", "js", "mjs", "cjs")
_SCHEMAS = ("prisma/schema.prisma", "schema.prisma", "prisma/schema")


def config_of(package: Package) -> str:
    """Return the path of Prisma's configuration in a folder, or an empty string."""
    names = (f"{name}.{ending}" for name in ("prisma.config", ".config/prisma") for ending in _ENDINGS)
    return next((package.at(name) for name in names if package.has(name)), "")


def schema_of(package: Package, text: str = "") -> str:
    """Return the path of a folder's Prisma schema, or an empty string.

    Args:
        package: The folder.
        text: The generate command, which may have the path.
    """
    named = re.search(r"--schema[ =](\S+)", text)
    config = package.repository.text(config_of(package)) or ""
    configured = re.search(r"\bschema:\s*(?:path\.join\()?[\"']([\w./-]+)[\"'](?:,\s*[\"']([\w./-]+)[\"'])?", config)
    names = [
        named[1] if named else "",
        package.text("prisma", "schema"),
        "/".join(part for part in configured.groups() if part) if configured else "",
        *_SCHEMAS,
    ]
    for name in filter(None, names):
        target = resolved(package.folder, name)
        if target and (package.repository.is_file(target) or package.repository.is_dir(target)):
            return target
    return ""


def find_prisma(package: Package, found: Detection, workspace: Workspace, build_script: str) -> None:
    """Answer `prisma_schema`, where nothing generates the client that the application imports.

    Args:
        package: The application's folder.
        found: Where answer and warnings go.
        workspace: The workspace. Its packages may have their own client.
        build_script: The script that builds.
    """
    for folder in (package.folder, *workspace.packages):
        one = package if folder == package.folder else Package(package.repository, folder)
        wants = one.wants()
        if "@prisma/client" not in wants and "prisma" not in wants:
            continue
        scripts = (*LIFECYCLE, build_script if one is package else "build")
        if any(one.runs(script, GENERATE) for script in scripts):
            continue
        if workspace.root != package.folder and any(
            Package(package.repository, workspace.root).runs(script, GENERATE) for script in LIFECYCLE
        ):
            continue
        schema = schema_of(one)
        if not schema:
            continue
        if one is package and is_within(schema, package.folder):
            note = "neither an install script nor the build generates the client"
            found.answer("prisma_schema", relative_to(schema, package.folder), schema, None, note)
        elif not _turbo_generates(package.repository, one):
            found.warn(
                f"{one.path}: nothing in the build generates the Prisma client of {schema}. Add "
                '"postinstall": "prisma generate" to its scripts.'
            )


def _turbo_generates(repository: Repository, package: Package) -> bool:
    """Tell whether turbo.json names a script of a package that generates the client."""
    text = repository.text("turbo.json") or repository.text("turbo.jsonc") or ""
    return any(
        re.search(GENERATE, command) and re.search(rf"[\"^#]{re.escape(name)}\"", text)
        for name, command in package.scripts.items()
    )
