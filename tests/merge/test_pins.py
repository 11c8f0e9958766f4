from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.parity import by_us

from dockertpl.merge.pins import LABELS, Conflict, Merged, compare, merge_text
from dockertpl.template.source import bundled

A, B, C = (f"sha256:{letter * 64}" for letter in "abc")
SHA_A, SHA_B, SHA_C = ("a" * 40, "b" * 40, "c" * 40)

WORKFLOW = """\
jobs:
  image:
    steps:
      - uses: actions/checkout@{checkout}
        with:
          persist-credentials: false
      - uses: docker/build-push-action@{build}
"""


def _workflow(checkout: str, build: str = f"{SHA_A} # v7.3.0") -> str:
    return WORKFLOW.format(checkout=checkout, build=build)


class Case(NamedTuple):
    """One pin in the old template, the new template, the repository and the merged file."""

    what: str
    old: str
    new: str
    mine: str
    wanted: str
    known: bool


ACTIONS = [
    Case("only the bot moved", f"{SHA_A} # v4.1.1", f"{SHA_A} # v4.1.1", f"{SHA_B} # v4.1.2", "mine", True),
    Case("only the template moved", f"{SHA_A} # v4.1.1", f"{SHA_B} # v4.1.2", f"{SHA_A} # v4.1.1", "new", True),
    Case("the template went back", f"{SHA_A} # v4.1.2", f"{SHA_B} # v4.1.1", f"{SHA_A} # v4.1.2", "new", True),
    Case("the bot is ahead", f"{SHA_A} # v4.1.1", f"{SHA_B} # v4.1.9", f"{SHA_C} # v4.1.10", "mine", True),
    Case("the template is ahead", f"{SHA_A} # v4.1.1", f"{SHA_B} # v4.1.10", f"{SHA_C} # v4.1.9", "new", True),
    Case("by a major version", f"{SHA_A} # v4.1.1", f"{SHA_B} # v5.0.0", f"{SHA_C} # v4.2.0", "new", True),
    Case("the bot by a major version", f"{SHA_A} # v4.1.1", f"{SHA_B} # v4.2.0", f"{SHA_C} # v5", "mine", True),
    Case("a floating comment", f"{SHA_A} # v4.1.1", f"{SHA_B} # v4.1.2", f"{SHA_C} # v4", "mine", False),
    Case("a floating comment, ours", f"{SHA_A} # v4.1.1", f"{SHA_B} # v4", f"{SHA_C} # v4.1.2", "mine", False),
    Case("one version, two commits", f"{SHA_A} # v4.1.1", f"{SHA_B} # v4.1.2", f"{SHA_C} # v4.1.2", "mine", False),
    Case("no version", SHA_A, SHA_B, SHA_C, "mine", False),
    Case("a version against none", f"{SHA_A} # v4.1.1", f"{SHA_B} # v4.2.0", SHA_C, "mine", False),
    Case("a tag against a commit", "v4", f"{SHA_B} # v5.0.0", f"{SHA_C} # v4.3.0", "new", True),
    Case("both the same", f"{SHA_A} # v4.1.1", f"{SHA_B} # v4.1.2", f"{SHA_B} # v4.1.2", "mine", True),
]

IMAGES = [
    Case("a digest where the template has none", ":3.13-slim", ":3.13-slim", f":3.13-slim@{A}", "mine", True),
    Case("the same, moved by the template", f":3.13-slim@{A}", f":3.13-slim@{B}", f":3.13-slim@{C}", "mine", False),
    Case("a newer tag", f":3.12-slim@{A}", f":3.14-slim@{B}", f":3.13-slim@{C}", "new", True),
    Case("a newer tag of ours", f":3.12-slim@{A}", f":3.13-slim@{B}", f":3.14-slim@{C}", "mine", True),
    Case("tags of two kinds", f":3.12-slim@{A}", f":3.14-alpine@{B}", f":3.13-slim@{C}", "mine", False),
    Case("code names", f":trixie-slim@{A}", f":forky-slim@{B}", f":trixie-slim@{C}", "mine", False),
    Case("no tag", f"@{A}", f"@{B}", f"@{C}", "mine", False),
]


