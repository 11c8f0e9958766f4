"""Start services that an application needs, such as a database, as temporary containers on a separate network."""

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

#: The entry of one service in data/services.toml.
Facts = Mapping[str, Any]
READY_SECONDS = 120.0
PULL_SECONDS = 900.0

_DATA = Path(__file__).parent / "data" / "services.toml"
_ASK_SECONDS = 10.0
_LONGEST_PAUSE = 0.5
_LOG_LINES = 15
_MEMORY = "1g"
# Errors of clients that cannot reach a server.
_UNREACHED = re.compile(
    r"connection refused|could not connect|connection to server at|name or service not known|name resolution|"
    r"getaddrinfo|could not translate host name|can't (?:connect to|reach database)|connect call failed|"
    r"nodename nor servname|connection failed|cannot connect|no route to host|"
    r"\b(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ConnectionRefusedError|ServerSelectionTimeoutError|"
    r"Mongo(?:Network|ServerSelection)Error)\b|\bconnecting to \S+:\d+",
    re.IGNORECASE,
)
_PORT = re.compile(r"[:,] ?(\d{4,5})\b|\bport (\d{4,5})\b")
#: Exit codes of `docker exec` if the command is not in the image.
_NOT_THERE = (126, 127)
_USER = "app"


class Wanted(NamedTuple):
    """A service to start.

    Attributes:
        name: Its name in data/services.toml and on the network.
        image: The image.
    """

    name: str
    image: str

    @property
    def facts(self) -> Facts:
        """Its entry in data/services.toml."""
        return known()[self.name]


@dataclass(frozen=True, kw_only=True)
class Running:
    """A service that was started. It may not be ready yet.

    Attributes:
        wanted: The service.
        container: Its container.
        started: The time of its start, on the monotonic clock.
        password: Its password, or an empty string.
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
    """A network, and the services on it."""

    network: str
    services: Sequence[Running]


@cache
def known() -> Mapping[str, Facts]:
    """Return the entries of data/services.toml by name."""
    tables = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    return {name: {**tables.get(entry.get("like", ""), {}), **entry} for name, entry in tables.items()}


def parse(texts: Sequence[str]) -> list[Wanted]:
    """Parse values of --with: NAME, NAME:VERSION or NAME=IMAGE.

    Raises:
        BadInputError: A value is unknown, malformed, or given twice.
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
            raise BadInputError(f"--with {name} is given twice.", "Name each service once.")
        entry = known()[name]
        found[name] = Wanted(name, match[3] or f"{entry['image']}:{match[2] or entry['tag']}")
    return list(found.values())


def unreached(text: str) -> list[str] | None:
    """Return the services that a log cannot reach. Empty if they are unknown, None if the log has no such error."""
    lines = [line for line in text.splitlines() if _UNREACHED.search(line)]
    if not lines:
        return None
    complaint = "\n".join(lines)
    own = [name for name, entry in known().items() if "like" not in entry]
    ports = {int(port) for found in _PORT.findall(complaint) for port in found if port}
    if named := [name for name in own if known()[name]["port"] in ports] or _said(own, complaint):
        return named
    # If the error has the port of another server, don't search the traceback for names.
    return None if ports else _said(own, text)


def _said(names: Sequence[str], text: str) -> list[str]:
    return [name for name in names if re.search(known()[name]["says"], text)]


