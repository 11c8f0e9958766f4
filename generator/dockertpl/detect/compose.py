"""Read the builds in a Compose file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from dockertpl.detect.repository import clean, join, parent
from dockertpl.detect.tables import table
from dockertpl.detect.tomlfile import line_of
from dockertpl.detect.yamlfile import load_yaml


@dataclass(frozen=True, kw_only=True)
class Build:
    """The build of one service.

    Attributes:
        dockerfile: The Dockerfile, relative to the repository's root.
        context: The build context.
        where: The Compose file and the line of the service.
        production: Whether the file's name says that it is for production.
    """

    dockerfile: str
    context: str
    where: str
    production: bool


def builds(text: str, path: str) -> Iterator[Build]:
    """Yield the builds of a Compose file's services that are in the repository."""
    name = PurePosixPath(path).name
    for service, settings in compose_services(text).items():
        build = settings.get("build")
        context = build.get("context", ".") if isinstance(build, dict) else build
        if not isinstance(context, str) or "://" in context or "$" in context:
            continue
        file = build.get("dockerfile", "Dockerfile") if isinstance(build, dict) else "Dockerfile"
        folder = clean(join(parent(path), context))
        dockerfile = clean(join(folder, file)) if folder is not None and isinstance(file, str) else None
        if folder is None or dockerfile is None:
            continue
        line = line_of(text, rf"^[ \t]+{re.escape(service)}[ \t]*:")
        yield Build(
            dockerfile=dockerfile,
            context=folder,
            where=f"{path}:{line}" if line else path,
            production=re.search(r"prod|release|deploy", name, re.IGNORECASE) is not None,
        )


def compose_services(text: str) -> dict[str, dict[str, Any]]:
    """Return the services of a Compose file, empty if it cannot be read."""
    try:
        services = table(load_yaml(text), "services")
    except ValueError:
        return {}
    return {
        name: {**_merged(service), **service}
        for name, service in services.items()
        if isinstance(name, str) and isinstance(service, dict)
    }


def _merged(service: dict[str, Any]) -> dict[str, Any]:
    """Resolve `<<: *anchor`, one level deep."""
    merged = service.get("<<")
    tables = merged if isinstance(merged, list) else [merged]
    return {key: value for entry in tables if isinstance(entry, dict) for key, value in entry.items()}
