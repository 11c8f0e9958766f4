"""`dockertpl verify --all`: verify every image of a repository, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockertpl.commands import verify
from dockertpl.commands.dockerfile_to_build import locate_all
from dockertpl.errors import BadInputError, DockertplError, NoEngineError
from dockertpl.screen import say, tell


def run(
    *, destination: Path, dockerfile: Path | None, target: str | None, quiet: bool, **options: Any
) -> tuple[int, Mapping[str, Any]]:
    """Verify every image of a repository that can run. A failure does not stop the next one.

    Args:
        destination: The repository's root.
        dockerfile: Must be None, because it names one image.
        target: Must be None, too.
        options: The other options of `verify.run`.

    Returns:
        The worst exit code, and `images`: the name, Dockerfile and figures of each.

    Raises:
        BadInputError: The repository has no image, or an option applies to a single image.
        NoEngineError: No engine answers.
    """
    if dockerfile is not None or target is not None:
        raise BadInputError("--all verifies every image, but --file and --target name one.", "Leave one of them out.")
    if options.get("markdown") not in (None, "-"):
        raise BadInputError("--all writes a summary per image, but --markdown names one file.", "Use --markdown -.")
    subjects = locate_all(destination)
    worst, images = 0, []
    for number, subject in enumerate(subjects, 1):
        say(f"{subject.name} ({number} of {len(subjects)})", quiet=quiet)
        figures: Mapping[str, Any]
        try:
            code, figures = verify.run(
                destination=destination, dockerfile=subject.dockerfile, target=None, quiet=quiet, **options
            )
        except NoEngineError:
            raise
        except DockertplError as error:
            code, figures = error.exit_code, {**error.data, "error": error.as_json()}
            if not quiet:
                tell(error)
        worst = max(worst, code)
        where = subject.dockerfile.relative_to(destination.resolve()).as_posix()
        images.append({"name": subject.name, "dockerfile": where, **figures})
    return worst, {"images": images}
