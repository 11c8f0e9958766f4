"""The limits that `verify` checks besides health: size, start, and growth. It also writes the summary."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeAlias

from dockertpl.commands import baseline, budgets, verify_markdown
from dockertpl.commands.budgets import Figures
from dockertpl.commands.dockerfile_to_build import Subject
from dockertpl.engine import client as engine
from dockertpl.engine.build import untag
from dockertpl.engine.contents import layer_files
from dockertpl.errors import DockertplError
from dockertpl.screen import say

#: Verifies a subject and fills in its facts. The flag is for one more run, which prints nothing and requests no paths.
Verify: TypeAlias = Callable[[Subject, dict[str, Any], bool], None]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The options of `verify` about limits and history.

    Attributes:
        max_bytes: The limit of unpacked bytes, as text with a unit.
        max_ready: The limit of seconds to the first good answer.
        baseline: A file of figures, or a commit.
        markdown: A file for the summary, or "-" for stdout.
    """

    max_bytes: str | None = None
    max_ready: float | None = None
    baseline: str | None = None
    markdown: str | None = None

    def check(self, *, as_json: bool) -> None:
        """Refuse options that cannot be used, before anything is built.

        Args:
            as_json: Whether stdout is for JSON.

        Raises:
            BadInputError: An amount or a path is wrong.
        """
        if self.max_bytes is not None:
            budgets.parse_bytes(self.max_bytes)
        verify_markdown.check(self.markdown, as_json=as_json)

    @contextmanager
    def around(
        self,
        subject: Subject,
        place: tuple[Path, Path | None],
        facts: dict[str, Any],
        verify: Verify,
        *,
        quiet: bool,
    ) -> Iterator[None]:
        """Check an image against the limits after the block that verifies it, and write the summary.

        Args:
            subject: The image to verify.
            place: The destination and the Dockerfile of the command line.
            facts: The facts that the block fills in. Receives `findings` and `baseline`.
            verify: Verifies an image once more, or that of a commit.

        Raises:
            BadInputError: The baseline is neither a file nor a commit with such an image. The block did not run.
            BuildFailedError: The baseline does not build.
            OverBudgetError: The image exceeds a limit.
        """
        blank = copy.deepcopy(facts)
        compared: Figures | None = None
        # Another verify may build its baseline at the same time.
        name = f"{subject.name}-baseline-{token_hex(4)}"

        def measured(one: Subject) -> tuple[dict[str, Any], DockertplError | None]:
            known = copy.deepcopy(blank)
            try:
                verify(one, known, True)
            except DockertplError as error:
                if error.exit_code != 1 or known["image_bytes"] is None:
                    raise
                return known, error
            return known, None

        def figures(called: str, one: Subject, known: dict[str, Any]) -> Figures:
            return baseline.figures(
                called,
                known,
                again=lambda: measured(one)[0]["ready_seconds"],
                files=lambda: layer_files(engine.find(), f"dockertpl/{one.name}:verify"),
            )

        def measure(commit: Subject, called: str) -> Figures:
            commit = commit._replace(name=name)
            known, error = measured(commit)
            if error:
                say(f"{called} does not pass: {error.message}", quiet=quiet)
            return figures(called, commit, known)

        try:
            with baseline.opened(self.baseline, subject, *place, quiet=quiet) as figures_of:
                yield
                try:
                    compared = figures_of(measure)
                    self._hold(figures(subject.name, subject, facts), compared, facts)
                finally:
                    if self.baseline is not None:
                        untag(engine.find(), f"dockertpl/{name}:verify")
        except DockertplError as error:
            if error.exit_code == 1:
                self._report(subject.name, facts, compared, error)
            raise
        self._report(subject.name, facts, compared, None)

    def _report(
        self, name: str, facts: Mapping[str, Any], compared: Figures | None, error: DockertplError | None
    ) -> None:
        verify_markdown.write(self.markdown, verify_markdown.document(name, facts, compared, error))

    def _hold(self, image: Figures, compared: Figures | None, facts: dict[str, Any]) -> None:
        limit = budgets.parse_bytes(self.max_bytes) if self.max_bytes is not None else None
        facts["baseline"] = compared.as_json() if compared else None
        found = budgets.check(image, max_bytes=limit, max_ready=self.max_ready, baseline=compared)
        facts["findings"] += found
        if found:
            raise budgets.error(found)
