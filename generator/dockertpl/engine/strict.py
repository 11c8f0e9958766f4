"""The options of a strict run: dockertpl's defaults and the caller's options."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dockertpl.engine.image import ImageFacts
from dockertpl.errors import BadInputError

MEMORY = "1g"
LABEL_TMPFS = "org.dockertpl.run.tmpfs"
LABEL_MEMORY = "org.dockertpl.run.memory"


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The caller's options for a strict run.

    Attributes:
        environment: Variables for the container.
        env_files: Files with variables, one NAME=VALUE on each line.
        tmpfs: Writable paths, in the format of `docker run --tmpfs`.
        network: An existing network, or None for the default.
        timeout: Seconds that the container has to become healthy. None for the time of the image's health check.
        keep: Whether the container keeps running afterwards.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    env_files: Sequence[Path] = ()
    tmpfs: Sequence[str] = ()
    network: str | None = None
    timeout: float | None = None
    keep: bool = False


def check_options(options: RunOptions) -> None:
    """Check the options that need no image, before a build starts.

    Raises:
        BadInputError: A file is missing, or a path is not valid.
    """
    for file in options.env_files:
        if not file.is_file():
            raise BadInputError(f"--env-file {file}: the file was not found.", "Name a file with lines NAME=VALUE.")
    for spec in options.tmpfs:
        path = spec.partition(":")[0]
        if not path.startswith("/") or path == "/":
            raise BadInputError(
                f"--tmpfs {spec!r} is not an absolute path.", "Write a path such as --tmpfs /app/cache."
            )


def strict_options(image: ImageFacts, options: RunOptions) -> list[str]:
    """Return the options of `docker create` for a strict run.

    Raises:
        BadInputError: A label or an option is not valid.
    """
    check_options(options)
    words = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges", "--pids-limit=512"]
    words.append(f"--memory={memory(image)}")
    words += [f"--publish=127.0.0.1::{image.port}"] if image.port else []
    owner = _owner(image.user)
    mounts = {path: f"{path}:mode=1777{owner}" for path in _labeled_tmpfs(image)}
    mounts["/tmp"] = "/tmp:mode=1777"  # noqa: S108  (in the container)
    for spec in options.tmpfs:
        path, colon, _ = spec.partition(":")
        mounts[path] = spec if colon else f"{path}:mode=1777{owner}"
    words += [f"--tmpfs={mount}" for mount in mounts.values()]
    words += [f"--env={name}={value}" for name, value in options.environment.items()]
    words += [f"--env-file={file}" for file in options.env_files]
    words += [f"--network={options.network}"] if options.network else []
    return words


def patience(image: ImageFacts, options: RunOptions) -> float:
    """Return the seconds that a container has to become healthy."""
    return image.patience if options.timeout is None else options.timeout


def memory(image: ImageFacts) -> str:
    """Return the memory limit: the label `org.dockertpl.run.memory`, or 1g."""
    limit = image.labels.get(LABEL_MEMORY, MEMORY).lower()
    if not re.fullmatch(r"[1-9]\d*[kmg]b?", limit):
        raise BadInputError(
            f"The image's label {LABEL_MEMORY} is {limit!r}, not a memory size.", "Write a size such as 2g."
        )
    return limit


def _owner(user: str) -> str:
    """Return the mount options that give a tmpfs to the user.

    The engine ignores the mode and uses that of the covered folder (moby/moby#39466), but it obeys the owner. This
    needs a numeric user.
    """
    match = re.fullmatch(r"(\d+)(?::(\d+))?", user)
    return f",uid={match[1]}" + (f",gid={match[2]}" if match[2] else "") if match else ""


def _labeled_tmpfs(image: ImageFacts) -> list[str]:
    paths = re.split(r"[,\s]+", image.labels.get(LABEL_TMPFS, "").strip())
    for path in filter(None, paths):
        if not re.fullmatch(r"/[A-Za-z0-9_][A-Za-z0-9._/-]*", path) or ".." in path.split("/"):
            raise BadInputError(
                f"The image's label {LABEL_TMPFS} has {path!r}, not an absolute path.",
                "Write a path such as /app/cache.",
            )
    return [path for path in paths if path]
