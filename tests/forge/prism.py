"""Prism as a validating proxy: a request or an answer that does not match GitHub's description is an error."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.forge import description
from tests.samples import next_sample

_PACKAGE = "@stoplight/prism-cli@5.14.2"
#: The prefix of an error type that comes from Prism and not from the forge.
ERRORS = b"https://stoplight.io/prism/errors#"


@contextmanager
def proxy(upstream: str, folder: Path) -> Iterator[str]:
    """Run a proxy during a `with` block, and yield its URL.

    Args:
        upstream: The URL of the API behind it.
        folder: An empty folder.
    """
    path = folder / "api.json"
    description.write(path)
    command = [*next_sample.node_package(_PACKAGE, "prism"), "proxy", str(path), upstream, "--errors", "--port", "0"]
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    assert process.stdout
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if "Prism is listening on" in line:
                yield line.split("listening on ")[1].split()[0].rstrip("\x1b[0m").strip()
                return
        raise AssertionError("".join(said))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
