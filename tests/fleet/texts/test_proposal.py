from __future__ import annotations

import re
from dataclasses import replace

import pytest
from tests.fleet.test_markup import CLOSES, PARSER, _reaches_nobody
from tests.fleet.texts.updates import HOSTILE, clean, hostile, template, upgrade

from dockertpl.fleet.texts.marker import Marker, read
from dockertpl.fleet.texts.parts import LIMIT
from dockertpl.fleet.texts.proposal import body, commit_message, title
from dockertpl.merge.update import Step
from dockertpl.template.tree import File

CHANGELOG = "## 2.0.0 - 2026-01-01\n\n### Added\n- A port. [How](docs/port.md)"
VERIFIED = {"healthy": True, "build_seconds": 3.21, "ready_seconds": 0.4, "image_bytes": 12_345_678, "error": None}


def test_it_says_what_it_is_and_ends_with_its_marker() -> None:
    text = body(upgrade(), "app", digest="abc")
    assert text.startswith(
        "This updates image `app` (`.copier-answers.yml`) from `v1.0.0` to `v2.0.0` of "
        "[`template`](<https://github.com/org/template>).\n\n"
    )
    assert text.endswith("\n<!-- dockertpl:fleet .copier-answers.yml v2.0.0 abc -->\n")
    assert read(text) == Marker(".copier-answers.yml", "v2.0.0", "abc")
    assert "```sh\ndockertpl update --to v2.0.0\n```" in text


def test_it_starts_with_what_needs_a_review() -> None:
    head = body(upgrade(), "app", digest="abc").split("\n## ")[0]
    assert "- The template no longer accepts `flavor` = `alpine` \\(it is gone\\). It is now `slim`." in head
    rest = "The template's lines are in `Dockerfile.rej`: apply what you need, then delete it."
    assert f"- `Dockerfile` conflicts in lines 7-8. {rest}\n" in head
    assert "- `gone.txt` was edited here and is no longer in the template; it stays, and is yours now." in head
    assert "was replaced by `:25`, which has no digest." in head
    assert "- A flavor is gone." in head


def test_it_describes_the_effect_on_answers_files_and_pins() -> None:
    text = body(upgrade(), "app", digest="abc")
    assert "\n- new: `port` = `8000`\n- removed: `server`, was `gunicorn`\n- reset: `flavor` = `slim`" in text
    assert (
        "\n| <code>Dockerfile</code> | conflict |  |\n| <code>gone.txt</code> | your version stays | was edited" in text
    )
    assert "\n| <code>merged.txt</code> | merged with your edits |  |\n| <code>new.txt</code> | new |  |\n" in text
    assert "\n- `python` at `:3.14` in `merged.txt` stays. The template has `:3.13`.\n" in text


def test_the_difference_is_folded() -> None:
    text = body(upgrade(), "app", digest="abc")
    assert "<details>\n<summary>Diff</summary>\n\n```diff\ndiff --git a/Dockerfile b/Dockerfile\n" in text
    assert "+++ b/new.txt" in text
    assert "<<<<<<<" not in text


def test_the_changelog_is_shown_as_it_is_with_a_link_to_all_of_it() -> None:
    text = body(upgrade(), "app", digest="abc", changelog=CHANGELOG)
    assert (
        f"\n## What's new\n\n```markdown\n{CHANGELOG}\n```\n\n"
        "From [the template's CHANGELOG.md](<https://github.com/org/template/blob/v2.0.0/CHANGELOG.md>).\n\n"
        "## Answers\n" in text
    )


@pytest.mark.parametrize(
    "line", ["@org/team", "fixes #1", "Closes: org/app#3", "/close", "```", "</details>", "&#64;bob"]
)
def test_a_changelog_notifies_no_one_and_closes_nothing(line: str) -> None:
    text = body(upgrade(), "app", digest="abc", changelog=f"## 2.0.0\n\n- {line}\n\n{line}\n")
    _reaches_nobody(text)
    assert [one.content for one in PARSER.parse(text) if one.type == "fence" and one.info == "markdown"] != []
    assert re.findall("<h2>.*", PARSER.render(text))[-1] == "<h2>Update by hand</h2>"


def test_what_verify_found_is_said_if_there_is_any() -> None:
    text = body(clean(), "app", digest="abc", verified=VERIFIED)
    assert "- built in 3.2 s\n- ready 0.40 s after the start\n- 12,345,678 bytes\n- healthy\n" in text
    failed = body(clean(), "app", digest="abc", verified={"healthy": False, "error": {"message": "It did not build."}})
    assert "- **Failed:** It did not build." in failed
    assert "- healthy" not in failed
    assert "## Verified" not in body(clean(), "app", digest="abc")


