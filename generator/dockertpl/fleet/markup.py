"""Markdown of other people's text, on pages where a name notifies somebody and `fixes #1` closes an issue."""

from __future__ import annotations

import html
import re
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
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~<>&-])")
_IN_CELL = "|`*_[]()\\~:@#!$"


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


def _undone(text: str) -> str:
    """Split the words that close an issue where one follows."""
    return _CLOSING.sub(lambda match: match[1][0] + _SPLIT + match[1][1:], text)


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
