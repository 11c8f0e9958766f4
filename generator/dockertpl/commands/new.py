"""`dockertpl new`: look at a repository, ask, show, write."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import click

from dockertpl.actions import next_config
from dockertpl.actions import update_bot as bots
from dockertpl.actions.proposal import Proposal
from dockertpl.actions.update_bot import Choice
from dockertpl.commands.screen import printable, say
from dockertpl.commands.subject import FAMILY_KIND
from dockertpl.detect.root import repository_root
from dockertpl.errors import BadInputError, NotDetectedError
from dockertpl.merge import owners, plan
from dockertpl.merge.write import Change, write
from dockertpl.template.answers import Answers, read_data_file, resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import answers_path, render
from dockertpl.template.source import bundled


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What was detected, as far as `new` needs it."""

    answers: Mapping[str, Any]
    evidence: Mapping[str, str]
    unknown: Mapping[str, tuple[str, str]]
    warnings: tuple[str, ...]


_NEXT = "nextjs-standalone"
_NOTHING = _Found(answers={}, evidence={}, unknown={}, warnings=())


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
    dry_run: bool,
    quiet: bool,
) -> tuple[int, Mapping[str, Any]]:
    """Put an image's files into a repository.

    Args:
        destination: The repository's root, or a folder in it, which is then the application's; made if it is not there.
        kind: The kind of image, the same as `kind` in `data`.
        data: Answers as text, by question.
        data_file: A YAML file of answers.
        defaults: Whether to ask nothing.
        no_detect: Whether to leave the repository unread, but for the files that an action would change.
        update_bot: The bot to tell about the image's pins, or `none`; None to ask, where one is configured.
        patch_next_config: Whether to set `output: 'standalone'` in the application's next.config, where it is not set.
        dry_run: Whether to print a diff on stdout and write nothing.
        quiet: Whether to print nothing at all and to ask nothing.

    Returns:
        The exit code (1 for a dry run that found other files in the way) and the result for `--json`.

    Raises:
        BadInputError: The answers, the destination or what is in it will not do; nothing was changed.
        MachineError: Writing failed; nothing was changed.
    """
    root, app_dir = repository_root(destination, missing_ok=True)
    given = _given(data, kind, app_dir)
    in_file = read_data_file(data_file) if data_file else {}
    known = {**in_file, **given}
    if app_dir:
        say(f"{destination} is in the repository {root}: app_dir is {app_dir}.", quiet=quiet)
    owners.check_new(root, answers_file="", name=str(known.get("name", "")), app_dir=str(known.get("app_dir", ".")))

    template = Template(bundled())
    found = _NOTHING if no_detect else _detect(template, root, given, in_file)
    interactive = not (defaults or quiet) and _is_terminal()
    unknown = {key: text for key, text in found.unknown.items() if key not in known}
    if unknown and not defaults and not interactive:
        raise _missing(unknown)
    ask = None
    if interactive:
        from dockertpl.commands.ask import asker

        ask = asker(found.evidence)
    answers = resolve(template, folder_name=root.name, data=given, data_file=in_file, detected=found.answers, ask=ask)
    answers_file = answers_path(template, answers)
    patch = _patch(root, answers)
    if patch_next_config and patch is None:
        raise BadInputError(
            f"--patch-next-config is for the kind {_NEXT}, and this is {answers.values['kind']}.", "Leave it out."
        )
    patched = patch_next_config or (interactive and not dry_run and _wants_patch(root, patch))
    if patch and patched:
        if patch.new is None:
            raise next_config.refusal(patch)
        answers = replace(
            answers,
            values={**answers.values, "standalone": True},
            origin={**answers.origin, "standalone": "detected"},
        )
    owners.check_new(
        root, answers_file=answers_file, name=str(answers.values["name"]), app_dir=str(answers.values["app_dir"])
    )
    planned = plan.make(root, render(template, answers))
    proposal = bots.propose(root, str(answers.values["app_dir"]), update_bot)
    warnings = [*found.warnings, *answers.warnings]
    if defaults:
        warnings += [f"{key}: {message} {remedy}".strip() for key, (message, remedy) in unknown.items()]
    if proposal and proposal.new is None:
        warnings.append(f"{proposal.summary} {proposal.by_hand}")

    if not quiet and not interactive:
        _say_found(answers, found)
    for warning in warnings:
        say(f"Warning: {warning}", quiet=quiet)
    if patch and not patched and patch.is_change:
        say(
            f"{patch.path} does not set output: 'standalone': the build asks for it, by NEXT_PRIVATE_STANDALONE. "
            "(--patch-next-config would write it there.)",
            quiet=quiet,
        )
    change = _extra(patch) if patched else ()
    extra = _extra(proposal) if update_bot or interactive else ()
    result = {
        "written": [],
        "answers_file": answers_file,
        "warnings": warnings,
        "actions": _actions(bot=proposal, patch=patch),
    }
    if dry_run:
        code, shown = _dry_run(planned, (*change, *extra), quiet)
        return code, {**result, **shown}
    plan.check_free(planned)
    if interactive:
        extra = _agreed(planned, extra, change, asked_for=update_bot is not None)
    entries = [*planned.having("create"), *change, *extra]
    new = [entry.path for entry in entries]
    write(root, [Change(path=entry.path, old=entry.old, new=entry.new) for entry in entries])
    say("Written:\n" + "\n".join(f"  {path}" for path in new), quiet=quiet)
    say(f"Next: {_next(root, answers)}", quiet=quiet)
    if proposal and proposal.is_change and not extra and not interactive:
        say(f"The update bot does not know of this image's pins yet. {proposal.by_hand}", quiet=quiet)
        say(f"(--update-bot {proposal.bot} would have done it.)", quiet=quiet)
    actions = _actions(bot=proposal, patch=patch, done=(*change, *extra))
    return 0, {**result, "written": new, "actions": actions}


