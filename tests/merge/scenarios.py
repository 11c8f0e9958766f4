"""Random updates by Copier and by us, side by side. `python -m tests.merge.scenarios --count 2000` makes many.

A scenario is made from a number: a kind with answers, two versions of a template, and edits of a person's. Both update
the same repository; what they leave behind is equal, or differs in a way that DEPARTURES names. Whatever a person
wrote carries a word of its own, so that it can be looked for afterwards.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import copier
import yaml
from plumbum import local
from tests.parity import by_us, copy_template

from dockertpl.commands import update
from dockertpl.merge import pins, regions
from dockertpl.template.source import TemplateSource
from dockertpl.template.tree import File, Tree

TAGS = ("v1.0.0", "v2.0.0", "v3.0.0", "v4.0.0", "v5.0.0")
#: In which ours is safer; docs/explanation/updates.md tells each.
DEPARTURES = {
    "pins": "a pin that both sides moved is settled, and does not conflict",
    "regions": "what stands in a region does not conflict with the lines beside it",
    "kept": "an edited file that the template removes stays",
    "renamed": "what was edited goes with a file that the template renames",
    "link": "a link is not replaced by a file, nor is anything written where it leads",
    "binary": "of a binary that both changed, the repository's stays",
    "line-ends": "a file with CRLF is merged by its lines, and stays one with CRLF",
    "misapplied": "lines are merged where they belong, and not where similar ones stand",
    "answers-file": "comments in the answers file stay",
    "mode": "an executable bit that one side changed is that side's",
}
_ANSWERS: Sequence[Mapping[str, Any]] = (
    {},
    {"app_dir": "services/api", "name": "api"},
    {"server": "gunicorn", "ci": "gitlab"},
    {"check_app": False, "ci": "none"},
    {"scan": True, "server": "granian"},
    {"kind": "nextjs-standalone"},
    {"kind": "nextjs-standalone", "app_dir": "apps/web", "name": "web"},
    {"kind": "nextjs-standalone", "ci": "gitlab"},
    {"kind": "nextjs-standalone", "scan": True},
)
_NUMBERED = "".join(f"Line {number} of the notes.\n" for number in range(1, 25))
_SCRIPT = "#!/bin/sh\n" + "".join(f"echo {number}\n" for number in range(12))
_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{
        f"GIT_{role}_{key}": f"test{at}"
        for role in ("AUTHOR", "COMMITTER")
        for key, at in (("NAME", ""), ("EMAIL", "@x"))
    },
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True, env={**os.environ, **_ENVIRONMENT}
    )
    return done.stdout


# --- the template ----------------------------------------------------------------------------------------------------


def make_template(root: Path) -> Path:
    """Make a repository with a tag for each version, and a folder `versions` beside it with each checked out."""
    copy_template(root)
    git(root, "init", "--quiet")
    for tag, change in zip(TAGS, (_first, _second, _third, _fourth, _fifth), strict=True):
        change(root)
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", tag)
        git(root, "tag", tag)
        git(root, "worktree", "add", "--quiet", "--detach", str(root.parent / "versions" / tag), tag)
    return root


def _first(root: Path) -> None:
    project = root / "templates" / "project"
    (project / "extra-script.sh").write_text(_SCRIPT)
    (project / "extra-script.sh").chmod(0o755)
    (project / "extra-data.bin").write_bytes(b"\0\1\2 first")
    for name in ("notes", "old", "move"):
        (project / f"extra-{name}.txt").write_text(f"About {name}.\n{_NUMBERED}")


def _second(root: Path) -> None:
    project = root / "templates" / "project"
    _replace(project / "extra-script.sh", "echo 6\n", "echo six\n")
    _replace(project / "extra-notes.txt", "Line 3 of", "The third line of")
    _replace(project / "extra-notes.txt", "Line 15 of", "The fifteenth line of")
    (project / "extra-data.bin").write_bytes(b"\0\1\2 second")
    (project / "extra-new.txt.jinja").write_text(f"A {{{{ extra_word }}}}.\n{_NUMBERED}")
    _replace(root / "copier.yml", "\ndigests:\n", "\nextra_word:\n  type: str\n  default: word\n\ndigests:\n")
    _beside_regions(root, "", "# New below.\n")


def _third(root: Path) -> None:
    project = root / "templates" / "project"
    (project / "extra-old.txt").unlink()
    (project / "extra-move.txt").rename(project / "extra-moved.txt")
    _replace(project / "extra-moved.txt", "Line 20 of", "The twentieth line of")
    (project / "extra-script.sh").chmod(0o644)
    for path in (root / "templates" / "kinds").glob("*/Dockerfile.jinja"):
        lines = path.read_text().splitlines(keepends=True)
        comments = [number for number, line in enumerate(lines) if re.match(r"# [A-Z]", line)]
        for number in comments[1::3]:
            lines[number] = lines[number].rstrip("\n") + " Since version 3.\n"
        path.write_text("".join(lines))


def _fourth(root: Path) -> None:
    project = root / "templates" / "project"
    (project / "extra-new.txt.jinja").unlink()
    (project / "extra-notes.txt").write_text(
        (project / "extra-notes.txt").read_text() + "The last line, without an end"
    )
    text = (root / "copier.yml").read_text()
    (root / "copier.yml").write_text(text.replace("\nextra_word:\n  type: str\n  default: word\n", ""))
    _beside_regions(root, "# New above.\n", "# New below.\n")


def _fifth(root: Path) -> None:
    project = root / "templates" / "project"
    (project / "extra-data.bin").unlink()
    (project / "extra-script.sh").write_text(_SCRIPT.replace("echo 1\n", "echo one\n").replace("echo 10\n", ""))
    for path in (root / "templates" / "ci").rglob("*"):
        if path.is_file() and path.suffix in (".yml", ".jinja"):
            path.write_text(re.sub(r"@[0-9a-f]{40} # v(\d+)", rf"@{'5' * 40} # v9\1", path.read_text()))


def _beside_regions(root: Path, above: str, below: str) -> None:
    path = root / "templates" / "lib" / "yours.jinja"
    plain = path.read_text().replace("# New above.\n", "").replace("# New below.\n", "")
    ended = "# <<< yours: {{ name }}\n"
    text = plain.replace("# >>> yours: {{ name }}", f"{above}# >>> yours: {{{{ name }}}}")
    path.write_text(text.replace(ended, ended + below))


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise AssertionError(f"{path} has no {old!r}")
    path.write_text(text.replace(old, new, 1))


# --- what a person edits ---------------------------------------------------------------------------------------------


@dataclass
class Edits:
    """A repository as a person left it.

    Attributes:
        files: Its files.
        links: Its links, with where they lead.
        words: What was written, which is to be found afterwards.
        done: What was done, for a failure's message.
    """

    random: random.Random
    files: dict[str, File]
    links: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def word(self) -> str:
        self.words.append(f"mine{len(self.words)}x{self.random.randrange(10**6)}")
        return self.words[-1]

    def text(self, change: Callable[[str], str]) -> str:
        """Change the text of a file, and return its path."""
        paths = [path for path, file in self.files.items() if b"\0" not in file.content and "answers" not in path]
        path = self.random.choice(paths)
        file = self.files[path]
        self.files[path] = File(content=change(file.content.decode()).encode(), executable=file.executable)
        return path


def _insert(edits: Edits) -> str:
    return edits.text(lambda text: _at_line(edits, text, lambda line: f"# {edits.word()}\n{line}"))


def _rewrite(edits: Edits) -> str:
    return edits.text(lambda text: _at_line(edits, text, lambda _: f"# {edits.word()}\n"))


def _drop(edits: Edits) -> str:
    def change(text: str) -> str:
        # What an earlier edit wrote stays, as it is looked for.
        return _at_line(edits, text, lambda line: line if any(word in line for word in edits.words) else "")

    return edits.text(change)


def _at_line(edits: Edits, text: str, change: Callable[[str], str]) -> str:
    lines = text.splitlines(keepends=True)
    plain = [n for n, line in enumerate(lines) if "yours:" not in line and not any(w in line for w in edits.words)]
    if not plain:
        return text
    number = edits.random.choice(plain)
    lines[number] = change(lines[number])
    return "".join(lines)


def _append(edits: Edits) -> str:
    return edits.text(lambda text: text + ("" if text.endswith("\n") or not text else "\n") + f"# {edits.word()}\n")


def _without_end(edits: Edits) -> str:
    return edits.text(lambda text: text.rstrip("\r\n"))


def _crlf(edits: Edits) -> str:
    return edits.text(lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"))


def _region(edits: Edits) -> str:
    paths = [
        path for path, file in edits.files.items() if b">>> yours:" in file.content and b"\r\n" not in file.content
    ]
    if not paths:
        return "no region"
    path = edits.random.choice(paths)
    file = edits.files[path]
    text = file.content.decode()
    name = edits.random.choice(list(regions.find(text)))
    if regions.find(text)[name]:
        return "a filled region"
    text = regions.fill(text, {name: f"# {edits.word()}\n"})
    edits.files[path] = File(content=text.encode(), executable=file.executable)
    return path


def _pin(edits: Edits) -> str:
    number = edits.random.randrange(1, 9)

    def change(text: str) -> str:
        return re.sub(r"@[0-9a-f]{40} # v\d+", f"@{str(number) * 40} # v{number}0", text)

    return edits.text(change)


def _delete(edits: Edits) -> str:
    paths = [path for path in edits.files if "answers" not in path and not _has_word(edits, path)]
    if not paths:
        return "nothing"
    path = edits.random.choice(paths)
    del edits.files[path]
    return path


def _mode(edits: Edits) -> str:
    path = edits.random.choice(list(edits.files))
    file = edits.files[path]
    edits.files[path] = File(content=file.content, executable=not file.executable)
    return path


def _binary(edits: Edits) -> str:
    if "extra-data.bin" in edits.files and not _has_word(edits, "extra-data.bin"):
        edits.files["extra-data.bin"] = File(content=b"\0\1\2 " + edits.word().encode())
    return "extra-data.bin"


def _link(edits: Edits) -> str:
    paths = [path for path in edits.files if "answers" not in path and not _has_word(edits, path)]
    path = edits.random.choice(paths)
    del edits.files[path]
    edits.links[path] = "elsewhere"
    return path


def _add(edits: Edits) -> str:
    path = edits.random.choice(["extra-new.txt", "extra-moved.txt", "mine.txt"])
    if path not in edits.files and path not in edits.links:
        edits.files[path] = File(content=f"# {edits.word()}\n{_NUMBERED}".encode())
    return path


def _comment(edits: Edits) -> str:
    path = next(path for path in edits.files if "copier-answers" in path)
    file = edits.files[path]
    if b"mine" not in file.content:
        content = file.content + f"# {edits.word()}\n".encode()
        edits.files[path] = File(content=content, executable=file.executable)
    return path


def _has_word(edits: Edits, path: str) -> bool:
    return any(word.encode() in edits.files[path].content for word in edits.words)


_EDITS = (_insert, _insert, _insert, _rewrite, _rewrite, _drop, _drop, _append, _without_end, _crlf, _region, _region)
_RARE = (_pin, _pin, _delete, _mode, _binary, _link, _add, _comment)


# --- both updates ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a scenario showed.

    Attributes:
        label: What it was.
        departures: The named departures, by path.
        faults: What is neither equal nor named, and what was lost.
        lost_by_copier: Words of a person's that Copier left nowhere.
    """

    label: str
    departures: Mapping[str, str]
    faults: Sequence[str]
    lost_by_copier: int


