"""Build an image, and explain why a build failed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockertpl.engine import hints
from dockertpl.engine.client import Client, call
from dockertpl.engine.progress import Progress
from dockertpl.errors import BadInputError, BuildFailedError, DockertplError, MachineError, NoEngineError
from dockertpl.interrupts import deferred, end

_CLEANUP_SECONDS = 20.0
_LOG_LINES = 20
_HINT_LINES = 400
# Errors that may mean a missing password or key. For uv, a 401 means that the index lacks the package.
_REFUSED = re.compile(
    r"\b40[13]\b|unauthorized|forbidden|not found in the package registry|permission denied|could not read|"
    r"authentication|no solution found|404 not found",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class BuildResult:
    """An image that was built.

    Attributes:
        image: The engine's id for it, a digest. The containerd store drops an image without tags.
        seconds: The time of the build, including loading the image into the engine's store.
        steps: The number of steps without FROM, in all stages that the target needs.
        cached_steps: The number of steps that did not run.
        warnings: The warnings of BuildKit's checks.
    """

    image: str
    seconds: float
    steps: int
    cached_steps: int
    warnings: tuple[str, ...] = ()


def build(
    client: Client,
    *,
    context: Path,
    dockerfile: Path,
    target: str | None = None,
    build_args: Mapping[str, str] | None = None,
    secrets: Sequence[str] = (),
    ssh: Sequence[str] = (),
    tag: str,
    no_cache: bool = False,
    extra: Sequence[str] = (),
    on_progress: Callable[[Progress], None] | None = None,
) -> BuildResult:
    """Build an image into the engine's store.

    Args:
        client: The engine.
        context: The build context, a folder.
        dockerfile: The Dockerfile. It may be outside of the context.
        target: The stage, or None for the last.
        build_args: Build arguments.
        secrets: BuildKit secrets, in the format of `--secret`.
        ssh: SSH agents or keys, in the format of `--ssh`.
        tag: The image's tag.
        no_cache: Run every step.
        extra: More options of `docker buildx build`.
        on_progress: Called with the state of the build after each change.

    Raises:
        BuildFailedError: A step failed, or the Dockerfile cannot be read. The message has the step's last log lines.
        BadInputError: A secret or the target does not exist.
        MachineError: The registry cannot be reached, or the disk is full.
        NoEngineError: The engine went away.
        KeyboardInterrupt: After the build was ended.
    """
    for secret in secrets:
        check_secret(secret)
    for agent in ssh:
        check_ssh(agent)
    words = ["--progress=rawjson", "--load", "--tag", tag, "--file", str(dockerfile.absolute())]
    words += ["--target", target] if target else []
    words += ["--no-cache"] if no_cache else []
    words += [f"--build-arg={name}={value}" for name, value in (build_args or {}).items()]
    words += [f"--secret={secret}" for secret in secrets]
    words += [f"--ssh={agent}" for agent in ssh]
    progress = Progress()
    with tempfile.TemporaryDirectory(prefix="dockertpl-") as folder:
        metadata = Path(folder, "metadata.json")
        words += [f"--metadata-file={metadata}", *extra, "--", str(context.absolute())]
        began = time.monotonic()
        code = _run([client.executable, "buildx", "build", *words], progress, on_progress)
        seconds = time.monotonic() - began
        if code != 0:
            raise _failure(progress, dockerfile, target, {*map(_id, secrets), *map(_id, ssh)})
        image = _image_id(client, metadata, tag)
    return BuildResult(
        image=image,
        seconds=seconds,
        steps=len(progress.steps()),
        cached_steps=progress.cached(),
        warnings=tuple(progress.warnings),
    )


def tag_also(client: Client, image: str, tag: str) -> None:
    """Add a tag to an image. Raises MachineError if the image is missing."""
    call(client, "image", "tag", image, tag)


def untag(client: Client, tag: str) -> None:
    """Remove a tag, and the image with its last tag. A missing tag is not an error."""
    # If the engine is gone, that was already reported.
    with deferred(), contextlib.suppress(NoEngineError):
        call(client, "image", "rm", tag, check=False, timeout=_CLEANUP_SECONDS)


def check_secret(secret: str) -> None:
    """Check a secret before the build: BuildKit silently ignores a missing file or variable.

    Raises:
        BadInputError: The secret has no id, or its file or variable is missing.
    """
    fields = dict(part.partition("=")[::2] for part in secret.split(","))
    name = fields.get("id")
    if not name:
        raise BadInputError(f"--secret {secret!r} has no id.", "Write it as id=NAME,src=FILE or id=NAME,env=VARIABLE.")
    source = fields.get("src") or fields.get("source")
    if source and not Path(source).is_file():
        raise BadInputError(f"--secret {name}: {source} is not a file.", "Name the file that holds the secret.")
    if not source and fields.get("env", name) not in os.environ and not (fields.get("type") == "file"):
        raise BadInputError(
            f"--secret {name}: the variable {fields.get('env', name)} is not set.",
            "Set it, or write it as id=NAME,src=FILE.",
        )


def check_ssh(agent: str) -> None:
    """Check an SSH agent or key.

    Raises:
        BadInputError: No agent runs, or the socket or key is missing.
    """
    name, _, sources = agent.partition("=")
    if not sources and not os.environ.get("SSH_AUTH_SOCK"):
        raise BadInputError(
            f"--ssh {name}: no SSH agent runs here (SSH_AUTH_SOCK is not set).",
            'Start one with `eval "$(ssh-agent)"` and add your key with `ssh-add`.',
        )
    for source in filter(None, sources.split(",")):
        if not Path(source).exists():
            raise BadInputError(f"--ssh {name}: {source} was not found.", "Name an agent's socket or a key.")


def _run(command: list[str], progress: Progress, on_progress: Callable[[Progress], None] | None) -> int:
    # Provenance in the metadata file costs a lookup after each build.
    environment = {**os.environ, "BUILDX_METADATA_PROVENANCE": "disabled", "DOCKER_CLI_HINTS": "false"}
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=environment,
    ) as process:
        try:
            assert process.stderr is not None  # noqa: S101  (what PIPE means)
            for line in process.stderr:
                progress.feed(line.decode(errors="replace"))
                if on_progress:
                    on_progress(progress)
            return process.wait()
        except BaseException:
            end(process)
            raise


def _image_id(client: Client, metadata: Path, tag: str) -> str:
    """Return the id of the image that was built.

    The containerd store uses the digest of the index, other stores the digest of the config. The metadata file may
    have either, depending on the builder. Try the tag last: another build may have moved it.
    """
    try:
        known = json.loads(metadata.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        known = {}
    candidates = [known.get("containerimage.digest"), known.get("containerimage.config.digest"), tag]
    for candidate in candidates:
        if candidate:
            output = call(client, "image", "inspect", "--format", "{{.Id}}", candidate, check=candidate == tag)
            if output.code == 0 and re.fullmatch(r"[\w:./-]+", output.stdout.strip()):
                return output.stdout.strip()
    raise MachineError(
        f"The engine built {tag}, but cannot find it.", "Build again. `docker image ls` lists the images."
    )


def _failure(progress: Progress, dockerfile: Path, target: str | None, given: Collection[str]) -> DockertplError:
    error = progress.error()
    place = progress.excerpt()
    where = f"{_shown(dockerfile)}, line {place[0]}" if place else _shown(dockerfile)
    if "Cannot connect to the Docker daemon" in error or "failed to connect to the docker API" in error:
        return NoEngineError(f"The container engine stopped during the build: {error}.", "Start it, and build again.")
    if "target stage" in error and "could not be found" in error:
        stages = re.findall(r"^FROM\s.*\sAS\s+(\S+)\s*$", _read(dockerfile), re.IGNORECASE | re.MULTILINE)
        return BadInputError(
            f"{where} has no stage {target}.",
            f"Use one of its stages: {', '.join(stages)}." if stages else "Name a stage with FROM … AS NAME.",
        )
    vertex = progress.failed()
    log = vertex.log_lines(_LOG_LINES) if vertex else []
    step = vertex.step() if vertex else None
    said = [*(vertex.log_lines(_HINT_LINES) if vertex else []), vertex.error if vertex else "", error]
    hint = hints.find(said, "build", {"python": _python(dockerfile)})
    if step and (lacking := _not_given(step["instruction"], given)) and _REFUSED.search("\n".join(said)):
        hint = hints.Hint(lacking, lacks_machine=False)
    if step and vertex:
        stage = f" (stage {step['stage']})" if step["stage"] else ""
        code = re.search(r"exit code: (\d+)$", vertex.error)
        reason = f"exit code {code[1]}" if code else _reason(vertex.error)
        message = f"{where}: the build failed{stage} at {_short(step['instruction'])}: {reason}"
    else:
        message = f"{where}: the build failed: {_reason(error)}"
    message = "\n".join([message, *(f"  | {line}" for line in log)])
    if hint and hint.lacks_machine:
        return MachineError(message, hint.text)
    failed = BuildFailedError(message, hint.text if hint else "Fix the error in the last lines, and build again.")
    failed.missing = hint.missing if hint else ""
    return failed


def _id(option: str) -> str:
    """Return the name in a value of --secret (`id=NAME,…`) or --ssh (`NAME=…`)."""
    fields = dict(part.partition("=")[::2] for part in option.split(","))
    return fields.get("id") or option.partition("=")[0]


def _not_given(instruction: str, given: Collection[str]) -> str:
    """Return the advice for a step with secrets or an SSH agent that the build did not get, or nothing."""
    options = []
    for mount in re.findall(r"--mount=type=(?:secret|ssh)\S*", instruction):
        fields = dict(part.partition("=")[::2] for part in mount.removeprefix("--mount=").split(","))
        name = fields.get("id", "default")
        if name not in given and name != "ca":  # the CA bundle is optional
            source = (
                f"env={fields['env']}" if "env" in fields else "src=$HOME/.netrc" if name == "netrc" else "src=FILE"
            )
            options.append(f"--ssh {name}" if fields["type"] == "ssh" else f"--secret id={name},{source}")
    if not options:
        return ""
    return f"This step needs a secret or SSH agent:\n  dockertpl verify {' '.join(options)}"


def _python(dockerfile: Path) -> str:
    """Return the Python of the build's base image in words."""
    found = re.search(r"^(?:ARG PYTHON_IMAGE=|FROM )\S*python:(3\.\d+)", _read(dockerfile), re.MULTILINE)
    return f"Python {found[1]}" if found else "this Python"


def _reason(error: str) -> str:
    # BuildKit's error for a file that is not in the context.
    missing = re.search(r"failed to calculate checksum of ref \S+: (?P<path>\"[^\"]+\"): not found", error)
    return f"{missing['path']} is not in the build context" if missing else error.rstrip(".") + "."


def _short(instruction: str) -> str:
    line = " ".join(instruction.split())
    return line if len(line) <= 100 else line[:99] + "…"


def _shown(path: Path) -> str:
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
