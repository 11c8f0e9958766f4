"""An image built for one command, under its own tag."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from secrets import token_hex
from typing import Any

from dockertpl.commands import missing
from dockertpl.commands.dockerfile_to_build import Subject
from dockertpl.commands.options import BuildOptions
from dockertpl.commands.verify_view import Live
from dockertpl.engine import client as engine
from dockertpl.engine.build import build, tag_also, untag
from dockertpl.engine.image import inspect_image
from dockertpl.errors import BuildFailedError, DockertplError, UnhealthyError
from dockertpl.screen import place, say


@contextlib.contextmanager
def built(
    client: engine.Client,
    subject: Subject,
    options: BuildOptions,
    facts: dict[str, Any],
    quiet: bool,
) -> Iterator[str]:
    """Build an image and yield its id. Add the reason to an error if a file is missing in the image.

    Args:
        client: The engine.
        subject: What to build.
        options: How to build it.
        facts: Receives the facts of the build.
    """
    kept = f"dockertpl/{subject.name}:verify"
    # Another verify may move that tag meanwhile, and the engine may drop an image without a tag.
    own = f"{kept}-{token_hex(4)}"
    try:
        with Live(quiet, "building", f"Building {place(subject.dockerfile)} …") as live:
            result = build(
                client,
                context=subject.context,
                dockerfile=subject.dockerfile,
                target=options.target,
                build_args=options.build_args,
                secrets=options.secrets,
                ssh=options.ssh,
                tag=own,
                on_progress=live.built,
            )
        tag_also(client, own, kept)
        facts.update(
            built=True,
            tag=kept,
            build_seconds=round(result.seconds, 3),
            steps=result.steps,
            cached_steps=result.cached_steps,
        )
        for warning in result.warnings:
            say(f"  warning: {warning}", quiet=quiet)
        yield result.image
    except (BuildFailedError, UnhealthyError) as error:
        if error.missing:
            error.remedy = missing.explain(subject, error.missing, _workdir(client, own, error)) or error.remedy
        raise
    finally:
        untag(client, own)


def _workdir(client: engine.Client, image: str, error: DockertplError) -> str:
    return inspect_image(client, image).workdir if isinstance(error, UnhealthyError) else "/app"
