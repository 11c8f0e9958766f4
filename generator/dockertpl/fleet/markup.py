"""Markdown for untrusted text: no name may notify a user, and no `fixes #1` may close an issue."""

from __future__ import annotations

import html
import re
from urllib.parse import quote, urlsplit, urlunsplit

from dockertpl.screen import cut, printable

#: An invisible character. It goes between two characters that have a meaning together.
_SPLIT = "\u200b"
#: These words close the issue that follows. On GitLab they do so in code, too.
_CLOSING = re.compile(
    r"\b(close[sd]?|closing|fix(?:e[sd]|ing)?|resolve[sd]?|resolving|implement(?:s|ed|ing)?)"
    r"(?=:?\s+(?:issues?\b|\S*(?:#|GH-|https?:|[A-Z][A-Z0-9_]+-[0-9])))",
    re.IGNORECASE,
)
_REFERENCE = re.compile(r"@(?=[\w-])|[#!&$%~^](?=[0-9])|GH-(?=[0-9])", re.IGNORECASE)
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~<>&-])")
_IN_CELL = "|`*_[]()\\~:@#!$"


def code(text: str, longest: int = 200) -> str:
    """Return an untrusted text as inline code that triggers nothing on GitHub or GitLab.

    Args:
        text: The text.
        longest: The most characters to show.
    """
    shown = _undone(cut(" ".join(printable(text).split()), longest))
    if not shown:
        return "(nothing)"
    run = "`" * (_longest_run(shown) + 1)
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{run}{space}{shown}{space}{run}"


def cell(text: str, longest: int = 200) -> str:
    """Return an untrusted text as inline code for a table cell, where a bar ends the cell even in code.

    Args:
        text: The text.
        longest: The most characters to show.
    """
    shown = html.escape(_undone(cut(" ".join(printable(text).split()), longest)), quote=False)
    # As HTML: Markdown code cannot hold a backslash before a bar.
    return f"<code>{''.join(f'&#{ord(c)};' if c in _IN_CELL else c for c in shown)}</code>" if shown else ""


def plain(text: str, longest: int = 500) -> str:
    """Return an untrusted text as prose on one line, without Markdown, mentions or references.

    Args:
        text: The text.
        longest: The most characters to show.
    """
    shown = cut(" ".join(printable(text).split()), longest)
    shown = re.sub(r"(?<=[a-z])://", f":{_SPLIT}//", _undone(shown), flags=re.IGNORECASE)
    shown = re.sub(r"\bwww\.", f"www{_SPLIT}.", shown, flags=re.IGNORECASE)
    shown = _SPECIAL.sub(r"\\\1", _REFERENCE.sub(lambda match: match[0] + _SPLIT, shown))
    # GitLab runs a line that begins with a slash as a command, and `1.` begins a list.
    shown = re.sub(r"\A([0-9]+)([.)])", r"\1\\\2", shown)
    return re.sub(r"\A([/=])", r"\\\1", shown)


def fence(text: str, language: str = "") -> str:
    """Return untrusted lines as a code block that none of them can end.

    Args:
        text: The lines.
        language: The language to highlight.
    """
    shown = _undone(printable(text))
    marks = "`" * max(3, _longest_run(shown) + 1)
    end = "" if shown.endswith("\n") or not shown else "\n"
    return f"{marks}{language}\n{shown}{end}{marks}"


def link(text: str, url: str) -> str:
    """Return a Markdown link without credentials, or only the text if the address is not on the web."""
    address = web_address(url)
    return f"[{text}](<{address}>)" if address else text


def web_address(url: str) -> str:
    """Return an untrusted address for a link, without credentials, or nothing if it is not on the web."""
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


def _undone(text: str) -> str:
    """Break the words that close an issue if one follows."""
    return _CLOSING.sub(lambda match: match[1][0] + _SPLIT + match[1][1:], text)


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