def run(number: int, template: Path, folder: Path) -> Outcome:
    """Run one scenario in an empty folder.

    Args:
        number: Which.
        template: The template's repository.
        folder: Where to put the repositories.
    """
    rng = random.Random(number)
    answers = rng.choice(_ANSWERS)
    old, new = sorted(rng.sample(range(len(TAGS)), 2))
    source = TemplateSource(root=template.parent / "versions" / TAGS[old], src_path=str(template), commit=TAGS[old])
    rendered = by_us(source, "app", answers)
    edits = Edits(random=rng, files=dict(rendered))
    for _ in range(rng.randrange(6)):
        edit = rng.choice(_EDITS + _RARE)
        edits.done.append(f"{edit.__name__[1:]} {edit(edits)}")
    label = f"{number}: {dict(answers)} {TAGS[old]} -> {TAGS[new]}, {'; '.join(edits.done)}"
    theirs, ours = folder / "copier" / "app", folder / "ours" / "app"
    _write(theirs, edits)
    git(theirs, "init", "--quiet")
    git(theirs, "add", "--all", "--force")
    git(theirs, "commit", "--quiet", "--message", "mine")
    shutil.copytree(theirs, ours, symlinks=True)
    answers_file = next(path for path in edits.files if "copier-answers" in path)
    with warnings.catch_warnings(), local.env(**os.environ):
        warnings.simplefilter("ignore")
        copier.run_update(
            theirs, answers_file=answers_file, vcs_ref=TAGS[new], defaults=True, overwrite=True, quiet=True
        )
    code, result = update.run(
        destination=ours, to=TAGS[new], data={}, answers_files=(), conflict="markers", dry_run=False, quiet=True
    )
    return _compared(label, edits, rendered, (theirs, ours), (code, result), template.parent / "versions" / TAGS[new])


