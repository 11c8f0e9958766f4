"""What `verify` starts beside an image: services with their variables, and commands to run first."""

from __future__ import annotations

import contextlib
import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from dockertpl.commands.dockerfile_to_build import Subject
from dockertpl.commands.verify_view import Live
from dockertpl.detect import dotenv
from dockertpl.detect.root import repository_root
from dockertpl.detect.services import Application, look
from dockertpl.engine import first, services
from dockertpl.engine.client import Client
from dockertpl.engine.image import ImageFacts
from dockertpl.engine.strict import RunOptions
from dockertpl.errors import BadInputError, UnhealthyError
from dockertpl.screen import say

_WIDTH = 80


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to start beside an image.

    Attributes:
        wanted: The services.
        first: The commands to run before the image starts.
        templates: The variables of the application's container, each with its service and its value as a template.
        schemes: The scheme of the address, by service.
    """

    wanted: Sequence[services.Wanted] = ()
    first: Sequence[Sequence[str]] = ()
    templates: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    schemes: Mapping[str, str] = field(default_factory=dict)


def plan(subject: Subject, with_: Sequence[str], run: Sequence[str], options: RunOptions) -> Plan:
    """Read --with and --run.

    Args:
        subject: The image.
        with_: The values of --with.
        run: The values of --run.
        options: The other options. Variables that they set stay as they are.

    Raises:
        BadInputError: A value is not valid.
    """
    wanted, commands = services.parse(with_), [first.parse(text) for text in run]
    if not wanted:
        return Plan(first=commands)
    if options.network:
        raise BadInputError(
            "--with creates its own network, so it cannot be combined with --network.",
            "Leave out --network. Or leave out --with, and give the server's address with --env.",
        )
    found = application(subject)
    given = {*options.environment, *(name for file in options.env_files for name in dotenv.read(file))}
    templates: dict[str, tuple[str, str]] = {}
    # Names that the application reads are better evidence than the usual names.
    for names in ([found.reads(one.facts) for one in wanted], [one.facts["set"] for one in wanted]):
        for one, own in zip(wanted, names, strict=True):
            for name, template in own.items():
                if name not in given:
                    templates.setdefault(name, (one.name, template))
    schemes = {one.name: found.scheme(one.facts) for one in wanted}
    return Plan(wanted=wanted, first=commands, templates=templates, schemes=schemes)


class Side:
    """What runs beside an image while it is verified."""

    def __init__(
        self, client: Client, planned: Plan, running: services.Beside | None, facts: dict[str, Any], quiet: bool
    ) -> None:
        self._client = client
        self._planned = planned
        self._running = running
        self._facts = facts
        self._quiet = quiet
        self._first = list(planned.first)
        #: The failure of a command that runs first, or None.
        self.failed: UnhealthyError | None = None

    def ready(self, options: RunOptions) -> RunOptions:
        """Wait until the services are ready, and return the options that connect the image to them.

        Raises:
            MachineError: A service did not become ready.
        """
        if self._running is None:
            return options
        added: dict[str, str] = {}
        for service in self._running.services:
            name, title = service.wanted.name, service.wanted.facts["title"]
            with Live(self._quiet, f"waiting for {title}"):
                seconds = services.wait(self._client, service)
            values = service.values(self._planned.schemes[name])
            templates = {key: text for key, (owner, text) in self._planned.templates.items() if owner == name}
            added |= {key: services.fill(text, values) for key, text in templates.items()}
            self._facts["services"].append(
                {
                    "name": name,
                    "image": service.wanted.image,
                    "ready_seconds": round(seconds, 3),
                    "variables": [*templates],
                }
            )
            text = f"{title} is ready after {seconds:.1f} s. Its address is in {', '.join(templates)}."
            say(textwrap.fill(text, _WIDTH, subsequent_indent="  "), quiet=self._quiet)
        return replace(options, network=self._running.network, environment={**options.environment, **added})

    @property
    def kept(self) -> tuple[list[str], str]:
        """The containers and the network of the services. Both are empty without services."""
        if self._running is None:
            return [], ""
        return [one.container for one in self._running.services], self._running.network

    def run_first(self, image: ImageFacts, name: str, options: RunOptions) -> None:
        """Run the commands that come before the server. A command that succeeded does not run again.

        Args:
            name: A part of the container's name.
            options: The options of the image's run.

        Raises:
            UnhealthyError: A command failed.
        """
        while self._first:
            shown = shlex.join(self._first[0])
            try:
                with Live(self._quiet, shown, f"Running {shown} …"):
                    seconds = first.run_first(self._client, image, self._first[0], name=name, options=options)
            except UnhealthyError as error:
                self.failed = error
                raise
            del self._first[0]
            say(f"{shown}: done in {seconds:.1f} s", quiet=self._quiet)


@contextlib.contextmanager
def started(
    client: Client, planned: Plan, name: str, facts: dict[str, Any], quiet: bool, *, keep: bool = False
) -> Iterator[Side]:
    """Start the services, so they become ready during the build, and remove them at the end of the block.

    Args:
        client: The engine.
        planned: The plan from `plan`.
        name: A part of their names.
        facts: Receives `services`: each with its image, seconds and variables.
        keep: Whether they stay if `facts` has a kept `container`.

    Raises:
        DockertplError: An image cannot be pulled, or a container cannot be started.
    """
    if not planned.wanted:
        yield Side(client, planned, None, facts, quiet)
        return
    stays = (lambda: bool(facts.get("container"))) if keep else None
    tell = partial(say, quiet=quiet)
    with services.started(client, planned.wanted, name=name, tell=tell, stays=stays) as running:
        say(f"Started {', '.join(one.image for one in planned.wanted)} on a temporary network.", quiet=quiet)
        yield Side(client, planned, running, facts, quiet)


def as_finding(error: UnhealthyError) -> dict[str, Any]:
    """Return the failure of a command that runs first, as in the JSON contract."""
    message, *rest = error.message.splitlines()
    lines = [line.removeprefix("  | ") for line in rest if line.startswith("  | ")]
    return {"rule": "run-first", "message": message, "remedy": error.remedy, "lines": lines, "fails": True}


def application(subject: Subject) -> Application:
    """Return what an application shows about the servers that it needs."""
    root, inside = repository_root(subject.dockerfile.parent if subject.answers else subject.context)
    return look(root, inside or ".", subject.environment)
