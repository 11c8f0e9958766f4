"""What the fleet's commands share: the repositories that were named, and what looking at them needs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from dockertpl.errors import BadInputError
from dockertpl.fleet.discover.where import Filters, find
from dockertpl.fleet.forges.chosen import Forges
from dockertpl.fleet.look import Goal
from dockertpl.fleet.model import Found
from dockertpl.fleet.objects import Scratch
from dockertpl.fleet.survey import Tools
from dockertpl.screen import printable, show
from dockertpl.template.source import PUBLISHED
from dockertpl.template.versions import Versions

Thing = TypeVar("Thing")


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The repositories that were named.

    Attributes:
        places: Where they are.
        filters: Which are wanted.
        branch: The branch that updates start from; empty for the one that is checked out, or the default.
        forges: The forges.
    """

    places: Sequence[str]
    filters: Filters
    branch: str
    forges: Forges

    def found(self) -> list[Found]:
        """Return them, in the order in which they were named.

        Raises:
            BadInputError: A place is none, or nothing is there.
            ForgeError: A forge refuses or cannot be reached.
        """
        found = list(find(self.places, filters=self.filters, base=self.branch, forges=self.forges))
        if not found:
            raise BadInputError(
                f"{', '.join(self.places)}: no repository is there, or none is wanted.",
                "Name a folder of repositories, a list file, a URL, github:OWNER or gitlab:GROUP.",
            )
        return found


def fleet(
    *, places: Sequence[str], include: Sequence[str], exclude: Sequence[str], branch: str, share: int = 1
) -> Fleet:
    """Return the repositories that the command line names.

    Args:
        places: Where they are.
        include: Patterns of those that are wanted; none means all.
        exclude: Patterns of those that are not.
        branch: The branch that updates start from.
        share: How many runs share the forge's limits.
    """
    filters = Filters(include=include, exclude=exclude)
    return Fleet(places=places or ["."], filters=filters, branch=branch, forges=Forges(environ=os.environ, share=share))


@contextmanager
def tools(forges: Forges, *, template: str | None, to: str | None, jobs: int) -> Iterator[Tools]:
    """Give what looking at repositories needs for the time of a `with` block.

    Args:
        forges: The forges.
        template: The template whose images are meant; None is the published one.
        to: The version that they are to have; None is its latest release.
        jobs: How many repositories at once.

    Raises:
        BadInputError: The template has no such version.
        NoGitError: The template cannot be cloned, or git is missing.
    """
    place = template or PUBLISHED
    with Versions() as versions, TemporaryDirectory(prefix="dockertpl-fleet-", ignore_cleanup_errors=True) as folder:
        goal = Goal(template=place, to=versions.newest(place, to))
        yield Tools(
            goal=goal,
            versions=versions,
            scratch=Scratch(folder=Path(folder)),
            settings=forges.settings,
            jobs=jobs,
            processes=min(jobs, os.cpu_count() or 1),
        )


def progress(things: Iterable[Thing], *, total: int, what: str, quiet: bool) -> Iterator[Thing]:
    """Yield things, with a bar on a terminal's stderr.

    Args:
        things: The things.
        total: How many there will be.
        what: What they are.
        quiet: Whether to show nothing.
    """
    if quiet or not sys.stderr.isatty():
        yield from things
        return
    from tqdm import tqdm

    # Its thread, which redraws a bar that stands still, must not be there when processes begin.
    tqdm.monitor_interval = 0
    form = f"{{percentage:3.0f}}%|{{bar}}| {{n_fmt}}/{{total_fmt}} {what} [{{elapsed}}<{{remaining}}]"
    yield from tqdm(things, total=total, bar_format=form, file=sys.stderr, leave=False, dynamic_ncols=True)


def tell(text: str) -> None:
    """Write lines to stdout while things are on their way: above the bar, if there is one.

    Args:
        text: The lines, with their ends.
    """
    bars = sys.modules.get("tqdm")
    with bars.tqdm.external_write_mode(file=sys.stdout) if bars else nullcontext():
        show(printable(text))
