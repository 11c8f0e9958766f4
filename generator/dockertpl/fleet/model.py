"""The types that the parts of a fleet pass to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from dockertpl.template.source import is_remote

ForgeName: TypeAlias = Literal["", "github", "gitlab"]

#: The states of an image. A row has the first that applies, in this order.
State: TypeAlias = Literal[
    "error",
    "unmanaged",
    "foreign",
    "unsafe",
    "pr-diverged",
    "conflicted",
    "lost-edits",
    "answers-reset",
    "dirty",
    "pr-open",
    "outdated",
    "ahead",
    "diverged",
    "up-to-date",
]
STATES: tuple[State, ...] = get_args(State)

#: The states that need you.
NEEDS_PERSON: frozenset[State] = frozenset(
    {"error", "unsafe", "pr-diverged", "conflicted", "lost-edits", "answers-reset", "dirty"}
)

#: The results of one item of a plan:
#:
#: `failed`: an error occurred.
#: `conflicted`: the update conflicts, and nothing was written.
#: `pr-diverged`: someone else committed to the branch, so it was not touched.
#: `stale`: the repository has changed since the plan was made.
#: `reported`: an issue describes the conflicts.
#: `skipped`: the update was not tried.
#: `proposed`: a pull request was opened.
#: `branch`: the branch has the update. Plain Git has no pull request.
#: `updated`: the open pull request was updated.
#: `unchanged`: everything was up to date.
Result: TypeAlias = Literal[
    "failed",
    "conflicted",
    "pr-diverged",
    "stale",
    "reported",
    "skipped",
    "proposed",
    "branch",
    "updated",
    "unchanged",
]
RESULTS: tuple[Result, ...] = get_args(Result)

#: The results that need you.
RESULTS_FOR_PERSON: frozenset[Result] = frozenset({"failed", "conflicted", "pr-diverged", "stale", "reported"})


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository of the fleet.

    Attributes:
        key: Its name in plans, journals and reports: its path as given, or its URL without scheme and `.git`.
        location: A folder on this machine, or a URL that git can read.
        forge: The API for its pull requests. Empty for plain Git.
        slug: Its name there, such as `org/app`. Empty for plain Git.
        base: The branch that updates start from. Empty for the checked-out branch, or the remote's default branch.
    """

    key: str
    location: str
    forge: ForgeName = ""
    slug: str = ""
    base: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is a folder on this machine. Its branches are not pushed."""
        return not is_remote(self.location)


@dataclass(frozen=True, kw_only=True)
class Discovered:
    """A repository that discovery found.

    Attributes:
        repository: The repository.
        answers: The texts of its answers files by name, from the API. None if they were not read yet.
    """

    repository: Repository
    answers: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One image of a repository, or a repository without images, as `status` and `plan` show it.

    Attributes:
        repository: The repository's key.
        answers_file: The answers file's name. Empty for a repository without images.
        image: The image's name. Empty if it is unknown.
        kind: The kind of image. Empty if it is unknown.
        template: The image's template, from the answers file.
        version: The template's version now.
        target: The template's version after the update.
        state: The image's state.
        changes: The files that an update writes or removes.
        conflicts: The files that conflict.
        kept: The edited files that the template removes or renames. Copier would drop them.
        reset: The answers that the template no longer accepts.
        edited: The files that were edited after rendering.
        uncommitted: The files with uncommitted changes.
        proposal: The URL of the pull request.
        notes: Notes for the reader.
    """

    repository: str
    state: State
    answers_file: str = ""
    image: str = ""
    kind: str = ""
    template: str = ""
    version: str = ""
    target: str = ""
    changes: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    reset: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    uncommitted: tuple[str, ...] = ()
    proposal: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def person_needed(self) -> bool:
        """Whether it needs you."""
        return self.state in NEEDS_PERSON


@dataclass(frozen=True, kw_only=True)
class ItemResult:
    """The result of one item of a plan, that is, of one image's update.

    Attributes:
        repository: The repository's key.
        result: The result, as `RESULTS` lists them.
        answers_file: The answers file's name.
        image: The image's name.
        version: The template's version before the update.
        target: The template's version after the update.
        url: The page of the pull request or issue.
        note: A note for the reader.
        seconds: The duration.
    """

    repository: str
    result: Result
    answers_file: str = ""
    image: str = ""
    version: str = ""
    target: str = ""
    url: str = ""
    note: str = ""
    seconds: float = 0.0

    @property
    def person_needed(self) -> bool:
        """Whether it needs you."""
        return self.result in RESULTS_FOR_PERSON