def _write(root: Path, edits: Edits) -> None:
    for path, file in edits.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(file.content)
        (root / path).chmod(0o755 if file.executable else 0o644)
    for path, target in edits.links.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).symlink_to(target)


def _compared(
    label: str,
    edits: Edits,
    base: Tree,
    roots: tuple[Path, Path],
    done: tuple[int, Mapping[str, Any]],
    version: Path,
) -> Outcome:
    theirs, ours = (_read(root) for root in roots)
    unmerged = [{line.split("\t")[1] for line in git(root, "ls-files", "--unmerged").splitlines()} for root in roots]
    code, result = done
    answers = next(path for path in edits.files if "copier-answers" in path)
    stored = yaml.safe_load(_bytes(ours[answers]))
    fresh = by_us(
        TemplateSource(root=version, src_path=stored["_src_path"], commit=version.name), "app", stored=_plain(stored)
    )
    files = {file["path"]: file for image in result["images"] for file in image["files"]}
    departures: dict[str, str] = {}
    faults = []
    for path in sorted({*theirs, *ours, *unmerged[0], *unmerged[1]}):
        if theirs.get(path) == ours.get(path) and (path in unmerged[0]) == (path in unmerged[1]):
            continue
        name = _named(path, files.get(path, {}), edits, theirs.get(path), ours.get(path), files)
        if name == "misapplied":
            # What git itself makes of the three texts, without Copier's detour over a patch.
            wanted = pins.merge_text(*(_bytes(tree.get(path)).decode() for tree in (base, fresh, edits.files)))
            name = name if wanted.text.encode() == _bytes(ours.get(path)) else ""
        if name:
            departures[path] = name
        else:
            faults.append(f"{path} differs ({files.get(path, {}).get('outcome')})")
    everything = b"\n".join(_bytes(thing) for thing in ours.values())
    faults += [f"{word} is lost" for word in edits.words if word.encode() not in everything]
    conflicts = set(result["conflicts"])
    if not unmerged[1] <= conflicts:
        faults.append(f"git knows conflicts of {unmerged[1] - conflicts} that were not said")
    if any(_has_markers(ours[path]) for path in ours if path not in conflicts):
        faults.append("there are markers in a file that is said to have none")
    if bool(conflicts or result["kept"]) > (code == 1):
        faults.append(f"the exit code is {code}")
    if stored["_commit"] != version.name or stored != yaml.safe_load(_bytes(theirs[answers])):
        faults.append("the answers are not Copier's")
    left = b"\n".join(_bytes(thing) for thing in theirs.values())
    lost = sum(word.encode() not in left for word in edits.words)
    return Outcome(label=label, departures=departures, faults=faults, lost_by_copier=lost)


