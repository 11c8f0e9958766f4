"""Run commands in an image before it starts, such as database migrations."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Sequence
from dataclasses import replace

from dockertpl.engine import container, hints
from dockertpl.engine.client import Client, call, says
from dockertpl.engine.image import ImageFacts
from dockertpl.engine.strict import RunOptions, memory, strict_options
from dockertpl.errors import BadInputError, NoEngineError, UnhealthyError

SECONDS = 600.0

_LOG_LINES = 30
_SHELL = ("&&", "||", "|", ";", "&", ">", ">>", "<", "2>&1")


def parse(text: str) -> list[str]:
    """Split a value of --run into words.

    Raises:
        BadInputError: It is empty, has an open quote, or needs a shell.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise BadInputError(f"--run {text!r}: a quote is not closed.", "Close the quote, as in a shell.") from None
    if not words:
        raise BadInputError("--run is empty.", "Give it a command:  --run 'alembic upgrade head'")
    if any(word in _SHELL or word.endswith(";") for word in words) and words[0] not in ("sh", "bash", "/bin/sh"):
        raise BadInputError(
            f"--run {text!r} needs a shell, but --run starts programs directly.",
            f"Use --run once for each command, or name the shell:  --run {shlex.quote(f'sh -c {shlex.quote(text)}')}",
        )
    return words


def run_first(
    client: Client,
    image: ImageFacts,
    command: Sequence[str],
    *,
    name: str,
    options: RunOptions,
    seconds: float = SECONDS,
) -> float:
    """Run a command in an image with strict options, and return its seconds.

    As with `docker run IMAGE COMMAND`, an ENTRYPOINT of the image gets the command as arguments.

    Args:
        client: The engine.
        image: From `inspect_image`.
        command: The words of the command.
        name: A part of the container's name.
        options: The options of the run.
        seconds: The timeout.

    Raises:
        UnhealthyError: The command failed, did not end, or is not in the image.
        KeyboardInterrupt: After its container was removed.
    """
    shown = shlex.join(command)
    own = container.new_name(f"{name}-run")
    # The command needs no port and no health check.
    strict = [*strict_options(replace(image, port=None), options), "--no-healthcheck"]
    try:
        made = container.create(client, own, image.image, strict, command)
        if made.code != 0:
            raise BadInputError(
                f"The engine refuses to run `{shown}`: {says(made)}.", "Check --env-file, --tmpfs, --network."
            )
        began = time.monotonic()
        begun = container.start(client, own)
        if begun.code != 0:
            raise _not_started(shown, command[0], says(begun))
        with contextlib.suppress(NoEngineError):  # It did not end in time. Its state is checked below.
            call(client, "container", "wait", own, check=False, timeout=seconds)
        took = time.monotonic() - began
        state = container.state(client, own)
        if state.running or state.exit_code != 0:
            log = container.logs(client, own, _LOG_LINES)
            raise _failed(shown, state, log, seconds, image)
        return took
    finally:
        container.remove(client, own)


def _not_started(shown: str, program: str, complaint: str) -> UnhealthyError:
    if "executable file not found" in complaint or "no such file" in complaint:
        return UnhealthyError(
            f"--run: `{shown}` did not start: the image has no command {program}.",
            f"Add {program} to the dependencies for production: development dependencies are not in the image.",
        )
    return UnhealthyError(f"--run: `{shown}` did not start: {complaint}.", "Check that the image has this program.")


def _failed(
    shown: str, state: container.State, log: Sequence[str], seconds: float, image: ImageFacts
) -> UnhealthyError:
    if state.running:
        what, usual = (
            f"did not end in {seconds:.0f} s",
            "Use --run for a command that ends. The server starts afterwards.",
        )
    elif state.out_of_memory:
        what = f"ran out of memory; its limit is {memory(image)}"
        usual = "If it needs more, raise the limit in the image: LABEL org.dockertpl.run.memory=2g"
    else:
        what, usual = f"ended with code {state.exit_code}", "See its last lines."
    lines = ["  last log lines:", *(f"  | {line}" for line in log)] if log else ["  (the log is empty)"]
    hint = hints.find(log, "run", workdir=image.workdir)
    error = UnhealthyError("\n".join([f"--run: `{shown}` {what}.", *lines]), hint.text if hint else usual)
    if hint:
        error.missing, error.lacks_setting = hint.missing, hint.lacks_setting
    return error
