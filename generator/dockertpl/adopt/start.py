"""CMD and ENTRYPOINT: convert the server's options into answers, and commands before it into an entry point."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dockertpl.adopt.secrets import shown
from dockertpl.adopt.shell import Command, commands
from dockertpl.adopt.source import Step
from dockertpl.adopt.stages import joined
from dockertpl.adopt.translation import Draft, StageState
from dockertpl.detect.dockerfile import expand
from dockertpl.detect.python.starts import SERVERS, Start, options, read_command

_LONGEST = 16_384
_SHELL = re.compile(r"(?:/\w+)*/?(?:ba|da|a)?sh")
_SCRIPT = re.compile(
    r"[\w./${}-]+\.(?:sh|bash)|(?:[\w./${}-]*/)?(?:docker-)?(?:entry-?point|start|run|boot|init)[\w-]*"
)
_SERVER_JS = re.compile(r"(?:\./)?(?:[\w.@/-]+/)?server\.(?:js|mjs|cjs)")
_NOTE = 'gets the server\'s command as its arguments and must end with: exec "$@"'


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "options.toml").read_text("utf-8"))


@dataclass(kw_only=True)
class _Start:
    """How the old image starts: the words before the server, the server's words, and the line."""

    line: int
    prefix: list[str] = field(default_factory=list)
    before: list[Command] = field(default_factory=list)
    server: list[str] = field(default_factory=list)
    follows: str = "&&"


def read_start(draft: Draft, state: StageState, entry: Step | None, cmd: Step | None) -> None:
    """Read how the image starts.

    Args:
        draft: Collects answers, items and lines.
        state: The image's stage at its end.
        entry: The last ENTRYPOINT, or None.
        cmd: The last CMD, or None.
    """
    steps = [step for step in (entry, cmd) if step and step.words]
    if not steps:
        draft.doubt(
            state.stage.start.line, "the file has no CMD or ENTRYPOINT: check that it is the image's Dockerfile."
        )
        return
    if entry and entry.words and not entry.exec_form and cmd and cmd.words:
        draft.dropped(cmd.line, "CMD " + " ".join(cmd.words), "an ENTRYPOINT in shell form ignores it")
        steps = [entry]
    line = steps[-1].line
    if any(not step.exec_form for step in steps):
        draft.facts.add("shell-form")
    if sum(len(word) for step in steps for word in step.words) > _LONGEST:
        draft.dropped(line, " ".join(steps[-1].words), "it is too long to convert")
        draft.doubt(line, "the start command is too long to convert.")
        return
    words = [word for step in steps for word in (step.words if step.exec_form else ("sh", "-c", *step.words))]
    begin = len(draft.items)
    found = _taken_apart(draft, state, words, line)
    if found is None:
        _not_understood(draft, state, words, line)
    else:
        _entry_point(draft, state, found)
        (_python if draft.is_python else _node)(draft, state, found)
    if len(steps) == 2:
        _relocate(draft, begin, *steps)


def _relocate(draft: Draft, begin: int, entry: Step, cmd: Step) -> None:
    """Use the ENTRYPOINT's line for items that are only in the ENTRYPOINT."""
    first, second = (set(" ".join(step.words).replace("=", " ").split()) for step in (entry, cmd))
    for number in range(begin, len(draft.items)):
        words = set(draft.items[number].what.replace("=", " ").split())
        if words <= first and not words <= second:
            draft.items[number] = replace(draft.items[number], line=entry.line)


def _taken_apart(draft: Draft, state: StageState, words: list[str], line: int) -> _Start | None:
    at = next(
        (i for i in range(len(words) - 2) if _SHELL.fullmatch(words[i]) and re.fullmatch("-[a-z]*c", words[i + 1])),
        None,
    )
    if at is None:
        plain = _in_exec_form(draft, state, words, line)
        if plain:
            _skip(draft, line, plain)
        return plain
    inside = commands(words[at + 2])
    if len(inside) == 1 and inside[0].is_one and _is_shell(inside[0].words):
        # CMD sh -c "…" in shell form: a shell in a shell.
        draft.template(line, " ".join(words[at : at + 2]), "the server is the first process, not a shell")
        return _taken_apart(draft, state, [*words[:at], *inside[0].words], line)
    for number, command in enumerate(inside):
        if not command.is_one:
            continue
        server = _in_exec_form(draft, state, list(command.words), line)
        if server is None:
            continue
        if inside[number + 1 :]:
            return None
        if command.assignments:
            _assigned(draft, line, command.assignments)
        for name in words[at : at + 2]:
            draft.template(line, name, "the server is the first process, not a shell")
        server.before, server.follows = list(inside[:number]), command.before
        server.prefix = [*words[:at], *server.prefix]
        _skip(draft, line, server)
        return server
    return None


