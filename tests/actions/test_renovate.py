from __future__ import annotations

import json
import re
from typing import Any

import json5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dockertpl.actions import renovate
from dockertpl.actions.edit import NotEditableError
from dockertpl.template.tree import File

PRESET = "github>org/dockertpl"


def _extended(text: str) -> str:
    """Return the configuration with the preset. Check that a second run changes nothing."""
    done = renovate.extend(File(content=text.encode()), PRESET)
    assert renovate.extend(done, PRESET) == done
    return done.content.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # A list on one line, and on several.
        ('{"extends": ["a"]}', f'{{"extends": ["a", "{PRESET}"]}}'),
        ('{"extends": ["a",]}', f'{{"extends": ["a", "{PRESET}",]}}'),
        ('{"extends": [ "a" ]}\n', f'{{"extends": [ "a", "{PRESET}" ]}}\n'),
        ('{\n  "extends": [\n    "a"\n  ]\n}\n', f'{{\n  "extends": [\n    "a",\n    "{PRESET}"\n  ]\n}}\n'),
        ('{\n  "extends": [\n    "a",\n  ],\n}\n', f'{{\n  "extends": [\n    "a",\n    "{PRESET}",\n  ],\n}}\n'),
        (
            '{\n\t"extends": [\n\t\t"a",\n\t\t"b"\n\t]\n}',
            f'{{\n\t"extends": [\n\t\t"a",\n\t\t"b",\n\t\t"{PRESET}"\n\t]\n}}',
        ),
        ('{"extends": [\n  "a"]}', f'{{"extends": [\n  "a",\n  "{PRESET}"]}}'),
        # Comments stay with the lines that they explain.
        (
            "{\n  // Ours.\n  extends: [\n    'a', // Why a.\n    'b' // Why b.\n    // The end.\n  ],\n}\n",
            "{\n  // Ours.\n  extends: [\n    'a', // Why a.\n    'b', // Why b.\n"
            f"    '{PRESET}'\n    // The end.\n  ],\n}}\n",
        ),
        ('{"extends": ["a" /* , ] */]}', f'{{"extends": ["a", "{PRESET}" /* , ] */]}}'),
        ('{\n  "extends": [ // none\n  ]\n}', f'{{\n  "extends": ["{PRESET}" // none\n  ]\n}}'),
        # Not a list, or a list without a name.
        ('{"extends": []}', f'{{"extends": ["{PRESET}"]}}'),
        ('{"extends": "a"}', f'{{"extends": ["a", "{PRESET}"]}}'),
        ('{"extends": ""}', f'{{"extends": ["{PRESET}"]}}'),
        # No `extends`.
        ("{}", f'{{\n  "extends": ["{PRESET}"]\n}}'),
        ("{\n}\n", f'{{\n  "extends": ["{PRESET}"]\n}}\n'),
        ("{\n  // Nothing.\n}\n", f'{{\n  "extends": ["{PRESET}"]\n  // Nothing.\n}}\n'),
        ('{"a": 1}', f'{{"extends": ["{PRESET}"], "a": 1}}'),
        ('{\n    "a": 1\n}', f'{{\n    "extends": ["{PRESET}"],\n    "a": 1\n}}'),
        ("{\n  // Of a.\n  a: 'x',\n}", f"{{\n  extends: ['{PRESET}'],\n  // Of a.\n  a: 'x',\n}}"),
        ('{"$schema": "s"}', f'{{"$schema": "s", "extends": ["{PRESET}"]}}'),
        ('{"$schema": "s", "a": 1}', f'{{"$schema": "s", "extends": ["{PRESET}"], "a": 1}}'),
        (
            '{\n  "$schema": "s", // S.\n  // Of a.\n  "a": 1\n}',
            f'{{\n  "$schema": "s", // S.\n  "extends": ["{PRESET}"],\n  // Of a.\n  "a": 1\n}}',
        ),
        ('{\n  "$schema": "s"\n}\n', f'{{\n  "$schema": "s",\n  "extends": ["{PRESET}"]\n}}\n'),
        # Only looks like `extends`.
        (
            '{"x": {"extends": ["n"]}, "y": "extends: [", "extends": ["a"]}',
            f'{{"x": {{"extends": ["n"]}}, "y": "extends: [", "extends": ["a", "{PRESET}"]}}',
        ),
        ('{"extends": ["a\\"]", "github>org/other"]}', f'{{"extends": ["a\\"]", "github>org/other", "{PRESET}"]}}'),
        ('{"extends": ["github>org/dockertpl-x"]}', f'{{"extends": ["github>org/dockertpl-x", "{PRESET}"]}}'),
        ('{"\\u0065xtends": ["a"]}', f'{{"\\u0065xtends": ["a", "{PRESET}"]}}'),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_preset_is_added_and_nothing_else_changes(before: str, after: str, end: str, mark: str) -> None:
    before, after = before.replace("\n", end), after.replace("\n", end)
    if not re.search(r"[\r\n]", before) and re.search(r"[\r\n]", after):
        after = after.replace("\r\n", "\n")
    assert _extended(mark + before) == mark + after


