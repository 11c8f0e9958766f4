"""Find a Dockerfile's base images, and every place with an image name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from dockertpl.detect.dockerfile import Instruction, instructions, stages

#: Build arguments with an image, as the templates name them.
SUFFIX = "_IMAGE"
_SCRATCH = "scratch"
_DIGEST = r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
# The text before an image's name in COPY and RUN.
_FROM_OPTION = r"(?<=from=)"


class Mention(NamedTuple):
    """A place with an image name in a text.

    Attributes:
        start: The start of the name.
        end: The end of the name with its digest.
        digest: The digest, or None.
    """

    start: int
    end: int
    digest: str | None


def images(text: str) -> list[str]:
    """Return the external images of a Dockerfile in order, without digests.

    These are the images in FROM, with the defaults of build arguments, and the defaults of build arguments `…_IMAGE`
    before the first FROM.
    """
    found = list(_arguments(text))
    known: set[str] = {_SCRATCH}
    for stage in stages(text):
        if stage.base.lower() not in known:
            found.append(stage.base)
        known.add(stage.name.lower())
    return list(dict.fromkeys(image.partition("@")[0] for image in found if image and "$" not in image))


def mentions(text: str, image: str) -> list[Mention]:
    """Return the places of an image in ARG, FROM, `--from=` and a mount's `from=`.

    Comments, labels and longer names are left out.

    Args:
        text: The Dockerfile.
        image: The name without a digest.
    """
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    steps = instructions(text)
    # The characters around it must not belong to a name or path.
    name = re.escape(image) + _DIGEST + r"(?![\w.:/@-])"
    anywhere = re.compile(r"(?<![\w.:/@-])" + name)
    as_source = re.compile(_FROM_OPTION + name)
    found = []
    for number, step in enumerate(steps):
        pattern = {"ARG": anywhere, "FROM": anywhere, "COPY": as_source, "RUN": as_source}.get(step.name)
        if pattern is None:
            continue
        last = steps[number + 1].line - 1 if number + 1 < len(steps) else len(lines)
        for at in range(step.line - 1, last):
            if not lines[at].lstrip().startswith("#"):
                found += [
                    Mention(starts[at] + match.start(), starts[at] + match.end(), match["digest"])
                    for match in pattern.finditer(lines[at])
                ]
    return found


def _arguments(text: str) -> Iterator[str]:
    for step in instructions(text):
        if step.name == "FROM":
            return
        yield from _image_argument(step)


def _image_argument(step: Instruction) -> Iterator[str]:
    if step.name == "ARG":
        name, _, value = step.value.partition("=")
        if name.endswith(SUFFIX):
            yield value.strip().strip("\"'")
