"""Servers that an application needs beside it: throwaway containers on a network of their own."""

from __future__ import annotations

import contextlib
import re
import secrets
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from dockertpl.engine import container, owner
from dockertpl.engine.client import Client, Output, call, says
from dockertpl.errors import BadInputError, MachineError, NoEngineError
from dockertpl.interrupts import deferred

#: What data/services.toml says of one service.
Facts = Mapping[str, Any]
READY_SECONDS = 120.0
PULL_SECONDS = 900.0

_DATA = Path(__file__).parent / "data" / "services.toml"
_ASK_SECONDS = 10.0
_LONGEST_PAUSE = 0.5
_LOG_LINES = 15
_MEMORY = "1g"
# How a client says that it reaches no server.
_UNREACHED = re.compile(
    r"connection refused|could not connect|connection to server at|name or service not known|name resolution|"
    r"getaddrinfo|could not translate host name|can't (?:connect to|reach database)|connect call failed|"
    r"nodename nor servname|connection failed|cannot connect|no route to host|"
    r"\b(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ConnectionRefusedError|ServerSelectionTimeoutError|"
    r"Mongo(?:Network|ServerSelection)Error)\b|\bconnecting to \S+:\d+",
    re.IGNORECASE,
)
_PORT = re.compile(r"[:,] ?(\d{4,5})\b|\bport (\d{4,5})\b")
#: What `docker exec` ends with where the command is not in the image.
_NOT_THERE = (126, 127)
_USER = "app"


class Wanted(NamedTuple):
    """A service that is asked for.

    Attributes:
        name: Its name in data/services.toml, which is its name on the network too.
        image: The image.
    """

    name: str
    image: str

    @property
    def facts(self) -> Facts:
        """What data/services.toml says of it."""
        return known()[self.name]


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service that was started; it need not be ready.

    Attributes:
        wanted: What was asked for.
        container: Its container.
        started: When it was started, on the monotonic clock.
        password: Its password; empty where it asks for none.
    """

    wanted: Wanted
    container: str
    started: float
    password: str

    def values(self, scheme: str = "") -> dict[str, str]:
        """Return what templates of data/services.toml may hold.

        Args:
            scheme: The scheme of its address, with the application's driver; the plain one without it.
        """
        facts = self.wanted.facts
        login = f"{_USER}:{self.password}@" if self.password else ""
        authority = f"{login}{self.wanted.name}:{facts['port']}"
        database = facts.get("path", _USER)
        return {
            "host": self.wanted.name,
            "port": str(facts["port"]),
            "user": _USER,
            "password": self.password,
            "database": database,
            "authority": authority,
            "url": f"{scheme or facts['scheme']}://{authority}/{database}",
        }


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What runs beside an application: a network, and the services on it."""

    network: str
    services: Sequence[Running]


@cache
def known() -> Mapping[str, Facts]:
    """Return data/services.toml, by the names of services."""
    tables = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    return {name: {**tables.get(entry.get("like", ""), {}), **entry} for name, entry in tables.items()}


def parse(texts: Sequence[str]) -> list[Wanted]:
    """Read NAME, NAME:VERSION or NAME=IMAGE.

    Args:
        texts: What --with was given.

    Raises:
        BadInputError: One is unknown, not of that form, or given twice.
    """
    names = {other: name for name, entry in known().items() for other in (name, *entry.get("also", ()))}
    found: dict[str, Wanted] = {}
    for text in texts:
        match = re.fullmatch(r"([\w-]+)(?::([\w][\w.-]*)|=(\w[\w./:@-]*))?", text, re.ASCII)
        name = names.get(match[1].lower()) if match else None
        if match is None or name is None:
            raise BadInputError(
                f"--with {text!r} is not a service that dockertpl knows.",
                f"Use one of {', '.join(known())}: NAME, NAME:VERSION, or NAME=IMAGE.",
            )
        if name in found:
            raise BadInputError(f"--with {name} is given twice.", "Each service is started once: name it once.")
        entry = known()[name]
        found[name] = Wanted(name, match[3] or f"{entry['image']}:{match[2] or entry['tag']}")
    return list(found.values())


def unreached(text: str) -> list[str] | None:
    """Return the services that a log fails to reach: empty where it names none, None where it does not fail at that.

    Args:
        text: Lines of the log.
    """
    lines = [line for line in text.splitlines() if _UNREACHED.search(line)]
    if not lines:
        return None
    complaint = "\n".join(lines)
    own = [name for name, entry in known().items() if "like" not in entry]
    ports = {int(port) for found in _PORT.findall(complaint) for port in found if port}
    if named := [name for name in own if known()[name]["port"] in ports] or _said(own, complaint):
        return named
    # Where the line names the port of another server, the traceback above it says nothing of that one.
    return None if ports else _said(own, text)


