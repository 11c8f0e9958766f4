"""The layers of images that were counted before, in the user's cache folder."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

_MOST = 200  # images


class Layer(NamedTuple):
    """One layer.

    Attributes:
        bytes: Sum of the sizes of the files in it, unpacked.
        instruction: The Dockerfile's instruction that made it, as the image's history has it.
        digest: Digest of the unpacked layer (its diff id).
    """

    bytes: int
    instruction: str
    digest: str


class Cache(NamedTuple):
    """What was counted.

    Attributes:
        images: The layers of each image, by what the image is made of.
        blobs: The unpacked bytes of each layer's archive, by its digest.
    """

    images: dict[str, list[Layer]]
    blobs: dict[str, int]


def read() -> Cache:
    """Return what is remembered; nothing where the file is missing or damaged."""
    try:
        known = json.loads(_path().read_text("utf-8"))
        images = {
            str(key): [Layer(int(a), str(b), str(c)) for a, b, c in value] for key, value in known["images"].items()
        }
        return Cache(images, {str(key): int(value) for key, value in known["blobs"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Cache({}, {})


def write(cache: Cache) -> None:
    """Remember what was counted last. What cannot be written is counted again the next time."""
    newest = {"images": _last(cache.images, _MOST), "blobs": _last(cache.blobs, 10 * _MOST)}
    path = _path()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Two at once: the last one wins, and neither reads half a file.
        own = path.with_name(f"{path.name}.{os.getpid()}")
        own.write_text(json.dumps(newest), encoding="utf-8")
        own.replace(path)


def _last(known: dict[str, Any], count: int) -> dict[str, Any]:
    return dict(list(known.items())[-count:])


def _path() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("dockertpl", appauthor=False)) / "layers.json"
