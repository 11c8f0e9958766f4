"""What a next.config says, read without running it: output, distDir, basePath and the like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple, TypeAlias

from dockertpl.detect.node.javascript import Source

_DEEPEST = 12
_MOST = 16
_MOST_STEPS = 500
_ENDS = frozenset([";", ","])
#: Objects of which all make up one configuration, each by the index of its opening brace.
Parts: TypeAlias = tuple[int, ...]


class Value(NamedTuple):
    """A setting.

    Attributes:
        text: The text that it is set to; None if it is computed.
        line: Where.
        mentions: The texts in a computed value.
        unset: The value if its environment variable is not set. None for other computed values.
    """

    text: str | None
    line: int
    mentions: tuple[str, ...] = ()
    unset: str | None = None


@dataclass(frozen=True)
class NextConfig:
    """A next.config.

    Attributes:
        source: Its text and tokens.
        alternatives: The objects of each possible export. The first object is the file's own.
        opaque: Whether code outside the file may set more, such as the spread of an import.
        unsure: Whether one of the objects may be the options of a wrapper.
    """

    source: Source
    alternatives: tuple[Parts, ...]
    opaque: bool = False
    unsure: bool = False

    @property
    def own(self) -> int | None:
        """Return the index of the opening brace of the object to add settings to, or None if it is unclear."""
        firsts = {parts[0] for parts in self.alternatives if parts}
        return (
            firsts.pop() if len(firsts) == 1 and not (self.opaque or self.unsure) and all(self.alternatives) else None
        )

    def get(self, key: str) -> Value | None:
        """Return a setting from anywhere in the exported object, or None if it is not set.

        Args:
            key: The key, such as `output` or `experimental.outputFileTracingRoot`.
        """
        outer, _, inner = key.rpartition(".")
        found = [self._in(parts, outer, inner) for parts in self.alternatives]
        if assigned := _assigned(self.source, key):
            # A later setting wins if it is certain. Otherwise both are possible.
            found = [assigned] if assigned.text is not None else [*found, assigned]
        values = [value for value in found if value]
        if not values:
            return None if self.alternatives else self._somewhere(inner)
        first = values[0]
        if first.text is not None and all(value is not None and value.text == first.text for value in found):
            return first
        mentions = tuple(dict.fromkeys(text for value in values for text in (value.text, *value.mentions) if text))
        same = all(value is not None and value.unset == first.unset for value in found)
        return Value(None, first.line, mentions, first.unset if same else None)

    def _in(self, parts: Parts, outer: str, inner: str) -> Value | None:
        for start in parts:
            if outer:
                for name, value in members(self.source, start):
                    if name == outer and self.source.at(value) == "{" and (found := self._in((value,), "", inner)):
                        return found
                continue
            for name, value in members(self.source, start):
                if name == inner:
                    return _value(self.source, value)
        return None

    def _somewhere(self, key: str) -> Value | None:
        """Return that a key is set in some object of a file whose export cannot be followed."""
        source = self.source
        for index, token in enumerate(source.tokens[:-1]):
            name = source.literal(index) if token.kind == "string" else token.text
            if name == key and source.at(index + 1) == ":" and source.at(index - 1) in ("{", ","):
                value = _value(source, index + 2)
                if value:
                    return Value(None, value.line, tuple(text for text in (value.text, *value.mentions) if text))
        return None


def read(text: str) -> NextConfig:
    """Read a configuration.

    Args:
        text: The file's text.
    """
    source = Source(text)
    reader = _Reader(source)
    found: list[Parts] = []
    if source.sound:
        for index in islice(_exports(source), _MOST):
            found += reader.resolve(index, len(source.tokens), _DEEPEST)
    return NextConfig(source, tuple(found[:_MOST]), reader.opaque or not source.sound, reader.unsure)


def members(source: Source, start: int) -> Iterator[tuple[str, int]]:
    """Yield the members of an object: name and the index of the value; a method's is that of its parenthesis.

    A spread has the name `...`.

    Args:
        source: The text.
        start: The index of its opening brace.
    """
    end = source.partner.get(start, start)
    at = start + 1
    while at < end:
        begin = at
        if source.at(at) == "...":
            yield "...", at + 1
        elif source.at(at) not in (",", "["):
            while source.at(at) in ("async", "get", "set", "*") and source.at(at + 1) not in (":", "(", ","):
                at += 1
            name = source.literal(at) if source.tokens[at].kind in ("string", "template") else source.at(at)
            if name:
                behind = source.at(at + 1)
                yield name, at + 2 if behind == ":" else at + 1 if behind == "(" else at
        at = source.end_of(begin, end, frozenset([","])) + 1


def _exports(source: Source) -> Iterator[int]:
    """Yield where each exported expression begins."""
    for index, token in enumerate(source.tokens):
        if token.kind != "word":
            continue
        if token.text == "default" and source.at(index - 1) == "export":
            yield index + 1
        elif token.text == "module" and [source.at(index + n) for n in (1, 2, 3)] == [".", "exports", "="]:
            yield index + 4


def _assigned(source: Source, key: str) -> Value | None:
    """Return what an assignment such as `config.output = "standalone"` sets; one within a block may not happen."""
    depth = 0
    for index, token in enumerate(source.tokens):
        if token.kind == "mark":
            depth += (token.text == "{") - (token.text == "}")
        if token.text == key and source.at(index - 1) == "." and source.at(index + 1) == "=":
            value = _value(source, index + 2)
            if value and (depth or source.at(index - 3) == ")"):  # in a block, or behind `if (…)`
                return Value(None, value.line, tuple(text for text in (value.text, *value.mentions) if text))
            return value
    return None


def _value(source: Source, start: int, depth: int = 2) -> Value | None:
    """Read the value that begins at a token; None if it is `undefined`, which sets nothing."""
    if start >= len(source.tokens):
        return None
    end = source.end_of(start, len(source.tokens), frozenset([",", ";", "}"]))
    words = [token.text for token in source.tokens[start:end]]
    line = source.line(start)
    behind = words[1] if len(words) > 1 else ""
    if len(words) == 1 or behind in ("as", "satisfies") or _is_last(source, start):
        literal = source.literal(start)
        if literal is not None:
            return Value(literal, line)
        if words[:1] in (["undefined"], ["null"]):
            return None
        if words[:1] in (["true"], ["false"]):
            return Value(words[0], line)
        if source.tokens[start].kind == "word" and (at := _constant(source, words[0])) and depth:
            return _value(source, at, depth - 1)
    texts = (source.literal(index) for index in range(start, end))
    return Value(None, line, tuple(dict.fromkeys(text for text in texts if text)), _unset(source, start, end))


def _unset(source: Source, start: int, end: int) -> str | None:
    """Return what `process.env.X`, or `process.env.X || "text"`, is where X is not set; None of anything else."""
    words = [source.at(start + n) for n in range(4)]
    if words not in (["process", ".", "env", "."], ["env", ".", source.at(start + 2), source.at(start + 3)]):
        return None
    at = start + (5 if words[0] == "process" else 3)
    if at >= end or _is_last(source, at - 1):
        return ""
    if source.at(at) not in ("||", "??") or at + 1 >= len(source.tokens):
        return None
    if at + 2 < end and not _is_last(source, at + 1):
        return None
    return "" if source.at(at + 1) == "undefined" else source.literal(at + 1)


def _is_last(source: Source, index: int) -> bool:
    """Tell whether an expression of one token ends with it: at a line's end, at a semicolon, or at `as const`."""
    if source.at(index + 1) in ("", ";", "as"):
        return True
    between = source.text[source.tokens[index].end : source.tokens[index + 1].start]
    return "\n" in between and source.tokens[index + 1].kind == "word"


