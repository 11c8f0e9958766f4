"""Measure the size of each component of a sandbox: `python -m tests.bench.sandbox`.

Builds the Debian variant with nothing chosen, then with each single component, then with everything. Prints a Markdown
table. It leaves out vendor downloads that are not reachable here.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.engine.bases import ensure
from tests.engine.host import down, up
from tests.engine.service import SANDBOX_BASES

from dockertpl.engine.build import build
from dockertpl.engine.client import find
from dockertpl.engine.layers import layers
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled

NOTHING: dict[str, Any] = {
    "kind": "sandbox-multi-runtime",
    "distribution": "debian:trixie-slim",
    "tools": [],
    "browser": "none",
    "fonts": "none",
}
TOOLS = ("build-tools", "git", "gh", "jq", "ripgrep", "tmux", "go", "java", "r", "bun")
DEFAULTS = ["build-tools", "git", "gh", "jq", "ripgrep", "tmux"]
#: The variants to compare with "nothing chosen".
VARIANTS: dict[str, dict[str, Any]] = {
    "nothing chosen: Python, Node.js, uv, bash": {},
    **{f"`{tool}`": {"tools": [tool]} for tool in TOOLS},
    "the headless shell": {"browser": "headless-shell"},
    "all of Chromium": {"browser": "chromium"},
    "fonts `latin`": {"fonts": "latin"},
    "fonts `emoji`": {"fonts": "emoji"},
    "fonts `cjk`": {"fonts": "cjk"},
    "`s3fs`": {"s3_mount": "s3fs"},
    "`sudo`": {"sudo": True},
    "the guide's list (headless shell, git, fonts, s3fs)": {
        "tools": ["git"], "browser": "headless-shell", "fonts": "latin", "s3_mount": "s3fs",
    },
    "the guide's list without the browser": {"tools": ["git"], "s3_mount": "s3fs"},
    "the guide's list and the default tools": {
        "tools": DEFAULTS, "browser": "headless-shell", "fonts": "latin", "s3_mount": "s3fs",
    },
}  # fmt: skip


def _bytes(folder: Path, answers: dict[str, Any]) -> int:
    template = Template(bundled())
    for path, file in render(template, resolve(template, folder_name="sandbox", data=answers)).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(file.content)
    tag = "dockertpl-bench/sandbox"
    build(find(), context=folder, dockerfile=folder / "Dockerfile", tag=tag)
    return sum(layer.bytes for layer in layers(find(), tag))


def main() -> None:
    """Measure and print."""
    engine, registry = up()
    os.environ.update(engine.environ())
    try:
        ensure(SANDBOX_BASES, engine=engine)
        nothing = 0
        print("| | unpacked | more than nothing |\n|---|---|---|")  # noqa: T201
        for name, chosen in VARIANTS.items():
            with tempfile.TemporaryDirectory() as folder:
                found = _bytes(Path(folder), {**NOTHING, **chosen})
            nothing = nothing or found
            print(f"| {name} | {found / 1e6:.0f} MB | {(found - nothing) / 1e6:.1f} MB |")  # noqa: T201
            sys.stdout.flush()
    finally:
        down(engine=engine.started, registry=registry.started)


if __name__ == "__main__":
    main()
