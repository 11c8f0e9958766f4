"""Move pins in files that the user may have edited. Every other byte stays as it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import yaml

from dockertpl.errors import BadInputError
from dockertpl.merge.edit_text import Edit, apply_edits, last_of

_KEY = "digests"
_BASE_NAME = "org.opencontainers.image.base.name"
_BASE_DIGEST = "org.opencontainers.image.base.digest"
_NAMED = re.compile(rf'{re.escape(_BASE_NAME)}="?([^"\s]+)')
_LABEL = re.compile(rf'(?P<key>{re.escape(_BASE_DIGEST)})=(?P<quote>"?)sha256:[0-9a-f]{{64}}(?P=quote)(?!\w)')


def with_base_digest(text: str, image: str, digest: str, rendered: str) -> str:
    """Set the label `base.digest` of a Dockerfile, if its label `base.name` names an image.

    An existing label gets the new digest. A missing one is added below the line with the name, as in the rendering.
    That needs exactly one such line, unchanged.

    Args:
        text: The Dockerfile.
        image: The image's name.
        digest: Its new digest.
        rendered: The rendered Dockerfile with that digest. Empty adds no label.
    """
    # With labels of several images, it is unclear which digest belongs to which.
    if set(_NAMED.findall(text)) != {image}:
        return text
    if _BASE_DIGEST in text:
        return _LABEL.sub(rf"\g<key>=\g<quote>{digest}\g<quote>", text)
    lines = rendered.splitlines(keepends=True)
    for above, line in pairwise(lines):
        if _BASE_DIGEST in line and _BASE_NAME in above and text.splitlines(keepends=True).count(above) == 1:
            return text.replace(above, above + line, 1)
    return text


def with_digests(text: str, digests: Mapping[str, str], path: str) -> str:
    """Return an answers file with other digests.

    Args:
        text: The answers file.
        digests: All digests for it.
        path: Its name, for the error.

    Raises:
        BadInputError: The file has a layout that cannot be edited in place.
    """
    new = yaml.safe_dump({_KEY: dict(digests)}, indent=4, default_flow_style=False, width=1_000_000).rstrip("\n")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        before = yaml.safe_load(text)
        span = _span(root)
        if span is None:
            changed = f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{new}\n"
        else:
            changed = apply_edits(text, [Edit(*span, new)])
        good = yaml.safe_load(changed) == {**before, _KEY: dict(digests)}
    except (yaml.YAMLError, TypeError, ValueError, RecursionError):
        good = False
    if not good:
        raise BadInputError(
            f"The answer {_KEY} in {path} cannot be edited in place, because of the file's layout.",
            f"Write one answer per line, with this among them:\n{new}",
        )
    return changed


def _span(root: Any) -> tuple[int, int] | None:
    """Return where the answer starts and ends, including its key."""
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == _KEY:
            return key.start_mark.index, last_of(value)
    return None
