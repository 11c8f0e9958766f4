"""Compare random updates by Copier and by us: `python -m tests.merge.scenarios --count 2000`.

A number defines a scenario: images with answers, two versions of a template, other answers, and manual edits. Copier
and we update the same repository. The results must be equal, or differ in a proven way that DEPARTURES names. No manual
edit is lost.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import copier
import yaml
from copier import _template, _vcs
from plumbum import local
from tests.merge.scenario_edits import Edits, is_answers
from tests.merge.scenario_proofs import Seen, Thing, content_of, has_markers, named, unsaid
from tests.merge.scenario_template import QUICK_ENVIRONMENT, RESET, TAGS, git, make_template, version
from tests.parity import by_us

from dockertpl.commands import update
from dockertpl.template.environment import Template
from dockertpl.template.source import TemplateSource
from dockertpl.template.tree import File
from dockertpl.template.versions import Versions

#: The scenarios of one job. The program prints a summary line after each job.
_CHUNK = 20
_ROOT: Sequence[Mapping[str, Any]] = (
    {},
    {"server": "gunicorn", "ci": "gitlab"},
    {"check_app": False, "ci": "none"},
    {"scan": True, "server": "granian"},
    {"kind": "nextjs-standalone"},
    {"kind": "nextjs-standalone", "ci": "gitlab"},
    {"kind": "nextjs-standalone", "scan": True},
)
_IN_A_FOLDER: Sequence[Mapping[str, Any]] = (
    {"app_dir": "services/api", "name": "api"},
    {"kind": "nextjs-standalone", "app_dir": "apps/web", "name": "web"},
)
#: Answers for `-d`. Those of a single kind start with its name.
_DATA: Sequence[tuple[str, str, str]] = (
    ("", "ci", "none"),
    ("", "ci", "gitlab"),
    ("", "ci", "github"),
    ("", "scan", "true"),
    ("", "compose", "true"),
    ("", "port", "9000"),
    ("", "extra_choice", "third"),
    ("python-fastapi", "server", "hypercorn"),
    ("python-fastapi", "python_version", "3.12"),
    ("nextjs-standalone", "standalone", "true"),
    ("nextjs-standalone", "node_version", "24"),
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of a scenario.

    Attributes:
        label: Its description.
        sorts: Its kinds of edits, changes and results.
        departures: The named departures, by path.
        faults: The differences without a proof, and the lost edits.
        lost_by_copier: The words of manual edits that Copier lost.
    """

    label: str
    sorts: frozenset[str]
    departures: Mapping[str, tuple[str, ...]]
    faults: Sequence[str]
    lost_by_copier: int


@dataclass(frozen=True, kw_only=True)
class _Scenario:
    """One scenario before any update.

    Attributes:
        images: The answers of each image.
        old: The version of the repository.
        new: The version to update to.
        data: The answers of the update.
    """

    images: Sequence[Mapping[str, Any]]
    old: int
    new: int
    data: Mapping[str, str]


def run(number: int, template: Path, folder: Path) -> Outcome:
    """Run one scenario in an empty folder.

    Args:
        number: The number of the scenario.
        template: The template's repository.
        folder: The folder for the repositories.
    """
    rng = random.Random(number)
    scenario = _scenario(rng)
    old, new = (_version(template, TAGS[at]) for at in (scenario.old, scenario.new))
    base: dict[str, File] = {}
    for answers in scenario.images:
        base.update(by_us(old, "app", answers))
    edits = Edits(random=rng, coming=sorted(_coming(new, scenario) - base.keys()), files=dict(base))
    for _ in range(rng.randrange(7)):
        edits.edit()
    theirs, ours = folder / "copier" / "app", folder / "ours" / "app"
    _write(theirs, edits)
    git(theirs, "init", "--quiet")
    _commit(theirs)
    shutil.copytree(theirs, ours, symlinks=True)
    names = sorted(path for path in base if is_answers(path))
    with _quick(template):
        unmerged = _by_copier(theirs, names, scenario)
        code, result = update.run(
            destination=ours,
            to=TAGS[scenario.new] if scenario.new != scenario.old else ":current:",
            data=scenario.data,
            answers_files=(),
            conflict="markers",
            dry_run=False,
            quiet=True,
        )
    there = _read(ours)
    fresh: dict[str, File] = {}
    for name in names:
        fresh.update(by_us(new, "app", stored=_plain(_stored(there[name]))))
    seen = Seen(
        base=base,
        fresh=fresh,
        mine={**edits.files, **edits.links},
        words=edits.words,
        theirs=_read(theirs),
        ours=there,
        code=code,
        result=result,
    )
    done = "; ".join(f"{sort} {path}" for sort, path in edits.done)
    moved = f"{TAGS[scenario.old]} -> {TAGS[scenario.new]}"
    departures, faults = _compared(seen, unmerged, _unmerged(ours), names, TAGS[scenario.new])
    left = b"\n".join(map(content_of, seen.theirs.values()))
    return Outcome(
        label=f"{number}: {[dict(image) for image in scenario.images]} {moved} {dict(scenario.data)}, {done}",
        sorts=frozenset(_sorts(scenario, edits, seen)),
        departures=departures,
        faults=faults,
        lost_by_copier=sum(word.encode() not in left for word in edits.words),
    )