def _check(case: Case, render: Callable[[str], str]) -> Merged:
    merged = merge_text(render(case.old), render(case.new), render(case.mine))
    assert merged.text == render(getattr(case, case.wanted))
    assert merged.conflicts == ()
    return merged


@pytest.mark.parametrize("case", ACTIONS, ids=lambda case: case.what)
def test_an_action_s_pin(case: Case) -> None:
    merged = _check(case, _workflow)
    if case.old == case.new or case.new == case.mine:
        assert merged.pins == ()
    else:
        (pin,) = merged.pins
        assert (pin.kind, pin.name) == ("action", "actions/checkout")
        assert (pin.repository, pin.template) == (f"@{case.mine}", f"@{case.new}")
        assert pin.taken == ("repository" if case.wanted == "mine" else "template")
        assert pin.known is case.known


@pytest.mark.parametrize(
    "line",
    [
        "FROM python{} AS build\n",
        "from --platform=linux/amd64 python{}\n",
        "ARG PYTHON_IMAGE=python{}\n",
        'ARG PYTHON_IMAGE="python{}"\n',
        "COPY --link --from=python{} /a /b\n",
        "    image: python{}\n",
        "  - uses: docker://python{}\n",
    ],
)
@pytest.mark.parametrize("case", IMAGES, ids=lambda case: case.what)
def test_an_image_s_pin(case: Case, line: str) -> None:
    _check(case, lambda value: f"# One\n{line.format(value)}# Two\n")


@pytest.mark.parametrize("name", ["ghcr.io/astral-sh/uv", "registry.example.com:5000/team/python", "python"])
def test_an_image_s_name_may_have_a_registry_and_a_port(name: str) -> None:
    line = f"ARG X_IMAGE={name}:1.2@{{}}\n".format
    merged = merge_text(line(A), line(B), line(C))
    assert (merged.text, [pin.name for pin in merged.pins]) == (line(C), [name])


def test_a_neighbor_of_a_pin_changes_on_its_own() -> None:
    old = _workflow(f"{SHA_A} # v7.0.0", f"{SHA_A} # v7.3.0")
    new = _workflow(f"{SHA_A} # v7.0.0", f"{SHA_B} # v7.4.0")
    mine = _workflow(f"{SHA_C} # v7.0.1", f"{SHA_A} # v7.3.0")
    merged = merge_text(old, new, mine)
    assert merged.text == _workflow(f"{SHA_C} # v7.0.1", f"{SHA_B} # v7.4.0")
    assert [(pin.name, pin.taken) for pin in merged.pins] == [
        ("actions/checkout", "repository"),
        ("docker/build-push-action", "template"),
    ]


def test_pins_on_lines_next_to_each_other_are_settled_each() -> None:
    lines = "    - uses: a/one@{}\n    - uses: a/two@{}\n    - uses: a/three/sub@{}\n".format
    old = lines(f"{SHA_A} # v1.0.0", f"{SHA_A} # v1.0.0", f"{SHA_A} # v1.0.0")
    new = lines(f"{SHA_B} # v1.0.1", f"{SHA_A} # v1.0.0", f"{SHA_B} # v2.0.0")
    mine = lines(f"{SHA_A} # v1.0.0", f"{SHA_C} # v1.5.0", f"{SHA_C} # v1.9.0")
    merged = merge_text(old, new, mine)
    assert merged.text == lines(f"{SHA_B} # v1.0.1", f"{SHA_C} # v1.5.0", f"{SHA_B} # v2.0.0")
    assert merged.conflicts == ()


def test_an_action_that_is_used_twice_is_told_apart_by_its_place() -> None:
    step = "      - uses: actions/checkout@{} # {}\n        with: {}\n"
    old = step.format(SHA_A, "v4", "one") + step.format(SHA_A, "v4", "two") + "end\n"
    new = step.format(SHA_A, "v4", "two") + "end\n"
    mine = step.format(SHA_A, "v4", "one") + step.format(SHA_B, "v5", "two") + "end\n"
    merged = merge_text(old, new, mine)
    assert (merged.text, merged.conflicts) == (step.format(SHA_B, "v5", "two") + "end\n", ())


