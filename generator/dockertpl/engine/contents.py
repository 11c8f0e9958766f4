"""Which files the layers of an image hold: by a `docker image save`, so only where a layer has to be explained."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from typing import IO, Any

from dockertpl.engine.client import Client, call
from dockertpl.engine.interrupts import end, ended_after
from dockertpl.engine.layers import SAVE_SECONDS
from dockertpl.errors import MachineError


def layer_files(client: Client, image: str) -> Sequence[Mapping[str, int]]:
    """Return the sizes of all regular files of an image, by path, for each of its layers, the base's first.

    A layer that this Python cannot unpack (zstd, before 3.14) has none. Costs about a second for 100 MB.

    Args:
        client: The engine.
        image: Its name or id.

    Raises:
        MachineError: The image is not there, or cannot be saved.
        NoEngineError: The engine went away.
    """
    files, documents = _read(client, image)
    wanted = json.loads(call(client, "image", "inspect", "--format", "{{json .RootFS.Layers}}", image).stdout)
    for entry in documents.get("manifest.json") or ():
        diff_ids = ((documents.get(entry["Config"]) or {}).get("rootfs") or {}).get("diff_ids")
        # An image for several platforms is saved with all of them.
        if diff_ids == wanted:
            return [files.get(name, {}) for name in entry["Layers"]]
    return []


def _read(client: Client, image: str) -> tuple[dict[str, dict[str, int]], dict[str, Any]]:
    """Return the files of every layer and every JSON document of a saved image, by their paths in the archive."""
    files: dict[str, dict[str, int]] = {}
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
                    if content is not None:
                        _take(member.name, content, files, documents)
        except (tarfile.TarError, ValueError):
            pass  # an archive that is cut off: the exit code says why
        except BaseException:
            end(process)
            raise
        complaint = process.stderr.read().decode(errors="replace").strip()
        if process.wait() != 0:
            raise MachineError(
                f"The engine cannot save {image}: {complaint}.", "Is its disk full? See `docker system df`."
            )
    return files, documents


def _take(name: str, content: IO[bytes], files: dict[str, dict[str, int]], documents: dict[str, Any]) -> None:
    head = content.peek(512)[:512]  # type: ignore[attr-defined]  # extractfile gives a BufferedReader
    if head[:1] in (b"{", b"[") and head[257:262] != b"ustar":
        documents[name] = json.load(content)
        return
    try:
        with tarfile.open(fileobj=content, mode="r|*", bufsize=1 << 18) as layer:
            files[name] = {entry.name.removeprefix("./"): entry.size for entry in layer if entry.isreg()}
    except tarfile.TarError:
        return
