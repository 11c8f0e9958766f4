from __future__ import annotations

import pytest

from dockertpl.fleet.texts.marker import Marker, read, start


@pytest.mark.parametrize(
    "marker",
    [
        Marker(".copier-answers.yml", "v1.2.0", "0123abcd"),
        Marker("answers of --> <b>\n.yml", "v1 -- 2", ""),
        Marker("-", "", "-"),
        Marker("naïve/日本語.yml", "%2D", "a"),
    ],
)
def test_what_is_written_is_read_back(marker: Marker) -> None:
    line = marker.line()
    assert "\n" not in line
    assert line.count("-->") == 1
    assert "--" not in line.removeprefix("<!--").removesuffix("-->")
    assert read(f"text\n\n{line}\n") == marker
    assert read(f"text\r\n\r\n{line}\r\nMore of a person's.\r\n") == marker
    assert line.startswith(start(marker.answers_file))


def test_the_last_one_counts_and_one_within_a_line_does_not() -> None:
    first, last = Marker("a", "1", "x"), Marker("b", "2", "y")
    assert read(f"{first.line()}\n{last.line()}\n") == last
    assert read(f"> {first.line()}") is None
    assert read("") is None


def test_one_image_s_line_does_not_start_as_another_s() -> None:
    assert not Marker("a.yml.yml", "1", "x").line().startswith(start("a.yml"))