def fill(template: str, values: Mapping[str, str]) -> str:
    """Fill in the fields of a template. Unknown fields stay."""
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
    """Start services on a separate network, and remove everything at the end of the block.

    Missing images are pulled. This does not wait until the services are ready, so a build can run meanwhile.

    Args:
        client: The engine.
        wanted: The services.
        name: A part of the names of the network and the containers.
        tell: Called with a message when an image is pulled.
        stays: Returns at the end of the block whether to keep them. None to always remove them.

    Raises:
        MachineError: An image cannot be pulled, or a container cannot be started.
        BadInputError: An image does not exist.
        KeyboardInterrupt: After everything was removed.
    """
    for one in wanted:
        _ensure(client, one, tell)
    network, lasting = container.new_name(name), stays is not None
    names = [container.new_name(f"{name}-{one.name}") for one in wanted]
    try:
        _make_network(client, network, lasting=lasting)
        # When the pool ends, all are started or have failed, even after an interrupt.
        with ThreadPoolExecutor(len(names)) as pool:
            services = list(pool.map(lambda one, own: _start(client, one, own, network, lasting), wanted, names))
        yield Beside(network=network, services=services)
    finally:
        if stays is None or not stays():
            _remove(client, names, network)


def wait(client: Client, service: Running, seconds: float = READY_SECONDS) -> float:
    """Wait until a service's own command reports that it is ready. Return the seconds since its start.

    Raises:
        MachineError: The service ended, or was not ready in time.
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
            raise _unready(client, service, f"it did not become ready in {seconds:.0f} s")
        else:
            # Each check slows down the start of the server.
            time.sleep(min(_LONGEST_PAUSE, (now - service.started) / 10))
    raise _unready(client, service, "its image has no command to check whether it is ready")


def _ask(client: Client, name: str, command: Sequence[str]) -> Output:
    try:
        return call(client, "container", "exec", name, *command, check=False, timeout=_ASK_SECONDS)
    except NoEngineError:
        return Output(1, "", "")  # The command hangs. If the engine is gone, the next call fails.


def _ensure(client: Client, wanted: Wanted, tell: Callable[[str], None]) -> None:
    """Pull a missing image."""
    if call(client, "image", "inspect", "--format", "{{.Id}}", wanted.image, check=False).code == 0:
        return
    tell(f"Pulling {wanted.image} …")
    try:
        done = call(client, "image", "pull", "--quiet", wanted.image, check=False, timeout=PULL_SECONDS)
    except NoEngineError:
        raise _not_had(wanted, f"the pull took more than {PULL_SECONDS / 60:.0f} minutes") from None
    if done.code == 0:
        return
    complaint = says(done).rstrip(".")
    if re.search(r"manifest unknown|: not found$|no such manifest|invalid reference format", complaint):
        raise BadInputError(
            f"--with {wanted.name}: the image {wanted.image} does not exist.",
            f"Name a version in the registry (--with {wanted.name}:{wanted.facts['tag']}), or a full image name:\n"
            f"  --with {wanted.name}=REGISTRY/IMAGE:TAG",
        )
    raise _not_had(wanted, complaint)


def _not_had(wanted: Wanted, why: str) -> MachineError:
    variable = next(iter(wanted.facts["set"]))
    return MachineError(
        f"--with {wanted.name}: the image {wanted.image} is not on this machine, and cannot be pulled: {why}.",
        f"Pull it:  docker pull {wanted.image}\n"
        f"Or use your mirror:  --with {wanted.name}=REGISTRY/IMAGE:TAG\n"
        f"Or use a running server:  --network NETWORK --env {variable}=…",
    )


def _make_network(client: Client, network: str, *, lasting: bool) -> None:
    with deferred():
        swept = [] if lasting else [f"--label={owner.label()}"]
        words = [f"--label={container.LABEL}=1", *swept, "--driver=bridge", network]
        made = call(client, "network", "create", *words, check=False)
    if made.code != 0:
        remedy = "Remove unused networks:  docker network prune" if "pool" in says(made) else ""
        raise MachineError(f"The engine cannot create a network for --with: {says(made)}.", remedy)


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
    said = ["  last log lines:", *(f"  | {line}" for line in log)] if log else ["  (the log is empty)"]
    title, image = service.wanted.facts["title"], service.wanted.image
    return MachineError(
        "\n".join([f"{title} ({image}) is not ready: {why}.", *said]),
        f"Check that it is an image of {title}. To use another one: --with {service.wanted.name}=IMAGE",
    )
