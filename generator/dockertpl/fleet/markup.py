"""Markdown that holds what others wrote, for pages on which a name rings somebody up and `fixes #1` closes an issue.

Two ways in: `code` and `fence` show text as it is; `defused` keeps a text's own Markdown and takes its reach. What is
told apart here is told apart as GitHub and GitLab do it, or more is taken for text than they would.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import quote, urlsplit, urlunsplit

from dockertpl.screen import printable

#: Between two characters that mean something together; nobody sees it.
_SPLIT = "\u200b"
#: These close an issue that is named next; to GitLab in code, too.
_CLOSING = re.compile(
    r"\b(close[sd]?|closing|fix(?:e[sd]|ing)?|resolve[sd]?|resolving|implement(?:s|ed|ing)?)"
    r"(?=:?\s+(?:issues?\b|\S*(?:#|GH-|https?:|[A-Z][A-Z0-9_]+-[0-9])))",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"@(?=[\w-])|[#!&$%~^](?=[0-9])|GH-(?=[0-9])", re.IGNORECASE)
_URL = r"https?://[^\s<>()\[\]`\"'\\|]+"
_TITLE = r"(?:[ \t]+\"[^\"]*\")?"
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~<>&-])")
_IN_CELL = "|`*_[]()\\~:@#!$"
_FENCE = re.compile(r"(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<language>[\w+.-]*)[ \t]*\Z")
_HEADING = re.compile(r" {0,3}(?P<marks>#{1,6})(?=[ \t]|\Z)")
#: What GitHub draws instead of showing it.
_DRAWN = frozenset({"geojson", "math", "mermaid", "stl", "topojson"})
_DEFINITION = re.compile(r" {0,3}\[[^\]]*\]:")
_TOKEN = re.compile(
    r"(?P<escaped>\\[!-/:-@\[-`{-~])"
    r"|(?P<code>(?<!`)(?P<run>`+)(?!`)(?P<inside>.+?)(?<!`)(?P=run)(?!`))"
    r"|(?P<marks>`+|~{3,})"
    rf"|(?P<angled><{_URL}>)"
    rf"|\]\((?P<target>{_URL}){_TITLE}\)"
    rf"|\]\((?P<relative>[^\s<>()\[\]`\"'\\|:]+){_TITLE}\)"
    r"|(?P<other>\]\((?!<https?:))"
    rf"|(?<![^\s*_~(])(?P<bare>{_URL})"
    r"|(?P<image>!(?=\[))"
    r"|(?P<angle>[<&])"
)


def code(text: str, longest: int = 200) -> str:
    """Return a text as a piece of code on a line, which means nothing to a forge.

    Args:
        text: Anybody's text.
        longest: How many of its characters are shown.
    """
    shown = _undone(cut(" ".join(printable(text).split()), longest))
    if not shown:
        return "(nothing)"
    run = "`" * (_longest_run(shown) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{run}{space}{shown}{space}{run}"


def cell(text: str, longest: int = 200) -> str:
    """Return a text as a piece of code in a cell of a table, where a bar ends the cell even in code.

    Args:
        text: Anybody's text.
        longest: How many of its characters are shown.
    """
    shown = html.escape(_undone(cut(" ".join(printable(text).split()), longest)), quote=False)
    # As HTML, since a backslash that is in front of a bar already cannot be written in code.
    return f"<code>{''.join(f'&#{ord(c)};' if c in _IN_CELL else c for c in shown)}</code>" if shown else ""


def plain(text: str, longest: int = 500) -> str:
    """Return a text as prose on a line: no character of it is Markdown, a mention or a reference.

    Args:
        text: Anybody's text.
        longest: How many of its characters are shown.
    """
    shown = cut(" ".join(printable(text).split()), longest)
    shown = re.sub(r"(?<=[a-z])://", f":{_SPLIT}//", _undone(shown), flags=re.IGNORECASE)
    shown = re.sub(r"\bwww\.", f"www{_SPLIT}.", shown, flags=re.IGNORECASE)
    shown = _SPECIAL.sub(r"\\\1", _REFERENCE.sub(lambda match: match[0] + _SPLIT, shown))
    # A line that begins with a slash is a command to GitLab, and `1.` is a list.
    shown = re.sub(r"\A([0-9]+)([.)])", r"\1\\\2", shown)
    return re.sub(r"\A([/=])", r"\\\1", shown)


def fence(text: str, language: str = "") -> str:
    """Return lines as a block of code that no line of them ends.

    Args:
        text: Anybody's lines.
        language: What they are, for their colours.
    """
    shown = _undone(printable(text))
    marks = "`" * max(3, _longest_run(shown) + 1)
    end = "" if shown.endswith("\n") or not shown else "\n"
    return f"{marks}{language}\n{shown}{end}{marks}"


def link(text: str, url: str) -> str:
    """Return a link, or only the text where the address is none of the web.

    Args:
        text: What is read; Markdown.
        url: Anybody's address; what it has of a user's name and password is left out.
    """
    address = web_address(url)
    return f"[{text}](<{address}>)" if address else text


def web_address(url: str) -> str:
    """Return an address that can stand in a link, without credentials; nothing for one that is not of the web.

    Args:
        url: Anybody's address.
    """
    try:
        parts = urlsplit(printable(url.strip()))
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"[\w.:-]+", host, re.ASCII):
        return ""
    where = f"[{host}]" if ":" in host else host
    rest = (quote(part, safe="/%:=&;,~+?-_.!$*@") for part in (parts.path, parts.query, parts.fragment))
    path, query, fragment = (part.replace("@", "%40") for part in rest)
    return urlunsplit((parts.scheme, f"{where}:{port}" if port else where, path, query, fragment))


def cut(text: str, longest: int) -> str:
    """Return a text with no more characters than asked for, and a sign where some are missing.

    Args:
        text: The text.
        longest: How many.
    """
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def defused(text: str, base: str = "", *, deeper: int = 0) -> str:
    """Return Markdown that can neither end what it stands in, nor call anybody, nor close anything.

    Emphasis, lists, tables, code and links stay. HTML becomes text, a picture a link, and definitions of links go.

    Args:
        text: The Markdown.
        base: The address that a relative link starts from, with its slash; without one such links become text.
        deeper: By how many levels headings go down, to stand below another.
    """
    return "\n".join(_defused_lines(printable(text.replace("\r\n", "\n")).split("\n"), base, deeper))


def _defused_lines(lines: list[str], base: str, deeper: int) -> Iterator[str]:
    position = 0
    while position < len(lines):
        line = lines[position]
        opening = _FENCE.match(line)
        end = _closing(lines, position, opening) if opening else None
        if opening and end is not None:
            inside = [each.removeprefix(opening["indent"]) for each in lines[position + 1 : end]]
            # Deeper it could be a paragraph's next line, and its marks no fence.
            indent = opening["indent"][:2]
            language = "" if opening["language"].lower() in _DRAWN else opening["language"]
            yield from (f"{indent}{each}" for each in fence("\n".join(inside), language).split("\n"))
            position = end
        elif not _DEFINITION.match(line):
            heading = _HEADING.match(line)
            more = "#" * min(deeper, 6 - len(heading["marks"])) if heading else ""
            yield more + _defused_line(line.lstrip() if heading else line, base)
        position += 1


def _closing(lines: list[str], start: int, opening: re.Match[str]) -> int | None:
    mark = opening["fence"]
    for number in range(start + 1, len(lines)):
        stripped = lines[number].strip()
        if set(stripped) == {mark[0]} and len(stripped) >= len(mark):
            return number
    return None


def _defused_line(line: str, base: str) -> str:
    parts, position = [], 0
    for match in _TOKEN.finditer(line):
        parts.append(_referring_to_nothing(line[position : match.start()]))
        parts.append(_token(match, base))
        position = match.end()
    parts.append(_referring_to_nothing(line[position:]))
    text = _undone("".join(parts))
    # To GitLab a line that begins with a slash is a command; one of equal signs makes the line above a heading.
    return re.sub(r"\A(\s*(?:(?:[-*+>]|[0-9]+[.)])\s+)*)(?=[/=])", r"\1\\", text)


def _token(match: re.Match[str], base: str) -> str:
    if match["code"]:
        return match["code"]
    if match["target"]:
        return f"](<{web_address(match['target'])}>)"
    if match["relative"]:
        return f"](<{web_address(base + match['relative'])}>)" if base else "]"
    if match["angled"]:
        return f"<{web_address(match['angled'][1:-1])}>"
    if match["bare"]:
        # What GitHub takes for the sentence's is none of the address's. In brackets it is one for every parser.
        address = match["bare"].rstrip("?!.,:;*_~")
        rest = match["bare"][len(address) :]
        return f"<{web_address(address)}>{rest}" if web_address(address) else _referring_to_nothing(match["bare"])
    if match["other"]:
        return "]\\("
    if match["marks"]:
        return "".join(f"\\{mark}" for mark in match["marks"])
    if match["image"]:
        return ""
    if match["angle"]:
        return html.escape(match["angle"]) + _SPLIT
    # An escaped character may still begin a reference.
    return match["escaped"] + (_SPLIT if match["escaped"][1] in "@#!&$%~^" else "")


def _referring_to_nothing(text: str) -> str:
    return _REFERENCE.sub(lambda match: match[0] + _SPLIT, text)


def _undone(text: str) -> str:
    """Split the words that close an issue where one follows."""
    return _CLOSING.sub(lambda match: match[1][0] + _SPLIT + match[1][1:], text)


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
