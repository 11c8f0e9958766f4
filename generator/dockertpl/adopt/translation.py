"""Collect the results while an old Dockerfile is read."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dockertpl.adopt.model import AdoptedItem, Adoption, Treatment
from dockertpl.adopt.secrets import shown
from dockertpl.adopt.stages import CodeCopy, Stage, joined
from dockertpl.adopt.verdict import Request
from dockertpl.kinds import PYTHON_FASTAPI

#: The order of the regions in the file and in a report.
REGIONS = ("build", "code", "stages", "runtime", "environment", "image")
#: The regions that the new file has without the answer `more_regions`.
_USUAL_REGIONS = ("build", "runtime")
_MARK = re.compile(r"^\s*#\s*(?:>{3}|<{3})\s*custom\b", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A build argument in a region, and whether a line there reads it."""

    line: int
    name: str
    region: str
    text: str
    read: bool = False


def _read_in(text: str) -> set[str]:
    """Return the variables in a text."""
    return set(re.findall(r"\$\{?(\w+)", text))


@dataclass(kw_only=True)
class Draft:
    """The results so far.

    Attributes:
        path: The old file's path.
        kind: The kind of image.
        known: The answers so far, with defaults.
        settled: The questions with an explicit or detected answer.
        single_stage: Whether the image's stage also installs and builds.
        copies: The copies of the code.
        root: The code's folder in the image, or the working directory.
        context: The old build context.
        facts: The facts for data/improvements.toml.
        items: The items.
        answers: The answers from the file.
        evidence: The place of each answer.
        doubts: The doubts that need a confirmation.
        ignored: Patterns for the new ignore file.
        requests: System packages. They are assigned at the end.
        purged: Packages that a later step removes.
        uses: Programs that run, by region or purpose.
        waiting: Build arguments. They are kept if a kept line reads them.
        shells: SHELL instructions with their lines. They are kept if a kept step runs in them.
    """

    path: str
    kind: str
    known: Mapping[str, Any]
    settled: frozenset[str] = frozenset()
    single_stage: bool = True
    copies: list[CodeCopy] = field(default_factory=list)
    root: str = "/app"
    context: str = "."
    facts: set[str] = field(default_factory=set)
    items: list[AdoptedItem] = field(default_factory=list)
    answers: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    purged: set[str] = field(default_factory=set)
    uses: dict[str, set[str]] = field(default_factory=dict)
    waiting: list[Waiting] = field(default_factory=list)
    shells: list[tuple[int, str, str]] = field(default_factory=list)
    _regions: dict[str, list[str]] = field(default_factory=dict)
    _folders: dict[str, str] = field(default_factory=dict)
    _shells: dict[str, str] = field(default_factory=dict)

    @property
    def is_python(self) -> bool:
        """Return whether the kind is python-fastapi."""
        return self.kind == PYTHON_FASTAPI

    @property
    def member(self) -> bool:
        """Return whether the build context is not the application's folder."""
        return str(self.known.get("context", self.app_dir)) != self.app_dir

    @property
    def keeps_tree(self) -> bool:
        """Return whether the application has the same folder in the image as in the repository."""
        keeps = not self.is_python or self.known.get("manager") == "uv" or bool(self.known.get("own_lock"))
        return self.member and self.app_dir != "." and keeps

    @property
    def app_dir(self) -> str:
        """Return the application's folder, relative to the repository root."""
        return str(self.known.get("app_dir", "."))

    @property
    def flavor(self) -> str:
        """Return the new image's flavor."""
        given = self.known.get("flavor") if "flavor" in self.settled else None
        return str(given or self.answers.get("flavor") or self.known.get("flavor") or "slim")

    def item(self, line: int, what: str, outcome: Treatment, where: str) -> None:
        """Record an item and its outcome."""
        self.items.append(AdoptedItem(line=line, what=shown(what), outcome=outcome, where=where))

    def template(self, line: int, what: str, where: str) -> None:
        """Record an item that the template covers."""
        self.item(line, what, "template", where)

    def dropped(self, line: int, what: str, why: str, *, matters: bool = False) -> None:
        """Record a dropped item, and whether that needs a confirmation."""
        self.items.append(AdoptedItem(line=line, what=shown(what), outcome="dropped", where=why, matters=matters))

    def doubt(self, line: int, text: str) -> None:
        """Record a doubt, once."""
        full = f"{self.path}:{line}: {text}"
        if full not in self.doubts:
            self.doubts.append(full)

    def answer(self, line: int, what: str, key: str, value: Any, note: str = "", *, exact: bool = False) -> None:
        """Answer a question. A list or mapping extends the earlier answer, unless it is exact."""
        if isinstance(value, (list, dict)) and not exact:
            before = self.answers.get(key, self.known.get(key))
            if isinstance(value, list):
                value = list(dict.fromkeys([*(before if isinstance(before, list) else []), *value]))
            else:
                value = {**(before if isinstance(before, dict) else {}), **value}
        self.answers[key] = value
        self.evidence.setdefault(key, f"{self.path}:{line}")
        self.item(line, what, "answer", f"{key}{f' ({note})' if note else ''}")

    def keep(self, region: str, text: str) -> bool:
        """Put lines into a region, except lines that look like a region marker."""
        if _MARK.search(text):
            return False
        self._regions.setdefault(region, []).append(text)
        return True

    def keep_step(self, region: str, text: str, *, folder: str, shell: str = "") -> None:
        """Put a RUN with its folder and shell into a region."""
        here = self._folders.get(region, start_folder(self, region))
        if folder != here:
            self.keep(region, f"WORKDIR {folder}")
            self._folders[region] = folder
        if shell != self._shells.get(region, ""):
            self.keep(region, f"SHELL {shell or _USUAL_SHELL}")
            self._shells[region] = shell
        if not self.keep(region, text):
            self.doubts.append(f"{self.path}: a step has a line that looks like a region marker, so it is left out.")

    def settle_shells(self) -> None:
        """Record for each SHELL whether a kept step runs in it."""
        for line, what, shell in self.shells:
            region = next((name for name in REGIONS if shell and f"SHELL {shell}" in self.kept(name)), "")
            if region:
                self.item(line, what, "kept", region)
            else:
                self.dropped(line, what, "no kept step runs in it")

    def settle_arguments(self) -> None:
        """Keep the build arguments that kept lines read, and drop the others."""
        by_place = {(one.region, one.text): one for one in self.waiting}
        for region, lines in self._regions.items():
            read = _read_in(self.kept("image")) if region == "environment" else set()
            kept: list[str] = []
            for text in reversed(lines):
                one = by_place.get((region, text))
                if one is None or one.name in read:
                    kept.append(text)
                    read |= _read_in(text)
                if one is not None and one.name in read:
                    by_place[region, text] = replace(one, read=True)
            lines[:] = reversed(kept)
        for one in self.waiting:
            if by_place[one.region, one.text].read:
                self.item(one.line, f"ARG {one.name}", "kept", one.region)
            else:
                self.dropped(one.line, f"ARG {one.name}", "no kept step reads it")

    def first(self, region: str, text: str) -> None:
        """Put lines at the beginning of a region."""
        self._regions.setdefault(region, []).insert(0, text)

    def kept(self, region: str) -> str:
        """Return a region's text so far."""
        return "\n".join(self._regions.get(region, []))

    def moved(self, path: str) -> str:
        """Return the new place of a folder or file of the old image."""
        for copy in sorted(self.copies, key=lambda copy: -len(copy.target)):
            if copy.folder and (path == copy.target or path.startswith(copy.target.rstrip("/") + "/")):
                place = self.place_of(joined_paths(copy.source, posixpath.relpath(path, copy.target)))
                if place:
                    return place
        if path == self.root or path.startswith(self.root.rstrip("/") + "/"):
            return joined("/app", posixpath.relpath(path, self.root))
        return path

    def in_context(self, source: str) -> str | None:
        """Return a path of the old build context relative to the new one, or None if it is outside."""
        path = joined_paths(self.context, source)
        if path.startswith(".."):
            return None
        if self.member or self.app_dir == ".":
            return path
        if path == self.app_dir:
            return "."
        return path.removeprefix(f"{self.app_dir}/") if path.startswith(f"{self.app_dir}/") else None

    def place_of(self, source: str) -> str | None:
        """Return the template's place for a path of the old build context, or None."""
        path = self.in_context(source)
        if path is None:
            return None
        if self.member and not self.keeps_tree:
            # Only the application's folder is copied into /app.
            inside = path == self.app_dir or path.startswith(f"{self.app_dir}/")
            return joined("/app", posixpath.relpath(path, self.app_dir)) if inside else None
        return joined("/app", path)

    def finished(self, improvements: Iterable[str]) -> Adoption:
        """Return the adoption. Each region ends with the working directory and shell that the template expects."""
        for region in ("build", "code", "image"):
            if self._shells.get(region):
                self.keep(region, f"SHELL {_USUAL_SHELL}")
            if self._folders.get(region, start_folder(self, region)) != start_folder(self, region):
                self.keep(region, f"WORKDIR {start_folder(self, region)}")
        if self.known.get("base_image") and re.search(r"^RUN\b", self.kept("runtime"), re.MULTILINE):
            # A shared base image may have a user other than root. The template sets the user again below.
            self.first("runtime", "USER 0")
        if self.ignored or any(self._regions.get(name) for name in REGIONS if name not in _USUAL_REGIONS):
            self.answers["more_regions"] = True
            self.evidence["more_regions"] = self.path
        return Adoption(
            answers=dict(self.answers),
            evidence={key: self.evidence[key] for key in self.answers},
            regions={name: self.kept(name) + "\n" for name in REGIONS if self._regions.get(name)},
            ignored="".join(f"{pattern}\n" for pattern in dict.fromkeys(self.ignored)),
            items=tuple(sorted(self.items, key=lambda item: item.line)),
            improvements=tuple(improvements),
            doubts=tuple(self.doubts),
        )