def _named(
    path: str,
    file: Mapping[str, Any],
    edits: Edits,
    theirs: object,
    ours: object,
    files: Mapping[str, Mapping[str, Any]],
) -> str:
    """Return the name of the departure that a path shows, or nothing."""
    mine = edits.files.get(path)
    outcome = file.get("outcome")
    if path in edits.links:
        return "link"
    if "copier-answers" in path:
        return "answers-file" if any(done.startswith(("comment", "mode")) for done in edits.done) else ""
    if path == "extra-moved.txt" and "was extra-move.txt" in str(file.get("note")):
        return "renamed"
    if outcome == "kept" and theirs is None and mine is not None:
        return "kept"
    if mine is None:
        return ""
    if b"\0" in mine.content:
        return "binary"
    if b"\r\n" in mine.content:
        return "line-ends"
    if isinstance(theirs, File) and isinstance(ours, File) and theirs.content == ours.content:
        return "mode"
    if file.get("pins"):
        return "pins"
    if any(content for content in _regions(mine).values()):
        return "regions"
    if isinstance(ours, File) and not _has_markers(ours) and outcome == "merged":
        return "misapplied" if isinstance(theirs, File) and not _has_markers(theirs) else ""
    if isinstance(theirs, File) and not _has_markers(theirs) and outcome == "conflicted":
        return "misapplied"
    return ""


