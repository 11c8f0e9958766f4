"""A report as one HTML page that needs no network: sort, filter, copy commands, print."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from dockertpl.fleet.markup import web_address
from dockertpl.fleet.reports.columns import Column, Sheet, T, texts
from dockertpl.screen import printable

_DATA = Path(__file__).parent / "data"
#: The number of template pieces in each yielded piece.
_PIECES = 500


def html(items: Iterable[T], sheet: Sheet[T], *, title: str, note: str = "") -> Iterator[str]:
    """Yield the pieces of a page, with the most urgent items first.

    Args:
        items: The items, read once.
        sheet: How to show them.
        title: The heading.
        note: A line below it, such as the time, or nothing.
    """
    shown = sorted(items, key=sheet.rank)
    style, script = _asset("page.css"), _asset("page.js")
    stream = _template().stream(
        title=printable(title),
        note=printable(note),
        headline=sheet.headline(shown),
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'; "
        "form-action 'none'",
        count=sheet.count(len(shown)),
        columns=sheet.at("column"),
        totals=[(state, sheet.levels[state], number) for state, number in sheet.totals(shown).items()],
        rows=(_row(item, sheet) for item in shown),
    )
    stream.enable_buffering(_PIECES)
    return iter(stream)


def _row(item: T, sheet: Sheet[T]) -> dict[str, Any]:
    details = [
        (column, [_value(column, text) for text in values])
        for column in sheet.at("detail", "fold")
        if (values := texts(item, column))
    ]
    return {
        "state": sheet.state_of(item),
        "level": sheet.level(item),
        "rank": sheet.rank(item),
        "command": sheet.command(item),
        "cells": [
            (column, [_value(column, text) for text in texts(item, column)])
            for column in sheet.at("column")
            if column.shape != "state"
        ],
        "shown": [(column, values) for column, values in details if column.place == "detail"],
        "folded": [(column, values) for column, values in details if column.place == "fold"],
    }


def _value(column: Column, text: str) -> tuple[str, str]:
    """Return a text and the address of its link, or nothing."""
    return printable(text), web_address(text) if column.shape == "link" else ""


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_DATA),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.jinja")


@cache
def _asset(name: str) -> str:
    return (_DATA / name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"
