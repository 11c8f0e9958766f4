"""The command line: arguments and help. Commands are imported when they run, so `--help` is quick."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import click

from dockertpl import __version__, errors
from dockertpl.errors import BadInputError, DockertplError, StoppedError
from dockertpl.screen import leave_unread, spell_out, tell

SCHEMA = 1
#: The kinds of image, as in `copier.yml`. `--help` does not read that file.
KINDS = ("python-fastapi", "nextjs-standalone", "sandbox-multi-runtime", "shared-base")
_STOPPED = "interrupted; nothing was changed."


def _pairs(_context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """Turn repeated KEY=VALUE options into a dictionary. Later ones win."""
    result = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{value!r} is not KEY=VALUE.", param=parameter)
        result[key] = text
    return result


def _variables(_context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """Turn repeated KEY=VALUE options into a dictionary. KEY without a value takes the caller's variable."""
    result = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not key:
            raise click.BadParameter(f"{value!r} is not KEY=VALUE.", param=parameter)
        if not equals and key not in os.environ:
            raise click.BadParameter(f"{key} is not set here. Set it, or write {key}=VALUE.", param=parameter)
        result[key] = text if equals else os.environ[key]
    return result


def _call(command: str, *, into: Path | None = None, **options: Any) -> NoReturn:
    """Run `dockertpl.commands.<command>.run(**options)` and exit with its code.

    With `--json`, print its result as one JSON object, or write it to `into`.
    """
    as_json = options.pop("as_json")
    quiet = options.pop("quiet", False) or as_json
    # Here and not in _run, because click handles these two itself.
    try:
        run: Callable[..., tuple[int, Mapping[str, Any]]] = import_module(f"dockertpl.commands.{command}").run
        exit_code, result = run(**options, quiet=quiet)
        if as_json:
            _put(json.dumps({"schema": SCHEMA, **result}, indent=2), into)
    except KeyboardInterrupt:
        raise StoppedError(_STOPPED) from None
    except BrokenPipeError:
        leave_unread()
        exit_code = 0
    raise click.exceptions.Exit(exit_code)


def _put(text: str, into: Path | None) -> None:
    if into is None:
        click.echo(text)
        return
    try:
        into.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise BadInputError(f"{into} cannot be written: {error.strerror}.", "Name another with --output.") from error


def _examples(*commands: str, more: str = "") -> str:
    """Return commands to copy, for the end of a command's help."""
    shown = "\n".join(f"  {command}" for command in commands)
    return f"{more}\n\n\b\nExamples:\n{shown}".lstrip()


_kind = click.option(
    "--kind", metavar="K", help=f"The kind of image: {', '.join(KINDS[:-1])} or {KINDS[-1]}. Same as -d kind=K."
)
_destination = click.argument("destination", metavar="[DEST]", default=".", type=click.Path(path_type=Path))
_answers_files = click.option(
    "--answers-file",
    "answers_files",
    type=click.Path(path_type=Path),
    metavar="F",
    multiple=True,
    help="The answers file to act on, if there are several (repeatable).",
)
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would change. Write nothing.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, and nothing else.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="dockertpl")
def cli() -> None:
    """Container images from templates: small, quick, non-root, and proven to run."""


@cli.command(
    epilog=_examples(
        "dockertpl new",
        "dockertpl new services/api --kind python-fastapi",
        "dockertpl new --defaults -d flavor=distroless -d port=8080",
        "dockertpl new --dry-run",
    )
)
@_destination
@_kind
@click.option(
    "-d",
    "--data",
    metavar="KEY=VALUE",
    multiple=True,
    callback=_pairs,
    help="An answer (repeatable). List all with: dockertpl questions.",
)
@click.option("--data-file", type=click.Path(path_type=Path), metavar="F", help="Answers from a YAML file.")
@click.option("--defaults", is_flag=True, help="Ask nothing. Use what is detected, then the defaults.")
@click.option("--no-detect", is_flag=True, help="Do not read the repository, like plain Copier.")
@click.option(
    "--update-bot",
    type=click.Choice(["renovate", "dependabot", "none"]),
    help="Add the image's pins to this bot's configuration (default: ask, if a bot is configured).",
)
@click.option("--patch-next-config", is_flag=True, help="Set output: 'standalone' in next.config if it is missing.")
@click.option("--adopt", is_flag=True, help="Convert the existing Dockerfile (default if one is found).")
@click.option("--adopt-file", metavar="F", default="", help="The Dockerfile to convert, if there are several.")
@click.option("--accept-dropped", is_flag=True, help="Continue even if some steps cannot be converted.")
@click.option("--replace", is_flag=True, help="Replace existing files, convert nothing. Git keeps the old ones.")
@_dry_run
@_json
def new(**options: Any) -> None:
    """Write an image's files into the repository at DEST.

    Reads the repository first, so it asks few questions. Converts an existing Dockerfile and its ignore file.
    Stops before it writes anything if another existing file differs.
    """
    _call("new", **options)


