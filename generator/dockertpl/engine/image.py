"""What an image is: how it starts, and the bytes of its layers."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, NamedTuple

from dockertpl.engine.client import Client, call, call_json
from dockertpl.engine.interrupts import end
from dockertpl.errors import MachineError


@dataclass(frozen=True, kw_only=True)
class ImageFacts:
    """How an image says that it is to be run.

    Attributes:
        image: The engine's id for it.
        user: What USER says; empty is root.
        port: The port of EXPOSE (the lowest TCP one; the engine does not keep their order), or None.
        labels: Its labels.
        probe: The command of its HEALTHCHECK; empty without one.
        workdir: The folder that its command starts in.
        patience: Seconds that it has to get healthy, at least a minute: the probe's start period and its retries.
    """

    image: str
    user: str
    port: int | None
    labels: Mapping[str, str]
    probe: tuple[str, ...]
    workdir: str = "/"
    patience: float = 60.0

    @property
    def has_healthcheck(self) -> bool:
        """Whether the engine can tell that it is healthy."""
        return bool(self.probe)


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


def inspect_image(client: Client, image: str) -> ImageFacts:
    """Return how an image in the engine's store is to be run. Raises MachineError if it is not there."""
    known = call_json(client, "image", "inspect", image)
    config = known.get("Config") or {}
    ports = [
        int(port) for port, _, kind in (p.partition("/") for p in config.get("ExposedPorts") or {}) if kind != "udp"
    ]
    check = config.get("Healthcheck") or {}
    test = check.get("Test") or []
    # In nanoseconds; what is 0 or missing is the engine's own default.
    interval = (check.get("Interval") or 30e9) / 1e9
    patience = (check.get("StartPeriod") or 0) / 1e9 + (check.get("Retries") or 3) * interval
    return ImageFacts(
        image=str(known["Id"]),
        user=str(config.get("User") or ""),
        port=min(ports, default=None),
        labels=config.get("Labels") or {},
        probe=("/bin/sh", "-c", *test[1:]) if test[:1] == ["CMD-SHELL"] else tuple(test[1:]),
        workdir=str(config.get("WorkingDir") or "/"),
        patience=max(60.0, patience) if test else 60.0,
    )


def layers(client: Client, image: str) -> list[Layer]:
    """Return an image's layers, the base's first, with their unpacked bytes.

    The source is `docker image save`: the sizes of all regular files of each layer's archive are added up (a hard link
    counts nothing, as on disk). `docker history` would be quicker, but says something else with each store: with the
    containerd store the disk blocks of its snapshots (12 % more on Debian slim), with the older ones the files' sizes.
    A layer that this Python cannot unpack (zstd, before 3.14) has the history's figure.

    Costs about a second for 100 MB.

    Raises:
        MachineError: The image is not there, or cannot be read.
    """
    sizes, documents = _read_archive(client, image)
    wanted = call(client, "image", "inspect", "--format", "{{json .RootFS.Layers}}", image).stdout
    diff_ids = json.loads(wanted)
    for entry in documents.get("manifest.json") or ():
        config = documents.get(entry["Config"]) or {}
        # An image for several platforms is saved with all of them.
        if (config.get("rootfs") or {}).get("diff_ids") == diff_ids:
            break
    else:
        raise MachineError(f"The engine saves {image} in a form that is not known here.", "Is it an OCI image?")
    history = config.get("history") or []
    counted = [sizes.get(name) for name in entry["Layers"]]
    told = _told(client, image, history) if None in counted else []
    steps = [_instruction(step) for step in history if not step.get("empty_layer")]
    return [
        Layer(
            # A comparison with None: a layer may be empty.
            bytes=size if size is not None else (told[number] if number < len(told) else 0),
            instruction=steps[number] if number < len(steps) else "(unknown)",
            digest=digest,
        )
        for number, (size, digest) in enumerate(zip(counted, diff_ids, strict=True))
    ]


def _read_archive(client: Client, image: str) -> tuple[dict[str, int], dict[str, Any]]:
    """Return the unpacked bytes of every layer and the parsed text of every JSON document of a saved image, by path."""
    sizes: dict[str, int] = {}
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
            with tarfile.open(fileobj=process.stdout, mode="r|", bufsize=1 << 20) as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.isreg() else None
                    if content is None:
                        continue
                    head = content.read(512)
                    if head[:1] in (b"{", b"[") and head[257:262] != b"ustar":
                        documents[member.name] = json.loads(head + content.read())
                        continue
                    size = _archive_bytes(_Joined(head, content))
                    if size is not None:
                        sizes[member.name] = size
        except tarfile.TarError:
            pass
        except BaseException:
            end(process)
            raise
        complaint = process.stderr.read().decode(errors="replace").strip()
        if process.wait() != 0:
            raise MachineError(
                f"The engine cannot save {image}: {complaint}.", "Is its disk full? See `docker system df`."
            )
    return sizes, documents


class _Joined:
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self.head = head
        self.rest = rest

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes."""
        if not self.head:
            return self.rest.read(size)
        head, self.head = self.head[:size], self.head[size:]
        return head + self.rest.read(size - len(head))


def _archive_bytes(content: _Joined) -> int | None:
    """Return the sum of the sizes of the files in an archive, or None if this Python cannot unpack it."""
    try:
        with tarfile.open(fileobj=content, mode="r|*", bufsize=1 << 18) as layer:  # type: ignore[call-overload]
            total: int = sum(entry.size for entry in layer if entry.isreg())
            return total
    except tarfile.TarError:
        return None


def _told(client: Client, image: str, history: list[dict[str, Any]]) -> list[int]:
    """Return the sizes of an image's layers as the engine's history has them, the base's first."""
    text = call(client, "image", "history", "--no-trunc", "--human=false", "--format", "{{.Size}}", image).stdout
    sizes = [int(size) for size in reversed(text.split())]
    return [size for size, step in zip(sizes, history, strict=False) if not step.get("empty_layer")]


def _instruction(step: Mapping[str, Any]) -> str:
    """Return a history entry as the Dockerfile had it, without the build arguments' values (one may be a password)."""
    text = str(step.get("created_by") or step.get("comment") or "(unknown)")
    text = re.sub(r"^/bin/sh -c #\(nop\)\s+", "", text.removesuffix(" # buildkit"))
    text = re.sub(r"^(?:RUN )?(?:\|\d+ .*?)?/bin/sh -c ", "RUN ", text, flags=re.DOTALL)
    return " ".join(text.split())