def _scenario(rng: random.Random) -> _Scenario:
    old, new = sorted(rng.sample(range(len(TAGS)), 2))
    images = [dict(rng.choice((*_ROOT, *_IN_A_FOLDER)))]
    if rng.random() < 0.12:
        images = [dict(rng.choice(_ROOT)), dict(rng.choice(_IN_A_FOLDER))]
    for image in images:
        if old < RESET and rng.random() < 0.25:
            image["extra_choice"] = "second"
    data: dict[str, str] = {}
    if len(images) == 1 and rng.random() < 0.3:
        kind = images[0].get("kind", "python-fastapi")
        fitting = [(key, value) for of, key, value in _DATA if of in ("", kind)]
        data = dict(rng.sample(fitting, rng.randrange(1, 3)))
        if rng.random() < 0.3:
            new = old
    return _Scenario(images=images, old=old, new=new, data=data)


def _coming(new: Template, scenario: _Scenario) -> set[str]:
    """Return the paths of the new version. They do not depend on `extra_choice`."""
    images = ({key: value for key, value in image.items() if key != "extra_choice"} for image in scenario.images)
    return {path for answers in images for path in by_us(new, "app", {**answers, **scenario.data})}


def _sorts(scenario: _Scenario, edits: Edits, seen: Seen) -> Iterator[str]:
    for sort, _ in edits.done:
        yield f"edit: {sort}"
    if not edits.done:
        yield "edit: none"
    if len(scenario.images) > 1:
        yield "several answers files"
    if scenario.data:
        yield "-d, same version" if scenario.old == scenario.new else "-d, newer version"
    if any(image["answers"]["reset"] for image in seen.result["images"]):
        yield "an answer is reset"
    for file in seen.files.values():
        yield f"path: {file['outcome']}"
        if file["pins"]:
            yield "path: pins of both sides"
        if "moved to" in file["note"]:
            yield "path: renamed and edited"
    for path, after in seen.fresh.items():
        mine, before = seen.mine.get(path), seen.base.get(path)
        if before is None or after == before or mine in (None, before):
            continue
        yield "path: changed by both sides"
        if isinstance(mine, str):
            yield "path: a link, and changed by the template"
        elif b"\0" in content_of(mine):
            yield "path: a binary, changed by both sides"
        elif b"\r\n" in content_of(mine):
            yield "path: CRLF, and changed by the template"
        elif not content_of(mine).endswith(b"\n") or not after.content.endswith(b"\n"):
            yield "path: no newline at an end, and changed by both sides"
        if after.executable != before.executable:
            yield "path: mode changed by the template, and edited"


# --- both updates ----------------------------------------------------------------------------------------------------


def _by_copier(root: Path, names: Sequence[str], scenario: _Scenario) -> set[str]:
    """Update the answers files one at a time, with a commit after each. Return git's conflicts."""
    conflicts: set[str] = set()
    ref = TAGS[scenario.new] if scenario.new != scenario.old else copier.VcsRef.CURRENT
    for name in names:
        if conflicts or name != names[0]:
            _commit(root)
        with warnings.catch_warnings(), local.env(**os.environ):
            warnings.simplefilter("ignore")
            copier.run_update(
                root,
                data=dict(scenario.data),
                answers_file=name,
                vcs_ref=ref,
                defaults=True,
                overwrite=True,
                quiet=True,
            )
        conflicts |= _unmerged(root)
    return conflicts


@contextmanager
def _quick(template: Path) -> Iterator[None]:
    """Let both use a checkout of a version, since cloning and reading takes most of the time of an update."""
    clone, read = _vcs.clone, Versions._template

    def cloned(url: str, ref: str = "HEAD", location: str | None = None) -> str:
        return str(version(template, ref)) if ref in TAGS else clone(url, ref, location)

    def known(self: Versions, src_path: str, ref: str) -> Template:
        return _version(template, ref) if ref in TAGS else read(self, src_path, ref)

    with mock.patch.object(_template, "clone", cloned), mock.patch.object(Versions, "_template", known):
        yield


@cache
def _version(template: Path, tag: str) -> Template:
    return Template(TemplateSource(root=version(template, tag), src_path=str(template), commit=tag))


def _write(root: Path, edits: Edits) -> None:
    root.mkdir(parents=True)
    for path, file in edits.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(file.content)
        (root / path).chmod(0o755 if file.executable else 0o644)
    for path, target in edits.links.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)


def _commit(root: Path) -> None:
    git(root, "add", "--all", "--force")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "mine")


def _unmerged(root: Path) -> set[str]:
    return {line.split("\t")[1] for line in git(root, "ls-files", "--unmerged").splitlines()}


