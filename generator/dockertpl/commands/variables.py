"""Variables of the container that the user does not give: those of the smoke test, and of an example file."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from dockertpl.commands.dockerfile_to_build import Subject
from dockertpl.detect import dotenv
from dockertpl.engine.strict import RunOptions
from dockertpl.screen import place, say


def with_smoke_test(subject: Subject, options: RunOptions, quiet: bool, besides: Collection[str] = ()) -> RunOptions:
    """Return the options with the smoke test's variables added, where the user gives no value.

    Args:
        subject: The image.
        options: The options of the user.
        besides: Variables that get their values later.
    """
    given = {*besides, *options.environment, *(name for file in options.env_files for name in dotenv.read(file))}
    added = {name: value for name, value in subject.environment.items() if name not in given}
    if added:
        say(f"With {', '.join(added)} from the smoke test (answer smoke_test_env).", quiet=quiet)
    return replace(options, environment={**added, **options.environment})


def from_example(subject: Subject, options: RunOptions, quiet: bool) -> RunOptions | None:
    """Return the options with the variables of an example file added, or None if it adds nothing."""
    for folder in dict.fromkeys([subject.dockerfile.parent, subject.context]):
        for name in dotenv.NAMES:
            file = folder / name
            values = dotenv.read(file) if file.is_file() else {}
            added = {key: value for key, value in values.items() if value and key not in options.environment}
            if added:
                say(f"A setting is missing. Trying again with {', '.join(added)} from {place(file)} …", quiet=quiet)
                return replace(options, environment={**added, **options.environment})
    return None
