"""Every error that reaches a user: what happened, what to do, and the exit code.

Exit codes are part of the contract: 0 done, 1 the user has to act, 2 bad input and nothing changed,
3 the machine lacks something, 130 interrupted.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

#: If it is set, an internal error ends with a traceback.
DEBUG = "DOCKERTPL_DEBUG"


class DockertplError(Exception):
    """An error with advice.

    Attributes:
        message: What is wrong and where, in one sentence.
        remedy: What the user can do about it, in one or more lines.
        data: Facts for `--json`, beside the error object.
        headline: The verdict in a few words, which a terminal shows last. May be empty.
        code: A stable word for programs.
        exit_code: The exit code of the process.
        usual_remedy: The remedy if an error is raised with an empty one.
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
    """The destination cannot be written: a file, not writable, a link that leads out, or another's file."""

    code = "destination"


class NoImageError(BadInputError):
    """A registry has no image of that name."""

    code = "no-image"


class RegionError(BadInputError):
    """The markers of a custom region are broken, or its lines contain markers."""

    code = "region"
    usual_remedy = "A region is the line `# >>> custom: NAME - …`, your lines, and the line `# <<< custom: NAME`."


class TemplateError(BadInputError):
    """The template itself cannot be read or rendered."""

    code = "template"
    usual_remedy = "This is probably a bug in the template. Please report it to its authors."


class OnlyCopierError(TemplateError):
    """The template runs code, or uses a feature that only Copier has."""

    code = "only-copier"


class NotCommittedError(BadInputError):
    """Files that an update would change are not committed, or the folder is not in a Git repository."""

    code = "not-committed"


# --- 1: done, and the user has to act --------------------------------------------------------------------------------


class BuildFailedError(DockertplError):
    """The image did not build.

    Attributes:
        missing: The file or folder that a step did not find. Empty if the failure has another cause.
    """

    code = "build-failed"
    exit_code = 1
    missing: str = ""


class UnhealthyError(DockertplError):
    """The container did not start, never became healthy, or did not stop cleanly.

    Attributes:
        missing: The file or folder that the application did not find. Empty if the failure has another cause.
        lacks_setting: Whether the application asks for a variable.
    """

    code = "unhealthy"
    exit_code = 1
    missing: str = ""
    lacks_setting: bool = False


class BrokenError(DockertplError):
    """The image is healthy, but something in it does not work."""

    code = "broken"
    exit_code = 1


class RootUserError(DockertplError):
    """The image runs, but as root."""

    code = "root-user"
    exit_code = 1


class OverBudgetError(DockertplError):
    """The image runs, but exceeds a limit of size or start time."""

    code = "over-budget"
    exit_code = 1


class ConflictError(DockertplError):
    """The repository and the template changed the same lines, and nothing was written."""

    code = "conflict"
    exit_code = 1


class DivergedError(DockertplError):
    """Someone else committed to an update branch, so it is left as it is."""

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
    """Git is missing or failed."""

    code = "no-git"


class RegistryError(MachineError):
    """A registry cannot be reached, refuses access, or sends something invalid."""

    code = "registry"


class ForgeError(MachineError):
    """GitHub or GitLab cannot be reached, refuses, or needs another token."""

    code = "forge"


class InternalError(DockertplError):
    """A bug in dockertpl."""

    code = "internal"
    exit_code = 3
    usual_remedy = "Please report it. DOCKERTPL_DEBUG=1 shows where it happened."


def of(error: Exception) -> DockertplError:
    """Return the error to show for an exception: itself, a fault of the machine, or a bug in dockertpl.

    Raises:
        Exception: It is a bug in dockertpl, and DOCKERTPL_DEBUG is set.
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
