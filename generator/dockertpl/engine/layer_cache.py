"""The cache of counted layers, in the user's cache folder."""

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
        bytes: The total size of its files, unpacked.
        instruction: The Dockerfile's instruction, from the image's history.
        digest: The digest of the unpacked layer (its diff id).
    """

    bytes: int
    instruction: str
    digest: str


class Cache(NamedTuple):
    """The cached figures.

    Attributes:
        images: The layers of each image, by a hash of its layers and history.
        blobs: The unpacked bytes of each layer's archive, by digest.
    """

    images: dict[str, list[Layer]]
    blobs: dict[str, int]


def read() -> Cache:
    """Return the cache. It is empty if the file is missing or damaged."""
    try:
        known = json.loads(_path().read_text("utf-8"))
        images = {
            str(key): [Layer(int(a), str(b), str(c)) for a, b, c in value] for key, value in known["images"].items()
        }
        return Cache(images, {str(key): int(value) for key, value in known["blobs"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Cache({}, {})


def write(cache: Cache) -> None:
    """Write the newest entries. An error is ignored: the layers are counted again the next time."""
    newest = {"images": _last(cache.images, _MOST), "blobs": _last(cache.blobs, 10 * _MOST)}
    path = _path()
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Replace the file at once: of two runs the last one wins, and readers never see a partial file.
        own = path.with_name(f"{path.name}.{os.getpid()}")
        own.write_text(json.dumps(newest), encoding="utf-8")
        own.replace(path)


def _last(known: dict[str, Any], count: int) -> dict[str, Any]:
    return dict(list(known.items())[-count:])


def _path() -> Path:
    import platformdirs

    return Path(platformdirs.user_cache_dir("dockertpl", appauthor=False)) / "layers.json"
