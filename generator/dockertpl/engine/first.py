"""Commands that are run in an image before it is started, such as the migrations of its database."""

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
    """Split a command into its words.

    Args:
        text: What --run was given.

    Raises:
        BadInputError: It is empty, has an open quote, or wants a shell.
    """
    try:
        words = shlex.split(text)
    except ValueError:
        raise BadInputError(f"--run {text!r}: a quote is not closed.", "Write it as in a shell.") from None
    if not words:
        raise BadInputError("--run is empty.", "Give it a command:  --run 'alembic upgrade head'")
    if any(word in _SHELL or word.endswith(";") for word in words) and words[0] not in ("sh", "bash", "/bin/sh"):
        raise BadInputError(
            f"--run {text!r} needs a shell, and no shell reads it.",
            f"Give --run once for each command, or name the shell:  --run {shlex.quote(f'sh -c {shlex.quote(text)}')}",
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
    """Run a command in an image, as strictly as the image itself; return the seconds that it took.

    Like `docker run IMAGE COMMAND`: an ENTRYPOINT of the image gets the command as its arguments.

    Args:
        client: The engine.
        image: From `inspect_image`.
        command: Its words.
        name: Becomes part of the container's name.
        options: What the image is run with.
        seconds: How long it may take.

    Raises:
        UnhealthyError: It failed, did not end, or is not in the image.
        KeyboardInterrupt: After its container was removed.
    """
    shown = shlex.join(command)
    own = container.new_name(f"{name}-run")
    # It answers nobody, so it needs no port; and no probe may call it unhealthy.
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
        with contextlib.suppress(NoEngineError):  # It did not end in time; what is the matter, its state tells.
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
            f"Is {program} a dependency of production? What only the build needs is not in the image.",
        )
    return UnhealthyError(f"--run: `{shown}` did not start: {complaint}.", "Is it a program of the image?")


def _failed(
    shown: str, state: container.State, log: Sequence[str], seconds: float, image: ImageFacts
) -> UnhealthyError:
    if state.running:
        what, usual = f"did not end in {seconds:.0f} s", "Give --run a command that ends; the server starts afterwards."
    elif state.out_of_memory:
        what = f"ran out of memory; its limit is {memory(image)}"
        usual = "If it needs more, say so in the image: LABEL org.dockertpl.run.memory=2g"
    else:
        what, usual = f"ended with code {state.exit_code}", "Its last lines say why."
    lines = ["  its last lines:", *(f"  | {line}" for line in log)] if log else ["  (it wrote nothing)"]
    hint = hints.find(log, "run", workdir=image.workdir)
    error = UnhealthyError("\n".join([f"--run: `{shown}` {what}.", *lines]), hint.text if hint else usual)
    if hint:
        error.missing, error.lacks_setting = hint.missing, hint.lacks_setting
    return error