def _plain(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in stored.items() if not key.startswith("_")}


def _regions(file: File) -> Mapping[str, str]:
    try:
        return regions.find(file.content.decode())
    except Exception:
        return {}


def _has_markers(thing: object) -> bool:
    return isinstance(thing, File) and b"<<<<<<< before updating" in thing.content


def _bytes(thing: object) -> bytes:
    return thing.content if isinstance(thing, File) else b""


def _read(root: Path) -> dict[str, object]:
    """Return every file and link below a folder but git's own."""
    found: dict[str, object] = {}
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


# --- many of them ----------------------------------------------------------------------------------------------------


def prepare_environment(folder: Path) -> None:
    """Keep this machine's settings out, and Copier's clones in a folder of this process's own."""
    os.environ.update(_ENVIRONMENT, COPIER_CACHE_DIR=str(folder / f"cache-{os.getpid()}"))


def _worker(job: tuple[Sequence[int], Path]) -> list[Outcome]:
    numbers, template = job
    prepare_environment(template.parent)
    outcomes = []
    for number in numbers:
        with tempfile.TemporaryDirectory() as folder:
            try:
                outcomes.append(run(number, template, Path(folder)))
            except Exception as error:
                fault = f"{type(error).__name__}: {error}"
                outcomes.append(Outcome(label=str(number), departures={}, faults=[fault], lost_by_copier=0))
    return outcomes


def _jobs(count: int, first: int, template: Path) -> Iterator[tuple[Sequence[int], Path]]:
    for start in range(first, first + count, 20):
        yield range(start, min(start + 20, first + count)), template


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    os.environ.update(_ENVIRONMENT)
    with tempfile.TemporaryDirectory() as folder:
        template = make_template(Path(folder) / "template")
        total: Counter[str] = Counter()
        faulty, departed, equal, lost = 0, 0, 0, 0
        with ProcessPoolExecutor(options.workers) as pool:
            for outcomes in pool.map(_worker, _jobs(options.count, options.first, template)):
                for outcome in outcomes:
                    total.update(set(outcome.departures.values()))
                    faulty += bool(outcome.faults)
                    departed += bool(outcome.departures)
                    equal += not outcome.departures and not outcome.faults
                    lost += bool(outcome.lost_by_copier)
                    if outcome.faults:
                        print(f"{outcome.label}\n    {outcome.faults}", flush=True)  # noqa: T201
    names = ", ".join(f"{name} {count}" for name, count in total.most_common())
    print(  # noqa: T201
        f"{options.count} scenarios: {equal} equal, {departed} with a named departure ({names}), {faulty} faulty; "
        f"Copier lost something in {lost}"
    )
    return int(bool(faulty))


if __name__ == "__main__":
    sys.exit(main())
