"""The Python version: what the repository pins and allows, and what its dependencies have wheels for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.python import pins
from dockertpl.detect.python.conventions import NEWEST_FIRST, PYTHONS
from dockertpl.detect.python.lock import Locked, Production
from dockertpl.detect.python.pins import Limit, Wish, where
from dockertpl.detect.python.project import Project
from dockertpl.detect.python.wheels import is_compiled_for, lacks_wheel
from dockertpl.detect.repository import join
from dockertpl.detect.tables import table
from dockertpl.detect.tomlfile import line_of, toml_line

_LONGEST = 200
# Managers that refuse a Python which the manifest does not allow, or like Poetry's export install nothing for it.
_CHECKING = ("uv", "poetry", "pdm", "pyproject")
_OFFERED = f"{NEWEST_FIRST[-1]} to {NEWEST_FIRST[0]}"
_PYTHON_VERSION = r"^[ \t]*(?:c?python[-@]?)?(\d+\.\d+)"


def find_python(
    project: Project,
    found: Detection,
    dockerfiles: Sequence[str],
    locked: Production | None,
    newest: str = "",
) -> None:
    """Answer `python_version` and warn if places disagree, or report that no available version is suitable.

    Args:
        project: The application's folder.
        found: Where answer and warnings go.
        dockerfiles: Existing Dockerfiles, the likeliest first.
        locked: What production installs, if that is known.
        newest: The newest Python that the manager installs on, empty if all do.
    """
    if "python_version" in project.given:
        return
    limits = [limit for limit in _limits(project, locked) if pins.is_readable(limit, found)]
    checks = project.given.get("manager", found.answers.get("manager")) in _CHECKING
    for limit in limits if checks else ():
        if exact := re.fullmatch(r"\s*===?\s*(\d+\.\d+)\.\d+(?:\.\*)?\s*", limit.specifiers[0]):
            series = f"~{exact[1]}" if limit.note.startswith("python ") else f"=={exact[1]}.*"
            found.cannot_build(
                "python_version",
                f"{where(limit)}: {limit.note} allows only one release. The image has the newest {exact[1]}.",
                f"Write {series} there, and lock again.",
            )
            return
    allowed = [version for version in PYTHONS if all(pins.allows_series(limit, version) for limit in limits)]
    if not allowed:
        _refuse(found, f"{where(limits[0])}: {limits[0].note} allows no Python of the template, {_OFFERED}.")
        return
    wishes = list(_wishes(project, dockerfiles))
    usable = [wish for wish in wishes if wish.version in allowed]
    if not usable:
        unoffered = [wish for wish in wishes if wish.version not in PYTHONS]
        if unoffered and unoffered[0].binding:
            asked = f"{where(unoffered[0])} asks for Python {unoffered[0].version}"
            _refuse(found, f"{asked}, but the template offers {_OFFERED}.")
            return
        if unoffered:
            _take_nearest(unoffered[0], allowed, found)
            return
    _warn_of_others(wishes, usable, limits, allowed, found)
    if usable:
        chosen = usable[0]
        found.answer("python_version", chosen.version, chosen.path, chosen.line, chosen.note)
    else:
        installs = [version for version in allowed if not newest or _order(version) <= _order(newest)]
        _choose(installs or allowed, limits, project, found, locked)


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _refuse(found: Detection, message: str) -> None:
    remedy = "Change it there, and test the application with that Python. Or choose one: -d python_version=…"
    found.cannot_build("python_version", message, remedy)


def _take_nearest(wish: Wish, allowed: Sequence[str], found: Detection) -> None:
    """Use the nearest newer version if the repository's version is not available."""
    newer = sorted((version for version in allowed if _order(version) > _order(wish.version)), key=_order)
    version = newer[0] if newer else max(allowed, key=_order)
    found.answer("python_version", version, wish.path, wish.line, f"Python {wish.version} is not available")
    found.warn(
        f"{where(wish)} runs Python {wish.version}, which the template does not offer. Test the application with "
        f"Python {version}."
    )


def _warn_of_others(
    wishes: Sequence[Wish], usable: Sequence[Wish], limits: Sequence[Limit], allowed: Sequence[str], found: Detection
) -> None:
    limit_text = "; ".join(f"{limit.note} in {limit.path}" for limit in limits)
    for wish in wishes:
        if wish.version not in allowed:
            why = f"which {limit_text} does not allow" if wish.version in PYTHONS else "which is not available"
            found.warn(f"{where(wish)} asks for Python {wish.version}, {why}.")
    for other in usable[1:]:
        if other.version != usable[0].version:
            found.warn(
                f"{where(usable[0])} asks for Python {usable[0].version}, {where(other)} for {other.version}. "
                "The first is used."
            )


