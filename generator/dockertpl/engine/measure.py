"""Figures that take several runs."""

from __future__ import annotations

from dockertpl.engine.client import Client
from dockertpl.engine.image import inspect_image
from dockertpl.engine.run import ready_seconds
from dockertpl.engine.strict import RunOptions


def start_times(
    client: Client, image: str, *, runs: int, name: str = "measure", options: RunOptions | None = None
) -> list[float]:
    """Start an image several times, one after the other, and return each start's `ready_seconds`.

    Each run is a fresh, strict container: start to first good answer, polled every 10 ms. Sides that are compared
    are best measured in turn, one run each, since the machine changes under both.

    Raises:
        UnhealthyError: A run gave no good answer.
    """
    facts = inspect_image(client, image)
    chosen = options or RunOptions()
    return [ready_seconds(client, facts, name=name, options=chosen) for _ in range(runs)]