def _is_shell(words: Sequence[str]) -> bool:
    return len(words) > 2 and bool(_SHELL.fullmatch(words[0])) and re.fullmatch(r"-[a-z]*c", words[1]) is not None


def _assigned(draft: Draft, line: int, assignments: Sequence[str]) -> None:
    for assignment in assignments:
        name, _, value = assignment.partition("=")
        if name in ("HOSTNAME", "PORT", "NODE_ENV", "HOST", "PYTHONUNBUFFERED"):
            draft.template(line, assignment, "the template sets it")
        else:
            draft.item(line, assignment, "kept", "environment")
            draft.keep("environment", f"ENV {name}={json.dumps(value)}")


def _skip(draft: Draft, line: int, start: _Start) -> None:
    """Remove words before the server that the image does not need."""
    skipped = sorted((one.split() for one in _data()["wrappers"]["skipped"]), key=len, reverse=True)
    kept: list[str] = []
    rest = start.prefix
    while rest:
        match = next(
            (
                one
                for one in skipped
                if [rest[0].rpartition("/")[2], *rest[1 : len(one)]] == one or rest[: len(one)] == one
            ),
            None,
        )
        if match:
            draft.template(
                line, " ".join(rest[: len(match)]), "the virtual environment is on PATH, so the server runs without it"
            )
            rest = rest[len(match) :]
            while match[-1] == "run" and rest and rest[0].startswith("-"):
                draft.template(
                    line, rest[0], "the image has the packages of the lock, and installs nothing at the start"
                )
                rest = rest[1:]
        elif re.match(r"[A-Z_]+=", rest[0]):
            _assigned(draft, line, rest[:1])
            rest = rest[1:]
        else:
            kept.append(rest[0])
            rest = rest[1:]
    start.prefix = kept


def _in_exec_form(draft: Draft, state: StageState, words: list[str], line: int) -> _Start | None:
    at = _server_at(draft, words, state)
    if at is None:
        return None
    return _Start(line=line, prefix=words[:at], server=words[at:])


def _server_at(draft: Draft, words: Sequence[str], state: StageState) -> int | None:
    if draft.is_python:
        at = next((i for i, word in enumerate(words) if word.rpartition("/")[2] in SERVERS), None)
        if at is None or read_command(words[at:], state.values) is None:
            return None
        return at
    for i, word in enumerate(words):
        program, rest = word.rpartition("/")[2], list(words[i + 1 :])
        if program in ("node", "bun") and any(_SERVER_JS.fullmatch(one) for one in rest):
            return i
        if program == "next" and rest[:1] in (["start"], ["dev"]):
            return i
        if program in ("npm", "pnpm", "yarn", "bun"):
            script = [one for one in rest if not one.startswith("-") and one not in ("run", "next")]
            if script[:1] in (["start"], ["dev"]):
                return i
    return None


def _entry_point(draft: Draft, state: StageState, start: _Start) -> None:
    prefix = [_placed(draft, state, word) for word in start.prefix]
    before = [command for command in start.before if command.text.strip()]
    idle = [command for command in before if re.match(r"(?:cd|set|echo|export|source|\.)\b", command.text)]
    for word in start.prefix:
        _keep_word(draft, state, start.line, word)
    if before and len(idle) == len(before) and not any(command.text.startswith("export") for command in before):
        for command in before:
            draft.template(
                start.line, command.text, "the server starts in /app, and the answer app has the import path"
            )
        before = []
    draft.uses.setdefault("start", set()).update(word for command in before for part in command.parts for word in part)
    draft.uses["start"].update(start.prefix)
    if before:
        text = _joined(before, start.follows)
        for command in before:
            draft.item(start.line, command.text, "kept", "image, as ENTRYPOINT, before the server")
        prefix += ["sh", "-c", text + ' exec "$@"', "--"]
        _asks_more(draft, start.line, before)
    if prefix:
        _write(draft, prefix)


