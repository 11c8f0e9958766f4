"""`dockertpl run`: start an image as `verify` does, print its URL, and stop it on Ctrl-C."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Unpack

import click

from dockertpl.commands import with_services
from dockertpl.commands.built_image import built
from dockertpl.commands.options import Given, prepare
from dockertpl.commands.variables import with_smoke_test
from dockertpl.commands.verify_next import url
from dockertpl.commands.verify_view import Live
from dockertpl.engine import client as engine
from dockertpl.engine import container, owner
from dockertpl.engine.image import inspect_image
from dockertpl.engine.logs import Log
from dockertpl.engine.run import healthy
from dockertpl.engine.waiting import Observer, Running
from dockertpl.errors import UnhealthyError
from dockertpl.interrupts import terminable
from dockertpl.screen import say

_POLL = 0.2


def run(
    *, destination: Path, dockerfile: Path | None, quiet: bool, **given: Unpack[Given]
) -> tuple[int, Mapping[str, Any]]:
    """Build an image and start it under strict limits. Print its URL on stdout and its log on stderr.

    Args:
        destination: The repository's root, or the application's folder.
        dockerfile: The Dockerfile, if there are several or no answers file names it.
        quiet: Whether to print only the URL.
        given: How to build and run it.

    Returns:
        0 after Ctrl-C or SIGTERM, and nothing for JSON.

    Raises:
        DockertplError: The image did not build, did not become healthy, or exited.
        KeyboardInterrupt: The user stopped it before it was healthy.
    """
    with terminable():
        prepared = prepare(destination, dockerfile, given)
        subject = prepared.subject
        planned = with_services.plan(subject, given.get("with_", ()), given.get("run_first", ()), prepared.run)
        options = with_smoke_test(subject, prepared.run, quiet, planned.templates)
        facts: dict[str, Any] = {"services": []}
        client = engine.find()
        with (
            owner.sweeping(client),
            with_services.started(client, planned, subject.name, facts, quiet) as side,
            built(client, subject, prepared.build, facts, quiet) as tag,
        ):
            options = side.ready(options)
            image = inspect_image(client, tag)
            side.run_first(image, subject.name, options)
            with (
                Live(quiet, "starting", "Starting it as production would …") as live,
                healthy(
                    client, image, name=subject.name, options=options, observer=Observer(on_watched=live.watched)
                ) as (running, log),
            ):
                live.end()
                return _serve(client, running, log, quiet)


def _serve(client: engine.Client, running: Running, log: Log, quiet: bool) -> tuple[int, Mapping[str, Any]]:
    try:
        if running.port is not None:
            click.echo(url(running.port))
        say("Press Ctrl-C to stop it.", quiet=quiet)
        log.follow(lambda line: say(line.text, quiet=quiet))
        while not log.ended():
            time.sleep(_POLL)
    except KeyboardInterrupt:
        say("Stopping it …", quiet=quiet)
        return 0, {}
    log.drain()
    code = container.state(client, running.name).exit_code
    raise UnhealthyError(f"The container exited with code {code}.", "Its last lines may say why.")
