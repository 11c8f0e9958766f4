"""Detection for `new`: answers with their evidence, and what is unknown."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from dockertpl.errors import NotDetectedError
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template

_DEFAULTS = "Give the answer with -d KEY=VALUE, or use the defaults with --defaults."


@dataclass(frozen=True, kw_only=True)
class Detected:
    """What is known about a repository, as far as `new` needs it.

    Attributes:
        answers: Answers to the template's questions.
        evidence: Where each answer was read, such as `pyproject.toml:12, requires-python`.
        unknown: Questions that the repository does not answer, with a message and a remedy.
        blocking: Unknown questions with defaults that cannot build.
        warnings: Problems of the repository.
        problem: Why no application was chosen, if `look` was called with `go_on`.
    """

    answers: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    blocking: frozenset[str] = frozenset()
    warnings: Sequence[str] = ()
    problem: NotDetectedError | None = None

    def without(self, known: Mapping[str, Any]) -> Detected:
        """Return the same without questions that have an answer now."""
        return replace(self, unknown={key: text for key, text in self.unknown.items() if key not in known})

    def in_the_way(self, *, defaults: bool) -> NotDetectedError | None:
        """Return the error for what is unknown and cannot be asked, or None if the defaults work.

        Args:
            defaults: Whether to use defaults for unknown answers.
        """
        unknown = {key: text for key, text in self.unknown.items() if not defaults or key in self.blocking}
        if not unknown:
            return None
        return missing(unknown, has_defaults=not self.blocking & set(unknown))


def look(
    template: Template,
    root: Path,
    *,
    given: Mapping[str, Any],
    in_file: Mapping[str, Any],
    go_on: bool = False,
) -> Detected:
    """Look at the repository.

    Args:
        root: The repository's root. It may not exist yet.
        given: Answers of the command line.
        in_file: Answers of the data file.
        go_on: Whether to return `Detected.problem` instead of raising NotDetectedError.

    Raises:
        NotDetectedError: No application was found, or several.
        BadInputError: A given answer or a manifest is not valid.
    """
    known = {**in_file, **given}
    app_dir = known.get("app_dir")
    if app_dir is not None and not _is_inside(app_dir):
        # Its validator reports it. Detection must not follow it.
        return Detected()
    from dockertpl.detect import detect

    try:
        detection = detect(root, app_dir, given=known)
    except NotDetectedError as error:
        # Report a bad answer first, because it may be the reason.
        resolve(template, folder_name=root.name, data=given, data_file=in_file)
        if go_on:
            return Detected(problem=error)
        raise
    return Detected(
        answers=detection.answers,
        evidence={key: _where(item) for key, item in detection.evidence.items()},
        unknown={item.key: (item.message, item.remedy) for item in detection.unknown},
        blocking=frozenset(item.key for item in detection.unknown if item.blocks),
        warnings=tuple(detection.warnings),
    ).without(known)


def candidates(problem: NotDetectedError) -> list[tuple[str, dict[str, str]]]:
    """Return the choices in an error: each line of its remedy with `-d`, and the answers that it gives.

    Args:
        problem: The error for several applications, locks or scripts.
    """
    found = []
    for line in map(str.strip, problem.remedy.splitlines()):
        flags = line.partition("  ")[0]
        if flags.startswith("-d "):
            words = [word for word in shlex.split(flags) if word != "-d"]
            found.append((line, dict(word.split("=", 1) for word in words if "=" in word)))
    return found


def missing(unknown: Mapping[str, tuple[str, str]], *, has_defaults: bool = True) -> NotDetectedError:
    """Return one error for everything that is unknown and cannot be asked.

    Args:
        unknown: A message and a remedy by question.
        has_defaults: Whether the defaults may work.
    """
    lines = [f"{key}: {message}" for key, (message, _) in unknown.items()]
    remedies = dict.fromkeys(remedy for _, remedy in unknown.values() if remedy)
    return NotDetectedError(
        lines[0] if len(lines) == 1 else "\n  ".join(["The repository does not show this:", *lines]),
        "\n".join([*remedies, *([_DEFAULTS] if has_defaults else [])]),
        missing=list(unknown),
    )


def _is_inside(app_dir: Any) -> bool:
    if not isinstance(app_dir, str):
        return False
    path = PurePosixPath(app_dir)
    return not path.is_absolute() and ".." not in path.parts and app_dir.isprintable()


def _where(evidence: Any) -> str:
    """Return evidence as `path:line`, with its note."""
    place = ":".join(str(part) for part in (evidence.path, evidence.line) if part)
    return ", ".join(part for part in (place, evidence.note) if part)
