"""What the columns of a report are, as data that every format reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar, get_args

from dockertpl.fleet.model import RESULTS, STATES, ItemResult, Row
from dockertpl.screen import counted, printable

T = TypeVar("T")
Shape: TypeAlias = Literal["state", "name", "version", "list", "prose", "link", "seconds"]
Place: TypeAlias = Literal["column", "detail", "fold"]
Level: TypeAlias = Literal["bad", "attention", "waiting", "neutral", "good"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One field of what is shown.

    Attributes:
        key: The field.
        title: What a person reads above or before it.
        shape: What its values are; a `name`, a `list`'s items and `prose` are anybody's text.
        place: `column`: in a column of its own; `detail`: beside the row where there is something; `fold`: the same,
            but only where it can be folded away. CSV and records have every field.
        optional: Whether a narrow table does without.
    """

    key: str
    title: str
    shape: Shape = "name"
    place: Place = "column"
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Sheet(Generic[T]):
    """How things of one type are shown.

    Attributes:
        state: The field that says what a thing's state is.
        levels: How each state is meant, in the order in which totals name them.
        columns: The fields, in the order of the columns.
        noun: What one thing is called, and several.
    """

    state: str
    levels: dict[str, Level]
    columns: tuple[Column, ...]
    noun: tuple[str, str] = ("image", "images")

    def state_of(self, item: T) -> str:
        """Return the state of a thing."""
        return str(getattr(item, self.state))

    def rank(self, item: T) -> int:
        """Return where a thing's state comes: the worst is 0."""
        return list(self.levels).index(self.state_of(item))

    def level(self, item: T) -> Level:
        """Return how a thing's state is meant."""
        return self.levels[self.state_of(item)]

    def at(self, *places: Place) -> tuple[Column, ...]:
        """Return the columns at some places."""
        return tuple(column for column in self.columns if column.place in places)

    def totals(self, items: Iterable[T]) -> dict[str, int]:
        """Return how many things have each state, without those that none has."""
        counts = Counter(self.state_of(item) for item in items)
        return {state: counts[state] for state in self.levels if counts[state]}

    def count(self, number: int) -> str:
        """Return a number of things in words."""
        return counted(number, *self.noun)


def texts(item: object, column: Column) -> tuple[str, ...]:
    """Return what a column holds of a thing, a text each; of a list there may be several, of an empty field none.

    Args:
        item: The thing.
        column: The column.
    """
    value = getattr(item, column.key)
    if isinstance(value, tuple):
        return tuple(map(str, value))
    if column.shape == "seconds":
        return (f"{value:.1f}",) if value else ()
    return (str(value),) if value else ()


def one_line(text: str) -> str:
    """Return a text on one line, with what a terminal or a page could stumble over spelled out.

    Args:
        text: Anybody's text.
    """
    return printable(" ".join(text.split()))


def _worst_first(states: Iterable[str], levels: dict[str, Level]) -> dict[str, Level]:
    order = get_args(Level)
    return {state: levels[state] for state in sorted(states, key=lambda state: order.index(levels[state]))}


_STATES: dict[str, Level] = {
    "error": "bad",
    "unmanaged": "neutral",
    "foreign": "neutral",
    "unsafe": "bad",
    "pr-diverged": "attention",
    "conflicted": "bad",
    "lost-edits": "attention",
    "answers-reset": "attention",
    "dirty": "attention",
    "pr-open": "waiting",
    "outdated": "waiting",
    "ahead": "neutral",
    "diverged": "neutral",
    "up-to-date": "good",
}
_RESULTS: dict[str, Level] = {
    "failed": "bad",
    "conflicted": "bad",
    "pr-diverged": "attention",
    "stale": "attention",
    "reported": "attention",
    "skipped": "neutral",
    "proposed": "good",
    "branch": "good",
    "updated": "good",
    "unchanged": "good",
}
_WHERE = (
    Column(key="repository", title="Repository"),
    Column(key="image", title="Image"),
)
_VERSIONS = (
    Column(key="version", title="Version", shape="version"),
    Column(key="target", title="Target", shape="version"),
)

ROWS: Sheet[Row] = Sheet(
    state="state",
    levels=_worst_first(STATES, _STATES),
    columns=(
        Column(key="state", title="State", shape="state"),
        *_WHERE,
        Column(key="kind", title="Kind", optional=True),
        *_VERSIONS,
        Column(key="notes", title="Note", shape="prose", place="detail"),
        Column(key="conflicts", title="Conflicts", shape="list", place="detail"),
        Column(key="kept", title="Edited, and gone from the template", shape="list", place="fold"),
        Column(key="reset", title="Answers not taken any more", shape="list", place="fold"),
        Column(key="uncommitted", title="Not committed", shape="list", place="detail"),
        Column(key="proposal", title="Pull request", shape="link", place="detail"),
        Column(key="changes", title="To be changed", shape="list", place="fold"),
        Column(key="edited", title="Edited", shape="list", place="fold"),
        Column(key="answers_file", title="Answers file", place="fold"),
        Column(key="template", title="Template", place="fold"),
    ),
)

OUTCOMES: Sheet[ItemResult] = Sheet(
    state="result",
    levels=_worst_first(RESULTS, _RESULTS),
    columns=(
        Column(key="result", title="Result", shape="state"),
        *_WHERE,
        *_VERSIONS,
        Column(key="seconds", title="Seconds", shape="seconds", optional=True),
        Column(key="note", title="Note", shape="prose", place="detail"),
        Column(key="url", title="Page", shape="link", place="detail"),
        Column(key="answers_file", title="Answers file", place="fold"),
    ),
)