def _said(names: Sequence[str], text: str) -> list[str]:
    return [name for name in names if re.search(known()[name]["says"], text)]


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return a template with its fields filled in; braces of anything else stay.

    Args:
        template: The text.
        values: The fields.
    """
    return re.sub(r"\{(\w+)\}", lambda field: values.get(field[1], field[0]), template)


@contextlib.contextmanager
def started(
    client: Client,
    wanted: Sequence[Wanted],
    *,
    name: str,
    tell: Callable[[str], None],
    stays: Callable[[], bool] | None = None,
) -> Iterator[Beside]:
    """Start services on a network of their own, and remove everything at the end of the block.

    They are not waited for: an image can be built meanwhile. An image that is not there is pulled.

    Args:
        client: The engine.
        wanted: The services.
        name: Becomes part of the names of the network and the containers.
        tell: Is told that an image is pulled.
        stays: Asked at the end of the block whether they are to stay; None where they never are.

    Raises:
        MachineError: An image cannot be had, or a container cannot be started.
        BadInputError: There is no such image.
        KeyboardInterrupt: After everything was removed.
    """
    for one in wanted:
        _ensure(client, one, tell)
    network, lasting = container.new_name(name), stays is not None
    names = [container.new_name(f"{name}-{one.name}") for one in wanted]
    try:
        _make_network(client, network, lasting=lasting)
        # At its end all are started or have failed, also where an interrupt ends it.
        with ThreadPoolExecutor(len(names)) as pool:
            services = list(pool.map(lambda one, own: _start(client, one, own, network, lasting), wanted, names))
        yield Beside(network=network, services=services)
    finally:
        if stays is None or not stays():
            _remove(client, names, network)


def wait(client: Client, service: Running, seconds: float = READY_SECONDS) -> float:
    """Wait until a service is ready, by its own means; return the seconds since it was started.

    Args:
        client: The engine.
        service: The service.
        seconds: How long it may take.

    Raises:
        MachineError: It ended, or did not get ready in time.
    """
    facts = service.wanted.facts
    values = service.values()
    commands = [[fill(word, values) for word in command] for command in facts["ready"]]
    while commands:
        done = _ask(client, service.container, commands[0])
        now = time.monotonic()
        if done.code == 0:
            return now - service.started
        if "is not running" in done.stderr:
            raise _unready(client, service, "it ended")
        if done.code in _NOT_THERE:
            commands.pop(0)
        elif now - service.started > seconds:
            raise _unready(client, service, f"it did not get ready in {seconds:.0f} s")
        else:
            # Each question takes a share of the machine, which the server needs to get ready.
            time.sleep(min(_LONGEST_PAUSE, (now - service.started) / 10))
    raise _unready(client, service, "its image has no command that tells whether it is ready")


def _ask(client: Client, name: str, command: Sequence[str]) -> Output:
    try:
        return call(client, "container", "exec", name, *command, check=False, timeout=_ASK_SECONDS)
    except NoEngineError:
        return Output(1, "", "")  # It hangs; an engine that is really gone is missed by the next call.


def _ensure(client: Client, wanted: Wanted, tell: Callable[[str], None]) -> None:
    """Pull an image that is not there."""
    if call(client, "image", "inspect", "--format", "{{.Id}}", wanted.image, check=False).code == 0:
        return
    tell(f"Pulling {wanted.image} …")
    try:
        done = call(client, "image", "pull", "--quiet", wanted.image, check=False, timeout=PULL_SECONDS)
    except NoEngineError:
        raise _not_had(wanted, f"it did not come in {PULL_SECONDS / 60:.0f} minutes") from None
    if done.code == 0:
        return
    complaint = says(done).rstrip(".")
    if re.search(r"manifest unknown|: not found$|no such manifest|invalid reference format", complaint):
        raise BadInputError(
            f"--with {wanted.name}: there is no image {wanted.image}.",
            f"Name a version that its registry has (--with {wanted.name}:{wanted.facts['tag']}), or an image in full:\n"
            f"  --with {wanted.name}=REGISTRY/IMAGE:TAG",
        )
    raise _not_had(wanted, complaint)


def _not_had(wanted: Wanted, why: str) -> MachineError:
    variable = next(iter(wanted.facts["set"]))
    return MachineError(
        f"--with {wanted.name}: the image {wanted.image} is not on this machine, and cannot be pulled: {why}.",
        f"Fetch it once where there is a network:  docker pull {wanted.image}\n"
        f"Or name the image in your mirror:  --with {wanted.name}=REGISTRY/IMAGE:TAG\n"
        f"Or use a server that runs:  --network NETWORK --env {variable}=…",
    )


def _make_network(client: Client, network: str, *, lasting: bool) -> None:
    with deferred():
        swept = [] if lasting else [f"--label={owner.label()}"]
        words = [f"--label={container.LABEL}=1", *swept, "--driver=bridge", network]
        made = call(client, "network", "create", *words, check=False)
    if made.code != 0:
        remedy = "Remove the networks that nothing uses:  docker network prune" if "pool" in says(made) else ""
        raise MachineError(f"The engine cannot make a network for --with: {says(made)}.", remedy)


def _start(client: Client, wanted: Wanted, name: str, network: str, lasting: bool) -> Running:
    password = secrets.token_hex(16) if wanted.facts["secret"] else ""
    service = Running(wanted=wanted, container=name, started=time.monotonic(), password=password)
    values = service.values()
    options = [f"--network={network}", f"--network-alias={wanted.name}", "--security-opt=no-new-privileges"]
    options += [f"--memory={_MEMORY}", "--pids-limit=512"]
    options += [f"--env={key}={fill(value, values)}" for key, value in wanted.facts["env"].items()]
    output = container.create(client, name, wanted.image, options, lasting=lasting)
    if output.code == 0:
        output = container.start(client, name)
    if output.code != 0:
        raise MachineError(f"{wanted.facts['title']} ({wanted.image}) did not start: {says(output)}.")
    return service


def _remove(client: Client, names: Sequence[str], network: str) -> None:
    with deferred():
        call(client, "container", "rm", "--force", "--volumes", *names, check=False)
        call(client, "network", "rm", network, check=False)


def _unready(client: Client, service: Running, why: str) -> MachineError:
    log = container.logs(client, service.container, _LOG_LINES)
    said = ["  its last lines:", *(f"  | {line}" for line in log)] if log else ["  (it wrote no log)"]
    title, image = service.wanted.facts["title"], service.wanted.image
    return MachineError(
        "\n".join([f"{title} ({image}) is not ready: {why}.", *said]),
        f"Is it an image of {title}? Another one is named by --with {service.wanted.name}=IMAGE.",
    )