_USUAL_SHELL = '["/bin/sh", "-c"]'


def start_folder(draft: Draft, region: str) -> str:
    """Return the working directory of the template's stage at a region."""
    if region == "runtime":
        return "/"
    below = draft.keeps_tree and (
        region == "code"
        or (region == "image" and draft.is_python)
        or (region == "build" and bool(draft.known.get("own_lock")))
    )
    return f"/app/{draft.app_dir}" if below else "/app"


def joined_paths(folder: str, path: str) -> str:
    """Return a normalized path below a folder."""
    return posixpath.normpath(posixpath.join(folder, path.lstrip("/") or "."))


@dataclass(kw_only=True)
class StageState:
    """The state of a stage during the reading.

    Attributes:
        stage: The stage.
        folder: Its working directory.
        values: The known variables.
        shell: The SHELL instruction for its RUN steps.
        user: Its user.
        installed: Whether the dependencies are installed.
        copied: Whether the code is copied.
        built: Whether the application is built.
        sources: Whether package sources were added.
        made: The folders that it created, with their lines.
        owned: The folders that it gave to a user, with their lines.
        own: Lines of ENV and ARG that a kept step may need.
        given: The number of these lines that a region already has.
    """

    stage: Stage
    folder: str = "/"
    values: dict[str, str] = field(default_factory=dict)
    shell: str = ""
    user: str = ""
    installed: bool = False
    copied: bool = False
    built: bool = False
    sources: bool = False
    made: dict[str, int] = field(default_factory=dict)
    owned: dict[str, int] = field(default_factory=dict)
    own: list[str] = field(default_factory=list)
    given: dict[str, int] = field(default_factory=dict)


def builds(state: StageState, draft: Draft) -> bool:
    """Return whether a stage builds: the image copies from it, or the image has only one stage."""
    return state.stage.builds or (state.stage.final and draft.single_stage)