def test_a_step_that_the_template_removes_goes_though_a_bot_moved_its_pin() -> None:
    rest = "jobs:\n  image:\n    steps:\n      - uses: actions/checkout@v4\n"
    step = "      - uses: a/gone@{}\n        with: x\n"
    merged = merge_text(rest + step.format(f"{SHA_A} # v1.0.0"), rest, rest + step.format(f"{SHA_B} # v1.0.1"))
    assert (merged.text, merged.conflicts, merged.pins) == (rest, (), ())


def test_a_step_that_the_repository_removed_stays_away_though_the_template_moved_its_pin() -> None:
    rest = "jobs:\n  image:\n    steps:\n      - uses: actions/checkout@v4\n"
    step = "      - uses: a/gone@{}\n        with: x\n"
    merged = merge_text(rest + step.format(f"{SHA_A} # v1.0.0"), rest + step.format(f"{SHA_B} # v1.0.1"), rest)
    assert (merged.text, merged.conflicts) == (rest, ())


def test_a_step_that_both_changed_conflicts_with_what_the_repository_has() -> None:
    step = "a\n      - uses: a/b@{}\n        with: {}\nz\n"
    old, new = step.format(f"{SHA_A} # v1.0.0", "x"), "a\nz\n"
    merged = merge_text(old, new, step.format(f"{SHA_B} # v1.0.1", "mine"))
    assert merged.conflicts
    assert f"{SHA_B} # v1.0.1" in merged.text


def test_a_step_that_both_added_has_the_newer() -> None:
    step = "steps:\n      - uses: a/b@{}\n"
    merged = merge_text("steps:\n", step.format(f"{SHA_A} # v2.0.0"), step.format(f"{SHA_B} # v1.0.0"))
    assert (merged.text, merged.conflicts) == (step.format(f"{SHA_A} # v2.0.0"), ())


def test_words_beside_a_version_are_not_part_of_the_pin() -> None:
    line = "      - uses: a/b@{} # {}\n"
    merged = merge_text(
        line.format(SHA_A, "v1.0.0"), line.format(SHA_B, "v1.1.0"), line.format(SHA_C, "v1.2.0 as we need X")
    )
    assert (merged.text, merged.conflicts) == (line.format(SHA_C, "v1.2.0 as we need X"), ())


def test_a_given_up_digest_is_reported() -> None:
    line = "FROM python:{}\n".format
    (pin,) = merge_text(line(f"3.12@{A}"), line("3.14"), line(f"3.13@{B}")).pins
    assert pin.loosened
    (pin,) = merge_text(line(f"3.12@{A}"), line(f"3.14@{C}"), line(f"3.13@{B}")).pins
    assert not pin.loosened
    (pin,) = merge_text(line(f"3.12@{A}"), line("3.13"), line(f"3.14@{B}")).pins
    assert not pin.loosened


LABELED = """\
ARG PYTHON_IMAGE=python:{tag}@{digest}
FROM ${{PYTHON_IMAGE}}
LABEL org.opencontainers.image.base.name="python:{name}" \\
      org.opencontainers.image.base.digest="{label}"
"""


def _labeled(tag: str, digest: str, name: str | None = None, label: str | None = None) -> str:
    return LABELED.format(tag=tag, digest=digest, name=name or tag, label=label or digest)


@pytest.mark.parametrize(
    ("old", "new", "mine", "wanted"),
    [
        (_labeled("3.12", A), _labeled("3.14", B), _labeled("3.13", C), _labeled("3.14", B)),
        (_labeled("3.12", A), _labeled("3.13", B), _labeled("3.14", C), _labeled("3.14", C)),
        (_labeled("3.12", A), _labeled("3.12", B), _labeled("3.12", C), _labeled("3.12", C)),
        # The bot does not know labels, so the update changes them.
        (_labeled("3.12", A), _labeled("3.13", B), _labeled("3.14", C, "3.12", A), _labeled("3.14", C)),
        (_labeled("3.12", A), _labeled("3.12", B), _labeled("3.12", C, "3.12", A), _labeled("3.12", C)),
    ],
)
def test_a_label_says_what_the_build_reads(old: str, new: str, mine: str, wanted: str) -> None:
    merged = merge_text(old, new, mine)
    assert (merged.text, merged.conflicts) == (wanted, ())


