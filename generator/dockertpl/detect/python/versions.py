"""The Python version: what the repository pins, allows, and has wheels for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.conventions import PYTHONS
from dockertpl.detect.python.lock import Production, lacks_wheel
from dockertpl.detect.python.project import Project
from dockertpl.detect.repository import join, parent
from dockertpl.detect.tables import table
from dockertpl.detect.tomlfile import line_of, toml_line

_LONGEST = 200


class Wish(NamedTuple):
    """A place that wants one Python version, such as 3.12."""

    version: str
    path: str
    line: int | None
    note: str


class Limit(NamedTuple):
    """A place that allows some versions: alternatives, each a version specifier."""

    specifiers: tuple[str, ...]
    path: str
    line: int | None
    note: str


def find_python(project: Project, found: Detection, dockerfiles: Sequence[str], locked: Production | None) -> None:
    """Answer `python_version`, and warn where places disagree or a distribution has no wheel for it.

    Args:
        project: The application's folder.
        found: Where answer and warnings go.
        dockerfiles: Existing Dockerfiles, the likeliest first.
        locked: What production installs, if that is known.
    """
    wishes = list(_wishes(project, dockerfiles))
    limits = [limit for limit in _limits(project) if _check(limit, found)]
    allowed = [version for version in PYTHONS if all(_allows(limit, version) for limit in limits)]
    limit_text = "; ".join(f"{limit.note} in {limit.path}" for limit in limits)
    if not allowed:
        offered = ", ".join(PYTHONS)
        found.cannot_tell(
            "python_version",
            f"{_where(limits[0])}: {limits[0].note} allows none of {offered}.",
            "Widen it, or choose one with -d python_version=… if it works all the same.",
        )
        return
    usable = [wish for wish in wishes if wish.version in allowed]
    for wish in wishes:
        if wish.version not in allowed:
            why = f"which {limit_text} does not allow" if wish.version in PYTHONS else "which is not offered"
            found.warn(f"{_where(wish)} asks for Python {wish.version}, {why}.")
    if usable:
        chosen = usable[0]
        found.answer("python_version", chosen.version, chosen.path, chosen.line, chosen.note)
        for other in usable[1:]:
            if other.version != chosen.version:
                found.warn(
                    f"{_where(chosen)} asks for Python {chosen.version}, {_where(other)} for {other.version}: "
                    "the first counts."
                )
    else:
        _choose(allowed, limits, found, locked)
    version = project.given.get("python_version") or found.answers.get("python_version") or PYTHONS[0]
    _warn_of_sources(str(version), found, locked)


def _choose(allowed: Sequence[str], limits: Sequence[Limit], found: Detection, locked: Production | None) -> None:
    """Take the first allowed version that every locked distribution has a wheel for."""
    packages = list(locked.packages.values()) if locked else []
    lacking = {version: [p for p in packages if lacks_wheel(p, version)] for version in allowed}
    version = min(allowed, key=lambda candidate: len(lacking[candidate]))
    notes = [limit.note for limit in limits[:1]]
    if version != allowed[0]:
        without = lacking[allowed[0]][0]
        notes.append(f"{without.name} {without.version} has no wheel for {allowed[0]}")
    if limits:
        found.answer("python_version", version, limits[0].path, limits[0].line, "; ".join(notes))
    elif notes and locked:
        found.answer("python_version", version, locked.path, None, "; ".join(notes))


def _warn_of_sources(version: str, found: Detection, locked: Production | None) -> None:
    without = [p for p in locked.packages.values() if lacks_wheel(p, version)] if locked else []
    if without:
        names = ", ".join(f"{p.name} {p.version}" for p in without[:3]) + (" and more" if len(without) > 3 else "")
        found.warn(
            f"{names}: no wheel for Python {version}, so the build compiles it. Upgrade it, choose another "
            "python_version, or name what it needs in build_packages (gcc and libc6-dev at least)."
        )


def _where(place: Wish | Limit) -> str:
    return f"{place.path}:{place.line}" if place.line else place.path


def _wishes(project: Project, dockerfiles: Sequence[str]) -> Iterator[Wish]:
    repository = project.repository
    folder = project.app_dir
    while True:  # uv looks for .python-version in the folders above as well
        for name, pattern in (
            (".python-version", r"^[ \t]*(?:c?python[-@]?)?(3\.\d+)"),
            ("runtime.txt", r"^[ \t]*python-(3\.\d+)"),
            (".tool-versions", r"^[ \t]*python[ \t]+(3\.\d+)"),
            ("mise.toml", r"^[ \t]*python[ \t]*=[ \t]*[\"'](3\.\d+)"),
        ):
            path = join(folder, name)
            text = repository.text(path) or ""
            if match := re.search(pattern, text, re.MULTILINE):
                yield Wish(match[1], path, line_of(text, pattern), "")
        if folder == ".":
            break
        folder = parent(folder)
    for path in dockerfiles[:1]:
        yield from _of_dockerfile(repository.text(path) or "", path)
    pipfile = project.at("Pipfile")
    requires = table(repository.toml(pipfile), "requires")
    for key in ("python_version", "python_full_version"):
        if match := re.match(r"3\.\d+", str(requires.get(key, ""))):
            line = toml_line(repository.text(pipfile) or "", "requires", key)
            yield Wish(match[0], pipfile, line, key)


def _of_dockerfile(text: str, path: str) -> Iterator[Wish]:
    stages = dockerfile.stages(text)
    for stage in reversed(stages):
        base = dockerfile.base_of(stage, stages)
        if match := re.search(r"(?:python[\w./-]*:|:[\w.-]*?python)-?(3\.\d+)", base.base):
            yield Wish(match[1], path, base.line, f"FROM {base.base}")
            return


def _limits(project: Project) -> Iterator[Limit]:
    wanted = project.table("project").get("requires-python")
    if isinstance(wanted, str):
        line = project.line("project", "requires-python")
        yield Limit((wanted,), project.manifest, line, f"requires-python {wanted}")
    wanted = project.table("tool", "poetry", "dependencies").get("python")
    if isinstance(wanted, dict):
        wanted = wanted.get("version")
    if isinstance(wanted, str) and len(wanted) <= _LONGEST:
        line = project.line("tool", "poetry", "dependencies", "python")
        yield Limit(tuple(poetry_constraint(wanted)), project.manifest, line, f"python {wanted}")
    setup = project.repository.text(project.at("setup.cfg")) or ""
    if match := re.search(r"^python_requires[ \t]*=[ \t]*(\S.*)$", setup, re.MULTILINE):
        line = line_of(setup, r"^python_requires")
        yield Limit((match[1].strip(),), project.at("setup.cfg"), line, f"python_requires {match[1].strip()}")


def poetry_constraint(text: str) -> Iterator[str]:
    """Yield the alternatives of a Poetry constraint (`^3.9`, `~3.11 || 3.13.*`) as version specifiers."""
    for alternative in re.split(r"\|\|?", text):
        parts = []
        for part in re.split(r"[,\s]+(?=[\^~<>=!\d])", alternative.strip()):
            if match := re.fullmatch(r"\^\s*(\d+)((?:\.\d+)*)", part):
                parts.append(f">={match[1]}{match[2]},<{int(match[1]) + 1}")
            elif match := re.fullmatch(r"~\s*(\d+)(?:\.(\d+)((?:\.\d+)*))?", part):
                upper = f"{match[1]}.{int(match[2]) + 1}" if match[2] else f"{int(match[1]) + 1}"
                parts.append(f">={part.lstrip('~ ')},<{upper}")
            elif re.fullmatch(r"\d+(?:\.\d+)*(?:\.\*)?", part):
                parts.append(f"=={part.removesuffix('.*')}.*")
            elif part not in ("", "*"):
                parts.append(re.sub(r"\s+", "", part))
        yield ",".join(parts)


def _span(specifier: str) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Read the usual form (`>=3.11`, `>=3.11,<4.0`) without the import that everything else costs."""
    low, high = (0, 0), (99, 0)
    for part in specifier.replace(" ", "").split(","):
        match = re.fullmatch(r"(>=|<)(\d+)(?:\.(\d+))?(?:\.0)?", part)
        if not match:
            return None
        version = int(match[2]), int(match[3] or 0)
        low, high = (max(low, version), high) if match[1] == ">=" else (low, min(high, version))
    return low, high


def _check(limit: Limit, found: Detection) -> bool:
    """Tell whether a limit can be read, and warn if it cannot."""
    if any(len(specifier) > _LONGEST for specifier in limit.specifiers):
        return False
    if all(_span(specifier) for specifier in limit.specifiers):
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        for specifier in limit.specifiers:
            SpecifierSet(specifier)
    except InvalidSpecifier:
        where = f"{limit.path}:{limit.line}" if limit.line else limit.path
        found.warn(f"{where}: {limit.note} is no version specifier that can be read; it was left out.")
        return False
    return True


def _allows(limit: Limit, version: str) -> bool:
    """Tell whether some patch release of a version is allowed."""
    spans = [_span(specifier) for specifier in limit.specifiers]
    major, _, minor = version.partition(".")
    if all(spans):
        return any(span[0] <= (int(major), int(minor)) < span[1] for span in spans if span)
    from packaging.specifiers import SpecifierSet

    sets = [SpecifierSet(specifier) for specifier in limit.specifiers]
    return any(one.contains(f"{version}.{patch}") for one in sets for patch in range(30, -1, -1))
