"""After the files are written: build and run the image, and compare it with the old Dockerfile's."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockertpl.adopt.adoption import Old
from dockertpl.commands import verify
from dockertpl.commands.verify_view import Live
from dockertpl.engine import client as engine
from dockertpl.engine.build import build, untag
from dockertpl.engine.image import inspect_image
from dockertpl.engine.layers import layers
from dockertpl.errors import DockertplError, NoEngineError
from dockertpl.scaffold.prepare import Scaffold
from dockertpl.screen import say


def is_possible() -> bool:
    """Return whether an engine is available."""
    try:
        engine.find()
    except NoEngineError:
        return False
    return True


def prove(scaffold: Scaffold, *, compare: bool) -> None:
    """Verify the new image, and print how it compares with the old one.

    Args:
        scaffold: What was written.
        compare: Whether to build the old Dockerfile, too.

    Raises:
        DockertplError: The new image did not build or does not pass. A failure of the old one is only printed.
    """
    root, app_dir = scaffold.planned.root, Path(str(scaffold.answers.values["app_dir"]))
    facts = verify.plainly(root, root / app_dir / "Dockerfile", quiet=False)
    if compare and scaffold.adopted:
        old = scaffold.adopted.old
        say(f"\nBuilding the old {old.dockerfile} for comparison …")
        try:
            say("\n".join(_beside(_built(old, scaffold), facts)))
        except DockertplError as error:
            say(f"The old one does not build: {error.message}")


def _built(old: Old, scaffold: Scaffold) -> Mapping[str, Any]:
    """Build the old Dockerfile with its own ignore file. Return the same figures as `verify`."""
    client = engine.find()
    context = scaffold.planned.root / str(scaffold.answers.values["context"])
    tag = f"dockertpl/{scaffold.answers.values['name']}:before"
    with tempfile.TemporaryDirectory(prefix="dockertpl-") as folder:
        dockerfile = Path(folder) / "Dockerfile"
        dockerfile.write_text(old.text, encoding="utf-8")
        # The engine prefers this file to the context's, which is the new one by now.
        Path(f"{dockerfile}.dockerignore").write_text(old.ignored or "", encoding="utf-8")
        with Live(False, "building") as live:
            result = build(client, context=context, dockerfile=dockerfile, tag=tag, on_progress=live.built)
    try:
        contents = layers(client, result.image)
        user = inspect_image(client, result.image).user
        return {"image_bytes": sum(layer.bytes for layer in contents), "build_seconds": result.seconds, "user": user}
    finally:
        untag(client, tag)


def _beside(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    rows = [("", "old", "new")]
    rows.append(("image", f"{old['image_bytes'] / 1e6:.1f} MB", f"{new['image_bytes'] / 1e6:.1f} MB"))
    rows.append(("built in", f"{old['build_seconds']:.1f} s", f"{new['build_seconds']:.1f} s"))
    rows.append(("user", str(old["user"] or "root"), f"uid {new['uid']}"))
    return [f"  {label:<10} {before:>14} {after:>14}" for label, before, after in rows]
