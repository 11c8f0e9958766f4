"""Convert system packages of apt-get and apk into the answers build_packages and runtime_packages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from dockertpl.adopt.translation import Draft, StageState, builds
from dockertpl.adopt.verdict import Request, Verdict, dropped, template

_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
_WITH_VALUE = frozenset(
    ["-t", "--target-release", "-o", "--option", "-c", "--config-file", "--repository", "-X", "-q="]
)
_ADDS_SOURCES = re.compile(
    r"sources\.list|/etc/apt/keyrings|/usr/share/keyrings|apt-key|add-apt-repository|nodesource|dpkg\s+(?:-i|--install)|"
    r"/etc/apk/repositories|\.deb\b|packages\.microsoft\.com"
)


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "packages.toml").read_text("utf-8"))


def adds_sources(text: str) -> bool:
    """Return whether a step adds a package source, or installs a package file."""
    return _ADDS_SOURCES.search(text) is not None


def asked(words: Sequence[str]) -> list[str]:
    """Return the packages that a command installs with apt or apk, or an empty list."""
    program = words[0].rpartition("/")[2] if words else ""
    rest = list(words[1:])
    if program in ("apt-get", "apt", "aptitude") and "install" in rest:
        rest.remove("install")
    elif program == "apk" and "add" in rest:
        rest.remove("add")
    else:
        return []
    found, at = [], 0
    while at < len(rest):
        word = rest[at]
        at += 1
        if word in _WITH_VALUE or (program == "apk" and word in ("-t", "--virtual", "--repository", "-X")):
            at += 1
        elif (
            word
            and not word.startswith(("-", ">", "<", "2>", "1>", "&>"))
            and (at < 2 or rest[at - 2] not in (">", "2>"))
        ):
            found.append(word)
    return found


def read_command(words: Sequence[str], draft: Draft, state: StageState, line: int) -> Verdict | None:
    """Read one command of apt or apk. Return None if it is not understood."""
    program = words[0].rpartition("/")[2]
    action = next((word for word in words[1:] if not word.startswith("-")), "")
    shown = " ".join(words)
    if program == "apk" and "--update" in words[:2] and action == "add":
        action = "add"
    if action in ("update", "clean", "autoclean"):
        return template(shown, "the step that installs packages keeps the lists in a mount", passing=True)
    if action in ("upgrade", "dist-upgrade", "full-upgrade"):
        return dropped(
            shown, "fixes come with the base image, which `dockertpl pin` and the update bot update", passing=True
        )
    if action in ("remove", "purge", "autoremove", "del"):
        names = {word for word in words[1:] if not word.startswith("-")} - {action}
        return template(shown, "build tools are in a stage that is not part of the image", purged=names)
    packages = asked(words)
    if not packages:
        return None
    if any(not _NAME.fullmatch(re.split(r"[=~<>@:]", word)[0]) for word in packages):
        return None  # a variable, a file or a pattern
    virtual = program == "apk" and ("-t" in words or "--virtual" in words)
    requests = [
        Request(
            line=line,
            what=word,
            name=re.split(r"[=~<>@:]", word)[0],
            alpine=program == "apk",
            final=state.stage.final,
            builds=builds(state, draft),
            passing=virtual,
        )
        for word in packages
    ]
    facts = {"recommends"} if program != "apk" and "--no-install-recommends" not in words else set()
    return Verdict(packages=requests, facts=facts)


def settle(draft: Draft, requests: Iterable[Request], purged: set[str], uses: Mapping[str, set[str]]) -> None:
    """Answer which packages the build and the running image need.

    Args:
        draft: Collects answers and items.
        requests: The packages that the old file installs.
        purged: The packages that a later step removes.
        uses: The programs that run in each region, in the health check ("health"), or in steps of the template
            ("template").
    """
    for request in requests:
        for name in _names(draft, request):
            _place(draft, request, name, purged, uses)


def _names(draft: Draft, request: Request) -> list[str]:
    """Return a package's names in the new image's distribution."""
    what, data = request.what, _data()
    alpine = not draft.is_python and draft.flavor == "alpine"
    if request.alpine == alpine:
        name = request.name if alpine else data["renamed"].get(request.name, request.name)
        if not name:
            draft.dropped(request.line, what, "Debian no longer has this package")
            draft.doubt(request.line, f"{what} is not a Debian package.")
        return [name] if name else []
    names = data["alpine"].get(request.name) if request.alpine else None
    if names is None:
        known = (
            "it is Alpine's, and its name in Debian is unknown"
            if request.alpine
            else "it is Debian's, but the image is Alpine"
        )
        draft.dropped(request.line, what, f"the package is {known}")
        draft.doubt(request.line, f"the package {what} is {known}: add the right one to runtime_packages.")
        return []
    return list(names)


def _place(draft: Draft, request: Request, name: str, purged: set[str], uses: Mapping[str, set[str]]) -> None:
    line, what, data = request.line, request.what, _data()
    ours = data["ours"].get(name)
    if ours and not (draft.flavor == "alpine" and name in data["alpine_own"]):
        draft.template(line, what, ours)
        return
    note = name if name != request.name else ""
    if what != request.name and not note:
        note = "without its version, since the distribution replaces it with every fix"
    passing = request.passing or request.name in purged or not request.final
    if passing:
        draft.answer(line, what, "build_packages", [name], note)
    elif _is_in(name, data["build"]):
        _compiler(draft, request, name, note, uses)
    elif name in data["fetch"]:
        _fetcher(draft, request, name, note, uses)
    elif name.endswith("-dev"):
        _headers(draft, request, name, note)
    else:
        draft.answer(line, what, "runtime_packages", [name], note)
        if request.builds and not (draft.is_python and draft.single_stage):
            _also_for_the_build(draft, name, line)


def _also_for_the_build(draft: Draft, name: str, line: int) -> None:
    """Return whether the build may need a program, too."""
    before = draft.answers.get("build_packages", draft.known.get("build_packages")) or []
    if name not in before:
        draft.answers["build_packages"] = [*before, name]
        draft.evidence.setdefault("build_packages", f"{draft.path}:{line}")


def _compiler(draft: Draft, request: Request, name: str, note: str, uses: Mapping[str, set[str]]) -> None:
    regions = {region for region in ("runtime", "image") if name in uses.get(region, ())}
    if regions:
        draft.answer(request.line, request.what, "runtime_packages", [name], "a kept step uses it")
    elif not request.builds:
        # The image's own stage asks for it, and nothing is built there.
        draft.answer(request.line, request.what, "runtime_packages", [name], note)
    else:
        draft.answer(request.line, request.what, "build_packages", [name], note or "the image no longer has it")


def _fetcher(draft: Draft, request: Request, name: str, note: str, uses: Mapping[str, set[str]]) -> None:
    line, what = request.line, request.what
    programs = {"gpg", "apt-key"} if name.startswith("gnupg") else {"tar"} if name == "xz-utils" else {name}
    late = {region for region in ("runtime", "image") if programs & uses.get(region, set())}
    early = {region for region in ("build", "code") if programs & uses.get(region, set())}
    if late:
        draft.answer(line, what, "runtime_packages", [name], "a kept step uses it")
    if early:
        draft.answer(line, what, "build_packages", [name], "a kept step uses it")
    if late or early:
        return
    if programs & uses.get("start", set()):
        draft.answer(line, what, "runtime_packages", [name], "a command before the server uses it")
    elif programs & uses.get("health", set()):
        draft.dropped(line, what, "only the health check used it, and the template's health check needs no package")
    elif programs & uses.get("template", set()):
        draft.dropped(line, what, "only a step used it that the template replaces")
    else:
        draft.answer(
            line, what, "runtime_packages", [name], note or "no step uses it; leave it out if nothing else does"
        )


def _headers(draft: Draft, request: Request, name: str, note: str) -> None:
    line, what, data = request.line, request.what, _data()
    if request.builds:
        draft.answer(line, what, "build_packages", [name], note)
    if name in data["libraries"] and draft.flavor != "alpine":
        release = draft.answers.get("debian_release", draft.known.get("debian_release"))
        libraries = data["libraries"][name]
        if release == "bookworm":
            libraries = [data["bookworm"].get(library, library) for library in libraries]
        if libraries:
            draft.answer(line, what, "runtime_packages", libraries, f"its library: {', '.join(libraries)}")
        elif not request.builds:
            draft.dropped(line, what, "it has headers, which only a build reads")
    else:
        draft.answer(line, what, "runtime_packages", [name], "with its headers, since its library is unknown")


def _is_in(name: str, patterns: Sequence[str]) -> bool:
    return any(name == one or (one.endswith("*") and name.startswith(one[:-1])) for one in patterns)
