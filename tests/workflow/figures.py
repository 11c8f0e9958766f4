"""Measure the time and the pushes of the workflow, first and after each change: `python -m tests.workflow.figures`.

Each run starts on a machine without earlier builds. Compare the times only with each other: they depend on this
machine. Without a registry, the base images are stand-ins.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.engine import bases, host, service

from . import harness
from .registry import Contents, Registry

GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    **{
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", "Test"), ("EMAIL", "test@example.invalid"))
    },
}


def main() -> None:
    """Print a table."""
    os.environ.update(GIT)
    registry = Registry(address=host.up()[1].address)
    repository = harness.new_repository()
    with harness.lent() as machine, tempfile.TemporaryDirectory() as folder:
        found = bases.ensure(service.BASES, engine=machine.engine)
        root = harness.application(Path(folder, "orders"), image=f"{registry.address}/{repository}")
        standins = "stand-in" if any(image.standin for image in found.values()) else "real"
        sys.stdout.write(f"Base images: {standins}\n\n")
        sys.stdout.write(
            "| run | whole run, s | build, s | steps run | steps cached | new layers, kB | other new blobs, kB |\n"
        )
        sys.stdout.write("|---|---|---|---|---|---|---|\n")
        before = Contents()
        for name, file in (("first push", ""), ("a line of code", "src/orders/main.py"), ("README", "README.md")):
            if file:
                harness.append(root, "# More", to=file)
                harness.commit(root, name)
            machine.engine.forget()
            run = harness.push(root, machine)
            if not run.ok:
                raise SystemExit(run.log[-5000:])
            step = next(step for step in run.of("image") if step.name == "Build")
            build = step.build()
            after = registry.contents(repository)
            new, before = after.since(before), after
            layers = sum(new.sizes("layer"))
            other = sum(blob.size for blob in new.blobs.values()) - layers
            sys.stdout.write(
                f"| {name} | {run.seconds:.0f} | {step.seconds:.1f} | {len(build.ran)} | {len(build.cached)} "
                f"| {layers / 1000:.0f} | {other / 1000:.0f} |\n"
            )


if __name__ == "__main__":
    main()