def _read(root: Path) -> dict[str, Thing]:
    """Return every file and link below a folder, without git's own."""
    found: dict[str, Thing] = {}
    for folder, names, files in os.walk(root):
        names[:] = [name for name in names if name != ".git"]
        for name in (*files, *(name for name in names if (Path(folder) / name).is_symlink())):
            path = Path(folder) / name
            key = path.relative_to(root).as_posix()
            if path.is_symlink():
                found[key] = str(path.readlink())
            else:
                found[key] = File(content=path.read_bytes(), executable=bool(path.stat().st_mode & 0o100))
    return found


def _stored(thing: Thing) -> dict[str, Any]:
    return dict(yaml.safe_load(content_of(thing)))


def _plain(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in stored.items() if not key.startswith("_")}


# --- results ---------------------------------------------------------------------------------------------------------


def _compared(
    seen: Seen, unmerged_theirs: set[str], unmerged_ours: set[str], answers_files: Iterable[str], commit: str
) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Return the named departures by path, and the faults."""
    departures: dict[str, tuple[str, ...]] = {}
    faults = []
    for path in sorted({*seen.theirs, *seen.ours, *unmerged_theirs, *unmerged_ours}):
        if seen.theirs.get(path) == seen.ours.get(path):
            if (path in unmerged_theirs) != (path in unmerged_ours):
                faults.append(f"{path} is equal, and a conflict to one of the two only")
            continue
        names = named(seen, path)
        if names:
            departures[path] = names
        else:
            faults.append(f"{path} differs ({seen.files.get(path, {}).get('outcome')})")
    everything = b"\n".join(map(content_of, seen.ours.values()))
    faults += [f"{word} is lost" for word in seen.words if word.encode() not in everything]
    faults += [f"{path} is behind a link, and that is not what is said" for path in unsaid(seen)]
    with_markers = {path for path, thing in seen.ours.items() if has_markers(thing)}
    conflicts = set(seen.result["conflicts"])
    if with_markers != unmerged_ours or not with_markers <= conflicts:
        faults.append(f"markers in {with_markers}, conflicts of git's {unmerged_ours}, said {conflicts}")
    notes = [file["note"] for file in seen.files.values()]
    resets = any(image["answers"]["reset"] for image in seen.result["images"])
    by_hand = any("was edited by hand" in note for note in notes)
    if seen.code != int(bool(conflicts or seen.result["kept"] or resets or by_hand)):
        faults.append(f"the exit code is {seen.code}")
    for name in answers_files:
        stored = _stored(seen.ours[name])
        if stored["_commit"] != commit or stored != _stored(seen.theirs[name]):
            faults.append("the answers are not Copier's")
    return departures, faults


# --- many of them ----------------------------------------------------------------------------------------------------


def _worker(job: tuple[Sequence[int], Path]) -> list[Outcome]:
    numbers, template = job
    os.environ.update(QUICK_ENVIRONMENT)
    outcomes = []
    for number in numbers:
        with tempfile.TemporaryDirectory() as folder:
            try:
                outcomes.append(run(number, template, Path(folder)))
            except Exception as error:
                fault = f"{type(error).__name__}: {error}"
                outcomes.append(
                    Outcome(label=str(number), sorts=frozenset(), departures={}, faults=[fault], lost_by_copier=0)
                )
    return outcomes


def _jobs(count: int, first: int, template: Path) -> Iterator[tuple[Sequence[int], Path]]:
    for start in range(first, first + count, _CHUNK):
        yield range(start, min(start + _CHUNK, first + count)), template


class _Total:
    """The results so far."""

    def __init__(self) -> None:
        self.count = self.equal = self.faulty = self.lost = 0
        self.departures: Counter[str] = Counter()
        self.sorts: Counter[str] = Counter()

    def add(self, outcome: Outcome) -> None:
        self.count += 1
        self.equal += not outcome.departures and not outcome.faults
        self.faulty += bool(outcome.faults)
        self.lost += bool(outcome.lost_by_copier)
        self.departures.update({name for names in outcome.departures.values() for name in names})
        self.sorts.update(outcome.sorts)

    def __str__(self) -> str:
        departed = self.count - self.equal - self.faulty
        return (
            f"{self.count} scenarios: {self.equal} equal, {departed} with a named departure, {self.faulty} faulty; "
            f"Copier lost something in {self.lost}"
        )

    def table(self) -> str:
        rows = [
            f"  {count:5}  {name}" for counts in (self.departures, self.sorts) for name, count in counts.most_common()
        ]
        return "\n".join([str(self), *rows])


def main() -> int:
    """Run scenarios, print a summary after each chunk, and return 1 if there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    os.environ.update(QUICK_ENVIRONMENT)
    total = _Total()
    with tempfile.TemporaryDirectory() as folder:
        template = make_template(Path(folder) / "template")
        with ProcessPoolExecutor(options.workers) as pool:
            for outcomes in pool.map(_worker, _jobs(options.count, options.first, template)):
                for outcome in outcomes:
                    total.add(outcome)
                    if outcome.faults:
                        print(f"{outcome.label}\n    {outcome.faults}")  # noqa: T201
                print(f"to {options.first + total.count - 1}: {total}", flush=True)  # noqa: T201
    print(total.table())  # noqa: T201
    return int(bool(total.faulty))


if __name__ == "__main__":
    sys.exit(main())