def _patch(root: Path, answers: Answers) -> Proposal | None:
    """Return what would be done to the application's next.config; None for another kind."""
    if answers.values["kind"] != _NEXT:
        return None
    return next_config.propose(root, str(answers.values["app_dir"]))


def _wants_patch(root: Path, patch: Proposal | None) -> bool:
    """Show a patch on a terminal and ask for it."""
    if patch is None or not patch.is_change:
        return False
    from dockertpl.commands.ask import agree
    from dockertpl.merge.diff import unified

    say(f"\nSo that next.config itself asks for the standalone output:\n\n{unified(_plan(root, _extra(patch)))}")
    return agree(f"Change {patch.path}?")


def _plan(root: Path, entries: tuple[plan.Entry, ...]) -> plan.Plan:
    return plan.Plan(root=root, entries=entries)


def _extra(proposal: Proposal | None) -> tuple[plan.Entry, ...]:
    """Return what an action would write: it may change a file, which the template may not."""
    if not proposal or not proposal.new or not proposal.is_change:
        return ()
    return (plan.Entry(path=proposal.path, new=proposal.new, old=proposal.old),)


def _dry_run(planned: plan.Plan, extra: tuple[plan.Entry, ...], quiet: bool) -> tuple[int, Mapping[str, Any]]:
    """Show what would be written; return the exit code and what that adds to the result."""
    from dockertpl.merge.diff import unified

    text = unified(_plan(planned.root, (*planned.entries, *extra)))
    if not quiet:
        click.echo(printable(text) if sys.stdout.isatty() else text, nl=False)
    would_write = [entry.path for entry in (*planned.having("create"), *extra)]
    return (1 if planned.having("differs") else 0), {"dry_run": True, "would_write": would_write, "diff": text}


def _agreed(
    planned: plan.Plan, extra: tuple[plan.Entry, ...], change: tuple[plan.Entry, ...], *, asked_for: bool
) -> tuple[plan.Entry, ...]:
    """Show all that is to be written on a terminal and have it confirmed; return what is left of the actions'."""
    from dockertpl.commands.ask import agree, confirm

    if extra and not asked_for:
        from dockertpl.merge.diff import unified

        shown = unified(_plan(planned.root, extra))
        say(f"\nAn update bot is configured. So that it moves this image's pins:\n\n{shown}")
        extra = extra if agree(f"Change {extra[0].path}?") else ()
    say("\nFiles:\n" + "\n".join(f"  {entry.path}" for entry in (*planned.having("create"), *change, *extra)))
    confirm(f"Write them into {planned.root}?")
    return extra