def _constant(source: Source, name: str) -> int:
    """Return the index where the value of a `const` begins, or 0 if it is not declared."""
    for index in range(len(source.tokens) - 2):
        if source.at(index) == "const" and source.at(index + 1) == name:
            equals = source.end_of(index + 2, len(source.tokens), frozenset(["=", ";"]))
            return equals + 1 if source.at(equals) == "=" else 0
    return 0


class _Reader:
    """Follows an expression to the objects that it is made of."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.opaque = False
        self.unsure = False
        self._following: set[str] = set()
        self._left = _MOST_STEPS
        # Where each name is declared, by the index of the word before it.
        self._declared: dict[str, int] = {}
        for index in range(len(source.tokens) - 1):
            if source.at(index) in ("const", "let", "var", "function"):
                self._declared.setdefault(source.at(index + 1), index)

    def resolve(self, start: int, limit: int, depth: int) -> list[Parts]:
        """Return the alternatives of the expression that begins at a token."""
        source = self.source
        while source.at(start) in ("await", "async", "new", "void"):
            start += 1
        self._left -= 1
        if depth == 0 or start >= limit or self._left < 0:
            return self._unseen()
        end = source.end_of(start, limit, _ENDS)
        arrow = self._arrow(start, end)
        if arrow:
            return self._body(arrow, end, depth)
        if source.at(start) == "function":
            brace = source.end_of(start, end, frozenset("{"))
            return self._returned(brace, depth)
        question = source.end_of(start, end, frozenset("?"))
        if question < end:
            colon = source.end_of(question + 1, end, frozenset(":"))
            return self.resolve(question + 1, colon, depth - 1) + self.resolve(colon + 1, end, depth - 1)
        either = source.end_of(start, end, frozenset(["||", "??", "&&"]))
        if either < end:
            right = self.resolve(either + 1, end, depth - 1)
            return [*right, ()] if source.at(either) == "&&" else self.resolve(start, either, depth - 1) + right
        return self._operand(start, end, depth)

    def _operand(self, start: int, end: int, depth: int) -> list[Parts]:
        source = self.source
        if source.at(start) == "{":
            return self._object(start, depth)
        if source.at(start) == "(":
            inside = self.resolve(start + 1, source.after(start) - 1, depth - 1)
            calls = list(self._calls(source.after(start), end))
            return self._called(calls, depth) if calls else inside  # called with nothing: `(() => ({}))()`
        if source.tokens[start].kind != "word":
            return []
        at = start + 1
        while source.at(at) in (".", "?."):
            at += 2
        if calls := list(self._calls(at, end)):
            return self._called(calls, depth)
        return self._named(source.at(start), depth) if at == start + 1 else self._unseen()

    def _unseen(self) -> list[Parts]:
        self.opaque = True
        return []

    def _calls(self, at: int, end: int) -> Iterator[int]:
        """Yield the parenthesis of each call in a chain that is given something (`f(a)(b)`, `f(a).g(b)`)."""
        source = self.source
        while at < end:
            if source.at(at) == "<":  # a type argument
                at = source.end_of(at, end, frozenset("(")) if source.at(at + 1) else end
            elif source.at(at) == "(":
                if source.after(at) > at + 2:
                    yield at
                at = source.after(at)
            elif source.at(at) in (".", "?."):
                at += 2
            else:
                return

    def _called(self, calls: Sequence[int], depth: int) -> list[Parts]:
        """Return what a wrapper is given, by the last call of a chain that is given anything."""
        source = self.source
        call = calls[-1]
        alternatives: list[Parts] = [()]
        end = source.after(call) - 1
        at = call + 1
        configured = 0
        while at < end:
            stop = source.end_of(at, end, frozenset([","]))
            found = self._argument(at, stop, depth)
            # `wrap(config, {…})` takes the configuration first. `wrap({…}, config)` is unclear.
            self.unsure = self.unsure or (bool(found) and configured > 0 and source.at(call + 1) == "{")
            configured += bool(found)
            alternatives = [(*one, *other) for one in alternatives for other in found or [()]][:_MOST]
            at = stop + 1
        return alternatives if any(alternatives) else self._unseen()

    def _argument(self, start: int, end: int, depth: int) -> list[Parts]:
        # A wrapper's own options may be anything: that they cannot be read takes nothing from the configuration.
        before = self.opaque
        found = self.resolve(start, end, depth - 1)
        if not found:
            self.opaque = before
        return found

    def _object(self, start: int, depth: int) -> list[Parts]:
        alternatives: list[Parts] = [(start,)]
        for name, value in members(self.source, start):
            if name == "...":
                end = self.source.end_of(value, self.source.partner.get(start, value), frozenset([","]))
                found = self.resolve(value, end, depth - 1)
                if not found:
                    self.opaque = True
                alternatives = [(*one, *other) for one in alternatives for other in found or [()]][:_MOST]
        return alternatives

    def _named(self, name: str, depth: int) -> list[Parts]:
        source = self.source
        if name in self._following:
            return []
        self._following.add(name)
        try:
            index = self._declared.get(name)
            if index is None:
                return self._unseen()
            if source.at(index) == "function":
                parameters = source.end_of(index + 2, len(source.tokens), frozenset("("))
                brace = source.end_of(source.after(parameters), len(source.tokens), frozenset("{"))
                return self._returned(brace, depth)
            equals = source.end_of(index + 2, len(source.tokens), frozenset(["=", ";"]))
            if source.at(equals) == "=":
                return self.resolve(equals + 1, len(source.tokens), depth - 1)
            return self._unseen()
        finally:
            self._following.discard(name)

    def _arrow(self, start: int, end: int) -> int:
        """Return the index behind `=>` if the expression is an arrow function, else 0."""
        source = self.source
        at = source.after(start) if source.at(start) == "(" else start + 1
        if source.tokens[start].kind != "word" and source.at(start) != "(":
            return 0
        if source.at(at) == ":" and source.at(start) == "(":
            at = source.end_of(at, end, frozenset(["=>"]))
        return at + 1 if source.at(at) == "=>" else 0

    def _body(self, start: int, end: int, depth: int) -> list[Parts]:
        if self.source.at(start) == "{":
            return self._returned(start, depth)
        return self.resolve(start, end, depth - 1)

    def _returned(self, brace: int, depth: int) -> list[Parts]:
        """Return what the `return`s of a function's body give, without those of functions in it."""
        source = self.source
        end = source.partner.get(brace)
        if end is None or source.at(brace) != "{":
            return self._unseen()
        found: list[Parts] = []
        skip = 0
        for index in range(brace + 1, end):
            if index < skip:
                continue
            if source.at(index) == "{" and self._is_function(index):
                skip = source.after(index)
            elif source.at(index) == "return" and source.at(index - 1) != ".":
                found += self.resolve(index + 1, end, depth - 1)
        return found[:_MOST]

    def _is_function(self, brace: int) -> bool:
        source = self.source
        if source.at(brace - 1) == "=>":
            return True
        if source.at(brace - 1) != ")":
            return False
        word = source.at(source.partner.get(brace - 1, 0) - 1)
        return word not in ("if", "for", "while", "switch", "catch", "with")


def folder_of(config: NextConfig, key: str) -> str | None:
    """Return the folder that a setting such as `path.join(__dirname, "../..")` names, relative to the file's own.

    Args:
        config: The configuration.
        key: The setting.

    Returns:
        A relative path, or None if it is not set or unclear.
    """
    value = config.get(key)
    if value is None:
        return None
    parts = [value.text] if value.text is not None else list(value.mentions)
    if not all(re.fullmatch(r"(?:\.{1,2}|[\w@-][\w@.-]*)(?:/(?:\.{1,2}|[\w@-][\w@.-]*))*/?", part) for part in parts):
        return None
    return "/".join(part.strip("/") for part in parts) or "."
