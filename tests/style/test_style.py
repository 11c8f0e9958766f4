from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from tests.style import rules
from tests.style.texts import ROOT, Kind, Text, sentences, texts, words


@pytest.fixture(scope="module")
def found() -> Sequence[Text]:
    """Every text of the repository. There are thousands, so a reader of texts that finds none is noticed."""
    every = list(texts())
    counts = {kind: sum(text.kind == kind for text in every) for kind in ("docs", "messages", "rendered", "comments")}
    assert counts["docs"] > 1_000
    assert counts["messages"] > 1_500
    assert counts["rendered"] > 100
    assert counts["comments"] > 5_000
    return every


def test_no_text_has_a_phrase_that_reads_as_translated(found: Sequence[Text]) -> None:
    assert list(map(str, rules.wording(found))) == []


def test_no_sentence_is_too_long(found: Sequence[Text]) -> None:
    assert list(map(str, rules.long_sentences(found))) == []


@pytest.mark.parametrize("kind", ["docs", "messages", "rendered", "comments"])
def test_half_of_the_sentences_are_short(found: Sequence[Text], kind: Kind) -> None:
    assert 0 < rules.median(text for text in found if text.kind == kind) <= rules.MEDIAN_WORDS


def test_prose_in_markdown_is_wrapped(found: Sequence[Text]) -> None:
    pages = sorted({text.path for text in found if text.path.endswith(".md")})
    assert list(map(str, rules.long_lines(pages))) == []


def test_the_page_lists_the_same_phrases() -> None:
    rows = re.findall(r"^\| `(.*)` \| (.*) \|$", (ROOT / "docs" / "style.md").read_text(), re.MULTILINE)
    assert rows == [(phrase.shown, phrase.say) for phrase in rules.phrases()]


@pytest.mark.parametrize("phrase", rules.phrases(), ids=lambda phrase: phrase.shown)
def test_each_phrase_is_found_where_the_page_shows_it(phrase: rules.Phrase) -> None:
    old = re.split(r", (?=[\w-]+)", phrase.shown)[0].replace("is no X", "is no image").replace("X alone", "that alone")
    old = {"-ise": "optimise", "in the way": "is in the way", "will not do": "It will not do."}.get(old, old)
    messages = [Text("a.py", 1, "messages", old)]
    assert len(list(rules.wording(messages))) >= 1
    assert list(rules.wording([Text("a.py", 1, "messages", f"`{old}`")])) == []


def test_a_sentence_ends_where_the_next_begins() -> None:
    assert sentences("Run `make test` first. It takes a minute, e.g. on CI. Read on!") == [
        "Run `make test` first.",
        "It takes a minute, e.g. on CI.",
    ]
    assert len(words("Run `make test now` and don't wait 2.5 seconds")) == 7
