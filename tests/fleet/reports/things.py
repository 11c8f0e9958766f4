"""Rows and outcomes with hostile names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice

from dockertpl.fleet.model import RESULTS, STATES, ItemResult, Row

#: Texts with a special meaning for a terminal, a page, Markdown or a spreadsheet.
HOSTILE = "=1+1|</code></td><script>alert(1)</script>`@everyone` fixes #1 \x1b[31m\u202e\udcff\n| x |"

ROWS = (
    Row(repository="org/fresh", state="up-to-date", image="app", kind="small", version="v2.0.0", target="v2.0.0"),
    Row(
        repository="org/torn",
        state="conflicted",
        answers_file=".copier-answers.yml",
        image="app",
        kind="small",
        template="gh:org/template",
        version="v1.0.0",
        target="v2.0.0",
        changes=("Dockerfile", "compose.yaml"),
        conflicts=("Dockerfile",),
        proposal="https://example.com/org/torn/pull/7",
        notes=("Both sides changed it.",),
    ),
    Row(repository="org/empty", state="unmanaged"),
)

OUTCOMES = (
    ItemResult(
        repository="org/a", result="proposed", image="app", url="https://example.com/org/a/pull/1", seconds=2.25
    ),
    ItemResult(repository="org/b", result="failed", image="app", note="GitHub refuses."),
)


def many(count: int) -> Iterator[Row]:
    """Yield rows of every state, with details in those that need a review."""
    for number, state in enumerate(islice(cycle(STATES), count)):
        yield Row(
            repository=f"https://forge.example.com/organization/a-service-with-a-name-{number}",
            state=state,
            image=f"service-{number}",
            kind="python-fastapi",
            version=f"v1.{number % 12}.0",
            target="v1.12.0",
            notes=("The object is missing.",) if state == "error" else (),
            conflicts=("Dockerfile", "compose.yaml") if state == "conflicted" else (),
        )


def hostile_row() -> Row:
    """Return a row with only hostile texts."""
    return Row(
        repository=HOSTILE,
        state="error",
        answers_file=HOSTILE,
        image=HOSTILE,
        kind=HOSTILE,
        template=HOSTILE,
        version=HOSTILE,
        target=HOSTILE,
        changes=(HOSTILE,) * 3,
        conflicts=(HOSTILE,),
        kept=(HOSTILE,),
        reset=(HOSTILE,),
        edited=(HOSTILE,),
        uncommitted=(HOSTILE,),
        proposal="javascript:alert(1)//" + HOSTILE,
        notes=(HOSTILE,),
    )


def hostile_outcome() -> ItemResult:
    """Return an outcome with only hostile texts."""
    return ItemResult(
        repository=HOSTILE,
        result=RESULTS[0],
        answers_file=HOSTILE,
        image=HOSTILE,
        version=HOSTILE,
        target=HOSTILE,
        url='https://example.com/"><script>alert(1)</script>|`)',
        note=HOSTILE,
    )