def _keep_word(draft: Draft, state: StageState, line: int, word: str) -> None:
    is_script = _SCRIPT.fullmatch(word) and ("/" in word or "." in word)
    draft.item(line, word, "kept", f"image, as ENTRYPOINT; it {_NOTE}" if is_script else "image, as ENTRYPOINT")
    if is_script:
        _bring(draft, state, word)


def _joined(before: Sequence[Command], last: str) -> str:
    parts = []
    for number, command in enumerate(before):
        bare = re.sub(r"^(?:poetry run|uv run(?: --[\w-]+)*|pipenv run|pdm run)\s+", "", command.text)
        follows = before[number + 1].before if number + 1 < len(before) else last
        parts.append(f"{bare}{';' if follows == ';' else ' &&'}")
    return " ".join(parts)


def _asks_more(draft: Draft, line: int, before: Sequence[Command]) -> None:
    for command in before:
        for part in command.parts:
            if part and part[0] in ("npx", "npm", "pnpm", "yarn", "bunx") and not draft.is_python:
                draft.doubt(
                    line,
                    f"`{' '.join(part[:4])}` runs before the server, but the standalone output may not have it: add "
                    "it in the region runtime, or run it elsewhere.",
                )


def _write(draft: Draft, words: Sequence[str]) -> None:
    if draft.flavor == "distroless":
        draft.doubts.append(f"{draft.path}: the flavor distroless has no shell for an entry point.")
    draft.keep("image", "ENTRYPOINT " + json.dumps(list(words), ensure_ascii=False))


def _placed(draft: Draft, state: StageState, word: str) -> str:
    if not _SCRIPT.fullmatch(word) or "$" in word or ("/" not in word and "." not in word):
        return word
    return draft.moved(joined(state.folder, word))


def _bring(draft: Draft, state: StageState, word: str) -> None:
    """Copy a script into the image if the template does not: the Next.js image has no sources."""
    place = _placed(draft, state, word)
    if draft.is_python or not place.startswith("/app/") or place in draft.kept("image"):
        return
    draft.keep("image", f"COPY --from=build {place} {place}")


def _python(draft: Draft, state: StageState, start: _Start) -> None:
    found = read_command(start.server, state.values) or Start()
    line, words = start.line, start.server
    written = words[0].rpartition("/")[2]
    # `fastapi run` passes its options to uvicorn.
    server = "uvicorn" if written == "fastapi" else written
    known = draft.known.get("server")
    if known and known != server and server == "uvicorn":
        draft.template(line, words[0], f"the answer server, {known}")
    else:
        draft.answer(line, words[0], "server", server, server)
    extra: list[str] = []
    for option, value in options(words[1:]):
        if option:
            _option(draft, state, line, server, option, expand(value, state.values), value, extra)
        else:
            _target(draft, line, found, value)
    if found.port is None and not found.config and not any("$" in word for word in words):
        name = {"gunicorn": "PORT", "uvicorn": "UVICORN_PORT"}.get(server, "")
        port(draft, line, f"the default port of {words[0]}", state.values.get(name, "8000"))
    if extra:
        draft.keep("environment", f"ENV GUNICORN_CMD_ARGS={json.dumps(' '.join(extra))}")


def _target(draft: Draft, line: int, found: Start, word: str) -> None:
    known = str(draft.known.get("app", ""))
    if word in ("run", "dev"):
        draft.template(line, word, "the template's server command") if word == "run" else draft.dropped(
            line, word, "the stage dev reloads"
        )
    elif word in (found.target, f"{found.target}()") and found.target:
        if not known:
            draft.answer(line, word, "app", found.target)
        elif known == found.target or known.endswith(f".{found.target}") or found.target.endswith(f".{known}"):
            draft.answer(line, word, "app", known, known)
        else:
            draft.dropped(line, word, f"the detected application is {known}")
            draft.doubt(line, f"it starts {word}, but the detected application is {known}.")
        if word.endswith("()"):
            draft.answer(line, f"{word}, a function", "app_factory", True)
    elif found.file and word == found.file:
        target = word.removeprefix("./").removesuffix(".py").replace("/", ".") + ":app"
        draft.answer(line, word, "app", known or target, known or target)
    else:
        draft.dropped(line, word, "it is not understood")
        draft.doubt(line, f"the server's argument {word} is not understood.")


