"""Variables that a schema of the environment asks for: Zod, T3's createEnv, and envalid."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dockertpl.detect.node.javascript import Source
from dockertpl.detect.placeholders import placeholder

_MAY_MISS = re.compile(
    r"\.(?:optional|nullish|default|catch|prefault)\(|\bdefault:|devDefault:|\boptional\(|\.or\(z\.undefined"
)
_PARSED = re.compile(r"\.(?:safeParse|parse)(?:Async)?\(process\.env\b")
_ENDS = frozenset([","])


def of_schemas(source: Source, variable: re.Pattern[str]) -> Iterator[tuple[str, str, int]]:
    """Yield what the schemas of a module do not let be missing: the variable, a value that they take, the line.

    Args:
        source: The module.
        variable: What the names of variables look like.
    """
    words = {token.text for token in source.tokens if token.kind == "word"}
    if not words & {"createEnv", "cleanEnv", "object"} or "process" not in words:
        return
    parsed = _PARSED.search("".join(token.text for token in source.tokens)) is not None
    for at in range(len(source.tokens)):
        name = source.at(at)
        if name not in ("createEnv", "cleanEnv", "object") or source.at(at + 1) != "(":
            continue
        inside = at + 2
        if name == "cleanEnv":  # cleanEnv(process.env, {…})
            inside = source.end_of(inside, source.after(at + 1), _ENDS) + 1
        if source.at(inside) != "{" or (name == "object" and not parsed):
            continue
        if name == "createEnv":
            members = {key: value for key, value, _ in _members(source, inside)}
            inside = members.get("server", -1)
            if source.at(inside) != "{":
                continue
        for key, value, end in _members(source, inside):
            text = "".join(source.at(index) for index in range(value, end))
            if variable.fullmatch(key) and not _MAY_MISS.search(text):
                yield key, _value(key, text), source.line(value)


def _members(source: Source, brace: int) -> Iterator[tuple[str, int, int]]:
    """Yield (key, first token of the value, the token behind it) of an object."""
    at, last = brace + 1, source.after(brace) - 1
    while at < last:
        end = source.end_of(at, last, _ENDS)
        if source.at(at + 1) == ":":
            yield source.at(at).strip("\"'"), at + 2, end
        at = end + 1


def _value(name: str, schema: str) -> str:
    """Return a value that a schema takes, such as `z.string().email()`."""
    if match := re.search(r"(?:enum|picklist)\(\[[\"']([^\"']*)[\"']|literal\([\"']([^\"']*)[\"']", schema):
        return match[1] or match[2] or ""
    if re.search(r"coerce\.number|\b(?:num|port)\(|z\.number", schema):
        return placeholder(name, "int", {})
    if re.search(r"boolean|\bbool\(", schema):
        return "true"
    if re.search(r"email\(", schema):
        return placeholder(name, "EmailStr", {})
    if re.search(r"uuid\(", schema):
        return placeholder(name, "UUID", {})
    value = placeholder(name, "", {})
    if re.search(r"\burl\(", schema) and "://" not in value:
        return placeholder(name, "AnyUrl", {})
    if match := re.search(r"startsWith\([\"']([^\"']*)[\"']", schema):
        value = value if value.startswith(match[1]) else match[1] + value
    if match := re.search(r"(?:min|length)\((\d{1,3})\b", schema):
        wanted = int(match[1])
        value = value if len(value) >= wanted else (value + "-") * (wanted // len(value) + 1)
        value = value[:wanted] if "length(" in schema else value
    return value
