"""A pseudo-terminal with a fixed size and a readable screen."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import pexpect  # type: ignore[import-untyped]
import pyte

ROWS, COLUMNS = 24, 80
SECONDS = 30
ENTER, ESCAPE, INTERRUPT, UP, DOWN, END_OF_INPUT = "\r", "\x1b", "\x03", "\x1b[A", "\x1b[B", "\x04"
CLEAR = "\x15"

# Sequences that this emulator would print.
_UNKNOWN = re.compile(rb"\x1b\[\?\d+[hl]|\x1b\[>[\d;]*m")
_SOURCES = f"{Path(__file__).parents[2] / 'generator'}:{Path(__file__).parents[2]}"


class Terminal:
    """A program on a terminal of 80 columns and 24 rows by default.

    A terminal emulator reads its output, so a test sees the same screen as a user.
    """

    def __init__(
        self,
        arguments: list[str],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        rows: int = ROWS,
        columns: int = COLUMNS,
    ) -> None:
        given = {"TERM": "xterm-256color", "PAGER": "cat", "DOCKERTPL_DOCKER": "no-engine"}
        given |= {"DOCKERTPL_IGNORE_MACHINE": "1", **(environment or {})}
        kept = {
            key: value
            for key, value in os.environ.items()
            if key not in ("NO_COLOR", "DOCKERTPL_PLAIN", "COLUMNS", "LINES")
        }
        self._child = pexpect.spawn(
            sys.executable,
            arguments,
            cwd=str(folder),
            env={**kept, "PYTHONPATH": _SOURCES, **given},
            timeout=SECONDS,
            dimensions=(rows, columns),
        )
        self._child.delaybeforesend = None
        self._rows, self._columns = rows, columns
        self._screen = pyte.HistoryScreen(columns, rows, history=10_000)
        self._stream = pyte.ByteStream(self._screen)
        #: The raw output.
        self.raw = b""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, _type: object, _error: object, _at: object) -> None:
        self._child.close(force=True)

    @property
    def screen(self) -> str:
        """The visible rows, without blank ends and blank rows below them."""
        return "\n".join(row.rstrip() for row in self._screen.display).rstrip() + "\n"

    @property
    def transcript(self) -> list[str]:
        """Every row, from the first in the history to the last visible one."""
        gone = ["".join(row[column].data for column in range(self._columns)) for row in self._screen.history.top]
        return [row.rstrip() for row in [*gone, *self._screen.display]]

    @property
    def cells(self) -> list[list[pyte.screens.Char]]:
        """Return the same rows as cells with colors."""
        return [
            [row[column] for column in range(self._columns)]
            for row in map(self._screen.buffer.__getitem__, range(self._rows))
        ]

    def see(self, *texts: str) -> str:
        """Read until each text is on the screen; return the screen."""
        for text in texts:
            while text not in self.screen:
                self._read(f"{text!r} never came")
        return self.screen

    def press(self, *keys: str) -> None:
        """Press keys or type text."""
        self._child.send("".join(keys))

    def settle(self, key: str = "") -> None:
        """Read until the program waits for a key. After Esc, also wait until it expects no more of an arrow key."""
        patience = 0.2 if key.endswith(ESCAPE) else 0.02
        while self._more(patience) or not self._waits():
            pass

    def type(self, text: str) -> None:
        """Replace the current text, and press Enter."""
        self.press(CLEAR, text, ENTER)

    def end(self) -> int:
        """Read until the program ends, and return its exit code."""
        try:
            while True:
                self._feed(self._child.read_nonblocking(65_536, timeout=SECONDS))
        except pexpect.EOF:
            self._child.close()
        code = self._child.exitstatus
        assert code is not None, f"ended by a signal; last seen:\n{self.screen}"
        return int(code)

    def _more(self, seconds: float) -> bool:
        try:
            self._feed(self._child.read_nonblocking(65_536, timeout=seconds))
        except (pexpect.TIMEOUT, pexpect.EOF):
            return False
        return True

    def _waits(self) -> bool:
        state = Path(f"/proc/{self._child.pid}/stat")
        # Without /proc, use the last output.
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] in "SZ"

    def _read(self, problem: str) -> None:
        try:
            self._feed(self._child.read_nonblocking(65_536, timeout=SECONDS))
        except (pexpect.TIMEOUT, pexpect.EOF):
            raise AssertionError(f"{problem}; last seen:\n{self.screen}") from None

    def _feed(self, data: bytes) -> None:
        self.raw += data
        *before, last = data.split(b"\x1b[6n")
        for part in before:
            self._stream.feed(_UNKNOWN.sub(b"", part))
            # A query for the cursor position: an emulator that only reads gives no answer.
            cursor = self._screen.cursor
            self._child.send(f"\x1b[{cursor.y + 1};{cursor.x + 1}R")
        self._stream.feed(_UNKNOWN.sub(b"", last))


def dockertpl(*arguments: str) -> list[str]:
    """Return the arguments of Python that run the command line."""
    return ["-m", "dockertpl", *arguments]
