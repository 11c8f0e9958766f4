"""What is gathered while an old Dockerfile is read."""

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

#: The order of the regions in the file, which is the order of a report.
REGIONS = ("build", "code", "stages", "runtime", "environment", "image")
#: The regions that the new file has without the answer `more_regions`.
_USUAL_REGIONS = ("build", "runtime")
_MARK = re.compile(r"^\s*#\s*(?:>{3}|<{3})\s*custom\b", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A build argument in a region, and whether anything there reads it, as far as is known."""

    line: int
    name: str
    region: str
    text: str
    read: bool = False


def _read_in(text: str) -> set[str]:
    """Return the variables that a text reads."""
    return set(re.findall(r"\$\{?(\w+)", text))


@dataclass(kw_only=True)
class Draft:
    """Everything found so far.

    Attributes:
        path: The old file's path.
        kind: The kind of image.
        known: What is answered already, defaults included.
        settled: The questions among them that have an explicit or a detected answer.
        alone: The image's own stage also installs and builds.
        copies: Where the old file puts the code.
        root: The folder in the image that the code is put into, or that commands run in.
        context: The folder of the repository that the old file copies from.
        facts: Names of what was seen that the new image does better.
        items: What was found.
        answers: The answers that it gives.
        evidence: The place of each.
        doubts: Why a person has to look.
        ignored: Patterns for the new ignore file.
        requests: System packages, which are placed when all is read.
        purged: Those that a later step removes.
        uses: Programs that run, by the region or purpose.
        waiting: Build arguments, which are kept where something that is kept reads them.
        shells: Lines, what stands there and the shells that it asks for, which are kept where a kept step runs in one.
    """

    path: str
    kind: str
    known: Mapping[str, Any]
    settled: frozenset[str] = frozenset()
    alone: bool = True
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
        """Tell whether the kind is the Python one."""
        return self.kind == PYTHON_FASTAPI

    @property
    def member(self) -> bool:
        """Tell whether the build context is not the application's folder."""
        return str(self.known.get("context", self.app_dir)) != self.app_dir

    @property
    def keeps_tree(self) -> bool:
        """Tell whether the image has the application in the folder that it has in the repository."""
        keeps = not self.is_python or self.known.get("manager") == "uv" or bool(self.known.get("own_lock"))
        return self.member and self.app_dir != "." and keeps

    @property
    def app_dir(self) -> str:
        """Return the application's folder, seen from the repository's root."""
        return str(self.known.get("app_dir", "."))

    @property
    def flavor(self) -> str:
        """Return the flavor that the new image has."""
        given = self.known.get("flavor") if "flavor" in self.settled else None
        return str(given or self.answers.get("flavor") or self.known.get("flavor") or "slim")

    def item(self, line: int, what: str, outcome: Treatment, where: str) -> None:
        """Note one thing and what becomes of it."""
        self.items.append(AdoptedItem(line=line, what=shown(what), outcome=outcome, where=where))

    def template(self, line: int, what: str, where: str) -> None:
        """Note what the template does anyway."""
        self.item(line, what, "template", where)

    def dropped(self, line: int, what: str, why: str, *, matters: bool = False) -> None:
        """Note what is dropped, and whether that needs a confirmation."""
        self.items.append(AdoptedItem(line=line, what=shown(what), outcome="dropped", where=why, matters=matters))

    def doubt(self, line: int, text: str) -> None:
        """Note why a person has to look, once."""
        full = f"{self.path}:{line}: {text}"
        if full not in self.doubts:
            self.doubts.append(full)

    def answer(self, line: int, what: str, key: str, value: Any, note: str = "", *, exact: bool = False) -> None:
        """Answer a question; a list or a mapping is added to what was answered before, or exactly the answer."""
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
        """Put lines into a region; lines that look like a region's mark cannot be."""
        if _MARK.search(text):
            return False
        self._regions.setdefault(region, []).append(text)
        return True

    def keep_step(self, region: str, text: str, *, folder: str, shell: str = "") -> None:
        """Put a RUN into a region, run from a folder of the image and by a shell of its own."""
        here = self._folders.get(region, start_folder(self, region))
        if folder != here:
            self.keep(region, f"WORKDIR {folder}")
            self._folders[region] = folder
        if shell != self._shells.get(region, ""):
            self.keep(region, f"SHELL {shell or _USUAL_SHELL}")
            self._shells[region] = shell
        if not self.keep(region, text):
            self.doubts.append(f"{self.path}: a step holds a line that looks like a region's mark, and is left out.")

    def settle_shells(self) -> None:
        """Say of the shells whether a step that is kept runs in one."""
        for line, what, shell in self.shells:
            region = next((name for name in REGIONS if shell and f"SHELL {shell}" in self.kept(name)), "")
            if region:
                self.item(line, what, "kept", region)
            else:
                self.dropped(line, what, "no step that is kept runs in it")

    def settle_arguments(self) -> None:
        """Keep the build arguments that something kept reads, and drop the others."""
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
                self.dropped(one.line, f"ARG {one.name}", "no step that is kept reads it")

    def first(self, region: str, text: str) -> None:
        """Put lines at the beginning of a region."""
        self._regions.setdefault(region, []).insert(0, text)

    def kept(self, region: str) -> str:
        """Return what is in a region so far."""
        return "\n".join(self._regions.get(region, []))

    def moved(self, path: str) -> str:
        """Return where a folder or file of the old image is in the new one."""
        for copy in sorted(self.copies, key=lambda copy: -len(copy.target)):
            if copy.folder and (path == copy.target or path.startswith(copy.target.rstrip("/") + "/")):
                place = self.place_of(joined_paths(copy.source, posixpath.relpath(path, copy.target)))
                if place:
                    return place
        if path == self.root or path.startswith(self.root.rstrip("/") + "/"):
            return joined("/app", posixpath.relpath(path, self.root))
        return path

    def in_context(self, source: str) -> str | None:
        """Return a path of the old build context, seen from the new one; None if it lies outside."""
        path = joined_paths(self.context, source)
        if path.startswith(".."):
            return None
        if self.member or self.app_dir == ".":
            return path
        if path == self.app_dir:
            return "."
        return path.removeprefix(f"{self.app_dir}/") if path.startswith(f"{self.app_dir}/") else None

    def place_of(self, source: str) -> str | None:
        """Return where the template puts a path of the old build context; None if it does not."""
        path = self.in_context(source)
        if path is None:
            return None
        if self.member and not self.keeps_tree:
            # The application's folder is copied into /app, and nothing else is.
            inside = path == self.app_dir or path.startswith(f"{self.app_dir}/")
            return joined("/app", posixpath.relpath(path, self.app_dir)) if inside else None
        return joined("/app", path)

    def finished(self, improvements: Iterable[str]) -> Adoption:
        """Return everything, with regions that end in the folder and shell that the template expects there."""
        for region in ("build", "code", "image"):
            if self._shells.get(region):
                self.keep(region, f"SHELL {_USUAL_SHELL}")
            if self._folders.get(region, start_folder(self, region)) != start_folder(self, region):
                self.keep(region, f"WORKDIR {start_folder(self, region)}")
        if self.known.get("base_image") and re.search(r"^RUN\b", self.kept("runtime"), re.MULTILINE):
            # The user of a shared base image is not root; the template sets it again below.
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
    """Return the folder that the template's stage is in where a region stands."""
    if region == "runtime":
        return "/"
    below = draft.keeps_tree and (
        region == "code"
        or (region == "image" and draft.is_python)
        or (region == "build" and bool(draft.known.get("own_lock")))
    )
    return f"/app/{draft.app_dir}" if below else "/app"


def joined_paths(folder: str, path: str) -> str:
    """Return a relative path below a folder, in its clean form."""
    return posixpath.normpath(posixpath.join(folder, path.lstrip("/") or "."))


@dataclass(kw_only=True)
class StageState:
    """Where the reading of a stage stands.

    Attributes:
        stage: The stage.
        folder: Its working directory.
        values: Variables that have a value there.
        shell: The shell that its RUN steps ask for, as written.
        user: Its user.
        installed: The dependencies are there.
        copied: The code is there.
        built: The application is built.
        sources: Package sources were added, so that packages of that stage may come from elsewhere.
        made: Folders that it made, with their line.
        owned: Folders that it gave to a user, with their line.
        own: Lines of ENV and ARG that a kept step may need.
        given: How many of those a region has already.
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
    """Tell whether a stage builds: the image copies from it, or the image's own stage does everything."""
    return state.stage.builds or (state.stage.final and draft.alone)
