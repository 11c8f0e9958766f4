"""Every error that reaches a user: what happened, what to do, and the exit code that says so.

Exit codes are part of the contract: 0 done, 1 a person is needed, 2 bad input and nothing changed,
3 the machine lacks something, 130 interrupted.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

#: With it a fault of our own ends with a traceback.
DEBUG = "DOCKERTPL_DEBUG"


class DockertplError(Exception):
    """An error with advice.

    Attributes:
        message: What is wrong and where, in one sentence.
        remedy: What the reader can do about it; may be several lines.
        data: Facts for `--json`, beside the error object.
        headline: The verdict in a few words, which a terminal shows last; empty where there is none.
        code: A stable word for programs.
        exit_code: What the process ends with.
        usual_remedy: The advice where an error has none of its own.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 2
    usual_remedy: ClassVar[str] = ""

    def __init__(self, message: str, remedy: str = "", **data: Any) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy or self.usual_remedy
        self.data = data
        self.headline = ""

    def as_json(self) -> dict[str, str]:
        """Return the `error` object of the JSON contract."""
        return {"code": self.code, "message": self.message, "remedy": self.remedy}


# --- 2: bad input; every file is as it was ---------------------------------------------------------------------------


class BadInputError(DockertplError):
    """The input cannot be used as it is."""

    code = "bad-input"


class BadAnswerError(BadInputError):
    """An answer is unknown, of the wrong type, or refused by its question's validator."""

    code = "bad-answer"


class NotDetectedError(BadInputError):
    """The application was not found, or more than one was."""

    code = "not-detected"


class DestinationError(BadInputError):
    """The destination cannot be written as asked: a file, not writable, a link leading out, or another's file."""

    code = "destination"


class NoImageError(BadInputError):
    """A registry has no image of that name."""

    code = "no-image"


class RegionError(BadInputError):
    """The marks of a region that users own are at fault, or what is to stand between them is."""

    code = "region"
    usual_remedy = "A region is the line `# >>> custom: NAME - …`, your lines, and the line `# <<< custom: NAME`."


class TemplateError(BadInputError):
    """The template itself cannot be read or rendered."""

    code = "template"
    usual_remedy = "It is the template's fault where no answer asks for it: tell its authors."


class OnlyCopierError(TemplateError):
    """The template runs code or uses what only Copier has."""

    code = "only-copier"


class NotCommittedError(BadInputError):
    """Files that an update would change are not committed, or there is no git repository to commit them to."""

    code = "not-committed"


# --- 1: done, and a person is needed ---------------------------------------------------------------------------------


class BuildFailedError(DockertplError):
    """The image did not build.

    Attributes:
        missing: The file or folder that a step did not find; empty if it is about something else.
    """

    code = "build-failed"
    exit_code = 1
    missing: str = ""


class UnhealthyError(DockertplError):
    """The container did not start, never got healthy, or did not end as it should.

    Attributes:
        missing: The file or folder that it did not find; empty if it is about something else.
        lacks_setting: Whether it asks for a variable.
    """

    code = "unhealthy"
    exit_code = 1
    missing: str = ""
    lacks_setting: bool = False


class BrokenError(DockertplError):
    """The image is healthy, but something that it has does not work."""

    code = "broken"
    exit_code = 1


class RootUserError(DockertplError):
    """The image runs, but as root."""

    code = "root-user"
    exit_code = 1


class OverBudgetError(DockertplError):
    """The image runs as it must, but is larger or starts later than it may."""

    code = "over-budget"
    exit_code = 1


class ConflictError(DockertplError):
    """The repository and the template want something else in the same lines, and nothing was written."""

    code = "conflict"
    exit_code = 1


class DivergedError(DockertplError):
    """A person has a hand in a branch of ours, so it is left as it is."""

    code = "diverged"
    exit_code = 1


# --- 3: the machine lacks something ----------------------------------------------------------------------------------


class MachineError(DockertplError):
    """The machine lacks an engine, git, a network, or room."""

    code = "machine"
    exit_code = 3


class NoEngineError(MachineError):
    """No container engine answers, or it is too old."""

    code = "no-engine"


class NoGitError(MachineError):
    """Git is missing or did what it should not."""

    code = "no-git"


class RegistryError(MachineError):
    """A registry cannot be reached, refuses, or says what cannot be right."""

    code = "registry"


class ForgeError(MachineError):
    """A forge cannot be reached, refuses, or wants another token."""

    code = "forge"


class InternalError(DockertplError):
    """A fault of dockertpl itself."""

    code = "internal"
    exit_code = 3
    usual_remedy = "Please report it. DOCKERTPL_DEBUG=1 shows where it happened."


def of(error: Exception) -> DockertplError:
    """Return what a person is told of an error: the error itself, the machine's, or a fault of dockertpl's.

    Args:
        error: What was raised.

    Raises:
        Exception: It is a fault of dockertpl's, and DOCKERTPL_DEBUG asks where it happened.
    """
    if isinstance(error, DockertplError):
        return error
    if isinstance(error, OSError):
        return MachineError(f"{error.filename or 'the machine'}: {error.strerror or error}.")
    if os.environ.get(DEBUG):
        raise error
    return InternalError(f"{type(error).__name__}: {error}")


# --- 130: interrupted ------------------------------------------------------------------------------------------------


class StoppedError(DockertplError):
    """Ctrl-C, SIGTERM, or a no to the last question."""

    code = "interrupted"
    exit_code = 130
