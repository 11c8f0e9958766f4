"""JavaScript and TypeScript as tokens: enough to find an object and the text of its members. Nothing is run."""

from __future__ import annotations

import re
from typing import NamedTuple

#: Configuration is written by hand; what is longer is not read. In characters.
LONGEST = 1 << 17
_PAIRS = {"(": ")", "[": "]", "{": "}"}
_TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<comment>//[^\n]*|/\*[\s\S]*?(?:\*/|\Z)|\A\#![^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')
    |(?P<word>[\w$\#@\u0080-\U0010ffff]+)
    |(?P<mark>=>|\?\.(?!\d)|\?\?=?|\|\|=?|&&=?|\.\.\.|===?|!==?|<=|>=|\+\+|--|[\s\S])""",
    re.VERBOSE,
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*")
# Behind such a word a slash begins a regular expression.
_BEFORE_REGEX = frozenset(["return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do"])


class Token(NamedTuple):
    """One token.

    Attributes:
        kind: word, string, template, regex or mark. A template is one token with all that it holds.
        text: The token as written.
        start: Where it starts in the source.
        end: Where it ends.
    """

    kind: str
    text: str
    start: int
    end: int


class Source:
    """A source text with its tokens and which brackets belong together.

    Attributes:
        text: The text.
        tokens: Its tokens, without blanks and comments.
        partner: For the index of each bracket that has one, the index of the other.
        sound: Whether every bracket has its partner.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text) if len(text) <= LONGEST else []
        self.partner: dict[int, int] = {}
        self.sound = len(text) <= LONGEST
        opened: list[int] = []
        for index, token in enumerate(self.tokens):
            if token.kind != "mark":
                continue
            if token.text in _PAIRS:
                opened.append(index)
            elif token.text in _PAIRS.values():
                if opened and _PAIRS[self.tokens[opened[-1]].text] == token.text:
                    start = opened.pop()
                    self.partner[start], self.partner[index] = index, start
                else:
                    self.sound = False
        self.sound = self.sound and not opened

    def at(self, index: int) -> str:
        """Return the text of a token, empty beyond the last."""
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def line(self, index: int) -> int:
        """Return the line, from 1, of a token."""
        return self.text.count("\n", 0, self.tokens[index].start) + 1

    def after(self, index: int) -> int:
        """Return the index of the token behind this one and, if it opens a bracket, behind all that is in it."""
        return self.partner.get(index, index) + 1 if self.at(index) in _PAIRS else index + 1

    def end_of(self, start: int, end: int, stops: frozenset[str]) -> int:
        """Return the index of the first of some marks outside of brackets, or `end`."""
        at = start
        while at < end:
            if self.tokens[at].kind == "mark" and self.tokens[at].text in stops:
                return at
            at = self.after(at)
        return min(at, end)

    def literal(self, index: int) -> str | None:
        """Return the text of a string, or of a template that holds none but text; None of anything else."""
        token = self.tokens[index]
        if token.kind == "string" or (token.kind == "template" and "${" not in token.text):
            return re.sub(r"\\(.)", r"\1", token.text[1:-1])
        return None


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] == "`":
            end = _template_end(text, at)
            found.append(Token("template", text[at:end], at, end))
            at = end
            continue
        slash = text[at] == "/" and text[at : at + 2] not in ("//", "/*")
        if slash and _may_be_regex(found) and (match := _REGEX.match(text, at)):
            found.append(Token("regex", match[0], at, match.end()))
            at = match.end()
            continue
        match = _TOKEN.match(text, at)
        if not match:
            break
        kind = match.lastgroup or "mark"
        if kind not in ("blank", "comment"):
            found.append(Token(kind, match[0], at, match.end()))
        at = match.end()
    return found


def _may_be_regex(before: list[Token]) -> bool:
    if not before:
        return True
    last = before[-1]
    if last.kind == "word":
        return last.text in _BEFORE_REGEX
    return last.kind == "mark" and last.text not in (")", "]", "}", "++", "--")


def _template_end(text: str, start: int) -> int:
    """Return where a template literal ends, with the templates and strings in its `${}`."""
    # For each template that is open: how many braces are, in its `${}`; 0 in its text.
    depths = [0]
    at = start + 1
    while at < len(text):
        character = text[at]
        if depths[-1] == 0:
            if character == "\\":
                at += 1
            elif character == "`":
                depths.pop()
                if not depths:
                    return at + 1
            elif text.startswith("${", at):
                depths[-1] = 1
                at += 1
        elif character == "`":
            depths.append(0)
        elif character in "\"'":
            match = _TOKEN.match(text, at)
            at = match.end() - 1 if match else at
        elif character == "{":
            depths[-1] += 1
        elif character == "}":
            depths[-1] -= 1
        at += 1
    return len(text)
