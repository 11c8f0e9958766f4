"""How an ASGI server is started: a command's words -> server, application, port, workers, root path and the like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dockertpl.detect.dockerfile import expand, split
from dockertpl.detect.python.conventions import SWITCHES

SERVERS = ("uvicorn", "gunicorn", "granian", "hypercorn", "fastapi")
_TARGET = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(\(\))?")
_LONGEST = 2048
_STOPS = frozenset(("&&", "||", "|", ";", "&"))


@dataclass(frozen=True, kw_only=True)
class Start:
    """One command that starts an ASGI server, or one place that names the application.

    Attributes:
        server: uvicorn, gunicorn, granian or hypercorn; empty if none is named. (`fastapi run` is uvicorn.)
        target: The import string as written, without `()`; empty if a file or nothing is named.
        file: The Python file that `fastapi run` names.
        folder: Where it is started, as far as `cd` or `--chdir` say so.
        search: Where imports are looked for, as far as `--app-dir` or PYTHONPATH say so.
        factory: The target is a function to call.
        reload: It is a command for development.
        config: The settings file that gunicorn is given.
        path: The file that holds the command.
        line: Its line.
        what: The command's role there, for people ("CMD", "web process").
        weight: How much it says about production; more is more.
        before: What the command does before it starts the server, such as a migration.
        script: The Python file that is run instead of a server.
    """

    server: str = ""
    target: str = ""
    file: str = ""
    folder: str = ""
    search: str = ""
    factory: bool = False
    reload: bool = False
    port: int | None = None
    workers: int | None = None
    root_path: str | None = None
    proxy_headers: bool = False
    config: str = ""
    path: str = ""
    line: int | None = None
    what: str = ""
    weight: int = 0
    before: str = ""
    script: str = ""

    @property
    def module(self) -> str:
        """Return the module of the target."""
        return self.target.partition(":")[0]

    @property
    def attribute(self) -> str:
        """Return the target's part after the colon."""
        return self.target.partition(":")[2]


def read_command(words: Sequence[str], values: Mapping[str, str] | None = None) -> Start | None:
    """Read a command that starts an ASGI server.

    Args:
        words: The command's words; what stands before the server (`exec`, `uv run`, `python -m`) is skipped.
        values: Variables with a known value. One with a default (`${PORT:-8000}`) needs none.

    Returns:
        What it says, or None if it starts no ASGI server.
    """
    words = [expand(word, values or {}) for word in words]
    at = next((index for index, word in enumerate(words) if word.rpartition("/")[2] in SERVERS), None)
    if at is None:
        return None
    server = words[at].rpartition("/")[2]
    folder = next((words[i + 1] for i in range(at - 1) if words[i] == "cd"), "")
    search = next((word.partition("=")[2] for word in words[:at] if word.startswith("PYTHONPATH=")), "")
    rest = words[at + 1 :]
    end = next((index for index, word in enumerate(rest) if word in _STOPS), len(rest))
    start = Start(server=server, folder=folder, search=search, before=_before(words[:at]))
    positional: list[str] = []
    for option, value in options(rest[:end]):
        if not option:
            positional.append(value)
        elif changed := _option(start, option, value):
            start = changed
    return _with_target(start, positional)


def _before(words: Sequence[str]) -> str:
    """Return the commands before the one that starts the server, without those that only prepare the shell."""
    ends = [index for index, word in enumerate(words) if word in _STOPS]
    commands: list[str] = []
    begin = 0
    for end in ends:
        command = [word for word in words[begin:end] if word not in ("sh", "bash", "-c", "-ec", "exec")]
        if command and command[0].rpartition("/")[2] not in (
            "cd",
            "set",
            "export",
            "source",
            ".",
            "echo",
            "test",
            "[",
            "if",
        ):
            commands.append(" ".join(command))
        begin = end + 1
    return ", ".join(commands)


def options(words: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Yield (option, value) pairs, and ("", word) for other words."""
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not word.startswith("-") or word == "-":
            yield "", word
            continue
        option, equals, value = word.partition("=")
        if glued := re.fullmatch(r"-([bwkcep])(.+)", word):
            option, equals, value = f"-{glued[1]}", "=", glued[2]
        if not equals and option not in SWITCHES and at < len(words) and not words[at].startswith("-"):
            value = words[at]
            at += 1
        yield option, value


def _option(start: Start, option: str, value: str) -> Start | None:
    match option:
        case "--port":
            return replace(start, port=_number(value))
        case "-b" | "--bind" if start.server in ("gunicorn", "hypercorn"):
            return replace(start, port=_number(value.rpartition(":")[2]))
        case "-p" if start.server == "granian":
            return replace(start, port=_number(value))
        case "-w" | "--workers":
            return replace(start, workers=_number(value))
        case "--root-path" | "--url-path-prefix":
            return replace(start, root_path=value)
        case "--proxy-headers" | "--forwarded-allow-ips":
            return replace(start, proxy_headers=True)
        case "--factory":
            return replace(start, factory=True)
        case "--reload" | "--dev":
            return replace(start, reload=True)
        case "--chdir":
            return replace(start, folder=value)
        case "--app-dir":
            return replace(start, search=value)
        case "-c" | "--config" if start.server == "gunicorn":
            return replace(start, config=value.removeprefix("file:"))
        case "-e" | "--entrypoint" if start.server == "fastapi":
            return replace(start, target=value)
    return None


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,5}", text) else None


def _with_target(start: Start, positional: Sequence[str]) -> Start | None:
    if start.server == "fastapi":
        if not positional or positional[0] not in ("run", "dev"):
            return None
        file = positional[1] if len(positional) > 1 else ""
        if file and not re.fullmatch(r"[\w./-]+", file):
            return None
        return replace(start, server="uvicorn", file=file, reload=start.reload or positional[0] == "dev")
    for word in positional:
        if found := _TARGET.fullmatch(word):
            return replace(start, target=f"{found[1]}:{found[2]}", factory=start.factory or bool(found[3]))
    # A server without a known application still shows the server and the port.
    named = start.port is not None or start.config or any("$" in word for word in positional)
    return start if named else None


def lines_that_start(text: str) -> Iterable[tuple[int, str]]:
    """Yield (line, command) for every line of a text that names a server; continuation lines are joined."""
    waiting: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        continues = line.endswith("\\") and len(waiting) < 50
        if len(line) <= _LONGEST:
            waiting.append(line.removesuffix("\\").strip())
        if continues:
            continue
        joined = " ".join(waiting)
        if any(server in joined for server in SERVERS):
            yield number - len(waiting) + 1, joined
        waiting = []


def commands_in(text: str) -> Iterable[tuple[Start, int]]:
    """Yield every start of a server that a script, Makefile or README holds, with its line."""
    for line, command in lines_that_start(text):
        if command.startswith(("# ", "//", "echo ", "printf ")):
            continue
        # In prose a command stands between backticks; in JSON and TOML between quotes.
        for part in re.findall(r"`([^`]+)`", command) or [re.sub(r"[\"',]", " ", command)]:
            found = read_command(split(part.replace("@", " ").lstrip(" $>-")))
            if found and (found.target or found.file or "fastapi run" in part):
                yield found, line
