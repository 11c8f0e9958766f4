"""Builds and runs an image of the fleet before its branch is pushed: the one place where a repository's code is run."""

from __future__ import annotations

import threading
from pathlib import Path

from dockertpl.commands import verify
from dockertpl.template.answers import read_mapping

# Two builds beside each other take as long as one after the other, and time out more easily.
_one = threading.Lock()


def verified(folder: Path, answers_file: str) -> str:
    """Verify an image as `dockertpl verify` does, and return what there is to say of it.

    Args:
        folder: The repository's files.
        answers_file: The image's answers file's name.

    Raises:
        DockertplError: It did not build, or does not run as it must.
    """
    app_dir = str(read_mapping(folder / answers_file).get("app_dir") or ".")
    with _one:
        _, facts = verify.run(
            destination=folder,
            dockerfile=folder / app_dir / "Dockerfile",
            target=None,
            build_args={},
            secrets=(),
            environment={},
            env_files=(),
            tmpfs=(),
            network=None,
            timeout=60.0,
            quiet=True,
        )
    built, healthy, size = facts["build_seconds"], facts["healthy_seconds"], facts["image_bytes"] / 1e6
    return f"Built in {built:.1f} s, healthy after {healthy:.1f} s as uid {facts['uid']}, {size:.1f} MB."
