"""Split a RUN step into its top-level commands."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Keywords of compound commands.
# fmt: off
KEYWORDS = frozenset([
    "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "{", "}", "!",
    "[[", "function",
])
# fmt: on


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command at the top level: a pipeline, or a compound command.

    Attributes:
        text: Its text without line continuations.
        parts: The words of its simple commands, without quotes.
        compound: Whether it is an `if`, a loop, a group or a subshell.
        before: The operator before it: `&&`, `;` or nothing.
    """

    text: str
    parts: tuple[tuple[str, ...], ...]
    compound: bool = False
    before: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Return the first simple command's words, without its variables."""
        words = self.parts[0] if self.parts else ()
        return words[len(self.assignments) :]

    @property
    def assignments(self) -> tuple[str, ...]:
        """Return the first simple command's variables as `NAME=value`."""
        words = self.parts[0] if self.parts else ()
        count = 0
        while count < len(words) and re.match(r"[A-Za-z_]\w*=", words[count]):
            count += 1
        return words[:count]

    @property
    def is_one(self) -> bool:
        """Return whether it is one simple command, except for a `|| true`."""
        rest = self.parts[1:]
        return not self.compound and all(part in (("true",), (":",)) for part in rest)


@dataclass(frozen=True)
class _Token:
    kind: str  # word, or an operator
    text: str
    start: int
    end: int


def commands(text: str) -> tuple[Command, ...]:
    """Split a script at `&&`, `;` and line ends outside of quotes, groups and compound commands."""
    tokens = _tokens(text)
    found: list[Command] = []
    open_: list[str] = []
    before = ""
    group: list[_Token] = []
    for token in tokens:
        _nest(open_, token, begins=not group or group[-1].kind != "word" or group[-1].text in KEYWORDS)
        waits = bool(group) and group[0].text in ("for", "while", "until") and not _has_do(group)
        if token.kind in ("&&", ";", "\n") and not open_ and not waits:
            if group:
                found.append(_command(text, group, before))
            before = "&&" if token.kind == "&&" else ";"
            group = []
        else:
            group.append(token)
    if group:
        found.append(_command(text, group, before))
    return tuple(found)


_CLOSES = {")": "(", "fi": "if", "esac": "case", "done": "do", "}": "{"}


def _nest(open_: list[str], token: _Token, *, begins: bool) -> None:
    """Track the groups that a token opens or closes."""
    if token.kind == "(" or (token.kind == "word" and begins and token.text in ("if", "case", "do", "{")):
        open_.append(token.text)
    elif open_ and _CLOSES.get(token.text) == open_[-1] and (token.kind != "word" or begins):
        open_.pop()


def _has_do(group: list[_Token]) -> bool:
    return any(token.kind == "word" and token.text == "do" for token in group[:64])


def _command(text: str, group: list[_Token], before: str) -> Command:
    parts: list[list[str]] = [[]]
    compound = False
    for token in group:
        if token.kind == "word":
            if not parts[-1] and token.text in KEYWORDS:
                compound = compound or token.text != "!"
                continue
            parts[-1].append(token.text)
        else:
            compound = compound or token.kind in ("(", ")", "&&", ";", "\n", "&")
            parts.append([])
    whole = text[group[0].start : group[-1].end]
    if not compound and "\n" not in whole and not re.search("[\"'\\\\]", whole):
        whole = re.sub(r"[ \t]{2,}", " ", whole)
    return Command(text=whole, parts=tuple(tuple(part) for part in parts if part), compound=compound, before=before)


_OPERATOR = re.compile(r"&&|\|\||\|&|[|;&()\n]")
_PLAIN = re.compile(r"[^\s\"'\\`$|;&()<>#]+")


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at, length = 0, len(text)
    while at < length:
        character = text[at]
        if character != "\n" and character.isspace():
            at += 1
        elif character == "\\" and text[at + 1 : at + 2] == "\n":
            at += 2
        elif character == "#":
            end = text.find("\n", at)
            at = length if end < 0 else end
        elif operator := _OPERATOR.match(text, at):
            found.append(_Token(operator[0], operator[0], at, operator.end()))
            at = operator.end()
        else:
            word, end = _word(text, at)
            found.append(_Token("word", word, at, end))
            at = end
    return found


def _word(text: str, at: int) -> tuple[str, int]:
    parts: list[str] = []
    length = len(text)
    while at < length:
        character = text[at]
        if plain := _PLAIN.match(text, at):
            parts.append(plain[0])
            at = plain.end()
        elif character == "#":
            parts.append("#")
            at += 1
        elif character in "\"'`":
            end = _closing(text, at)
            parts.append(text[at + 1 : end] if character != "`" else text[at : end + 1])
            at = end + 1
        elif character == "$" and text[at + 1 : at + 2] in ("(", "{"):
            end = _balanced(text, at + 1)
            parts.append(text[at:end])
            at = end
        elif character == "\\":
            if text[at + 1 : at + 2] != "\n":
                parts.append(text[at + 1 : at + 2])
            at += 2
        elif character in "<>":
            # A redirection: 2>&1, >/dev/null, > file.
            target = re.compile(r"[<>]+&?\d?[ \t]*").match(text, at)
            parts.append(target[0].strip() if target else character)
            at = target.end() if target else at + 1
        elif character == "$":
            parts.append("$")
            at += 1
        else:
            break
    return "".join(parts), at


def _closing(text: str, at: int) -> int:
    quote = text[at]
    at += 1
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" and quote != "'" else 1
    return min(at, len(text))


def _balanced(text: str, at: int) -> int:
    pair = {"(": ")", "{": "}"}[text[at]]
    opening, depth = text[at], 0
    while at < len(text):
        if text[at] == opening:
            depth += 1
        elif text[at] == pair:
            depth -= 1
            if not depth:
                return at + 1
        elif text[at] in "\"'":
            at = _closing(text, at)
        at += 1
    return len(text)
