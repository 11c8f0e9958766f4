from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.renderings import rendered

from dockertpl.errors import RegionError
from dockertpl.merge import regions
from dockertpl.merge.pins import merge_text

PLAIN = """\
FROM debian AS build
# >>> custom: build - what the build needs
# <<< custom: build
FROM scratch
# >>> custom: image - RUN and COPY
# <<< custom: image
"""
FILLED = PLAIN.replace("needs\n", "needs\nRUN make\n\n# why\nCOPY a b\n")


def test_each_region_is_found_with_its_content() -> None:
    assert regions.find(PLAIN) == {"build": "", "image": ""}
    assert regions.find(FILLED) == {"build": "RUN make\n\n# why\nCOPY a b\n", "image": ""}
    assert regions.find("FROM scratch\n") == {}


def test_the_heading_that_tells_of_regions_is_none() -> None:
    assert regions.find("# Add your own lines between the `custom` markers; updates keep them.\n" + PLAIN).keys() == {
        "build",
        "image",
    }


def test_marks_may_be_indented_as_yaml_is() -> None:
    text = "steps:\n      # >>> custom: steps - what\n      - run: make\n      # <<< custom: steps"
    assert regions.find(text) == {"steps": "      - run: make\n"}


def test_filling_puts_lines_between_the_marks_and_ends_the_last_one() -> None:
    assert regions.fill(PLAIN, {"build": "RUN make\n\n# why\nCOPY a b"}) == FILLED
    assert regions.fill(FILLED, {"build": ""}) == PLAIN
    assert regions.fill(FILLED, {}) == FILLED


def test_the_text_s_line_ends_are_taken_on() -> None:
    windows = PLAIN.replace("\n", "\r\n")
    filled = regions.fill(windows, {"image": "RUN one\nRUN two"})
    assert filled == windows.replace("and COPY\r\n", "and COPY\r\nRUN one\r\nRUN two\r\n")
    assert regions.find(filled)["image"] == "RUN one\r\nRUN two\r\n"
    mixed = PLAIN.replace("\n", "\r\n", 1)
    assert regions.fill(mixed, {"image": "RUN one"}) == mixed.replace("and COPY\n", "and COPY\nRUN one\n")
    assert regions.fill(PLAIN, {"image": "RUN one\r\n"}) == PLAIN.replace("and COPY\n", "and COPY\nRUN one\n")


@pytest.mark.parametrize(
    ("text", "said", "line"),
    [
        ("# >>> custom: a - x\n", "Line 1 begins the region a, and no line ends it.", 1),
        ("\n# <<< custom: a\n", "Line 2 ends the region a, and none had begun.", 2),
        ("# >>> custom: a\n# <<< custom: b\n", "Line 2 ends the region b, and line 1 began a.", 2),
        ("# >>> custom: a\n# >>> custom: b\n", "Line 2 begins the region b inside a of line 1.", 2),
        (
            "# >>> custom: a\n# <<< custom: a\n\n# >>> custom: a\n# <<< custom: a\n",
            "Line 4 begins the region a a second time, after line 1.",
            4,
        ),
        ("# >>> custom: a\n#<<< custom: a\n", "Line 2 is not a valid region marker: #<<< custom: a", 2),
        ("# >>> custom\n", "Line 1 is not a valid region marker: # >>> custom", 1),
        ("# >>> Yours: a\n", "Line 1 is not a valid region marker: # >>> Yours: a", 1),
    ],
)
def test_marks_at_fault_are_named_with_their_line(text: str, said: str, line: int) -> None:
    with pytest.raises(RegionError) as raised:
        regions.find(text)
    assert (raised.value.message, raised.value.data["line"]) == (said, line)
    assert raised.value.remedy


def test_a_region_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(RegionError, match="no region runtime"):
        regions.fill(PLAIN, {"runtime": "RUN make\n"})
    with pytest.raises(RegionError, match="Its regions are: none"):
        regions.fill("FROM scratch\n", {"runtime": ""})


@pytest.mark.parametrize("mark", ["# <<< custom: build", "  # >>> custom: other - x", "#>>>custom", "# >>> CUSTOM: x"])
def test_no_line_that_looks_like_a_mark_gets_in(mark: str) -> None:
    with pytest.raises(RegionError, match="Line 2 of the content for the region build looks like a marker") as raised:
        regions.fill(PLAIN, {"build": f"RUN make\n{mark}\n"})
    assert raised.value.data == {"region": "build", "line": 2}


def test_what_stands_in_another_version_is_shared_line_ends_and_all() -> None:
    contents = {"build": "RUN make\r\n", "another": "RUN gone\n"}
    assert regions.share(PLAIN, contents) == PLAIN.replace("needs\n", "needs\nRUN make\r\n")


def test_a_new_version_keeps_the_content_of_the_old_one() -> None:
    new = PLAIN.replace("debian", "ubuntu").replace("RUN and COPY", "other words")
    assert regions.carry(FILLED, new) == (FILLED.replace("debian", "ubuntu").replace("RUN and COPY", "other words"), {})