def _option(
    draft: Draft, state: StageState, line: int, server: str, option: str, value: str, written: str, extra: list[str]
) -> None:
    table = _data()[server]
    row = table.get(option) or table.get("*") or {}
    what = f"{option} {written}".strip()
    if "answer" in row:
        _answer(draft, line, what, row, value, written)
    elif "template" in row:
        draft.template(line, what, row["template"])
    elif "variable" in row:
        text = str(row.get("value", value))
        text = draft.moved(joined(state.folder, text)) if row.get("path") else text
        draft.item(line, what, "kept", f"environment, as {row['variable']}")
        draft.keep("environment", f"ENV {row['variable']}={json.dumps(text)}")
    elif row.get("worker"):
        if value in ("uvicorn.workers.UvicornWorker", "uvicorn_worker.UvicornWorker"):
            draft.answer(line, what, "gunicorn_worker", value)
        else:
            draft.dropped(line, what, "the template uses uvicorn's workers")
            draft.doubt(line, f"gunicorn uses the worker class {value}, which is not one of uvicorn's.")
    elif row.get("gunicorn"):
        if option in ("-c", "--config"):
            value = draft.moved(joined(state.folder, value.removeprefix("file:")))
        draft.item(line, what, "kept", "environment, in GUNICORN_CMD_ARGS")
        extra.append(f"{option} {value}".strip() if not option.startswith("--") or not value else f"{option}={value}")
    else:
        draft.dropped(line, what, row.get("dropped", f"the template does not have this option of {server}"))
        if option == "--reload" or option == "--dev":
            draft.facts.add("reload")
        if row.get("doubt") or "dropped" not in row:
            draft.doubt(line, f"{server} is started with {what}, but the new command does not have it.")


def _answer(draft: Draft, line: int, what: str, row: dict[str, Any], value: str, written: str) -> None:
    key = row["answer"]
    if key == "port":
        port(draft, line, what, value.rpartition(":")[2], read=written)
    elif "value" in row:
        draft.answer(line, what, key, row["value"])
    elif key in ("workers", "graceful_timeout"):
        most = 64 if key == "workers" else 3600
        if value.isdigit() and 1 <= int(value) <= most:
            draft.answer(line, what, key, int(value))
        else:
            draft.dropped(line, what, f"{key} is a number from 1 to {most}")
            draft.doubt(line, f"{what} is not a number: set the answer by hand.")
    elif re.fullmatch(r"(?:/[A-Za-z0-9._~-]+)+", value):
        draft.answer(line, what, key, value)
    else:
        draft.dropped(line, what, "it is not a valid path for the template" if value.strip("\"'/") else "it is empty")


def port(draft: Draft, line: int, what: str, text: str, *, read: str = "") -> None:
    """Record the port of the old image. The first known port is the answer."""
    number = int(text) if re.fullmatch(r"\d{1,5}", text) else 0
    if not number:
        draft.dropped(line, what, "the port is set when the container starts, but the template's port is fixed")
        draft.doubt(
            line, f"{what}: the port is only known when the container starts, but the new image has a fixed one."
        )
    elif not 1024 <= number <= 65535:
        draft.dropped(
            line,
            what,
            "not every platform lets a user other than root bind it: change the port that forwards to the container",
            matters=True,
        )
        draft.facts.add("low-port")
    elif draft.answers.get("port", number) != number:
        draft.dropped(line, what, f"the server listens on {draft.answers['port']}")
    else:
        draft.answer(line, what, "port", number, "a PORT at run time is ignored" if "$" in read else "")


