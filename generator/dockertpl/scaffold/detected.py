"""Looks at a repository for `new`: what answers questions, with its evidence, and what could not be told."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from dockertpl.errors import NotDetectedError
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template

_DEFAULTS = "Give the answer with -d KEY=VALUE, or take the defaults with --defaults."


@dataclass(frozen=True, kw_only=True)
class Detected:
    """What is known of a repository, as far as `new` needs it.

    Attributes:
        answers: Answers to the template's questions.
        evidence: For each of them where it was read, such as `pyproject.toml:12, requires-python`.
        unknown: Questions that the repository does not answer: what could not be told, and a remedy.
        blocking: Those of them whose defaults cannot build.
        warnings: What works against the image.
        problem: Why no application was settled on, where `look` was to go on without one.
    """

    answers: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    blocking: frozenset[str] = frozenset()
    warnings: Sequence[str] = ()
    problem: NotDetectedError | None = None

    def without(self, known: Mapping[str, Any]) -> Detected:
        """Return the same without the unknown that somebody else has answered.

        Args:
            known: Answers by question.
        """
        return replace(self, unknown={key: text for key, text in self.unknown.items() if key not in known})

    def in_the_way(self, *, defaults: bool) -> NotDetectedError | None:
        """Return the error for what nobody can be asked about, None if the defaults will do.

        Args:
            defaults: Whether defaults are taken for what could not be told.
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
        template: The template whose questions are to be answered.
        root: The repository's root, which may not exist yet.
        given: Answers of the command line.
        in_file: Answers of the data file.
        go_on: Whether an application that is not there, or one of several, is no error but `Detected.problem`.

    Raises:
        NotDetectedError: There is no application, or there are several.
        BadInputError: A given answer is bad, or a manifest is not valid.
    """
    known = {**in_file, **given}
    app_dir = known.get("app_dir")
    if app_dir is not None and not _is_inside(app_dir):
        # Its validator has the words for it; detection must not follow it.
        return Detected()
    from dockertpl.detect import detect

    try:
        detection = detect(root, app_dir, given=known)
    except NotDetectedError as error:
        # A bad answer is the better news: it may be the reason.
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
    """Return what an error offers to choose from: each line of its remedy with `-d`, and the answers that it gives.

    Args:
        problem: The error of a repository that holds several applications, locks or scripts.
    """
    found = []
    for line in map(str.strip, problem.remedy.splitlines()):
        flags = line.partition("  ")[0]
        if flags.startswith("-d "):
            words = [word for word in shlex.split(flags) if word != "-d"]
            found.append((line, dict(word.split("=", 1) for word in words if "=" in word)))
    return found


def missing(unknown: Mapping[str, tuple[str, str]], *, has_defaults: bool = True) -> NotDetectedError:
    """Return one error for all that could not be told, where nobody can be asked.

    Args:
        unknown: By question: what could not be told, and a remedy.
        has_defaults: Whether the defaults may do.
    """
    lines = [f"{key}: {message}" for key, (message, _) in unknown.items()]
    remedies = dict.fromkeys(remedy for _, remedy in unknown.values() if remedy)
    return NotDetectedError(
        lines[0] if len(lines) == 1 else "\n  ".join(["This could not be told from the repository:", *lines]),
        "\n".join([*remedies, *([_DEFAULTS] if has_defaults else [])]),
        missing=list(unknown),
    )


def _is_inside(app_dir: Any) -> bool:
    if not isinstance(app_dir, str):
        return False
    path = PurePosixPath(app_dir)
    return not path.is_absolute() and ".." not in path.parts and app_dir.isprintable()


def _where(evidence: Any) -> str:
    """Return a piece of evidence as `path:line`, with its note."""
    place = ":".join(str(part) for part in (evidence.path, evidence.line) if part)
    return ", ".join(part for part in (place, evidence.note) if part)
