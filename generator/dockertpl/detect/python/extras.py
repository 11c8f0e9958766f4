"""The project's extras, and which of them production needs: those that bring the framework or the server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.lock import Production
from dockertpl.detect.python.project import Dependency, Project, normalize, requirement
from dockertpl.detect.python.serving import choose
from dockertpl.detect.tables import strings

_DEEPEST = 5


def offered(project: Project) -> dict[str, tuple[Dependency, ...]]:
    """Return the dependencies of each extra, including extras of the project (`all = ["shop[server]"]`)."""
    path = project.manifest
    plain = {
        extra: [replace(found, path=path) for text in strings(texts) if (found := requirement(text))]
        for extra, texts in project.table("project", "optional-dependencies").items()
    }
    optional = {found.name: found for found in project.declared() if found.optional}
    for extra, names in project.table("tool", "poetry", "extras").items():
        plain.setdefault(extra, []).extend(
            optional.get(normalize(name), Dependency(name=normalize(name), path=path)) for name in strings(names)
        )
    return {extra: tuple(_followed(plain, extra, normalize(project.name))) for extra in plain}


def _followed(plain: Mapping[str, Sequence[Dependency]], extra: str, own: str, depth: int = 0) -> list[Dependency]:
    found: list[Dependency] = []
    for one in plain[extra]:
        if one.name != own:
            found.append(one)
        elif depth < _DEEPEST:
            inside = [name for name in plain if normalize(name) in one.extras]
            found += [each for name in inside for each in _followed(plain, name, own, depth + 1)]
    return found


def find_extras(
    project: Project, found: Detection, dockerfiles: Sequence[str], locked: Production | None, wanted: str = ""
) -> tuple[Dependency, ...]:
    """Answer `extras`: what an existing Dockerfile installs, else what brings the framework or the server.

    Args:
        project: The application's folder; its `given` may name the extras.
        found: Where the answer goes.
        dockerfiles: Existing Dockerfiles, the likeliest first.
        locked: What production installs without an extra.
        wanted: The server that starts the application now, empty if none is named.

    Returns:
        The dependencies that the extras add.
    """
    adds = offered(project)
    if not adds:
        return ()
    given = project.given.get("extras")
    chosen = strings(given) if given is not None else _installed(project, found, dockerfiles, set(adds))
    if given is None and not chosen and locked:
        chosen = choose(adds, locked, wanted)
        if chosen:
            line = project.line("project", "optional-dependencies", chosen[0]) or project.line(
                "tool", "poetry", "extras", chosen[0]
            )
            found.answer("extras", chosen, project.manifest, line, "has the application's server or framework")
    if given is None and not chosen:
        line = project.line("project", "optional-dependencies")
        found.fact("extras_offered", sorted(adds), project.manifest, line)
    return tuple(one for extra in chosen for one in adds.get(extra, ()))


def _installed(project: Project, found: Detection, dockerfiles: Sequence[str], known: set[str]) -> list[str]:
    """Answer with the extras that a Dockerfile installs, and return them."""
    for path in dockerfiles:
        for words, line in dockerfile.run_commands(project.repository.text(path) or ""):
            named = [words[at + 1] for at, word in enumerate(words[:-1]) if word in ("--extra", "--extras", "-E")]
            named += [word.partition("=")[2] for word in words if word.startswith(("--extra=", "--extras="))]
            named += [word[2:-1] for word in words if word.startswith(".[") and word.endswith("]")]
            extras = sorted({extra for names in named for extra in re.split(r"[,\s]+", names)} & known)
            if "--all-extras" in words:
                extras = sorted(known)
            if extras:
                found.answer("extras", extras, path, line, "installs them")
                return extras
    return []