def test_what_has_no_region_any_more_is_handed_back() -> None:
    old = regions.fill(FILLED, {"image": "LABEL a=b\n"})
    new = "# >>> custom: image - x\n# <<< custom: image\n# >>> custom: runtime - new\n# <<< custom: runtime\n"
    text, lost = regions.carry(old, new)
    assert regions.find(text) == {"image": "LABEL a=b\n", "runtime": ""}
    assert lost == {"build": "RUN make\n\n# why\nCOPY a b\n"}


def test_an_empty_region_loses_nothing() -> None:
    assert regions.carry(regions.fill(PLAIN, {"build": "\n  \n"}), "FROM scratch\n") == ("FROM scratch\n", {})


# --- any content -----------------------------------------------------------------------------------------------------

_LINE = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=30).filter(
    lambda line: not re.match(r"\s*#\s*(?:>>>|<<<)\s*custom\b", line, re.IGNORECASE)
)
_LINES = st.lists(_LINE, max_size=5)
_CONTENTS = st.fixed_dictionaries({"build": _LINES, "image": _LINES}).map(
    lambda found: {name: "".join(f"{line}\n" for line in lines) for name, lines in found.items()}
)


@given(contents=_CONTENTS, windows=st.booleans())
def test_what_is_filled_in_is_found_and_takes_nothing_else_along(contents: Mapping[str, str], windows: bool) -> None:
    text = PLAIN.replace("\n", "\r\n") if windows else PLAIN
    filled = regions.fill(text, contents)
    ends = {name: content.replace("\n", "\r\n") if windows else content for name, content in contents.items()}
    assert regions.find(filled) == ends
    assert regions.fill(filled, regions.find(filled)) == filled
    assert regions.fill(filled, dict.fromkeys(contents, "")) == text
    assert regions.carry(filled, text) == (filled, {})


_PIECES = st.sampled_from(["# >>> custom: a", "# <<< custom: a", " - x", "\n", "\r\n", "\r", "y", "#", "\v"])


@given(pieces=st.lists(_PIECES))
def test_a_text_filled_with_what_it_has_stays_as_it_is(pieces: list[str]) -> None:
    text = "".join(pieces)
    try:
        found = regions.find(text)
    except RegionError:
        return
    assert regions.fill(text, found) == text


# --- of the template -------------------------------------------------------------------------------------------------

#: The regions of a Dockerfile by kind: always, and only with `more_regions`.
EXPECTED = {
    "python-fastapi": (["build", "stages", "runtime", "environment", "image"], {"stages", "environment", "image"}),
    "nextjs-standalone": (["build", "code", "runtime", "environment", "image"], {"code", "environment", "image"}),
    "sandbox-multi-runtime": (["runtime", "environment", "image"], {"environment", "image"}),
    "shared-base": (["runtime", "environment"], {"environment"}),
}


@pytest.mark.slow
def test_every_rendering_has_its_regions_empty_and_in_order() -> None:
    for answers, tree in rendered():
        more = answers.values["more_regions"]
        for path, file in tree.items():
            found = regions.find(file.content.decode())
            assert not any(found.values())
            if path.endswith("Dockerfile"):
                names, extra = EXPECTED[str(answers.values["kind"])]
                assert list(found) == [name for name in names if more or name not in extra], path
            elif path.endswith("dockerignore"):
                assert list(found) == ["ignore"] * more, path
            elif path.endswith("-image.yml") and path.startswith(".github/"):
                assert list(found) == (["steps", "pull-request-steps"] if more else []), path
            else:
                assert found == {}, path


def test_the_markers_of_earlier_versions_are_found_and_filled() -> None:
    old = FILLED.replace("custom:", "yours:")
    assert regions.find(old) == regions.find(FILLED)
    assert regions.carry(old, PLAIN) == (FILLED, {})


@pytest.mark.parametrize("kind", EXPECTED)
def test_our_merge_keeps_the_content_of_a_region_whatever_changes_beside_it(kind: str) -> None:
    tree = next(tree for answers, tree in rendered() if answers.values["kind"] == kind)
    for path, file in tree.items():
        old = file.content.decode()
        contents = {name: f"RUN make\n\n# in {name}\nWORKDIR /app\nUSER 10001:10001\n" for name in regions.find(old)}
        rewritten = re.sub(r"(?m)^(?![ ]*# <<< custom).*\n(?=[ ]*# >>> custom)", "# Another.\n", old)
        rewritten = re.sub(r"(?m)(^[ ]*# <<< custom: .*\n)(?:(?![ ]*# >>> custom).*\n)?", r"\1# Another.\n", rewritten)
        merged = merge_text(old, rewritten, regions.fill(old, contents))
        assert merged.conflicts == (), path
        assert merged.text == regions.fill(rewritten, contents), path


def test_a_file_with_regions_says_so_once_near_its_top() -> None:
    heading = "# Add your own lines between the `custom` markers; updates keep them.\n"
    for _, tree in rendered():
        for path, file in tree.items():
            text = file.content.decode()
            assert text.count(heading) == bool(regions.find(text)), path
            assert heading not in text or heading in "".join(text.splitlines(keepends=True)[:4]), path
