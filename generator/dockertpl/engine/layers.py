"""Count the bytes of an image's layers, and cache the result."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Mapping
from typing import IO, Any

from dockertpl.engine import layer_cache
from dockertpl.engine.client import Client, call, understood
from dockertpl.engine.layer_cache import Layer
from dockertpl.engine.saved import of_platform, read_saved
from dockertpl.errors import MachineError

# Older engines do not name the archives by their digests.
_BLOB = re.compile(r"blobs/sha256/[0-9a-f]{64}")


def layers(client: Client, image: str) -> list[Layer]:
    """Return an image's layers with their unpacked bytes, the base's first.

    Add up the sizes of the regular files in each layer of `docker image save`. Hard links count nothing, as on disk.
    `docker history` would be faster, but its figures depend on the store. The containerd store counts disk blocks, 12 %
    more on Debian slim. Only a layer that this Python cannot unpack (zstd before 3.14) has the figure of the history.

    This takes about two seconds for 100 MB. The result is cached.

    Args:
        client: The engine.
        image: The image's id or tag.

    Raises:
        MachineError: The image is missing, or cannot be read.
    """
    wanted = call(client, "image", "inspect", "--format", "{{json .RootFS.Layers}}", image).stdout
    made_by = call(client, "image", "history", "--no-trunc", "--format", "{{json .CreatedBy}}", image).stdout
    key = hashlib.sha256(f"{wanted}\n{made_by}".encode()).hexdigest()
    cache = layer_cache.read()
    if key not in cache.images:
        with understood("image", "save"):
            cache.images[key] = _counted(client, image, json.loads(wanted), cache.blobs)
        layer_cache.write(cache)
    return cache.images[key]


def _counted(client: Client, image: str, diff_ids: list[str], known: dict[str, int]) -> list[Layer]:
    """Return the layers of an image, and add the sizes of its blobs to `known`."""
    sizes: dict[str, int] = {}

    def take(name: str, content: IO[bytes]) -> None:
        is_addressed = bool(_BLOB.fullmatch(name))
        size = known.get(name) if is_addressed else None
        if size is None:
            size = _archive_bytes(content)
        if size is not None:
            sizes[name] = size
            if is_addressed:
                known[name] = size

    found = of_platform(read_saved(client, image, take), diff_ids)
    if found is None:
        raise MachineError(f"The engine saves {image} in an unknown format.", "Check that it is an OCI image.")
    names, config = found
    history = config.get("history") or []
    counted = [sizes.get(name) for name in names]
    told = _told(client, image, history) if None in counted else []
    steps = [_instruction(step) for step in history if not step.get("empty_layer")]
    return [
        Layer(
            # Compare with None: a layer may have 0 bytes.
            bytes=size if size is not None else (told[number] if number < len(told) else 0),
            instruction=steps[number] if number < len(steps) else "(unknown)",
            digest=digest,
        )
        for number, (size, digest) in enumerate(zip(counted, diff_ids, strict=True))
    ]


def _archive_bytes(content: IO[bytes]) -> int | None:
    """Return the total size of the files in an archive, or None if this Python cannot unpack it."""
    try:
        with tarfile.open(fileobj=content, mode="r|*", bufsize=1 << 18) as layer:
            return sum(entry.size for entry in layer if entry.isreg())
    except tarfile.TarError:
        return None


def _told(client: Client, image: str, history: list[dict[str, Any]]) -> list[int]:
    """Return the sizes of an image's layers from its history, the base's first."""
    text = call(client, "image", "history", "--no-trunc", "--human=false", "--format", "{{.Size}}", image).stdout
    sizes = [int(size) for size in reversed(text.split())]
    return [size for size, step in zip(sizes, history, strict=False) if not step.get("empty_layer")]


def _instruction(step: Mapping[str, Any]) -> str:
    """Return a history entry as the instruction, without values of build arguments, which may be secret."""
    text = str(step.get("created_by") or step.get("comment") or "(unknown)")
    text = re.sub(r"^/bin/sh -c #\(nop\)\s+", "", text.removesuffix(" # buildkit"))
    text = re.sub(r"^(?:RUN )?(?:\|\d+ .*?)?/bin/sh -c ", "RUN ", text, flags=re.DOTALL)
    return " ".join(text.split())