def _choose(
    allowed: Sequence[str], limits: Sequence[Limit], project: Project, found: Detection, locked: Production | None
) -> None:
    """Take the newest version that every locked distribution has a wheel for; without a lock, the usual one."""
    proven = locked is not None and locked.is_lock and all(is_compiled_for(one) for one in locked.packages.values())
    lacking = {version: _lacking(locked, version) for version in allowed}
    if not proven and (ran := _in_workflows(project)) and ran.version in allowed:
        found.answer("python_version", ran.version, ran.path, ran.line, ran.note)
        return
    order = [version for version in (NEWEST_FIRST if proven else PYTHONS) if version in allowed]
    version = min(order, key=lambda candidate: len(lacking[candidate]))
    notes = [limit.note for limit in limits[:1]]
    if version != order[0]:
        without = lacking[order[0]][0]
        notes.append(f"{without.name} {without.version} has no wheel for {order[0]}")
    elif proven:
        notes.append("the newest with a wheel for every locked package")
    if limits:
        found.answer("python_version", version, limits[0].path, limits[0].line, "; ".join(notes))
    elif notes and locked:
        found.answer("python_version", version, locked.path, None, "; ".join(notes))


def _lacking(locked: Production | None, python: str) -> list[Locked]:
    """Return what is compiled for a Python; what its markers leave out there is not."""
    if locked is None:
        return []
    found = [one for one in locked.packages.values() if lacks_wheel(one, python)]
    if not found:
        return []
    installed = locked.installed_on(python)
    return [one for one in found if one.name in installed]


def without_wheels(locked: Production | None, python: str) -> list[Locked]:
    """Return the distributions that a Python has to compile, as far as lock or pins tell.

    Args:
        locked: What production installs.
        python: A version such as 3.13.
    """
    return _lacking(locked, python)


def _wishes(project: Project, dockerfiles: Sequence[str]) -> Iterator[Wish]:
    repository = project.repository
    for folder in pins.folders_up(project.app_dir):  # uv looks for .python-version in the folders above as well
        for name, pattern in ((".python-version", _PYTHON_VERSION), ("runtime.txt", _PYTHON_VERSION)):
            path = join(folder, name)
            text = repository.text(path) or ""
            if match := re.search(pattern, text, re.MULTILINE):
                yield Wish(match[1], path, line_of(text, pattern), "")
    for wish in pins.tool_wishes(repository, project.app_dir, "python"):
        if series := re.match(r"\d+\.\d+", wish.version):
            yield wish._replace(version=series[0])
    pipfile = project.at("Pipfile")
    requires = table(repository.toml(pipfile), "requires")
    for key in ("python_version", "python_full_version"):
        if match := re.match(r"3\.\d+", str(requires.get(key, ""))):
            line = toml_line(repository.text(pipfile) or "", "requires", key)
            yield Wish(match[0], pipfile, line, key)
    for path in dockerfiles[:1]:
        yield from _of_dockerfile(repository.text(path) or "", path)


def _of_dockerfile(text: str, path: str) -> Iterator[Wish]:
    stages = dockerfile.stages(text)
    for stage in reversed(stages):
        base = dockerfile.base_of(stage, stages)
        if match := re.search(r"(?:python[\w./-]*:|:[\w.-]*?python)-?(3\.\d+)", base.base):
            yield Wish(match[1], path, base.line, f"FROM {base.base}", binding=False)
            return


def _in_workflows(project: Project) -> Wish | None:
    """Return the one Python that workflows set up; None if there are several, or none."""
    found: dict[str, Wish] = {}
    pattern = r"^[ \t-]*python-version:[ \t]*[\"']?(3\.\d+)"
    for path in project.repository.listed(".github/workflows", ".yml", ".yaml"):
        text = project.repository.text(path) or ""
        if re.search(r"^[ \t]*python(?:-version)?:[ \t]*(?:\[|$)", text, re.MULTILINE):
            return None  # a matrix
        for version in re.findall(pattern, text, re.MULTILINE):
            found.setdefault(version, Wish(version, path, line_of(text, pattern), "set up there", binding=False))
    return next(iter(found.values())) if len(found) == 1 else None


def _limits(project: Project, locked: Production | None) -> Iterator[Limit]:
    wanted = project.table("project").get("requires-python")
    if isinstance(wanted, str):
        line = project.line("project", "requires-python")
        yield Limit((wanted,), project.manifest, line, f"requires-python {wanted}")
    wanted = project.table("tool", "poetry", "dependencies").get("python")
    if isinstance(wanted, dict):
        wanted = wanted.get("version")
    if isinstance(wanted, str) and len(wanted) <= _LONGEST:
        line = project.line("tool", "poetry", "dependencies", "python")
        yield Limit(tuple(pins.alternatives(wanted)), project.manifest, line, f"python {wanted}")
    setup = project.repository.text(project.at("setup.cfg")) or ""
    if match := re.search(r"^python_requires[ \t]*=[ \t]*(\S.*)$", setup, re.MULTILINE):
        line = line_of(setup, r"^python_requires")
        yield Limit((match[1].strip(),), project.at("setup.cfg"), line, f"python_requires {match[1].strip()}")
    if locked and locked.requires_python:
        text = project.repository.text(locked.path) or ""
        yield Limit((locked.requires_python,), locked.path, line_of(text, r"^requires-python"), locked.requires_python)
