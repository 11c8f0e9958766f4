"""Build and run the examples on an engine: `python -m tests.examples.verify [NAME…]`."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.engine import bases, host, service
from tests.parity import read_tree

from .rendering import FOLDER, Example, examples

#: The image that bake loads, by its variable of `docker-bake.hcl`.
_BASES = {"services/api": "base-python:main", "web": "base-node:main"}


def main(names: list[str]) -> None:
    """Print a row for each image of the examples. The locks are real, so the first run needs the network."""
    docker, _ = host.up()
    os.environ.update({name: docker.environ()[name] for name in ("PATH", "DOCKERTPL_DOCKER")})
    bases.ensure((*service.BASES, *service.NEXT_BASES), engine=docker)
    print("| example | image | unpacked | healthy after |\n|---|---|---|---|", flush=True)  # noqa: T201
    for example in examples():
        if names and example.name not in names:
            continue
        with tempfile.TemporaryDirectory() as work:
            root = Path(work, example.repository)
            root.mkdir()
            for image, size, seconds in _verified(example, root, docker):
                print(f"| {example.name} | {image} | {size / 1e6:.1f} MB | {seconds} s |", flush=True)  # noqa: T201


def _verified(example: Example, root: Path, docker: host.Engine) -> Iterator[tuple[str, int, float]]:
    """Verify each image of an example. Yield its tag, its size and the seconds until it was healthy.

    With real locks, the files must still match `examples/`.
    """
    example.write_application(root, lock=True)
    made, committed = example.run(root), read_tree(FOLDER / example.name)
    assert made == {path: file for path, file in committed.items() if path != "README.md"}
    folders = {Path(path).parent.as_posix(): "" for path in made if path.endswith("/Dockerfile") or path == "Dockerfile"}
    if "docker-bake.hcl" in made:
        subprocess.run(
            [docker.docker, "buildx", "bake", "--load"], cwd=root, env=docker.environ(), check=True, capture_output=True
        )
        folders = _BASES
    for folder, base in folders.items():
        options = [f"--build-arg=BASE_IMAGE={base}"] if base else []
        code, facts = service.dockertpl("verify", str(root / folder), *options)
        assert code == 0, facts
        assert facts["healthy"]
        yield facts["tag"], facts["image_bytes"], facts["healthy_seconds"]


if __name__ == "__main__":
    main(sys.argv[1:])
