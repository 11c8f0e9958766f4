"""Debian packages that the dependencies need, from data/system_packages.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.python.lock import Locked, Production
from dockertpl.detect.python.project import Project
from dockertpl.detect.python.versions import without_wheels
from dockertpl.detect.python.wheels import has_linux_wheel
from dockertpl.detect.tables import strings, table

RELEASE = "trixie"
# What an existing Dockerfile installs for its build or for comfort.
_NO_NEED = re.compile(
    r"gcc|g\+\+|make|cmake|build-essential|.*-dev|pkg-config|curl|wget|vim|nano|less|netcat[\w-]*|iputils-ping|procps|"
    r"apt-utils|apt-transport-https|software-properties-common|ca-certificates|gnupg2?|lsb-release|python3?[\w.-]*|"
    r"pipx?|unzip|zip|tini|dumb-init|gosu|sudo|locales|git|bash|htop|dos2unix|supervisor|nginx|postgresql-client[\w-]*"
)


@lru_cache(maxsize=1)
def rules() -> Mapping[str, Mapping[str, Any]]:
    """Return the rules of data/system_packages.toml, by distribution."""
    return tomllib.loads((Path(__file__).parent / "data" / "system_packages.toml").read_text("utf-8"))


def find_system_packages(
    project: Project, found: Detection, locked: Production, dockerfiles: Sequence[str], python: str
) -> None:
    """Answer `build_packages` and `runtime_packages`, and warn of what is compiled.

    Args:
        project: The application's folder; its `given` may name another Debian release.
        found: Where answers and warnings go.
        locked: What production installs.
        dockerfiles: Existing Dockerfiles. Unexplained packages in them are reported.
        python: The Python version.
    """
    release = str(project.given.get("debian_release", RELEASE))
    build: dict[str, str] = {}
    run: dict[str, str] = {}
    for name, package in locked.packages.items():
        rule = rules().get(name)
        if rule and _applies(rule, package, locked):
            here = {**rule, **table(rule, release)}
            build |= dict.fromkeys(here.get("build", ()), name)
            run |= dict.fromkeys(here.get("run", ()), name)
            if "warn" in rule and name in locked.direct:
                found.warn(rule["warn"])
        if package.git:
            build["git"] = name
    if compiled := without_wheels(locked, python):
        for package in compiled:
            rule = rules().get(package.name, {})
            here = {**rule, **table(rule, release)}
            build |= dict.fromkeys(["gcc", "libc6-dev", *here.get("compile", here.get("build", ()))], package.name)
            run |= dict.fromkeys(here.get("compiled", here.get("run", ())), package.name)
        some = ", ".join(f"{one.name} {one.version}" for one in compiled[:3]) + (
            " and more" if len(compiled) > 3 else ""
        )
        found.warn(
            f"{some}: no wheel for Python {python}, so the build compiles it. This is slow and may need more "
            "build_packages. Upgrade it, or choose another python_version."
        )
    for key, packages in (("build_packages", build), ("runtime_packages", run)):
        if packages:
            names = list(dict.fromkeys(packages.values()))
            path, line = locked.place(names[0], project.repository)
            found.answer(key, sorted(packages), path, line, "for " + ", ".join(names))
    for path in dockerfiles[:1]:
        known = {*build, *run, *(name.removesuffix("t64") for name in run)}
        extra = sorted({name for name, _ in installed(project.repository.text(path) or "")} - known)
        extra = [name for name in extra if not _NO_NEED.fullmatch(name)]
        if extra:
            line = next(line for name, line in installed(project.repository.text(path) or "") if name in extra)
            found.fact("apt_packages", extra, path, line, "installed there, but not needed by a known dependency")
            found.warn(
                f"{path}:{line} installs {', '.join(extra)}, but no known dependency needs it. If the application "
                f"needs it, set: -d 'runtime_packages=[{', '.join(sorted({*run, *extra}))}]'."
            )


def _applies(rule: Mapping[str, Any], package: Locked, locked: Production) -> bool:
    # Without a lock, psycopg[binary] is all that tells of psycopg-binary.
    asked = locked.direct.get(package.name)
    extras = {f"{package.name}-{extra}" for extra in asked.extras} if asked else set()
    if any(other in locked.packages or other in extras for other in strings(rule.get("unless"))):
        return False
    if "build" in rule and has_linux_wheel(package):
        return False  # a wheel brings what it links to
    below = rule.get("below")
    if not below or not package.version:
        return not below
    from packaging.version import InvalidVersion, Version

    try:
        return Version(package.version) < Version(below)
    except InvalidVersion:
        return False


def installed(text: str) -> Iterator[tuple[str, int]]:
    """Yield (Debian package, line) for what a Dockerfile's last stage with such a step installs with apt."""
    stages = dockerfile.stages(text)
    ends = [stage.line for stage in stages[1:]]
    everything = [
        (name, line)
        for words, line in dockerfile.run_commands(text)
        if "install" in words and {"apt", "apt-get"} & set(words)
        for word in words[words.index("install") + 1 :]
        if re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name := word.partition("=")[0])
    ]
    for begin in (*reversed(ends), 0):
        found = [(name, line) for name, line in everything if line >= begin]
        if found:
            yield from found
            return
