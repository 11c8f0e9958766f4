"""What the parts of a fleet pass to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from dockertpl.template.source import is_remote

ForgeName: TypeAlias = Literal["", "github", "gitlab"]

#: What an image's state can be; a row has the first that holds, in this order.
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

#: The states in which a person has to look.
NEEDS_PERSON: frozenset[State] = frozenset(
    {"error", "unsafe", "pr-diverged", "conflicted", "lost-edits", "answers-reset", "dirty"}
)

#: What comes of one item of a plan.
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

#: The results after which a person has to look.
RESULTS_FOR_PERSON: frozenset[Result] = frozenset({"failed", "conflicted", "pr-diverged", "stale", "reported"})


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository of the fleet.

    Attributes:
        key: What plans, journals and reports call it: its path as it was given, or its URL without scheme and `.git`.
        location: What git reads: a folder of this machine or a URL.
        forge: Whose API its pull requests go through; empty for plain Git.
        slug: Its name there, such as `org/app`; empty for plain Git.
        base: The branch that an update starts from; empty for the one that is checked out, or the remote's default.
    """

    key: str
    location: str
    forge: ForgeName = ""
    slug: str = ""
    base: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine, of which no branch is pushed."""
        return not is_remote(self.location)


@dataclass(frozen=True, kw_only=True)
class Discovered:
    """A repository that discovery found.

    Attributes:
        repository: The repository.
        answers: The texts of its answers files by name, where the API gave them; None where nobody has looked.
    """

    repository: Repository
    answers: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Row:
    """One image of one repository, or a repository without any: what `status` and `plan` show.

    Attributes:
        repository: The repository's key.
        answers_file: The answers file's name; empty where there is none.
        image: The image's name; empty where it is unknown.
        kind: The kind of image; empty where it is unknown.
        template: Which template it is from, as the answers file says.
        version: Which version.
        target: Which version it is to have.
        state: What its state is.
        changes: The paths that an update writes or removes.
        conflicts: The paths in which both sides want something else.
        kept: The paths that a person edited and the template removes or renames; Copier would drop them.
        reset: The answers that the template does not take any more.
        edited: The paths that a person edited.
        uncommitted: The paths whose files are not committed as they are.
        proposal: The URL of the pull request.
        notes: What a person should know.
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
        """Whether a person has to look at it."""
        return self.state in NEEDS_PERSON


@dataclass(frozen=True, kw_only=True)
class ItemResult:
    """What came of one item of a plan: one image's update.

    Attributes:
        repository: The repository's key.
        result: `branch`: our branch has the update, and there is no pull request; `proposed`: one was opened;
            `updated`: the open one was brought up to date; `unchanged`: all was so already; `reported`: an issue says
            what a person has to decide; `conflicted`: so must a person, and nothing was written; `pr-diverged`:
            somebody else committed to our branch, which stays as it is; `stale`: the repository is not what was
            planned for; `skipped`: not tried; `failed`: tried in vain.
        answers_file: The answers file's name.
        image: The image's name.
        version: The template's version before.
        target: The one that it was to have.
        url: The page of the pull request or the issue.
        note: What a person should know.
        seconds: How long it took.
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
        """Whether a person has to look at it."""
        return self.result in RESULTS_FOR_PERSON
