"""The result of `verify` as Markdown, for a workflow summary or a comment on a pull request."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from dockertpl.commands.budgets import Figures, grown, megabytes
from dockertpl.commands.verify_view import bad, good
from dockertpl.engine.layer_cache import Layer
from dockertpl.errors import BadInputError, BrokenError, DockertplError, OverBudgetError

_LAYERS = 8
_INSTRUCTION = 80


def check(target: str | None, *, as_json: bool) -> None:
    """Refuse a target that cannot be written, before anything is built.

    Args:
        target: A file, "-" for stdout, or None.
        as_json: Whether stdout is for JSON.

    Raises:
        BadInputError: The file cannot be written, or stdout is in use.
    """
    if target == "-" and as_json:
        raise BadInputError("--markdown - and --json both write to stdout.", "Give --markdown a file.")
    if target and target != "-" and (Path(target).is_dir() or not Path(target).absolute().parent.is_dir()):
        raise BadInputError(f"--markdown {target}: the folder does not exist.", "Give the path of a file.")


def write(target: str | None, text: str) -> None:
    """Write a summary to a file, or to stdout for "-". None writes nothing.

    Raises:
        BadInputError: The file cannot be written.
    """
    if target == "-":
        click.echo(text, nl=False)
    elif target:
        try:
            Path(target).write_text(text, encoding="utf-8")
        except OSError as error:
            raise BadInputError(f"--markdown {target} cannot be written: {error.strerror}.") from error


def document(name: str, facts: Mapping[str, Any], baseline: Figures | None, error: DockertplError | None) -> str:
    """Return the summary: a headline, the figures beside the baseline's, the layers, and the findings.

    Args:
        name: The image's name.
        facts: The facts of `verify`, as in its JSON.
        baseline: The figures to compare with.
        error: The failure, or None.
    """
    lines = [f"### {name}: {(bad(facts, error) if error else good(facts)) or 'not proven'}", ""]
    layers = [Layer(layer["bytes"], layer["instruction"], "") for layer in facts["layers"]]
    if layers:
        lines += [*_figures(facts, layers, baseline), "", *_layers(layers, baseline), ""]
    findings = facts["findings"]
    # The findings already say everything that these errors say.
    if error and not isinstance(error, BrokenError | OverBudgetError):
        lines += _fenced([*error.message.splitlines(), *error.remedy.splitlines()])
    for finding in findings:
        lines += [f"**{_text(finding['message'])}**", "", *_fenced(finding["lines"])]
        lines += [_text(finding["remedy"]), ""] if finding["remedy"] else []
    return "\n".join(lines).rstrip() + "\n"


def _figures(facts: Mapping[str, Any], layers: Sequence[Layer], baseline: Figures | None) -> list[str]:
    rows = [
        ("size, unpacked", megabytes(facts["image_bytes"]), baseline and megabytes(baseline.bytes)),
        ("layers", str(len(layers)), baseline and str(len(baseline.layers))),
        ("start", _seconds(facts["ready_seconds"]), baseline and _seconds(baseline.ready)),
    ]
    if baseline is None:
        return ["| | |", "|---|--:|", *(f"| {label} | {now} |" for label, now, _ in rows)]
    changes = [
        _change(facts["image_bytes"], baseline.bytes),
        "",
        _change(facts["ready_seconds"], baseline.ready),
    ]
    head = [f"| | {_cell(baseline.name)} | now | change |", "|---|--:|--:|--:|"]
    return head + [
        f"| {label} | {then} | {now} | {change} |" for (label, now, then), change in zip(rows, changes, strict=True)
    ]


def _layers(layers: Sequence[Layer], baseline: Figures | None) -> list[str]:
    more = {one.after: one.bytes for one in grown(baseline.layers, layers)} if baseline else {}
    places = sorted(range(len(layers)), key=lambda place: layers[place].bytes, reverse=True)[:_LAYERS]
    lines = ["| size | larger by | layer |", "|--:|--:|---|"] if baseline else ["| size | layer |", "|--:|---|"]
    for place in places:
        larger = f"{f'+{megabytes(more[place])}' if place in more else ''} | " if baseline else ""
        lines.append(f"| {megabytes(layers[place].bytes)} | {larger}{_cell(layers[place].instruction)} |")
    return lines


def _change(now: float | None, then: float | None) -> str:
    return f"{now / then - 1:+.1%}" if now is not None and then else ""


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.2f} s"


def _cell(text: str) -> str:
    """Return text as code in a table cell."""
    short = text if len(text) <= _INSTRUCTION else f"{text[: _INSTRUCTION - 1]}…"
    return "`" + short.replace("`", "'").replace("|", "\\|") + "`" if short else ""


def _text(text: str) -> str:
    """Return text with all Markdown escaped."""
    return re.sub(r"([\\`*_{}\[\]<>#|~@])", r"\\\1", " ".join(text.split()))


def _fenced(lines: Sequence[str]) -> list[str]:
    """Return lines in a code block that none of them can end."""
    if not lines:
        return []
    fence = max((match for line in lines for match in re.findall(r"`+", line)), key=len, default="``") + "`"
    fence = fence if len(fence) >= 3 else "```"
    return [fence, *lines, fence, ""]