def test_where_there_is_nothing_to_say_there_is_no_heading() -> None:
    text = body(clean(), "app", digest="abc")
    assert re.findall("^## .*", text, re.MULTILINE) == ["## Files", "## Update by hand"]
    assert "Check before you merge" not in text


@pytest.mark.parametrize("make", [upgrade, clean])
def test_no_stray_blank_lines(make: type) -> None:
    text = body(make(), "app", digest="abc", changelog=CHANGELOG, verified=VERIFIED)
    assert "\n\n\n" not in text
    assert not re.search(r"[ \t]$", text.split("<details>")[0], re.MULTILINE)


def test_the_same_update_has_the_same_text() -> None:
    assert body(upgrade(), "app", digest="a") == body(upgrade(), "app", digest="a")


def test_nothing_shows_the_template_s_password() -> None:
    for text in (body(upgrade(), "app", digest="a"), commit_message(upgrade(), "app"), title(upgrade(), "app")):
        assert "secret" not in text
        assert "robot" not in text


def test_another_answers_file_is_named_for_the_shell() -> None:
    other = replace(upgrade(), answers_file=".copier-answers.my app.yml")
    assert "dockertpl update --answers-file '.copier-answers.my app.yml' --to v2.0.0\n" in body(other, "a", digest="a")


@pytest.mark.slow
@pytest.mark.parametrize("character", ["x", "`", "<", "@a ", "\x1b", "é", "|", "fixes #1 "])
def test_it_is_never_longer_than_a_forge_takes(character: str) -> None:
    large = File(content="".join(f"{character * 300}{number}\n" for number in range(3_000)).encode())
    many = [
        Step(path=f"{character * 90}{number}", outcome="created", old=None, new=large, note=character * 600)
        for number in range(300)
    ]
    long = replace(upgrade(), steps=tuple(many), warnings=(character * 9_000,) * 300)
    news = "## 2.0.0\n" + f"- {character * 200}\n" * 2_000
    text = body(long, character * 900, digest="abc", changelog=news)
    assert LIMIT / 3 < len(text.encode()) <= LIMIT < 65_536
    assert read(text) == Marker(".copier-answers.yml", "v2.0.0", "abc")
    assert text.count("<details>") == text.count("</details>")
    assert "more |" in text
    assert "The rest is in [the template's CHANGELOG.md](<" in text


def test_a_difference_that_is_cut_says_so() -> None:
    large = File(content="".join(f"line {number}\n" for number in range(20_000)).encode())
    text = body(replace(clean(), steps=(Step(path="a", outcome="created", old=None, new=large),)), "app", digest="abc")
    assert "\n```\n\nThe diff is too long to show here. See the files of this pull request.\n\n</details>\n" in text
    assert len(text.encode()) > LIMIT * 0.9


def test_hostile_text_stays_in_its_place_and_notifies_no_one() -> None:
    text = body(hostile(), HOSTILE, digest=HOSTILE, changelog=HOSTILE, verified={"error": {"message": HOSTILE}})
    _reaches_nobody(text)
    html = PARSER.render(text)
    assert html.count("<details>") == html.count("</details>") == 1
    assert re.findall("<h[12]>.*", html)[-1] == "<h2>Update by hand</h2>"
    assert read(text) == Marker(HOSTILE, HOSTILE, HOSTILE)


def test_titles_and_messages_are_of_harmless_words() -> None:
    assert title(upgrade(), "app") == "Update image app to template v2.0.0"
    assert title(upgrade(order="older"), "app") == "Downgrade image app to template v2.0.0"
    assert title(upgrade(order="same"), "app") == "Render image app again with template v2.0.0"
    assert commit_message(upgrade(), "app") == (
        "Update image app to template v2.0.0\n\n"
        "From v1.0.0 to v2.0.0 of https://github.com/org/template.git\n"
        "Answers file: .copier-answers.yml\n"
    )
    for text in (title(hostile(), HOSTILE), commit_message(hostile(), HOSTILE)):
        text.encode()
        assert not re.search(r"[@#\x1b`<]", text)
        assert not CLOSES.search(text)
    assert "\n" not in title(hostile(), HOSTILE)


def test_a_version_without_a_name_needs_none() -> None:
    unnamed = replace(upgrade(), pair=replace(upgrade().pair, new=template(None)))
    text = body(unnamed, "app", digest="abc")
    assert "```sh\ndockertpl update\n```" in text
    assert read(text) == Marker(".copier-answers.yml", "", "abc")
