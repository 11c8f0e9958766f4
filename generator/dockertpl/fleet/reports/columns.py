"""The columns of a report, as data for every format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar, get_args

from dockertpl.fleet.model import NEEDS_PERSON, RESULTS, RESULTS_FOR_PERSON, STATES, ItemResult, Row
from dockertpl.fleet.texts.parts import update_command
from dockertpl.screen import counted, printable

T = TypeVar("T")
Shape: TypeAlias = Literal["state", "name", "version", "list", "prose", "link", "seconds"]
Place: TypeAlias = Literal["column", "detail", "fold"]
Level: TypeAlias = Literal["bad", "attention", "waiting", "neutral", "good"]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One field of a report.

    Attributes:
        key: The field's name.
        title: The heading or label.
        shape: The type of its values. Names, lists and prose are untrusted text.
        place: `column` for a column, `detail` for a line below the row, `fold` for a detail that only formats with
            folding show. CSV and JSON have every field.
        optional: Whether a narrow table leaves it out.
    """

    key: str
    title: str
    shape: Shape = "name"
    place: Place = "column"
    optional: bool = False


@dataclass(frozen=True, kw_only=True)
class Sheet(Generic[T]):
    """How to show items of one type.

    Attributes:
        state: The field with the item's state.
        levels: The level of each state, the most urgent state first.
        columns: The fields in the order of the columns.
        progress: The states of items that need nothing more from you, and what they do in words.
        urgent: The states that need you.
        command: Returns the command that resolves an item, or nothing.
        noun: The name of one item, and of several.
    """

    state: str
    levels: dict[str, Level]
    columns: tuple[Column, ...]
    progress: tuple[Collection[str], str]
    urgent: Collection[str]
    command: Callable[[T], str]
    noun: tuple[str, str] = ("image", "images")

    def state_of(self, item: T) -> str:
        """Return an item's state."""
        return str(getattr(item, self.state))

    def rank(self, item: T) -> int:
        """Return the rank of an item's state. The most urgent is 0."""
        return list(self.levels).index(self.state_of(item))

    def level(self, item: T) -> Level:
        """Return the level of an item's state."""
        return self.levels[self.state_of(item)]

    def at(self, *places: Place) -> tuple[Column, ...]:
        """Return the columns of some places."""
        return tuple(column for column in self.columns if column.place in places)

    def totals(self, items: Iterable[T]) -> dict[str, int]:
        """Count the items of each state. States without items are left out."""
        counts = Counter(self.state_of(item) for item in items)
        return {state: counts[state] for state in self.levels if counts[state]}

    def headline(self, items: Iterable[T]) -> str:
        """Return the totals in a sentence, such as `21 of 30 update automatically, 3 need you`."""
        states = [self.state_of(item) for item in items]
        fine, what = self.progress
        done, urgent = sum(state in fine for state in states), sum(state in self.urgent for state in states)
        if states and set(states) == {"up-to-date"}:
            return "Everything is up to date"
        if not done and not urgent:
            return "Nothing to do"
        need = f"{urgent:,} {'needs' if urgent == 1 else 'need'} you" if urgent else "none need you"
        return f"{done:,} of {len(states):,} {what}, {need}"

    def count(self, number: int) -> str:
        """Return a number of items in words."""
        return counted(number, *self.noun)


def texts(item: object, column: Column) -> tuple[str, ...]:
    """Return an item's values in a column. A list may have several, an empty field has zero."""
    value = getattr(item, column.key)
    if isinstance(value, tuple):
        return tuple(map(str, value))
    if column.shape == "seconds":
        return (f"{value:.1f}",) if value else ()
    return (str(value),) if value else ()


def one_line(text: str) -> str:
    """Return an untrusted text on one line, with control characters escaped."""
    return printable(" ".join(text.split()))


def _worst_first(states: Iterable[str], levels: dict[str, Level]) -> dict[str, Level]:
    order = get_args(Level)

    def urgency(state: str) -> tuple[int, bool]:
        # Conflicts first: only you can resolve them.
        return order.index(levels[state]), state != "conflicted"

    return {state: levels[state] for state in sorted(states, key=urgency)}


def _row_command(row: Row) -> str:
    by_hand = row.state in ("conflicted", "lost-edits", "answers-reset")
    return update_command(row.answers_file, row.target) if by_hand else ""


def _result_command(result: ItemResult) -> str:
    return update_command(result.answers_file, result.target) if result.result in ("conflicted", "reported") else ""


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
    progress=(("outdated", "pr-open"), "update automatically"),
    urgent=NEEDS_PERSON,
    command=_row_command,
    columns=(
        Column(key="state", title="State", shape="state"),
        *_WHERE,
        Column(key="kind", title="Kind", optional=True),
        *_VERSIONS,
        Column(key="notes", title="Note", shape="prose", place="detail"),
        Column(key="conflicts", title="Conflicts", shape="list", place="detail"),
        Column(key="kept", title="Edited, but removed from the template", shape="list", place="fold"),
        Column(key="reset", title="Answers that were reset", shape="list", place="fold"),
        Column(key="uncommitted", title="Not committed", shape="list", place="detail"),
        Column(key="proposal", title="Pull request", shape="link", place="detail"),
        Column(key="changes", title="Files to change", shape="list", place="fold"),
        Column(key="edited", title="Edited", shape="list", place="fold"),
        Column(key="answers_file", title="Answers file", place="fold"),
        Column(key="template", title="Template", place="fold"),
    ),
)

OUTCOMES: Sheet[ItemResult] = Sheet(
    state="result",
    levels=_worst_first(RESULTS, _RESULTS),
    progress=(("proposed", "branch", "updated", "unchanged"), "are done"),
    urgent=RESULTS_FOR_PERSON,
    command=_result_command,
    columns=(
        Column(key="result", title="Result", shape="state"),
        *_WHERE,
        *_VERSIONS,
        Column(key="seconds", title="Seconds", shape="seconds", optional=True),
        Column(key="note", title="Note", shape="prose", place="detail"),
        Column(key="url", title="Link", shape="link", place="detail"),
        Column(key="answers_file", title="Answers file", place="fold"),
    ),
)
