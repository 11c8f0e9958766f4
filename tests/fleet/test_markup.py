"""A Markdown parser checks that a hostile text stays in its place and notifies no one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dockertpl.fleet.markup import cell, code, fence, link, plain, web_address

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
#: Texts with a special meaning for Markdown, a forge or a page, on their own and combined.
PIECES = [
    *("`", "``", "```", "```sh", "~~~", "\n", "\n\n", "    ", "  ", "- ", "1. ", "> ", "\\", "|", "[", "](", ")", "!"),
    *("<", ">", "<!-- ", " -->", "<details>", "</details>", "<script>", "&#64;", "&lt;", "*", "_", "***", "---", "==="),
    *("@bob", "@org/team", "#12", "fixes #1", "Closes: org/app#3", "GH-4", "resolves ", "https://example.com/org/a"),
    *(
        "/close",
        "/merge",
        "[x]: https://example.com",
        "[^1]: y",
        "# head",
        "text",
        "é",
        "\x1b",
        "\u202e",
        "\udcff",
        "$",
    ),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
CLOSES = re.compile(r"\b(?:close[sd]?|fix(?:es|ed)?|resolve[sd]?):?\s+(?:[\w./-]*#|GH-)[0-9]", re.IGNORECASE)


def _texts(tokens: list[Token]) -> list[str]:
    """Return the plain text of the page, without code and links, where forges look for names."""
    found, inside = [], 0  # or code as HTML
    for token in tokens:
        inside += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        inside += {"<code>": 1, "</code>": -1}.get(token.content if token.type == "html_inline" else "", 0)
        if token.type == "text" and not inside:
            found.append(token.content)
        found += _texts(token.children or [])
    return found


def _reaches_nobody(markdown: str) -> None:
    markdown.encode()
    assert not CLOSES.search(markdown)
    assert not re.search(r"^\s*/\w", _without_code_blocks(markdown), re.MULTILINE)
    for text in _texts(PARSER.parse(markdown)):
        assert not re.search(r"@[\w-]|#[0-9]|GH-[0-9]", text), markdown


def _without_code_blocks(markdown: str) -> str:
    lines = markdown.split("\n")
    for token in PARSER.parse(markdown):
        if token.type in ("fence", "code_block") and token.map:
            lines[token.map[0] : token.map[1]] = [""] * (token.map[1] - token.map[0])
    return "\n".join(lines)


def _tags(markdown: str) -> list[str]:
    return re.findall(r"<(/?[a-z][a-z0-9]*)", PARSER.render(markdown))


@settings(deadline=None, max_examples=150)
@given(TEXTS)
def test_code_is_one_piece_of_code(text: str) -> None:
    markdown = f"before {code(text)} after"
    _reaches_nobody(markdown)
    tokens = PARSER.parse(markdown)
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = [token.type for token in tokens[1].children or []]
    assert children == (["text", "code_inline", "text"] if text.split() else ["text"])


@settings(deadline=None, max_examples=150)
@given(TEXTS)
def test_a_cell_is_one_cell(text: str) -> None:
    markdown = f"| a | b |\n| --- | --- |\n| {cell(text)} | end |\n"
    markdown.encode()
    assert not CLOSES.search(markdown)
    html = PARSER.render(markdown)
    assert html.count("<td>") == 2
    assert "<td>end</td>" in html
    assert set(_tags(markdown)) <= {"table", "thead", "tbody", "tr", "th", "td", "code"} | {
        f"/{tag}" for tag in ("table", "thead", "tbody", "tr", "th", "td", "code")
    }


@settings(deadline=None, max_examples=150)
@given(TEXTS)
def test_prose_is_prose(text: str) -> None:
    markdown = plain(text)
    _reaches_nobody(markdown)
    assert set(_tags(markdown)) <= {"p", "/p"}
    _reaches_nobody(f"- {markdown}")
    assert _tags(f"- {markdown}") in (["ul", "li", "/li", "/ul"], ["ul", "li", "/li", "/ul"])


@settings(deadline=None, max_examples=150)
@given(TEXTS)
def test_a_block_of_code_is_ended_by_nothing_in_it(text: str) -> None:
    markdown = f"<details>\n\n{fence(text, 'diff')}\n\n</details>\n\nafter\n"
    _reaches_nobody(markdown)
    assert [token.type for token in PARSER.parse(markdown)] == [
        *("html_block", "fence", "html_block"),
        *("paragraph_open", "inline", "paragraph_close"),
    ]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://user:secret@example.com:8443/a b?c=<d>#e", "https://example.com:8443/a%20b?c=%3Cd%3E#e"),
        ("javascript:alert(1)", ""),
        ("https://[::1]/a", "https://[::1]/a"),
        ("https://exa<mple.com/", ""),
        ("https://example.com:port/", ""),
        ("/a/path", ""),
    ],
)
def test_an_address_is_one_of_the_web_without_credentials(url: str, address: str) -> None:
    assert web_address(url) == address
    assert link("text", url) == (f"[text](<{address}>)" if address else "text")
