"""What to do after `verify`: run the image, open its URL, and commit its files."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence

from dockertpl import git
from dockertpl.commands.dockerfile_to_build import Subject
from dockertpl.detect.root import repository_root
from dockertpl.engine.image import ImageFacts
from dockertpl.engine.strict import RunOptions, strict_options
from dockertpl.errors import NoGitError
from dockertpl.screen import place
from dockertpl.template import answers_files

_WIDTH = 78
_LABEL = "  {:<11} "


def next_steps(subject: Subject, image: ImageFacts, options: RunOptions, *, beside_it: bool) -> str:
    """Return the next steps with a good image, in lines of at most 80 columns where possible.

    Args:
        subject: The image.
        image: Its facts.
        options: The options of its run.
        beside_it: Whether services ran beside it, which are gone now.
    """
    tag = f"dockertpl/{subject.name}:verify"
    rows = [("tag", tag)]
    if beside_it:
        rows.append(("run it", "dockertpl run, with the same options"))
    else:
        rows.append(("run it", _wrapped(docker_run(image, options, tag))))
        if image.port:
            rows.append(("", url(image.port)))
    if files := uncommitted(subject):
        rows.append(("commit", _wrapped(["git", "add", *files])))
    return "\n".join(_LABEL.format(label) + text for label, text in rows)


def docker_run(image: ImageFacts, options: RunOptions, tag: str) -> list[str]:
    """Return the words of a command that runs an image in the background as it was verified."""
    said = {f"--publish=127.0.0.1::{image.port}": f"--publish=127.0.0.1:{image.port}:{image.port}"}
    # Pass on variables of the shell by name. They may be passwords.
    said |= {
        f"--env={key}={value}": f"--env={key}" for key, value in options.environment.items() if _is_set(key, value)
    }
    return ["docker", "run", "-d", *(said.get(word, word) for word in strict_options(image, options)), tag]


def _is_set(name: str, value: str) -> bool:
    return os.environ.get(name) == value


def url(port: int | None) -> str:
    """Return the URL of a service on a port of this machine, or an empty text without a port."""
    return f"http://localhost:{port}" if port else ""


def kept_text(name: str, address: str, beside: Sequence[str], network: str) -> str:
    """Return where a kept container is, and how to remove it.

    Args:
        name: The container.
        address: Its URL, or an empty text.
        beside: The containers that were started beside it.
        network: Their network, or an empty text.
    """
    rows = [("kept", f"{name}{f', {address}' if address else ''}")]
    rows.append(("remove it", _wrapped(["docker", "rm", "-f", "-v", name, *beside])))
    if network:
        rows.append(("", f"docker network rm {network}"))
    return "\n".join(_LABEL.format(label) + text for label, text in rows)


def uncommitted(subject: Subject) -> list[str]:
    """Return the image's files with uncommitted changes, relative to the current folder."""
    root, _ = repository_root(subject.context)
    if not subject.answers or not (root / ".git").exists():
        return []
    name = str(subject.answers["name"])
    answers = [owner.path for owner in answers_files.find(root) if owner.ours and owner.answers["name"] == name]
    folder = subject.dockerfile.parent
    files = [root / path for path in answers]
    files += [folder / name for name in ("Dockerfile", "Dockerfile.dockerignore", ".dockerignore", "compose.yaml")]
    files += sorted((root / ".github" / "workflows").glob(f"{name}-*.yml"))
    paths = [file.relative_to(root).as_posix() for file in files if file.is_file() and file.is_relative_to(root)]
    if not paths:
        return []
    try:
        status = git.run("status", "--porcelain", "-z", "-uall", "--", *(f":(top,literal){p}" for p in paths), cwd=root)
    except NoGitError:
        return []
    changed = [entry[3:] for entry in status.split("\0") if entry[3:] in paths]
    return [place(root / path) for path in changed]


def _wrapped(words: Sequence[str]) -> str:
    """Return a command to paste, on several lines if it is long."""
    indent = " " * len(_LABEL.format(""))
    lines = [""]
    for word in map(shlex.quote, words):
        if lines[-1] and len(indent) + len(lines[-1]) + 1 + len(word) > _WIDTH:
            lines.append(f"  {word}")
        else:
            lines[-1] += f" {word}" if lines[-1] else word
    return f" \\\n{indent}".join(lines)
