"""What the fleet commands share: the selected repositories, and the context for looking at them."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO, TypeVar

from dockertpl.errors import BadInputError
from dockertpl.fleet.assess import Target
from dockertpl.fleet.discover.where import Filters, find
from dockertpl.fleet.forges.connect import Forges
from dockertpl.fleet.git_objects import Scratch
from dockertpl.fleet.model import Discovered
from dockertpl.fleet.scan import Context
from dockertpl.interrupts import terminable
from dockertpl.screen import printable, redraws, say, show
from dockertpl.template.source import PUBLISHED
from dockertpl.template.versions import Versions

Thing = TypeVar("Thing")

#: Shorter waits, in seconds, are not reported.
_LONG = 30.0


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The selected repositories.

    Attributes:
        places: Where to look.
        filters: Which to keep.
        branch: The branch that updates start from. Empty for the checked-out or default branch.
        forges: The forges.
    """

    places: Sequence[str]
    filters: Filters
    branch: str
    forges: Forges

    def found(self) -> list[Discovered]:
        """Return the repositories, in the order of the command line.

        Raises:
            BadInputError: A place is not valid, or no repository was found.
            ForgeError: A forge refuses or cannot be reached.
        """
        found = list(find(self.places, filters=self.filters, base=self.branch, forges=self.forges))
        if not found:
            raise BadInputError(
                f"{', '.join(self.places)}: no repositories found (check --include and --exclude).",
                "Name a folder of repositories, a list file, a URL, github:OWNER or gitlab:GROUP.",
            )
        return found


def fleet(*, places: Sequence[str], include: Sequence[str], exclude: Sequence[str], branch: str, quiet: bool) -> Fleet:
    """Return the repositories that the command line selects."""
    filters = Filters(include=include, exclude=exclude)
    return Fleet(places=places or ["."], filters=filters, branch=branch, forges=forges(quiet=quiet))


def forges(*, share: int = 1, quiet: bool) -> Forges:
    """Return the forges of a run, which report their long waits.

    Args:
        share: The number of runs that share the forges' limits.
    """
    return Forges(environ=os.environ, share=share, waiting=_Waiting(quiet=quiet).told)


@contextmanager
def context(forges: Forges, *, template: str | None, to: str | None, jobs: int) -> Iterator[Context]:
    """Yield the context for looking at repositories. Within the block, SIGTERM is treated like Ctrl-C.

    Args:
        template: The template of the images. None is the published one.
        to: The version to update to. None is the latest release.
        jobs: The number of repositories at a time.

    Raises:
        BadInputError: The template has no such version.
        NoGitError: The template cannot be cloned, or git is missing.
        KeyboardInterrupt: Ctrl-C or SIGTERM.
    """
    place = template or PUBLISHED
    with (
        terminable(),
        Versions() as versions,
        TemporaryDirectory(prefix="dockertpl-fleet-", ignore_cleanup_errors=True) as folder,
    ):
        target = Target(template=place, to=versions.newest(place, to))
        yield Context(
            target=target,
            versions=versions,
            scratch=Scratch(folder=Path(folder)),
            settings=forges.settings,
            jobs=jobs,
            processes=min(jobs, os.cpu_count() or 1),
            stop=forges.stop,
        )


def progress(things: Iterable[Thing], *, total: int, what: str, quiet: bool) -> Iterator[Thing]:
    """Yield things, with a progress bar on stderr if it can be drawn.

    Args:
        total: How many there will be.
        what: Their plural.
    """
    if quiet or not redraws():
        yield from things
        return
    from tqdm import tqdm

    # Its thread, which redraws an idle bar, must not exist when processes start.
    tqdm.monitor_interval = 0
    form = f"{{percentage:3.0f}}%|{{bar}}| {{n_fmt}}/{{total_fmt}} {what} [{{elapsed}}<{{remaining}}]"
    yield from tqdm(things, total=total, bar_format=form, file=sys.stderr, leave=False, dynamic_ncols=True)


def tell(text: str) -> None:
    """Write lines to stdout during the work, above a progress bar. The lines include their ends."""
    with _above_bar(sys.stdout):
        show(printable(text))


def _above_bar(stream: TextIO) -> AbstractContextManager[object]:
    bars = sys.modules.get("tqdm")
    return bars.tqdm.external_write_mode(file=stream) if bars else nullcontext()


class _Waiting:
    """Reports long waits, each once, however many threads wait."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._until = 0.0
        self._lock = threading.Lock()

    def told(self, seconds: float) -> None:
        """Report a wait that begins, in seconds."""
        until = time.time() + seconds
        with self._lock:
            if self._quiet or seconds < _LONG or until < self._until + _LONG:
                return
            self._until = until
        with _above_bar(sys.stderr):
            say(f"Waiting until {time.strftime('%H:%M:%S', time.localtime(until))} because of a rate limit.")
