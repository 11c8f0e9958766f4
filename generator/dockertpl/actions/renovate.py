"""Add a preset to `extends` of a Renovate configuration: JSON, JSON with comments, or JSON5.

No library writes JSON5 back unchanged. So a scanner finds the places to insert text. Then a parser checks that nothing
differs but `extends`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dockertpl.actions.edit import UNCERTAIN, NotEditableError, decoded, indentation, line_end
from dockertpl.merge.edit_text import Edit, apply_edits, insertion
from dockertpl.template.tree import File

#: Where Renovate looks for its configuration, in order. The last one, package.json, is not edited here.
PATHS = (
    "renovate.json",
    "renovate.jsonc",
    "renovate.json5",
    ".github/renovate.json",
    ".github/renovate.jsonc",
    ".github/renovate.json5",
    ".gitlab/renovate.json",
    ".gitlab/renovate.jsonc",
    ".gitlab/renovate.json5",
    ".renovaterc",
    ".renovaterc.json",
    ".renovaterc.jsonc",
    ".renovaterc.json5",
)

_TOKEN = re.compile(
    r"""(?P<blank>[\s\ufeff]+)
    |(?P<comment>//[^\n\r\u2028\u2029]*|/\*.*?\*/)
    |(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<mark>[{}\[\]:,])
    |(?P<word>[^\s{}\[\]:,"'/]+)""",
    re.VERBOSE | re.DOTALL,
)


def config(preset: str) -> File:
    """Return a new configuration that extends Renovate's recommendations and a preset."""
    content = {
        "$schema": "https://docs.renovatebot.com/renovate-schema.json",
        "extends": ["config:recommended", preset],
    }
    return File(content=(json.dumps(content, indent=2) + "\n").encode())


def extend(file: File, preset: str) -> File:
    """Return a configuration with a preset at the end of its `extends`. It may be the same file.

    The preset of a fork (`github>other/name`), with a version (`#v1`) or a file (`//default`) counts as the same.

    Args:
        file: The configuration.
        preset: The preset, such as `github>org/name`.

    Raises:
        NotEditableError: The configuration cannot be read or edited.
    """
    try:
        return _extended(file, preset)
    except RecursionError:
        raise NotEditableError("is nested too deeply") from None


def _extended(file: File, preset: str) -> File:
    mark, text = decoded(file)
    before = _parse(text)
    if not isinstance(before, _Object):
        raise NotEditableError("does not contain an object")
    if len(before.keys()) != len(before):
        raise NotEditableError("has a duplicate key")
    extends = before.get("extends", [])
    is_text = isinstance(extends, str)
    known = [extends] if is_text else extends
    if not isinstance(known, list) or not all(isinstance(item, str) for item in known):
        raise NotEditableError('has an "extends" that is not a list of names')
    if any(_is_preset(item, preset) for item in known):
        return file
    after_text = apply_edits(text, _Editor(text, preset).insertions(is_text))
    after = _parse(after_text)
    same = isinstance(after, _Object) and _without(after) == _without(before) and len(after) == len(after.keys())
    if not same or after.get("extends") != [*(item for item in known if item or not is_text), preset]:
        raise NotEditableError(UNCERTAIN)
    return File(content=(mark + after_text).encode(), executable=file.executable)


def _is_preset(item: str, preset: str) -> bool:
    name = re.escape(preset.rsplit("/", 1)[1])
    return bool(re.match(rf"[a-z]+>[^#:()]*?(?<=[/>]){name}(?=$|[#(:]|//)", item))


# --- reading ---------------------------------------------------------------------------------------------------------


class _Object(list[tuple[str, Any]]):
    """An object with its keys in order, including duplicates."""

    def keys(self) -> set[str]:
        return {key for key, _ in self}

    def get(self, key: str, default: Any = None) -> Any:
        return next((value for name, value in self if name == key), default)


def _without(value: Any) -> Any:
    return [item for item in value if item[0] != "extends"] if isinstance(value, _Object) else value


def _parse(text: str) -> Any:
    parse: Callable[..., Any] = json.loads
    try:
        return parse(text, object_pairs_hook=_Object)
    except (ValueError, RecursionError):
        import json5

        try:
            return json5.loads(text, object_pairs_hook=_Object)
        except (ValueError, RecursionError) as error:
            reason = "nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
            raise NotEditableError(f"is not valid JSON or JSON5: {reason}") from None


# --- writing ---------------------------------------------------------------------------------------------------------


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


@dataclass
class _Container:
    """The positions of an object or a list.

    Attributes:
        start: After the opening bracket.
        end: Before the closing bracket.
        keys: An object's keys.
        values: Each value's start and end.
        commas: Where each value's comma ends, or None.
    """

    start: int
    end: int = -1
    keys: list[_Token] = field(default_factory=list)
    values: list[tuple[int, int]] = field(default_factory=list)
    commas: list[int | None] = field(default_factory=list)


class _Editor:
    """Finds the place for a preset in a configuration that a parser has read."""

    def __init__(self, text: str, preset: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.end = line_end(text)
        strings = [token.text[0] for token in self.tokens if token.kind == "string"]
        self.quote = "'" if strings and '"' not in strings else '"'
        self.item = f"{self.quote}{preset}{self.quote}"

    def insertions(self, is_text: bool) -> list[Edit]:
        """Return the insertions.

        Args:
            is_text: Whether `extends` is a single name instead of a list.
        """
        first = next((token for token in self.tokens if token.kind not in ("blank", "comment")), None)
        if first is None or first.text != "{":
            raise NotEditableError("does not contain an object")
        top = self._container(first)
        names = [_name(key) for key in top.keys]
        if "extends" not in names:
            return self._member(top, names)
        start, end = top.values[names.index("extends")]
        if not is_text:
            return self._element(self._container(next(token for token in self.tokens if token.start == start)))
        if end - start == len('""'):
            return [insertion(start, "["), insertion(start + 1, self.item[1:-1]), insertion(end, "]")]
        return [insertion(start, "["), insertion(end, f", {self.item}]")]

    def _container(self, opening: _Token) -> _Container:
        """Read one object or list, without what is nested in it."""
        found = _Container(start=opening.end)
        depth = 0
        value: int | None = None
        is_object = opening.text == "{"
        behind_colon = not is_object
        for token in self.tokens[self.tokens.index(opening) + 1 :]:
            if token.kind in ("blank", "comment"):
                continue
            if depth == 0 and token.text in ("}", "]") and token.kind == "mark":
                found.end = token.start
                break
            if depth == 0 and token.kind == "mark" and token.text == ",":
                if found.commas:
                    found.commas[-1] = token.end
                behind_colon, value = not is_object, None
            elif depth == 0 and is_object and token.kind == "mark" and token.text == ":":
                behind_colon = True
            elif not behind_colon:
                found.keys.append(token)
            else:
                if value is None:
                    value = token.start
                    found.values.append((value, token.end))
                    found.commas.append(None)
                if token.kind == "mark" and token.text in "{[":
                    depth += 1
                elif token.kind == "mark" and token.text in "}]":
                    depth -= 1
                found.values[-1] = (value, token.end)
        return found

    def _element(self, found: _Container) -> list[Edit]:
        """Return the insertions that add the preset to a list, in the list's layout."""
        if not found.values:
            touching = self.text[found.start : found.start + 1] == "/"
            return [insertion(found.start, self.item + (" " if touching else ""))]
        start, end = found.values[-1]
        comma = found.commas[-1]
        before = self.text[found.start : start]
        if not re.search(r"[\r\n]", before):
            if comma is not None:
                return [insertion(comma, f" {self.item},")]
            return [insertion(end, f", {self.item}")]
        place = self._behind_comments(end if comma is None else comma)
        line = f"{self.end}{indentation(self.text, start)}{self.item}"
        return [insertion(end, ","), insertion(place, line)] if comma is None else [insertion(place, f"{line},")]

    def _member(self, top: _Container, names: list[str]) -> list[Edit]:
        """Return the insertions that add `extends`: after `$schema` if that comes first, else at the top."""
        quote = {token.text[0] for token in top.keys if token.kind == "string"}
        bare = bool(top.keys) and not quote
        key = "extends" if bare else f"{self.quote}extends{self.quote}"
        member = f"{key}: [{self.item}]"
        inside = self.text[top.start : top.end]
        if not top.keys:
            if inside.strip(" \t"):
                return [insertion(self._behind_comments(top.start), f"{self.end}  {member}")]
            return [insertion(top.start, f"{self.end}  {member}{self.end}")]
        several_lines = bool(re.search(r"[\r\n]", self.text[top.start : top.keys[0].start]))
        gap = self.end + indentation(self.text, top.keys[0].start) if several_lines else " "
        if names[0] != "$schema":
            if several_lines:
                return [insertion(self._behind_comments(top.start), f"{gap}{member},")]
            return [insertion(top.keys[0].start, f"{member}, ")]
        end, comma = top.values[0][1], top.commas[0]
        place = end if comma is None else comma
        place = self._behind_comments(place) if several_lines else place
        if comma is None:
            return [insertion(end, ","), insertion(place, f"{gap}{member}")]
        return [insertion(place, f"{gap}{member},")]

    def _behind_comments(self, place: int) -> int:
        """Return the end of the comments after a position on its line."""
        for token in self.tokens:
            if token.start < place:
                continue
            if token.kind == "comment":
                place = token.end
            elif token.kind != "blank" or re.search(r"[\r\n]", token.text):
                break
        return place


def _tokens(text: str) -> Iterator[_Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match or not match.lastgroup:
            raise NotEditableError(UNCERTAIN)
        yield _Token(match.lastgroup, match[0], at, match.end())
        at = match.end()


def _name(key: _Token) -> str:
    if key.kind != "string":
        return key.text
    name = _parse(key.text)
    return name if isinstance(name, str) else ""
