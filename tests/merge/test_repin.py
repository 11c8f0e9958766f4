from __future__ import annotations

import pytest
import yaml

from dockertpl.errors import BadInputError
from dockertpl.merge.repin import with_base_digest, with_digests

OLD, NEW = ("sha256:" + 64 * letter for letter in "ab")
LABEL = 'LABEL title="x" \\\n      org.opencontainers.image.base.name="python:3" \\\n'
DIGEST = '      org.opencontainers.image.base.digest="{}" \\\n'
END = '      y="z"\n'


# --- the label -------------------------------------------------------------------------------------------------------


def test_a_label_that_is_there_is_moved() -> None:
    text = LABEL + DIGEST.format(OLD) + END
    assert with_base_digest(text, "python:3", NEW, "") == LABEL + DIGEST.format(NEW) + END
    bare = f"LABEL org.opencontainers.image.base.name=python:3 org.opencontainers.image.base.digest={OLD}\n"
    assert with_base_digest(bare, "python:3", NEW, "") == bare.replace(OLD, NEW)


@pytest.mark.parametrize("image", ["python", "python:30", "debian:1", "x/python:3"])
def test_another_image_s_label_is_left(image: str) -> None:
    text = LABEL + DIGEST.format(OLD) + END
    assert with_base_digest(text, image, NEW, text) == text


def test_of_two_bases_with_labels_none_is_guessed() -> None:
    text = LABEL + DIGEST.format(OLD) + END + LABEL.replace("python:3", "debian:1") + DIGEST.format(OLD) + END
    assert with_base_digest(text, "python:3", NEW, "") == text


def test_a_label_that_is_missing_comes_from_the_rendering() -> None:
    rendered = LABEL + DIGEST.format(NEW) + 'other="1"\n'
    assert (
        with_base_digest("# mine\n" + LABEL + END, "python:3", NEW, rendered)
        == "# mine\n" + LABEL + DIGEST.format(NEW) + END
    )
    assert with_base_digest(LABEL + END, "python:3", NEW, "") == LABEL + END
    for edited in (LABEL.replace("      ", "  ") + END, 2 * (LABEL + END)):
        assert with_base_digest(edited, "python:3", NEW, rendered) == edited


# --- the answers file ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "# mine\na: 1\ndigests: {}\nb: 2  # mine\n",
        f"digests:\n    python:3: {OLD}\n    x:1: {OLD}  # mine\n\n# about b\nb: 2\n",
        f"b: 2\ndigests:\n  python:3: {OLD}\n",
        f"b: 2\ndigests: {{'python:3': '{OLD}'}}",
        "digests:\nb: 2\n",
        "b: 2\n",
        "b: 2",
        f"b: |\n  digests:\n    python:3: {OLD}\ndigests: {{}}\n",
        f'"digests":\r\n    "python:3": "{OLD}"\r\nb: 2\r\n',
    ],
)
def test_the_digests_change_and_nothing_else(text: str) -> None:
    changed = with_digests(text, {"python:3": NEW}, "f")
    assert yaml.safe_load(changed) == {**yaml.safe_load(text), "digests": {"python:3": NEW}}
    for line in text.splitlines(keepends=True):
        if "digests" not in line and "python:3" not in line and OLD not in line:
            assert line in changed
    assert changed.count("# mine") == text.count("# mine")


def test_what_comes_out_reads_as_a_rendering_does() -> None:
    changed = with_digests("a: 1\ndigests: {}\nb: 2\n", {"x:1": NEW, "ghcr.io/a/b:2": OLD}, "f")
    assert changed == f"a: 1\ndigests:\n    ghcr.io/a/b:2: {OLD}\n    x:1: {NEW}\nb: 2\n"


@pytest.mark.parametrize(
    "text",
    [
        "{a: 1, digests: {}, b: 2}\n",
        "- digests\n",
        "a: [\n",
        "digests: &d {}\nb: *d\n",
        "",
        "digests: {}\ndigests: {}\n",
    ],
)
def test_digests_that_cannot_be_edited_in_place_are_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="digests in f cannot be edited in place") as caught:
        with_digests(text, {"python:3": NEW}, "f")
    assert NEW in caught.value.remedy
