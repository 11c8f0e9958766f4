"""The limits of `verify`: `--max-bytes`, `--max-ready`, and growth over a baseline.

Growth counts from 10 %. A slower start also has to be a quarter of a second slower. The fastest of three starts
counts, because other load on the machine only ever makes a start slower.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dockertpl.engine.layer_cache import Layer
from dockertpl.errors import BadInputError, OverBudgetError

#: How much larger or slower an image may become, and how many seconds a start may always take longer.
GROWTH = 0.10
SLACK_SECONDS = 0.25
#: How many starts it takes to call an image slow.
_STARTS = 3
#: How many layers and files to name.
_LAYERS = 3
_FILES = 5
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}

#: Starts an image again and returns the seconds to its first good answer, or None.
Again = Callable[[], float | None]
#: Returns the sizes of the files of each layer, by path.
Files = Callable[[], Sequence[Mapping[str, int]]]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """The figures of an image to compare.

    Attributes:
        name: A file of figures, a commit, or the image itself.
        bytes: Its unpacked bytes.
        ready: Seconds to its first good answer, or None if unknown.
        layers: Its layers, the base's first.
        again: Starts it once more. None if the image is not here.
        files: Returns its files. None if the image is not here.
    """

    name: str
    bytes: int
    ready: float | None
    layers: Sequence[Layer]
    again: Again | None = None
    files: Files | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the value of `baseline` in the JSON."""
        return {"name": self.name, "image_bytes": self.bytes, "ready_seconds": self.ready, "layers": len(self.layers)}


class Growth(NamedTuple):
    """A layer that grew.

    Attributes:
        bytes: By how much.
        before: Its index among the layers of the baseline, or None if it is new.
        after: Its index among the layers now.
    """

    bytes: int
    before: int | None
    after: int


