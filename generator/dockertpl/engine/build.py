"""Building one image, and saying why where it does not build."""

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
# What is said where a password or a key is missing. uv takes a 401 for an index that lacks the package.
_REFUSED = re.compile(
    r"\b40[13]\b|unauthorized|forbidden|not found in the package registry|permission denied|could not read|"
    r"authentication|no solution found|404 not found",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class BuildResult:
    """An image that was built.

    Attributes:
        image: The engine's id for it, a digest. The containerd store drops an image that has lost its last tag.
        seconds: Wall time of the build, with loading it into the engine's store.
        steps: Instructions that make a layer or run something, of all stages that the target needs; no FROM.
        cached_steps: Those of them that did not run.
        warnings: What BuildKit's own checks found.
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
    """Build an image into the engine's own store.

    Args:
        client: The engine.
        context: The build context, a folder.
        dockerfile: The Dockerfile; need not lie in the context.
        target: The stage, or None for the last.
        build_args: Build arguments.
        secrets: BuildKit secrets, each as `--secret` takes it.
        ssh: SSH agents or keys, each as `--ssh` takes it.
        tag: What the image is called. An image that had the tag before loses it.
        no_cache: Run every step.
        extra: More options of `docker buildx build`.
        on_progress: Called with all that is known, whenever there is news.

    Raises:
        BuildFailedError: A step failed, or the Dockerfile cannot be read. Has the step's last log lines.
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
    """Give an image one more tag. Raises MachineError if it is not there."""
    call(client, "image", "tag", image, tag)


def untag(client: Client, tag: str) -> None:
    """Take a tag away, and the image with it if that was its last; a tag that is not there is no error."""
    # An engine that is gone was already reported.
    with deferred(), contextlib.suppress(NoEngineError):
        call(client, "image", "rm", tag, check=False, timeout=_CLEANUP_SECONDS)


def check_secret(secret: str) -> None:
    """Refuse a BuildKit secret whose file or variable does not exist: BuildKit mounts nothing for it, silently.

    Raises:
        BadInputError: It has no id, or what it names is not there.
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
    """Refuse an SSH agent or key that is not there.

    Raises:
        BadInputError: No agent runs, or what is named is not there.
    """
    name, _, sources = agent.partition("=")
    if not sources and not os.environ.get("SSH_AUTH_SOCK"):
        raise BadInputError(
            f"--ssh {name}: no SSH agent runs here (SSH_AUTH_SOCK is not set).",
            'Start one with `eval "$(ssh-agent)"` and add your key with `ssh-add`.',
        )
    for source in filter(None, sources.split(",")):
        if not Path(source).exists():
            raise BadInputError(f"--ssh {name}: {source} is not there.", "Name an agent's socket or a key.")


def _run(command: list[str], progress: Progress, on_progress: Callable[[Progress], None] | None) -> int:
    # The provenance in the metadata file would cost a look-up after each build.
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
    """Return the id of what was built.

    With the containerd store that is the digest of the index, with the older stores that of the config; which of them
    the metadata file has depends on the builder as well. The tag is asked last: another build may have moved it.
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
    raise MachineError(f"The engine built {tag}, but does not know it.", "Build again; see `docker image ls`.")


def _failure(progress: Progress, dockerfile: Path, target: str | None, given: Collection[str]) -> DockertplError:
    error = progress.error()
    place = progress.excerpt()
    where = f"{_shown(dockerfile)}, line {place[0]}" if place else _shown(dockerfile)
    if "Cannot connect to the Docker daemon" in error or "failed to connect to the docker API" in error:
        return NoEngineError(f"The container engine went away during the build: {error}.", "Start it, and build again.")
    if "target stage" in error and "could not be found" in error:
        stages = re.findall(r"^FROM\s.*\sAS\s+(\S+)\s*$", _read(dockerfile), re.IGNORECASE | re.MULTILINE)
        return BadInputError(
            f"{where} has no stage {target}.", f"Its stages: {', '.join(stages) or 'none has a name'}."
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
    failed = BuildFailedError(message, hint.text if hint else "Mend what the last lines say, and build again.")
    failed.missing = hint.missing if hint else ""
    return failed


def _id(option: str) -> str:
    """Return the name in a value of --secret (`id=NAME,…`) or --ssh (`NAME=…`)."""
    fields = dict(part.partition("=")[::2] for part in option.split(","))
    return fields.get("id") or option.partition("=")[0]


def _not_given(instruction: str, given: Collection[str]) -> str:
    """Return what to give a step that mounts secrets or an SSH agent which the build was not given; empty if none."""
    options = []
    for mount in re.findall(r"--mount=type=(?:secret|ssh)\S*", instruction):
        fields = dict(part.partition("=")[::2] for part in mount.removeprefix("--mount=").split(","))
        name = fields.get("id", "default")
        if name not in given and name != "ca":  # the CA bundle is for those who have one of their own
            source = (
                f"env={fields['env']}" if "env" in fields else "src=$HOME/.netrc" if name == "netrc" else "src=FILE"
            )
            options.append(f"--ssh {name}" if fields["type"] == "ssh" else f"--secret id={name},{source}")
    if not options:
        return ""
    return f"The build was not given what that step asks for:\n  dockertpl verify {' '.join(options)}"


def _python(dockerfile: Path) -> str:
    """Return the Python of the build's base image in words."""
    found = re.search(r"^(?:ARG PYTHON_IMAGE=|FROM )\S*python:(3\.\d+)", _read(dockerfile), re.MULTILINE)
    return f"Python {found[1]}" if found else "this Python"


def _reason(error: str) -> str:
    # "failed to calculate checksum of ref …::…: "/x": not found" is how BuildKit says that /x is not in the context.
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
