"""A proven difference from Copier's update gets a name, and an unproven one of a single line does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.merge.scenario_proofs import DEPARTURES, Seen, Thing, named, unsaid

from dockertpl.template.tree import File

LINES = "".join(f"line {number}\n" for number in range(12))
NEW = LINES.replace("line 3\n", "line three\n")
MINE = LINES.replace("line 9\n", "mine0x1\n")
BOTH = NEW.replace("line 9\n", "mine0x1\n")
BLOCK = "".join(f"of a block {number}\n" for number in range(9))
CONFLICT = "<<<<<<< before updating\n{}=======\n{}>>>>>>> after updating\n"
REGION = "# >>> custom: image - what\n{}# <<< custom: image\n"
PIN = "steps:\n  - uses: actions/checkout@{} # v{}\n"
ANSWERS = ".copier-answers.yml"


def _file(content: str | bytes, executable: bool = False) -> File:
    return File(content=content if isinstance(content, bytes) else content.encode(), executable=executable)


def _seen(
    base: str | bytes | File | None,
    fresh: str | bytes | File | None,
    mine: str | bytes | File,
    theirs: str | bytes | File | None,
    ours: str | bytes | File,
    path: str = "a",
    code: int = 0,
    **said: Any,
) -> Seen:
    """Return the observations at one path."""

    def tree(thing: str | bytes | File | None) -> dict[str, File]:
        return {} if thing is None else {path: thing if isinstance(thing, File) else _file(thing)}

    file = {"path": path, "note": "", "pins": [], **said}
    kept = [path] if said.get("outcome") == "kept" else []
    conflicts = [path] if said.get("outcome") == "conflicted" else []
    result: Mapping[str, Any] = {"images": [{"files": [file]}], "kept": kept, "conflicts": conflicts}
    things: dict[str, Mapping[str, Thing]] = {
        name: tree(thing) for name, thing in (("mine", mine), ("theirs", theirs), ("ours", ours))
    }
    return Seen(base=tree(base), fresh=tree(fresh), words=["mine0x1"], code=code, result=result, **things)


def _link() -> Seen:
    seen = _seen(LINES, NEW, LINES, NEW, LINES, code=1, outcome="kept")
    return replace(seen, mine={"a": "elsewhere"}, ours={"a": "elsewhere"})


def _renamed() -> Seen:
    seen = _seen(None, NEW, LINES, NEW, BOTH, note="was moved from b")
    return replace(seen, base={"b": _file(LINES)}, mine={"b": _file(MINE)})


def _misapplied() -> Seen:
    """The template removes one of two equal blocks, and that one has a manual edit."""
    base = f"first\n{BLOCK}second\n{BLOCK}"
    edited = BLOCK.replace("block 4\n", "block mine0x1\n")
    theirs = f"first\nsecond\n{edited}"
    ours = "first\n" + CONFLICT.format(edited, "") + f"second\n{BLOCK}"
    return _seen(base, f"first\nsecond\n{BLOCK}", f"first\n{edited}second\n{BLOCK}", theirs, ours, code=1)


def _pins() -> Seen:
    pin = {"name": "actions/checkout", "repository": f"@{'6' * 40} # v6", "template": f"@{'7' * 40} # v7"}
    base, mine, fresh = (PIN.format(number * 40, number) for number in "567")
    theirs = "steps:\n" + CONFLICT.format(mine.split("\n")[1] + "\n", fresh.split("\n")[1] + "\n")
    return _seen(base, fresh, mine, theirs, fresh, pins=[{**pin, "taken": "template"}])


def _regions() -> Seen:
    """The template rewords a mark above a manual edit."""
    base, mine = (REGION.format(content) for content in ("", "mine0x1\n"))
    fresh, merged = (text.replace("what", "other") for text in (base, mine))
    return _seen(base, fresh, mine, CONFLICT.format(mine, fresh), merged)


CASES: Mapping[str, Seen] = {
    "link": _link(),
    "renamed": _renamed(),
    "misapplied": _misapplied(),
    "pins": _pins(),
    "regions": _regions(),
    "kept": _seen(LINES, None, MINE, None, MINE, code=1, outcome="kept"),
    "binary": _seen(b"\0a", b"\0b", b"\0c", b"\0b", b"\0c", code=1, outcome="conflicted", note="and is not a text"),
    "line-ends": _seen(
        LINES,
        NEW,
        MINE.replace("\n", "\r\n"),
        CONFLICT.format(MINE.replace("\n", "\r\n"), NEW),
        BOTH.replace("\n", "\r\n"),
    ),
    "mode": _seen(_file(LINES, True), NEW, _file(MINE, True), _file(BOTH, True), BOTH),
    "answers-file": _seen("a: 1\n", "a: 2\n", "# mine0x1\na: 1\n", "a: 2\n", "# mine0x1\na: 2\n", path=ANSWERS),
}


def test_there_is_a_case_of_each_name() -> None:
    assert CASES.keys() == DEPARTURES.keys()


@pytest.mark.parametrize("name", CASES)
def test_what_is_shown_is_named(name: str) -> None:
    seen = CASES[name]
    (path,) = seen.ours
    assert named(seen, path) == (name,)


@pytest.mark.parametrize("name", CASES)
def test_another_text_or_another_mode_has_no_name(name: str) -> None:
    seen = CASES[name]
    (path,) = seen.ours
    ours = seen.ours[path]
    content, executable = (ours.content, ours.executable) if isinstance(ours, File) else (NEW.encode(), False)
    assert not named(replace(seen, ours={path: File(content=content + b"more\n", executable=executable)}), path)
    assert not named(replace(seen, ours={path: File(content=content, executable=not executable)}), path)


@pytest.mark.parametrize("name", ["link", "kept", "binary"])
def test_what_stays_against_the_template_and_is_not_said_has_no_name(name: str) -> None:
    assert not named(replace(CASES[name], code=0), "a")


def test_a_change_that_a_link_keeps_out_is_reported() -> None:
    seen = _link()
    assert not unsaid(seen)
    assert unsaid(replace(seen, code=0)) == unsaid(replace(seen, result={**seen.result, "kept": []})) == ["a"]
    assert unsaid(replace(seen, fresh=seen.base)) == ["a"]


def test_a_pin_that_is_not_the_newer_one_has_no_name() -> None:
    seen = _pins()
    (image,) = seen.result["images"]
    pins = [{**pin, "taken": "repository"} for pin in image["files"][0]["pins"]]
    result = {**seen.result, "images": [{"files": [{**image["files"][0], "pins": pins}]}]}
    assert not named(replace(seen, ours=seen.mine, result=result), "a")


def test_what_no_patch_of_copier_s_made_is_not_misapplied() -> None:
    seen = _misapplied()
    assert not named(replace(seen, theirs={"a": _file("something else\n")}), "a")
