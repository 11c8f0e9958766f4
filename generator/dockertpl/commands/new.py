"""`dockertpl new`: read a repository, ask, show, write."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dockertpl.actions.action_flags import Actions
from dockertpl.detect.root import repository_root
from dockertpl.errors import BadInputError, DockertplError, StoppedError
from dockertpl.kinds import SHARED_BASE
from dockertpl.scaffold.detected import Detected
from dockertpl.screen import printable, say
from dockertpl.template import answers_files
from dockertpl.template.answers import read_data_file
from dockertpl.template.environment import Template
from dockertpl.template.source import bundled

if TYPE_CHECKING:
    from dockertpl.actions.update_bot import Choice
    from dockertpl.scaffold.prepare import Scaffold
    from dockertpl.scaffold.session import Session
    from dockertpl.wizard.console import Console

#: If it is set, the wizard asks line by line, as on a dumb terminal.
PLAIN = "DOCKERTPL_PLAIN"


@dataclass(frozen=True, kw_only=True)
class _Request:
    """The command line."""

    destination: Path
    root: Path
    given: Mapping[str, str]
    data_file: Path | None
    in_file: Mapping[str, Any]
    detecting: bool
    actions: Actions
    accept_dropped: bool
    dry_run: bool
    quiet: bool


def run(
    *,
    destination: Path,
    kind: str | None,
    data: Mapping[str, str],
    data_file: Path | None,
    defaults: bool,
    no_detect: bool,
    update_bot: Choice | None,
    patch_next_config: bool,
    adopt: bool,
    accept_dropped: bool,
    dry_run: bool,
    quiet: bool,
    adopt_file: str = "",
    replace: bool = False,
) -> tuple[int, Mapping[str, Any]]:
    """Write an image's files into a repository.

    Args:
        destination: The repository's root, or the application's folder in it. It is created if it does not exist.
        kind: The kind of image, same as `kind` in `data`.
        data: Answers as text, by question.
        data_file: A YAML file of answers.
        defaults: Whether to ask nothing.
        no_detect: Whether to leave the repository unread, except for files that an action changes.
        update_bot: The bot to configure for the image's pins, or `none`. None offers it if a bot is configured.
        patch_next_config: Whether to set `output: 'standalone'` in next.config if it is missing.
        adopt: Whether to convert an existing Dockerfile even if the repository is left unread.
        adopt_file: The Dockerfile to convert, if there are several.
        replace: Whether to replace existing files and convert nothing.
        accept_dropped: Whether to continue if the new Dockerfile drops something of the old one.
        dry_run: Whether to print a diff on stdout and write nothing.
        quiet: Whether to print nothing and ask nothing.

    Returns:
        The exit code (1 for a dry run that found conflicting files) and the result for `--json`.

    Raises:
        BadInputError: The answers, the destination or its content are not valid. Nothing was changed.
        MachineError: Writing failed. Nothing was changed.
        StoppedError: The user stopped. Nothing was changed.
    """
    if replace and (adopt or adopt_file):
        raise BadInputError("--replace converts nothing, and --adopt does.", "Use only one of them.")
    root, app_dir = repository_root(destination, missing_ok=True)
    request = _Request(
        destination=destination,
        root=root,
        given=_given(data, kind, app_dir),
        data_file=data_file,
        in_file=read_data_file(data_file) if data_file else {},
        detecting=not no_detect,
        actions=Actions(
            bot=update_bot,
            tell_bot=update_bot is not None,
            patch_next_config=patch_next_config,
            # --no-detect leaves the repository unread, so it converts nothing unless asked to.
            adopt=adopt or bool(adopt_file) or not (no_detect or replace),
            adopt_file=adopt_file,
            replace=replace,
        ),
        accept_dropped=accept_dropped,
        dry_run=dry_run,
        quiet=quiet,
    )
    if app_dir:
        say(f"{destination} is in the repository {root}: app_dir is {app_dir}.", quiet=quiet)
    known = {**request.in_file, **request.given}
    answers_files.check_new(
        root, answers_file="", name=str(known.get("name", "")), app_dir=str(known.get("app_dir", "."))
    )
    template = Template(bundled())
    if not (defaults or quiet) and _is_terminal(dry_run):
        return _asked(template, request)
    return _alone(template, request, defaults=defaults)


def _session(template: Template, request: _Request, actions: Actions, *, go_on: bool) -> Session:
    """Read the repository."""
    from dockertpl.scaffold.session import Session

    return Session(
        template,
        request.root,
        given=request.given,
        in_file=request.in_file,
        detecting=request.detecting,
        actions=actions,
        go_on=go_on,
    )


def _asked(template: Template, request: _Request) -> tuple[int, Mapping[str, Any]]:
    """Ask about an image and write it, then about each other application that was chosen with it."""
    code, result, rest = _ask(template, request)
    for number, which in enumerate(rest, 2):
        say(f"\nImage {number} of {len(rest) + 1}: {which['app_dir']}\n")
        worse, next_one, _ = _ask(template, replace(request, given={**request.given, **which}))
        code = max(code, worse)
        result = {**next_one, "written": [*result["written"], *next_one["written"]]}
    return code, result


def _ask(template: Template, request: _Request) -> tuple[int, Mapping[str, Any], Sequence[Mapping[str, str]]]:
    """Ask, write, offer to verify, and print the commands that do the same.

    Returns:
        The exit code, the result for `--json`, and the other applications that were chosen.
    """
    from dockertpl.scaffold import rerun_command
    from dockertpl.template import presentation
    from dockertpl.wizard.flow import Wizard

    # An existing bot configuration is updated and an existing Dockerfile converted. The review shows both.
    actions = replace(request.actions, tell_bot=True, adopt=not request.actions.replace)
    session = _session(template, request, actions, go_on=True)
    console = _console()
    try:
        wizard = Wizard(session, presentation.load(template), console, dry_run=request.dry_run)
        scaffold = wizard.run()
    except (KeyboardInterrupt, click.Abort, StoppedError):
        raise StoppedError("stopped; nothing was changed.", _again(session, request)) from None
    except DockertplError as error:
        # You should not have to type the answers again.
        error.remedy = f"{error.remedy}\n{_again(session, request)}".strip()
        raise
    result = _result(scaffold, session.found, scaffold.answers.warnings)
    if request.dry_run:
        return *_dry_run(scaffold, result, quiet=False), wizard.rest
    result = _write(scaffold, result, quiet=False)
    ours = rerun_command.ours(session, request.destination, request.data_file, scaffold)
    say(f"\nThe same without questions:\n  {ours}")
    adopting = ", which converts no Dockerfile" if scaffold.adopted else ""
    say(f"The same with Copier{adopting}:\n  {rerun_command.copiers(template, scaffold.answers, request.root)}")
    try:
        _offer_proof(console, scaffold)
    except (KeyboardInterrupt, click.Abort):
        raise StoppedError("stopped; the written files stay.", f"Next: {_next(scaffold)}") from None
    return 0, result, wizard.rest


def _again(session: Session, request: _Request) -> str:
    from dockertpl.scaffold import rerun_command

    again = rerun_command.again(session, request.destination, request.data_file)
    return f"To continue with the answers so far:\n{again}"


def _offer_proof(console: Console, scaffold: Scaffold) -> None:
    """Offer to build and run the new image if an engine is available."""
    from dockertpl.commands import offer_verify
    from dockertpl.wizard.console import Option

    if scaffold.answers.values["kind"] == SHARED_BASE or not offer_verify.is_possible():
        return
    options = [Option(value="new", label="build it and run it as production would")]
    if scaffold.adopted:
        options.append(Option(value="both", label="that, and build the old Dockerfile for comparison"))
    options.append(Option(value="", label="not now"))
    chosen = console.choose("Verify it?", options, "new", back=False)
    if chosen:
        offer_verify.prove(scaffold, compare=chosen == "both")


def _console() -> Console:
    """Return the richest console that this terminal supports."""
    if os.environ.get(PLAIN) or os.environ.get("TERM", "dumb") == "dumb":
        from dockertpl.wizard.plain import PlainConsole

        return PlainConsole()
    from dockertpl.wizard.keys import KeysConsole

    return KeysConsole(colors="NO_COLOR" not in os.environ)


def _alone(template: Template, request: _Request, *, defaults: bool) -> tuple[int, Mapping[str, Any]]:
    """Write without asking."""
    from dockertpl.wizard.lines import uncolored
    from dockertpl.wizard.screens import adoption_lines

    quiet = request.quiet
    session = _session(template, request, request.actions, go_on=False)
    found = session.found
    if session.not_adopted:
        raise session.not_adopted
    if problem := found.in_the_way(defaults=defaults):
        raise problem
    scaffold = session.prepare()
    answers = scaffold.answers
    warnings = [*found.warnings, *answers.warnings]
    warnings += [f"{key}: {message} {remedy}".strip() for key, (message, remedy) in found.unknown.items()]
    bot, patch = scaffold.bot, scaffold.patch
    if bot and bot.new is None:
        warnings.append(f"{bot.summary} {bot.by_hand}")
    result = _result(scaffold, found, warnings)
    if scaffold.adopted:
        say(uncolored(adoption_lines(scaffold.adopted)).rstrip(), quiet=quiet)
    if not quiet:
        _say_found(scaffold, found)
    for warning in warnings:
        say(f"Warning: {warning}", quiet=quiet)
    if patch and patch.is_change and not request.actions.patch_next_config:
        say(
            f"{patch.path} does not set output: 'standalone'. The build sets it with NEXT_PRIVATE_STANDALONE. "
            "(--patch-next-config writes it into the file.)",
            quiet=quiet,
        )
    if request.dry_run:
        return _dry_run(scaffold, result, quiet=quiet)
    if scaffold.adopted and scaffold.adopted.needs_a_word and not request.accept_dropped:
        raise scaffold.adopted.objection()
    result = _write(scaffold, result, quiet=quiet)
    if bot and bot.is_change and not request.actions.tell_bot:
        say(f"The update bot does not know this image's pins yet. {bot.by_hand}", quiet=quiet)
        say(f"(--update-bot {bot.bot} does this for you.)", quiet=quiet)
    return 0, result


def _result(scaffold: Scaffold, found: Detected, warnings: Sequence[str]) -> Mapping[str, Any]:
    """Return the object of the JSON contract, with nothing written yet."""
    result: dict[str, Any] = {
        "written": [],
        "answers_file": scaffold.answers_file,
        "warnings": list(dict.fromkeys([*found.warnings, *warnings])),
        "actions": scaffold.done(),
    }
    if scaffold.adopted:
        result["adopted"] = scaffold.adopted.as_json()
    return result


def _dry_run(scaffold: Scaffold, result: Mapping[str, Any], *, quiet: bool) -> tuple[int, Mapping[str, Any]]:
    """Show what would be written. Return the exit code and the result with the diff."""
    from dockertpl.merge.diff import unified

    text = unified(scaffold.shown)
    if not quiet:
        click.echo(printable(text) if sys.stdout.isatty() else text, nl=False)
    would_write = [entry.path for entry in scaffold.to_write]
    doubtful = scaffold.adopted is not None and scaffold.adopted.needs_a_word
    code = 1 if scaffold.in_the_way or doubtful else 0
    if code:
        say(_reason(scaffold), quiet=quiet)
    return code, {**result, "dry_run": True, "would_write": would_write, "diff": text}


def _reason(scaffold: Scaffold) -> str:
    """Return why the same command without --dry-run would write nothing."""
    from dockertpl.merge import plan

    try:
        plan.check_free(scaffold.planned, scaffold.replaced)
    except DockertplError as error:
        found = error
    else:
        assert scaffold.adopted is not None  # noqa: S101 - the only other reason
        found = scaffold.adopted.objection()
    return f"\nWithout --dry-run, nothing would be written: {found.message}\n{found.remedy}"


def _write(scaffold: Scaffold, result: Mapping[str, Any], *, quiet: bool) -> Mapping[str, Any]:
    """Write the files and print the next command. Return the result with the written files."""
    from dockertpl.merge import plan
    from dockertpl.merge.write import Change, write

    plan.check_free(scaffold.planned, scaffold.replaced)
    root, entries = scaffold.planned.root, scaffold.to_write
    write(root, [Change(path=entry.path, old=entry.old, new=entry.new) for entry in entries])
    paths = [entry.path for entry in entries]
    say("Written:\n" + "\n".join(f"  {path}" for path in paths), quiet=quiet)
    say(f"Next: {_next(scaffold)}", quiet=quiet)
    return {**result, "written": paths, "actions": scaffold.done(entries)}


def _given(data: Mapping[str, str], kind: str | None, app_dir: str | None) -> dict[str, str]:
    """Return the answers of the command line, including those from other options."""
    given = dict(data)
    for key, value, how in (("kind", kind, "--kind"), ("app_dir", app_dir, "the destination")):
        if value is None:
            continue
        if given.setdefault(key, value) != value:
            raise BadInputError(f"-d {key}={given[key]} and {how} ({value}) differ.", "Give only one of them.")
    return given


def _is_terminal(dry_run: bool) -> bool:
    """Return whether the wizard can ask. The diff of a dry run also needs stdout for its pager."""
    streams = [sys.stdin, sys.stderr, *([sys.stdout] if dry_run else [])]
    return all(stream is not None and stream.isatty() for stream in streams)


def _say_found(scaffold: Scaffold, found: Detected) -> None:
    from dockertpl.wizard.lines import written

    answers = scaffold.answers
    lines = []
    for key, origin in answers.origin.items():
        if origin == "detected":
            where = found.evidence.get(key)
            lines.append(f"  {key}: {written(answers.values[key])}{f' ({where})' if where else ''}")
    if lines:
        say("Detected:\n" + "\n".join(lines))


def _next(scaffold: Scaffold) -> str:
    """Return the command that verifies the new image."""
    root, answers = scaffold.planned.root, scaffold.answers
    if answers.values["kind"] == SHARED_BASE:
        there = "" if root == Path.cwd() else f"cd {shlex.quote(str(root))} && "
        return f"{there}docker buildx bake"
    app_dir = answers.values["app_dir"]
    words = ["dockertpl", "verify"]
    if root != Path.cwd():
        words.append(str(root))
    if app_dir != ".":
        words += ["--file", f"{app_dir}/Dockerfile"]
    return shlex.join(words)