def test_the_answers_file_s_digests_are_pins() -> None:
    text = "digests:\n    python:{}: {}\n    ghcr.io/astral-sh/uv:0.13.9: {}\n".format
    merged = merge_text(text("3.13", A, A), text("3.13", B, B), text("3.13", C, A))
    assert (merged.text, merged.conflicts) == (text("3.13", C, B), ())


@pytest.mark.slow
def test_what_the_bot_moved_in_a_rendered_image_stands_when_the_template_moves_too() -> None:
    def tree(digest: str, **more: object) -> dict[str, str]:
        digests = {"python:3.13-slim-trixie": digest, "ghcr.io/astral-sh/uv:0.13.9": digest}
        rendered = by_us(bundled(), "shop", {"digests": digests, **more})
        return {path: file.content.decode() for path, file in rendered.items()}

    old, new, mine = tree(A), tree(B, port=9000), tree(C)
    assert mine["Dockerfile"].count(C) == 3
    for path, text in old.items():
        merged = merge_text(text, new[path], mine[path])
        assert merged.conflicts == ()
        assert merged.text == tree(C, port=9000)[path]


# --- the rest of the file --------------------------------------------------------------------------------------------


def _by_git(old: str, new: str, mine: str, folder: Path) -> tuple[int, str]:
    for name, text in (("mine", mine), ("old", old), ("new", new)):
        (folder / name).write_bytes(text.encode())
    labels = [part for label in LABELS for part in ("-L", label)]
    done = subprocess.run(
        ["git", "merge-file", "-p", *labels, "mine", "old", "new"], cwd=folder, capture_output=True, check=False
    )
    return done.returncode, done.stdout.decode()


_lines = st.lists(st.sampled_from(["a", "b", "c", "", "<<<<<<< x", "======="]), max_size=8)


@given(old=_lines, new=_lines, mine=_lines, end=st.sampled_from(["", "\n"]))
@settings(max_examples=60, deadline=None)
def test_without_pins_it_is_git_s_merge(
    tmp_path_factory: pytest.TempPathFactory, old: list[str], new: list[str], mine: list[str], end: str
) -> None:
    before, after, ours = ("\n".join(lines) + end for lines in (old, new, mine))
    merged = merge_text(before, after, ours)
    if before == after:
        assert merged.text == ours
        return
    count, text = _by_git(before, after, ours, tmp_path_factory.getbasetemp())
    assert (merged.text, len(merged.conflicts), merged.pins) == (text, count, ())
    shown = merged.text.split("\n")
    for conflict in merged.conflicts:
        assert shown[conflict.first - 1] == f"<<<<<<< {LABELS[0]}"
        assert shown[conflict.last - 1] == f">>>>>>> {LABELS[2]}"


def test_conflicts_are_counted_and_placed() -> None:
    old, new, mine = (f"1\n{x}\n2\n3\n4\n5\n{x}\n6\n" for x in ("old", "new", "mine"))
    merged = merge_text(old, new, mine)
    assert merged.conflicts == (Conflict(2, 6), Conflict(11, 15))
    assert merged.text.split("\n")[1:6] == [
        "<<<<<<< before updating",
        "mine",
        "=======",
        "new",
        ">>>>>>> after updating",
    ]


def test_a_repository_around_the_temporary_folder_is_ignored(
    tmp_path: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "merge.conflictStyle", "diff3")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    merged = merge_text("old\n", "new\n", "mine\n")
    assert merged.conflicts == (Conflict(1, 5),)
    assert "|||||||" not in merged.text


