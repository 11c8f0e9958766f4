"""Which layers of an image belong to its base image: all below those of the Dockerfile's own instructions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dockertpl.detect.dockerfile import Stage, stages
from dockertpl.engine.layer_cache import Layer

_MAKE_LAYERS = ("RUN", "COPY", "ADD", "WORKDIR")


class Base(NamedTuple):
    """The base image of an image.

    Attributes:
        name: The image in FROM, without a digest. Empty if it is unknown.
        layers: How many layers it has.
    """

    name: str
    layers: int


def find_base(text: str, target: str | None, build_args: Mapping[str, str], contents: Sequence[Layer]) -> Base | None:
    """Return the base of an image, or None if the split between its layers and the base's is uncertain.

    Args:
        text: The Dockerfile.
        target: The stage that was built, or None for the last.
        build_args: The build arguments of the build.
        contents: The layers of the image, the base's first.
    """
    for name, value in build_args.items():
        parts = re.split(rf"(?m)^ARG {re.escape(name)}(?:=.*)?$", text)
        text = f"ARG {name}={value}".join(parts)
    chain = _chain(stages(text), target)
    if not chain:
        return None
    own = [
        step.name
        for stage in reversed(chain)
        for step in stage.instructions
        if step.name in _MAKE_LAYERS and not (step.name == "WORKDIR" and step.value.strip("\"'") == "/")
    ]
    count = len(contents) - len(own)
    # If the engine made other layers than the Dockerfile has instructions, nothing is certain.
    if count < 0 or [layer.instruction.partition(" ")[0] for layer in contents[count:]] != own:
        return None
    name = chain[-1].base.partition("@")[0]
    return Base("" if "$" in name else name, count)


def _chain(known: Sequence[Stage], target: str | None) -> list[Stage]:
    """Return a stage and all stages it is based on. The last one starts from an image."""
    at = len(known) - 1
    if target is not None:
        named = [n for n, stage in enumerate(known) if stage.name.lower() == target.lower() or str(n) == target]
        at = named[-1] if named else -1
    chain: list[Stage] = []
    while at >= 0:
        stage = known[at]
        chain.append(stage)
        # A stage can only be based on an earlier one.
        above = [n for n in range(at) if stage.base and known[n].name.lower() == stage.base.lower()]
        at = above[-1] if above else -1
    return chain
