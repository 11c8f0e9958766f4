"""Read the stream of `docker image save`, a tar archive of layers and JSON documents."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Callable
from typing import IO, Any

from dockertpl.engine.client import Client
from dockertpl.errors import MachineError
from dockertpl.interrupts import end, ended_after

#: The timeout for saving an image.
SAVE_SECONDS = 300.0


def read_saved(client: Client, image: str, take: Callable[[str, IO[bytes]], None]) -> dict[str, Any]:
    """Pass each layer's archive to a function, and return the JSON documents by path.

    Args:
        client: The engine.
        image: The image's id or tag.
        take: Called with the path of a layer and its archive.

    Raises:
        MachineError: The image is missing, or cannot be saved.
    """
    documents: dict[str, Any] = {}
    with subprocess.Popen(
        [client.executable, "image", "save", image],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None  # noqa: S101  (what PIPE means)
        try:
            with (
                ended_after(process, SAVE_SECONDS),
                tarfile.open(fileobj=process.stdout, mode="r|", bufsize=1 << 20) as archive,
            ):
                for member in archive:
                    content = archive.extractfile(member) if member.isreg() else None
                    if content is None:
                        continue
                    head = content.peek(512)[:512]  # type: ignore[attr-defined]  # it is a BufferedReader
                    if head[:1] in (b"{", b"[") and head[257:262] != b"ustar":
                        documents[member.name] = json.load(content)
                    else:
                        take(member.name, content)
        except (tarfile.TarError, ValueError):
            pass  # the archive is cut off: the exit code is checked below
        except BaseException:
            end(process)
            raise
        complaint = process.stderr.read().decode(errors="replace").strip()
        if process.wait() != 0:
            raise MachineError(
                f"The engine cannot save {image}: {complaint}.", "Check its disk space with `docker system df`."
            )
    return documents


def of_platform(documents: dict[str, Any], diff_ids: list[str]) -> tuple[list[str], dict[str, Any]] | None:
    """Return the paths of an image's layers and its configuration, or None.

    Args:
        documents: From `read_saved`. They may be for several platforms.
        diff_ids: The digests of the image's unpacked layers.
    """
    for entry in documents.get("manifest.json") or ():
        config = documents.get(entry["Config"]) or {}
        if (config.get("rootfs") or {}).get("diff_ids") == diff_ids:
            return list(entry["Layers"]), config
    return None