_commit = st.sampled_from([SHA_A, SHA_B, SHA_C])
_version = st.sampled_from(["", " # v4", " # v4.1.2", " # v4.1.10", " # v5.0.0-rc.1", " # 5", " # v20260101"])
_action = st.one_of(st.builds("@{}{}".format, _commit, _version), st.sampled_from(["@v4", "@main", "@v4.1.2"]))
_image = st.builds(
    "{}{}".format,
    st.sampled_from(["", ":3.13-slim", ":3.14-slim", ":trixie", ":3.13-alpine", ":20260101"]),
    st.sampled_from(["", f"@{A}", f"@{B}"]),
)
_SKELETON = (
    ("      - uses: actions/checkout{}", _action),
    ("      - uses: actions/checkout{}", _action),
    ("        with: x", None),
    ("      - uses: a/b/c{}", _action),
    ("    image: docker{}", _image),
    ("FROM python{} AS a", _image),
    ("ARG X_IMAGE=ghcr.io/x/y{}", _image),
    ("", None),
    ("      - uses: actions/checkout{}", _action),
)
_pinned = st.tuples(*(st.just("") if values is None else values for _, values in _SKELETON)).map(
    lambda values: "".join(f"{line.format(value)}\n" for (line, _), value in zip(_SKELETON, values, strict=True))
)


@given(old=_pinned, new=_pinned, mine=_pinned)
@settings(max_examples=200, deadline=None)
def test_pins_alone_never_conflict(old: str, new: str, mine: str) -> None:
    merged = merge_text(old, new, mine)
    assert merged.conflicts == ()
    sides = zip(old.splitlines(), new.splitlines(), mine.splitlines(), merged.text.splitlines(), strict=True)
    for was, theirs, ours, got in sides:
        assert got in (theirs, ours)
        if was == theirs:
            assert got == ours
        elif was == ours:
            assert got == theirs


@given(old=_pinned, new=_pinned, mine=_pinned)
@settings(max_examples=40, deadline=None)
def test_pins_do_not_hide_other_changes(old: str, new: str, mine: str) -> None:
    merged = merge_text(old, new.replace("with: x", "with: template"), "# Mine.\n" + mine)
    assert merged.conflicts == ()
    assert merged.text.startswith("# Mine.\n")
    assert "with: template" in merged.text


# --- line ends -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", ""])
def test_the_repository_s_line_ends_and_mark_stay(mark: str, end: str) -> None:
    body = "a\n      - uses: a/b@{} # {}\nb\nc\nd"
    old, new = body.format(SHA_A, "v1.0.0") + end, body.format(SHA_B, "v1.1.0").replace("d", "template") + end
    mine = mark + (body.format(SHA_C, "v1.2.0").replace("a\n", "mine\n") + end).replace("\n", "\r\n")
    merged = merge_text(old, new, mine)
    wanted = body.format(SHA_C, "v1.2.0").replace("a\n", "mine\n").replace("d", "template") + end
    assert (merged.text, merged.conflicts) == (mark + wanted.replace("\n", "\r\n"), ())
    assert merge_text(old, old, mine).text == mine


def test_mixed_line_ends_are_left_to_git() -> None:
    merged = merge_text("a\nb\nc\n", "a\nb\nnew\n", "a\r\nb\nc\n")
    assert merged.text == "a\r\nb\nnew\n"


def test_bytes_that_are_not_utf_8_are_preserved() -> None:
    mine = b"caf\xe9\nb\nc\nd\n".decode(errors="surrogateescape")
    merged = merge_text("x\nb\nc\nd\n", "x\nb\nc\nnew\n", mine)
    assert merged.text.encode(errors="surrogateescape") == b"caf\xe9\nb\nc\nnew\n"


def test_thousands_of_lines_are_merged_in_a_moment() -> None:
    text = "x\n" * 20_000
    merged = merge_text(text + "FROM a:1\n", text + "FROM a:3\n", text + "FROM a:2\n")
    assert merged.text == text + "FROM a:3\n"


@pytest.mark.parametrize(
    ("one", "other", "wanted"),
    [
        ("v4.1.10", "v4.1.9", 1),
        ("3.13-slim", "3.14-slim", -1),
        ("v4", "4", 0),
        ("v4", "v4.1", None),
        ("v5", "v4.1", 1),
        ("trixie", "trixie", 0),
        ("trixie", "forky", None),
        ("1.0.0", "1.0.0-rc1", None),
        ("", "", None),
        ("9" * 5000, "1", None),
    ],
)
def test_versions_are_compared_where_they_can_be(one: str, other: str, wanted: int | None) -> None:
    assert compare(one, other) == wanted
    assert compare(other, one) == (-wanted if wanted else wanted)