def _node(draft: Draft, state: StageState, start: _Start) -> None:
    line, words = start.line, list(start.server)
    at = 0
    loaded: list[str] = []
    while at < len(words):
        word = words[at]
        at += 1
        option, equals, value = word.partition("=")
        if option in ("-p", "--port"):
            value = value or (words[at] if at < len(words) else "")
            at += not equals
            port(draft, line, f"{option} {value}", expand(value, state.values), read=value)
        elif option in ("-H", "--hostname"):
            given = value or (words[at] if at < len(words) else "")
            at += not equals
            draft.template(line, f"{option} {given}", "the template listens on 0.0.0.0")
        elif option in ("--require", "-r", "--import", "--max-old-space-size") or (
            option.startswith("--")
            and words[0].endswith("node")
            and not any(_SERVER_JS.fullmatch(one) for one in words[:at])
        ):
            takes = option in ("--require", "-r", "--import") and not equals
            given = words[at] if takes and at < len(words) else value
            at += takes
            loaded.append(f"{option} {given}" if takes else word)
            draft.item(line, loaded[-1], "kept", "image, in NODE_OPTIONS")
            if takes or given:
                _loaded(draft, state, line, given)
        elif word == "dev":
            draft.dropped(line, word, "the stage dev reloads")
            draft.facts.add("reload")
        elif word.startswith("-"):
            draft.dropped(line, word, "the template does not have this option of the server")
            draft.doubt(line, f"the server is started with {word}, but the new command does not have it.")
        elif _SERVER_JS.fullmatch(word) and re.search(r"(?:dist|src|build|lib)/", word):
            draft.dropped(line, word, "the standalone output has its own server")
            draft.doubt(line, f"{word} is a custom server: the image does not have its other functions.")
        else:
            draft.template(line, word, "the command of the standalone output")
    if loaded:
        # At the end: earlier steps may not have the file that Node loads.
        draft.keep("image", f"ENV NODE_OPTIONS={json.dumps(' '.join(loaded))}")


def _loaded(draft: Draft, state: StageState, line: int, module: str) -> None:
    """Copy a file that Node loads before the server, or report a package that must be installed."""
    if module.startswith((".", "/")):
        place = draft.moved(joined(state.folder, module))
        if place not in draft.kept("image"):
            draft.keep("image", f"COPY --from=build {place} {place}")
    elif not module.isdigit() and module.split("/")[0] not in draft.kept("image"):
        draft.doubt(line, f"Node loads {module} before the server, but the standalone output may not have it.")


def _leads_to_script(word: str) -> bool:
    return bool(_SHELL.fullmatch(word)) or word.rpartition("/")[2] in (
        "tini",
        "dumb-init",
        "--",
        "-e",
        "-x",
        "-ex",
        "-g",
    )


def _not_understood(draft: Draft, state: StageState, words: list[str], line: int) -> None:
    """Read a start command that is a script or not a server."""
    rest = list(words)
    if rest[:1] == ["sh"] and rest[1:2] == ["-c"] and len(commands(rest[2])) == 1:
        only = commands(rest[2])[0]
        rest = list(only.words) if only.is_one else rest
    rest = rest[1:] if rest[:1] == ["exec"] else rest
    script = next((i for i, word in enumerate(rest) if _SCRIPT.fullmatch(word) and ("/" in word or "." in word)), None)
    if script is not None and all(_leads_to_script(word) for word in rest[:script]):
        placed = [_placed(draft, state, word) for word in rest[: script + 1]]
        for word in rest[: script + 1]:
            _keep_word(draft, state, line, word)
        draft.uses.setdefault("start", set()).update(rest[: script + 1])
        for word in rest[script + 1 :]:
            draft.dropped(line, word, "the script gets the server's command instead")
        if rest[script + 1 :]:
            draft.doubt(
                line,
                f"the script gets the server's command instead of {shown(' '.join(rest[script + 1 :]))}.",
            )
        _write(draft, placed)
        return
    if (
        len(rest) >= 2
        and re.fullmatch(r"(?:.*/)?python3?[\d.]*", rest[0])
        and draft.is_python
        and draft.known.get("app")
    ):
        why = f"the server starts {draft.known['app']} directly: other code in the file's main part does not run"
        for word in rest:
            draft.dropped(line, word, why)
        return
    for word in words:
        draft.dropped(line, word, "it is not understood")
    draft.doubt(line, "this command is not understood. The new image starts the server directly.")