def parse_bytes(text: str) -> int:
    """Return an amount such as 250MB or 1.5GB in bytes. kB, MB and GB are powers of 1000, KiB and MiB of 1024.

    Raises:
        BadInputError: The text is not an amount.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)", text.strip())
    unit = _UNITS.get(match[2].upper()) if match else None
    if match is None or unit is None or float(match[1]) == 0:
        raise BadInputError(f"--max-bytes {text!r} is not a size in bytes.", "Write it like 250MB or 1.5GB.")
    return int(float(match[1]) * unit)


def check(
    image: Figures, *, max_bytes: int | None, max_ready: float | None, baseline: Figures | None
) -> list[dict[str, Any]]:
    """Return a finding for each limit that an image exceeds: rule, message, lines and remedy, as in the JSON.

    Args:
        image: The figures of the image.
        max_bytes: The limit of unpacked bytes.
        max_ready: The limit of seconds to the first good answer.
        baseline: The figures to compare with.

    Raises:
        MachineError: The engine cannot list the files of a layer that grew.
    """
    found = []
    if max_bytes is not None and image.bytes > max_bytes:
        largest = sorted(image.layers, key=lambda layer: layer.bytes, reverse=True)[:_LAYERS]
        found.append(
            _finding(
                "max-bytes",
                f"The image has {megabytes(image.bytes)}; --max-bytes allows {megabytes(max_bytes)}.",
                [f"{megabytes(layer.bytes)}  {layer.instruction}" for layer in largest],
                "Raise --max-bytes if the image has to be this large.",
            )
        )
    if max_ready is not None and image.ready is not None:
        ready = image.ready
        for _ in range(1, _STARTS):
            ready = ready if ready <= max_ready else _quicker(image, ready)
        if ready > max_ready:
            message = f"The image was ready after {ready:.2f} s; --max-ready allows {max_ready:g} s."
            found.append(_finding("max-ready", message, [], "Raise --max-ready if it has to start this slowly."))
    if baseline is not None:
        found += [finding for finding in (_larger(image, baseline), _slower(image, baseline)) if finding]
    return found


def error(findings: Sequence[Mapping[str, Any]]) -> OverBudgetError:
    """Return one error with the messages, lines and remedies of all findings."""
    text = "\n".join(
        "\n".join([finding["message"], *(f"  {line}" for line in finding["lines"])]) for finding in findings
    )
    return OverBudgetError(text, "\n".join(dict.fromkeys(finding["remedy"] for finding in findings)))


def grown(before: Sequence[Layer], after: Sequence[Layer]) -> list[Growth]:
    """Return the layers that grew, the largest growth first.

    Layers with the same instruction are pairs. Of the rest, layers whose instructions begin with the same two words
    are pairs, because an edited command or a newer base is still the same layer.
    """
    pairs: dict[int, int] = {}
    left = list(range(len(before)))
    for key in (lambda layer: layer.instruction, lambda layer: " ".join(layer.instruction.split()[:2])):
        for number, layer in enumerate(after):
            other = next((place for place in left if key(before[place]) == key(layer)), None)
            if number not in pairs and other is not None:
                pairs[number] = other
                left.remove(other)
    growths = [
        Growth(layer.bytes - (before[pairs[number]].bytes if number in pairs else 0), pairs.get(number), number)
        for number, layer in enumerate(after)
    ]
    return sorted((one for one in growths if one.bytes > 0), key=lambda one: one.bytes, reverse=True)


def grown_files(before: Mapping[str, int] | None, after: Mapping[str, int]) -> list[str]:
    """Return a line for the files that a layer has more of: a few, the largest growth first.

    Args:
        before: The sizes of the earlier layer's files by path, or None to list the largest.
        after: The sizes of this layer's files.
    """
    known = before or {}
    more = Counter({path: size - known.get(path, 0) for path, size in after.items()})
    sign = "" if before is None else "+"
    # A file with less than a hundredth of the growth explains nothing.
    total = sum(size for size in more.values() if size > 0)
    return [
        f"{sign}{megabytes(size)}  /{path}{' (new)' if before is not None and path not in known else ''}"
        for path, size in more.most_common(_FILES)
        if size * 100 > total
    ]


def megabytes(count: int) -> str:
    """Return an amount in MB."""
    return f"{count / 1e6:.1f} MB"


def _larger(image: Figures, baseline: Figures) -> dict[str, Any] | None:
    if not baseline.bytes or image.bytes <= baseline.bytes * (1 + GROWTH):
        return None
    share = image.bytes / baseline.bytes - 1
    message = (
        f"The image grew by {megabytes(image.bytes - baseline.bytes)} ({share:.0%}): "
        f"{megabytes(baseline.bytes)} in {baseline.name}, {megabytes(image.bytes)} now."
    )
    # A layer that adds less than a hundredth explains nothing.
    growths = [one for one in grown(baseline.layers, image.layers) if one.bytes * 100 > baseline.bytes][:_LAYERS]
    files = image.files() if image.files and growths else ()
    old_files = baseline.files() if baseline.files and growths else ()
    lines = []
    for one in growths:
        was = "a new layer" if one.before is None else f"{megabytes(baseline.layers[one.before].bytes)} before"
        lines.append(f"+{megabytes(one.bytes)}  {image.layers[one.after].instruction} ({was})")
        if files:
            known = {} if one.before is None else old_files[one.before] if old_files else None
            lines += [f"  {line}" for line in grown_files(known, files[one.after])]
    return _finding("baseline-bytes", message, lines, "If this is intended, compare with a newer baseline.")


def _slower(image: Figures, baseline: Figures) -> dict[str, Any] | None:
    if image.ready is None or baseline.ready is None:
        return None
    now, before = image.ready, baseline.ready
    for turn in range(_STARTS):
        if turn:
            # Alternate, because the load of the machine may change.
            now, before = _quicker(image, now), _quicker(baseline, before)
        if now <= before * (1 + GROWTH) or now - before < SLACK_SECONDS:
            return None
    message = f"The image starts {now - before:.2f} s later: {before:.2f} s in {baseline.name}, {now:.2f} s now."
    return _finding("baseline-ready", message, [], "If this is intended, compare with a newer baseline.")


def _quicker(image: Figures, known: float) -> float:
    """Return the seconds of one more start if it is faster than a known one."""
    again = image.again() if image.again else None
    return known if again is None else min(known, again)


def _finding(rule: str, message: str, lines: list[str], remedy: str) -> dict[str, Any]:
    return {"rule": rule, "message": message, "lines": lines, "remedy": remedy, "fails": True}