def _actions(
    *, bot: Proposal | None, patch: Proposal | None, done: tuple[plan.Entry, ...] = ()
) -> list[Mapping[str, Any]]:
    """Return the actions for `--json`, with whether each is done: now, by an entry in `done`, or since before."""
    written = {entry.path for entry in done}
    return [
        {
            "name": name,
            "path": proposal.path,
            "done": proposal.is_there or proposal.path in written,
            "summary": proposal.summary,
        }
        for name, proposal in ((bots.NAME, bot), (next_config.NAME, patch))
        if proposal
    ]


def _given(data: Mapping[str, str], kind: str | None, app_dir: str | None) -> dict[str, str]:
    """Return the command line's answers, with those that it gives in other ways."""
    given = dict(data)
    for key, value, how in (("kind", kind, "--kind"), ("app_dir", app_dir, "the destination")):
        if value is None:
            continue
        if given.setdefault(key, value) != value:
            raise BadInputError(f"-d {key}={given[key]} and {how} ({value}) differ.", "Give one of them.")
    return given


def _detect(template: Template, root: Path, given: Mapping[str, Any], in_file: Mapping[str, Any]) -> _Found:
    """Look at the repository."""
    known = {**in_file, **given}
    app_dir = known.get("app_dir")
    if app_dir is not None and not _is_inside(app_dir):
        # Its validator has the words for it; detection must not follow it.
        return _NOTHING
    from dockertpl.detect import detect

    try:
        detection = detect(root, app_dir, given=known)
    except NotDetectedError:
        # A bad answer is the better news: it may be the reason.
        resolve(template, folder_name=root.name, data=given, data_file=in_file)
        raise
    return _Found(
        answers=detection.answers,
        evidence={key: _where(item) for key, item in detection.evidence.items()},
        unknown={item.key: (item.message, item.remedy) for item in detection.unknown},
        warnings=tuple(detection.warnings),
    )


def _is_inside(app_dir: Any) -> bool:
    if not isinstance(app_dir, str):
        return False
    path = PurePosixPath(app_dir)
    return not path.is_absolute() and ".." not in path.parts and app_dir.isprintable()


def _where(evidence: Any) -> str:
    """Return a piece of evidence as `path:line`, with its note."""
    place = ":".join(str(part) for part in (evidence.path, evidence.line) if part)
    return ", ".join(part for part in (place, evidence.note) if part)


def _is_terminal() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def _missing(unknown: Mapping[str, tuple[str, str]]) -> NotDetectedError:
    """Return one error for all that could not be told, where nobody can be asked."""
    lines = [f"{key}: {message}" for key, (message, _) in unknown.items()]
    remedies = dict.fromkeys(remedy for _, remedy in unknown.values() if remedy)
    return NotDetectedError(
        lines[0] if len(lines) == 1 else "\n  ".join(["This could not be told from the repository:", *lines]),
        "\n".join([*remedies, "Give the answer with -d KEY=VALUE, or take the defaults with --defaults."]),
        missing=list(unknown),
    )


def _say_found(answers: Answers, found: _Found) -> None:
    from dockertpl.commands.ask import written

    lines = []
    for key, origin in answers.origin.items():
        if origin == "detected":
            where = found.evidence.get(key)
            lines.append(f"  {key}: {written(answers.values[key])}{f' ({where})' if where else ''}")
    if lines:
        say("Found:\n" + "\n".join(lines))


def _next(root: Path, answers: Answers) -> str:
    """Return the command that proves what was written."""
    if answers.values["kind"] == FAMILY_KIND:
        there = "" if root == Path.cwd() else f"cd {shlex.quote(str(root))} && "
        return f"{there}docker buildx bake"
    app_dir = answers.values["app_dir"]
    words = ["dockertpl", "verify"]
    if root != Path.cwd():
        words.append(str(root))
    if app_dir != ".":
        words += ["--file", f"{app_dir}/Dockerfile"]
    return shlex.join(words)