@pytest.mark.parametrize(
    "item",
    [
        PRESET,
        f"{PRESET}#v1.2.0",
        f"{PRESET}//default",
        f"{PRESET}:default",
        f"{PRESET}(x)",
        "github>fork/dockertpl",
        "gitlab>group/sub/dockertpl#v1",
        "local>platform/dockertpl",
    ],
)
def test_a_preset_that_is_there_in_any_form_is_enough(item: str) -> None:
    file = File(content=json.dumps({"extends": ["a", item, "b"]}).encode())
    assert renovate.extend(file, PRESET) is file
    file = File(content=json.dumps({"extends": item}).encode())
    assert renovate.extend(file, PRESET) is file


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not valid JSON"),
        ("{", "is not valid JSON"),
        ('{"a": 1', "is not valid JSON"),
        ("a: b", "is not valid JSON"),
        ("[]", "does not contain an object"),
        ('"x"', "does not contain an object"),
        ('{"extends": null}', "is not a list of names"),
        ('{"extends": {"a": 1}}', "is not a list of names"),
        ('{"extends": [["a"]]}', "is not a list of names"),
        ('{"extends": ["a"], "extends": ["b"]}', "has a duplicate key"),
        ("{\\u0065xtends: []}", "with certainty"),
        ("[" * 5000, "nested too deeply"),
        ('{"a":' * 900 + "1" + "}" * 900, ""),
    ],
)
def test_what_cannot_be_edited_is_refused_or_right(text: str, reason: str) -> None:
    try:
        done = _extended(text)
    except NotEditableError as error:
        assert reason in str(error)
        assert "\n" not in str(error)
    else:
        assert reason == ""
        assert json.loads(done)["extends"] == [PRESET]


def test_a_new_configuration_keeps_renovate_s_recommendations() -> None:
    file = renovate.config(PRESET)
    assert json.loads(file.content)["extends"] == ["config:recommended", PRESET]
    assert renovate.extend(file, PRESET) is file


def test_an_executable_configuration_stays_one() -> None:
    assert renovate.extend(File(content=b"{}", executable=True), PRESET).executable


_blank = st.sampled_from(["", " ", "\n", "\n  ", "\t", " // c ] }\n", '/* , " */', "\r\n    "])
_scalar = st.sampled_from(
    ['"a"', "'b'", "1", "true", "null", '"extends"', "'\\''", '"\\\\"', "[]", "{}", "[1, 2,]", "{x: [']']}"]
)
_key = st.sampled_from(["a", '"b"', "'c'", '"$schema"', "$schema"])


@st.composite
def _configs(draw: st.DrawFn) -> str:
    """Draw an object in any layout, with or without an `extends`."""
    members = [(draw(_key), draw(_scalar)) for _ in range(draw(st.integers(0, 3)))]
    members = list({key.strip("\"'"): (key, value) for key, value in members}.values())
    if draw(st.booleans()):
        names = [draw(st.sampled_from(['"a"', "'b'", '"c]"'])) for _ in range(draw(st.integers(0, 3)))]
        value = "".join(f"{draw(_blank)}{name}{draw(_blank)}," for name in names)
        value = value if draw(st.booleans()) else value.removesuffix(",")
        key = draw(st.sampled_from(["extends", '"extends"', "'extends'"]))
        members.insert(draw(st.integers(0, len(members))), (key, f"[{value}{draw(_blank)}]"))
    text = "".join(f"{draw(_blank)}{key}{draw(_blank)}:{draw(_blank)}{value}{draw(_blank)}," for key, value in members)
    text = text if draw(st.booleans()) else text.removesuffix(",")
    return f"{draw(_blank)}{{{text}{draw(_blank)}}}{draw(_blank)}"


@given(text=_configs())
@settings(max_examples=100, deadline=None)
def test_any_layout_is_edited_by_insertion_alone(text: str) -> None:
    before: Any = json5.loads(text)
    done = _extended(text)
    after: Any = json5.loads(done)
    assert after == {**before, "extends": [*before.get("extends", []), PRESET]}
    assert [key for key in after if key != "extends"] == [key for key in before if key != "extends"]
    rest = iter(done)
    assert all(character in rest for character in text)