@cli.command(
    short_help="Show what is detected in a repository, and where.",
    epilog=_examples("dockertpl inspect", "dockertpl inspect services/api --json"),
)
@_destination
@_json
def inspect(**options: Any) -> None:
    """Show what is detected about the application at DEST, with the file and line of each fact."""
    _call("inspect", **options)


def _strictly(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of commands that build and run an image."""
    for option in reversed(_RUN_OPTIONS):
        command = option(command)
    return command


_RUN_OPTIONS = (
    _destination,
    click.option("--file", "dockerfile", type=click.Path(path_type=Path), metavar="F", help="The Dockerfile to build."),
    click.option("--target", metavar="T", help="The stage to build (default: the last)."),
    click.option(
        "--build-arg",
        "build_args",
        metavar="K=V",
        multiple=True,
        callback=_pairs,
        help="A build argument (repeatable).",
    ),
    click.option("--secret", "secrets", metavar="SPEC", multiple=True, help="A BuildKit secret: id=NAME,src=FILE."),
    click.option(
        "--ssh", metavar="SPEC", multiple=True, help="An SSH agent or key for the build, for example default."
    ),
    click.option(
        "--env",
        "-e",
        "environment",
        metavar="K[=V]",
        multiple=True,
        callback=_variables,
        help="A variable for the container. K without a value takes yours.",
    ),
    click.option(
        "--env-file",
        "env_files",
        metavar="F",
        multiple=True,
        type=click.Path(path_type=Path),
        help="A file of variables for the container (repeatable).",
    ),
    click.option("--tmpfs", metavar="P", multiple=True, help="A path that the application may write to (repeatable)."),
    click.option(
        "--network", metavar="N", help="A Docker network to connect the container to, for example its database's."
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=1),
        metavar="S",
        help="Seconds to wait for healthy (default: the probe's start period and retries).",
    ),
    click.option(
        "--with",
        "with_",
        metavar="NAME[:VERSION]",
        multiple=True,
        help="Start a temporary service: postgres, mysql, mariadb, redis, valkey, mongo, or NAME=IMAGE.",
    ),
    click.option(
        "--run", "run_first", metavar="CMD", multiple=True, help="Run this in the image first, for example migrations."
    ),
)


@cli.command(
    short_help="Build an image and run it as production would.",
    epilog=_examples(
        "dockertpl verify",
        "dockertpl verify --with postgres --run 'alembic upgrade head'",
        "dockertpl verify --max-bytes 250MB --baseline origin/main",
        "dockertpl verify --all --markdown summary.md",
    ),
)
@_strictly
@click.option("--path", "paths", metavar="P", multiple=True, help="Another path to request once the image is healthy.")
@click.option("--paths-only", is_flag=True, help="Request only the paths given with --path.")
@click.option("--max-bytes", metavar="N", help="Fail if the unpacked image is larger than this, for example 250MB.")
@click.option(
    "--max-ready",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="Fail if the first good answer takes longer than S seconds.",
)
@click.option(
    "--baseline",
    metavar="FILE|REF",
    help="Fail on 10% growth over the JSON of an earlier verify, or over a commit (which is built).",
)
@click.option("--markdown", metavar="FILE", help="Write a Markdown summary to FILE, or - for stdout.")
@click.option("--keep", is_flag=True, help="Leave the container running, even on failure.")
@click.option("--all", "all_images", is_flag=True, help="Verify every image of the repository, one at a time.")
@_json
def verify(**options: Any) -> None:
    """Build the image at DEST, run it as production would, wait until it is healthy, and stop it.

    The container runs as the image's user, on a read-only root, without capabilities, on a loopback port. Once it
    is healthy, verify requests some of its routes, pages and files, and reads its log.
    """
    _call("verify_all" if options.pop("all_images") else "verify", **options)


@cli.command(
    "run",
    short_help="Start an image as verify does, and print its URL.",
    epilog=_examples("dockertpl run", "dockertpl run --with redis -e DEBUG=1"),
)
@_strictly
def run_image(**options: Any) -> None:
    """Build the image at DEST, start it as `verify` does, and print its URL. Press Ctrl-C to stop it.

    Only the URL goes to stdout. The log goes to stderr.
    """
    _call("run", as_json=False, **options)


@cli.command(
    short_help="Pin base images to the current digests of their tags.",
    epilog=_examples("dockertpl pin", "dockertpl pin --dry-run --registry-mirror docker.io=mirror.example.com/hub"),
)
@_destination
@_answers_files
@click.option(
    "--registry-mirror",
    "registry_mirrors",
    metavar="HOST=MIRROR",
    multiple=True,
    help="Use MIRROR[/FOLDER] instead of HOST, for example docker.io (repeatable).",
)
@_dry_run
@_json
def pin(**options: Any) -> None:
    """Pin the base images of the Dockerfiles at DEST to the current digests of their tags.

    Asks each image's registry, and writes the digests into the answers files and the Dockerfiles. In a file that
    you edited, only the image references change.
    """
    _call("pin", **options)


@cli.command(
    short_help="Apply template updates or changed answers to a repository.",
    epilog=_examples(
        "dockertpl update --dry-run", "dockertpl update -d flavor=distroless", "dockertpl update --to v1.2.0"
    ),
)
@_destination
@click.option("--to", metavar="REF", help="The version to update to (default: the latest release; :current: keeps it).")
@click.option(
    "-d", "--data", metavar="KEY=VALUE", multiple=True, callback=_pairs, help="A changed answer (repeatable)."
)
@_answers_files
@click.option(
    "--conflict",
    type=click.Choice(["markers", "rej", "stop"]),
    default="markers",
    show_default=True,
    help="If you and the template changed the same lines: write conflict markers, write F.rej files, or abort.",
)
@_dry_run
@_json
def update(**options: Any) -> None:
    """Apply template updates, or changed answers, to the repository at DEST.

    Merges the template's changes with your edits. Writes all files or none, and only changes files that are
    committed.
    """
    _call("update", **options)


@cli.command(
    short_help="Show each image's template version and your edits.",
    epilog=_examples("dockertpl status", "dockertpl status --json"),
)
@_destination
@_json
def status(**options: Any) -> None:
    """Show each image's template and version at DEST, whether a newer version exists, and which files you edited."""
    _call("status", **options)


@cli.command(
    "questions",
    short_help="List the answers of new, or describe one.",
    epilog=_examples(
        "dockertpl questions", "dockertpl questions flavor", "dockertpl questions --kind nextjs-standalone --json"
    ),
)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--kind", metavar="K", help=f"Only this kind's answers: {', '.join(KINDS[:-1])} or {KINDS[-1]}.")
@_json
def questions(**options: Any) -> None:
    """List the answers that `new` takes, or describe the answer NAME.

    Shows the question, its default, when it is asked, its choices, and an example.
    """
    _call("list_questions", **options)


_places = click.argument("places", metavar="[WHERE]...", nargs=-1)
_include = click.option(
    "--include", metavar="PATTERN", multiple=True, help="Only repositories that match, for example shop-* (repeatable)."
)
_exclude = click.option(
    "--exclude", metavar="PATTERN", multiple=True, help="Skip repositories that match, for example old-* (repeatable)."
)
_branch = click.option(
    "--branch", metavar="B", default="", help="The branch to start from (default: the checked-out or remote default)."
)
_template = click.option("--template", metavar="URL", help="Only images of this template (default: dockertpl's own).")
_to = click.option("--to", metavar="REF", help="The version to update to (default: the latest release).")
_jobs = click.option(
    "--jobs", type=click.IntRange(1, 64), metavar="N", default=8, show_default=True, help="Repositories at a time."
)


_WHERE = (
    "WHERE is a folder of repositories (default: this one), a file with one place per line, a URL, github:OWNER "
    "(?topic=T, ?search=WORDS), or gitlab:GROUP."
)


def _named(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that select repositories."""
    for option in (_branch, _exclude, _include, _places):
        command = option(command)
    return command


def _looking(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that select repositories, their template, and the version."""
    for option in (_jobs, _to, _template, _named):
        command = option(command)
    return command


_FORMS = ("table", "json", "csv", "markdown", "html")
#: Formats that let CI run a plan's shards.
_DIVIDED = ("github-matrix", "gitlab")
_format = click.option(
    "--format", "form", type=click.Choice(_FORMS), default="table", show_default=True, help="The output format."
)
_quiet = click.option("--quiet", "-q", is_flag=True, help="Print only errors. The exit code gives the result.")
_into = click.option("--output", "-o", type=click.Path(path_type=Path), metavar="F", help="Write the output to F.")


def _fleet(command: str, **options: Any) -> NoReturn:
    """Run a fleet command. `--format json` is `--json`, and goes to the file of `--output`."""
    form, into = options.get("form"), None
    if options["as_json"] and form in _DIVIDED:
        raise click.UsageError(f"--json and --format {form} both write to stdout. Use one of them.")
    if form == "json":
        options |= {"form": "table", "as_json": True}
        if command != "plan":
            into, options["output"] = options["output"], None
    _call(f"fleet.{command}", into=into, **options)


@cli.group(
    epilog=_examples(
        "dockertpl fleet status github:acme",
        "dockertpl fleet plan github:acme",
        "dockertpl fleet apply fleet-plan.jsonl --waves 5,20%",
        more=_WHERE,
    )
)
def fleet() -> None:
    """Bring template updates to many repositories.

    Run `plan`, then `apply`. `status` shows where each repository is, `report` shows the result of an apply, and
    `resume` continues one that stopped.
    """


@fleet.command(
    "discover", epilog=_examples("dockertpl fleet discover 'github:acme?topic=python' --exclude 'old-*'", more=_WHERE)
)
@_named
@_json
def fleet_discover(**options: Any) -> None:
    """List the repositories at WHERE, one per line."""
    _fleet("discover", **options)


@fleet.command(
    "status",
    epilog=_examples(
        "dockertpl fleet status ~/src",
        "dockertpl fleet status gitlab:acme/shop --format html -o fleet.html",
        more=_WHERE,
    ),
)
@_looking
@click.option("--glance", is_flag=True, help="Only read answers files, over GitHub's or GitLab's API. Clone nothing.")
@_format
@_into
@_quiet
@_json
def fleet_status(**options: Any) -> None:
    """Show the state of each image of the repositories at WHERE."""
    _fleet("status", **options)


@fleet.command(
    "plan",
    short_help="Write what an update would change. Change nothing.",
    epilog=_examples(
        "dockertpl fleet plan github:acme --diff",
        "dockertpl fleet plan repositories.txt --shards 8 --format github-matrix",
        more=_WHERE,
    ),
)
@_looking
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="F",
    default="fleet-plan.jsonl",
    show_default=True,
    help="Write the plan to F.",
)
@click.option("--diff", is_flag=True, help="Print the diffs.")
@click.option("--shards", type=click.IntRange(0), default=0, metavar="N", help="Divide the plan into N shards for CI.")
@click.option(
    "--format",
    "form",
    type=click.Choice([*_FORMS, *_DIVIDED]),
    default="table",
    show_default=True,
    help="The output format. With --shards, also a job matrix for CI.",
)
@_quiet
@_json
def fleet_plan(**options: Any) -> None:
    """Write what an update would change in the repositories at WHERE. Change nothing.

    The same repositories, template and version give the same plan, with the same hash.
    """
    _fleet("plan", **options)


@fleet.command(
    "apply",
    short_help="Apply a plan: push branches and open pull requests.",
    epilog=_examples(
        "dockertpl fleet apply fleet-plan.jsonl --branches-only",
        "dockertpl fleet apply fleet-plan.jsonl --waves 5,20% --verify",
    ),
)
@click.argument("plan", type=click.Path(path_type=Path))
@_jobs
@click.option("--shard", metavar="K/N", default="", help="Apply only this shard of the plan.")
@click.option("--branches-only", is_flag=True, help="Push branches, but open no pull requests.")
@click.option(
    "--on-conflict",
    type=click.Choice(["issue", "draft", "skip"]),
    default="issue",
    show_default=True,
    help="Report conflicts in an issue, in a draft with .rej files, or not at all.",
)
@click.option("--draft", is_flag=True, help="Open pull requests as drafts.")
@click.option("--reopen", is_flag=True, help="Open another pull request if an earlier one was closed by hand.")
@click.option("--verify", is_flag=True, help="Build and run each image before its branch is pushed.")
@click.option("--author", metavar="'NAME <MAIL>'", default="", help="The author of the commits (default: dockertpl).")
@click.option("--waves", metavar="N,M%,…", default="", help="Roll out in waves: N images, then M% of them, then all.")
@click.option("--max-failures", metavar="N|N%", default="", help="Stop if more images than this fail.")
@click.option("--pause", is_flag=True, help="Stop after each wave. Continue with resume.")
@click.option(
    "--journal", type=click.Path(path_type=Path), metavar="F", help="Record progress in F (default: beside PLAN)."
)
@_quiet
@_json
def fleet_apply(**options: Any) -> None:
    """Apply PLAN: push a branch for each image, and open a pull request on GitHub or GitLab.

    Never changes your work trees, and never overwrites commits that others added to an update branch.
    """
    _fleet("apply", **options)


@fleet.command(
    "resume",
    short_help="Continue an apply that was stopped, paused or killed.",
    epilog=_examples("dockertpl fleet resume fleet-plan.journal.jsonl --failed"),
)
@click.argument("journal", type=click.Path(path_type=Path))
@click.option("--failed", is_flag=True, help="Also retry what failed or needed you.")
@_quiet
@_json
def fleet_resume(**options: Any) -> None:
    """Continue an apply that was stopped, paused or killed, from its JOURNAL."""
    _fleet("resume", **options)


@fleet.command(
    "report",
    short_help="Show the result of an apply.",
    epilog=_examples("dockertpl fleet report fleet-plan.journal.jsonl --format markdown"),
)
@click.argument("journals_of", metavar="JOURNAL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--plan", type=click.Path(path_type=Path), metavar="F", help="Also list what is in this plan but in no journal."
)
@_format
@_into
@_quiet
@_json
def fleet_report(**options: Any) -> None:
    """Show the result of an apply, from the JOURNAL of each of its shards."""
    _fleet("report", **options)


def _fail(error: DockertplError, as_json: bool) -> int:
    """Report an error as text or JSON and return its exit code."""
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, **error.data, "error": error.as_json()}, indent=2))
    else:
        tell(error)
    return error.exit_code


def _run(arguments: Sequence[str]) -> int:
    as_json = not {"--json", "--format=json"}.isdisjoint(arguments) or ("--format", "json") in pairwise(arguments)
    try:
        # Outside standalone mode, click returns the code of an Exit instead of raising it.
        code = cli.main(args=list(arguments), prog_name="dockertpl", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return error.exit_code
    except click.ClickException as error:
        command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "dockertpl"
        return _fail(BadInputError(error.format_message(), f"See {command} --help."), as_json)
    except (click.Abort, KeyboardInterrupt):
        return _fail(StoppedError(_STOPPED), as_json)
    except Exception as error:
        return _fail(errors.of(error), as_json)


def main() -> NoReturn:
    """Run the command line and exit with the code of the contract. Users see no traceback."""
    spell_out()
    sys.exit(_run(sys.argv[1:]))
