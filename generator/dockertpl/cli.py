"""Arguments, nothing else. Commands are imported when they run, so that `--help` is quick."""

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
#: The kinds of image, as `copier.yml` has them, which is not read for `--help`.
KINDS = ("python-fastapi", "nextjs-standalone", "sandbox-multi-runtime", "shared-base")
_STOPPED = "interrupted; nothing was changed."


def _pairs(_context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """Turn repeated KEY=VALUE options into a dictionary; a later one wins."""
    result = {}
    for value in values:
        key, equals, text = value.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"{value!r} is not KEY=VALUE.", param=parameter)
        result[key] = text
    return result


def _variables(_context: click.Context, parameter: click.Parameter, values: Sequence[str]) -> dict[str, str]:
    """Turn repeated KEY=VALUE options into a dictionary; KEY alone passes a variable of the caller's on."""
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
    """Run `dockertpl.commands.<command>.run(**options)` and leave with its exit code.

    With `--json`, what it returns is printed as the one object of the contract, or written to a file.
    """
    as_json = options.pop("as_json")
    quiet = options.pop("quiet", False) or as_json
    # Here and not in _run, as click has answers of its own to these two.
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
    "--kind", metavar="K", help=f"The kind of image: {', '.join(KINDS[:-1])} or {KINDS[-1]}. The same as -d kind=K."
)
_destination = click.argument("destination", metavar="[DEST]", default=".", type=click.Path(path_type=Path))
_answers_files = click.option(
    "--answers-file",
    "answers_files",
    type=click.Path(path_type=Path),
    metavar="F",
    multiple=True,
    help="The image that is meant, where there are several; repeatable.",
)
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout and nothing else.")


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
    help="An answer; repeatable. List them with: dockertpl questions.",
)
@click.option("--data-file", type=click.Path(path_type=Path), metavar="F", help="Answers from a YAML file.")
@click.option("--defaults", is_flag=True, help="Ask nothing: take what was detected, then the defaults.")
@click.option("--no-detect", is_flag=True, help="Do not look at the repository, as plain Copier does not.")
@click.option(
    "--update-bot",
    type=click.Choice(["renovate", "dependabot", "none"]),
    help="Tell this bot about the image's pins (default: ask, where one is configured).",
)
@click.option("--patch-next-config", is_flag=True, help="Set output: 'standalone' in next.config, where it is not set.")
@click.option("--adopt", is_flag=True, help="Convert the existing Dockerfile (the default where one is found).")
@click.option("--adopt-file", metavar="F", default="", help="The Dockerfile to convert, where there are several.")
@click.option("--accept-dropped", is_flag=True, help="Go on without what cannot be converted.")
@click.option("--replace", is_flag=True, help="Replace existing files and convert nothing. Git keeps the old ones.")
@_dry_run
@_json
def new(**options: Any) -> None:
    """Put an image's files into the repository at DEST.

    Looks at the repository first, so that it asks little. An existing Dockerfile and its ignore file are
    converted. Nothing is written until every file is known; any other file that exists and differs stops it.
    """
    _call("new", **options)


@cli.command(
    short_help="Show what is known of an application, and from where.",
    epilog=_examples("dockertpl inspect", "dockertpl inspect services/api --json"),
)
@_destination
@_json
def inspect(**options: Any) -> None:
    """Show what is known of the application at DEST, each fact with its file and line."""
    _call("inspect", **options)


def _strictly(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command build an image and run it as production would."""
    for option in reversed(_RUN_OPTIONS):
        command = option(command)
    return command


_RUN_OPTIONS = (
    _destination,
    click.option("--file", "dockerfile", type=click.Path(path_type=Path), metavar="F", help="The Dockerfile to build."),
    click.option("--target", metavar="T", help="The stage to build (default: the last)."),
    click.option(
        "--build-arg", "build_args", metavar="K=V", multiple=True, callback=_pairs, help="A build argument; repeatable."
    ),
    click.option("--secret", "secrets", metavar="SPEC", multiple=True, help="A BuildKit secret: id=NAME,src=FILE."),
    click.option("--ssh", metavar="SPEC", multiple=True, help="An SSH agent or key for the build, such as default."),
    click.option(
        "--env",
        "-e",
        "environment",
        metavar="K[=V]",
        multiple=True,
        callback=_variables,
        help="A variable for the container; K alone passes on your own.",
    ),
    click.option(
        "--env-file",
        "env_files",
        metavar="F",
        multiple=True,
        type=click.Path(path_type=Path),
        help="A file of such variables; repeatable.",
    ),
    click.option("--tmpfs", metavar="P", multiple=True, help="A path that the application may write to; repeatable."),
    click.option(
        "--network", metavar="N", help="A Docker network to put the container on, such as that of its database."
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
        help="A throwaway server beside it: postgres, mysql, mariadb, redis, valkey, mongo; or NAME=IMAGE.",
    ),
    click.option(
        "--run", "run_first", metavar="CMD", multiple=True, help="Run this in the image first, such as migrations."
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
@click.option("--path", "paths", metavar="P", multiple=True, help="Another path to ask for once it is healthy.")
@click.option("--paths-only", is_flag=True, help="Ask for the paths of --path and for no others.")
@click.option("--max-bytes", metavar="N", help="The most unpacked bytes, such as 250MB; more is a failure.")
@click.option(
    "--max-ready",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    help="The most seconds from start to the first good answer.",
)
@click.option(
    "--baseline",
    metavar="FILE|REF",
    help="Fail on 10% growth over the JSON of an earlier verify, or over a commit, which is built for it.",
)
@click.option("--markdown", metavar="FILE", help="Write a summary in Markdown; - is stdout.")
@click.option("--keep", is_flag=True, help="Leave the container running, whatever comes of it.")
@click.option("--all", "all_images", is_flag=True, help="Verify every image of the repository in turn.")
@_json
def verify(**options: Any) -> None:
    """Build the image at DEST, run it as production would, wait until it is healthy, and stop it.

    As the image's own user, on a read-only root, without capabilities, on a loopback port. Once it is healthy,
    it is asked for some of its routes, pages and files, and its log is read.
    """
    _call("verify_all" if options.pop("all_images") else "verify", **options)


@cli.command(
    "run",
    short_help="Start an image as verify does, and print its URL.",
    epilog=_examples("dockertpl run", "dockertpl run --with redis -e DEBUG=1"),
)
@_strictly
def run_image(**options: Any) -> None:
    """Build the image at DEST, start it as `verify` does, and print its URL. Ctrl-C stops it.

    Nothing but the URL is written to stdout; the log goes to stderr.
    """
    _call("run", as_json=False, **options)


@cli.command(
    short_help="Pin base images to the digests that their tags have now.",
    epilog=_examples("dockertpl pin", "dockertpl pin --dry-run --registry-mirror docker.io=mirror.example.com/hub"),
)
@_destination
@_answers_files
@click.option(
    "--registry-mirror",
    "registry_mirrors",
    metavar="HOST=MIRROR",
    multiple=True,
    help="Ask MIRROR[/FOLDER] in place of HOST, such as docker.io; repeatable.",
)
@_dry_run
@_json
def pin(**options: Any) -> None:
    """Pin the base images of the Dockerfiles at DEST to the digests that their tags have now.

    Asks each image's registry, and writes the digests into the answers files and the Dockerfiles. Of a file
    that you edited, it moves the references and leaves everything else as it is.
    """
    _call("pin", **options)


@cli.command(
    short_help="Bring the template's changes, or other answers, into a repository.",
    epilog=_examples(
        "dockertpl update --dry-run", "dockertpl update -d flavor=distroless", "dockertpl update --to v1.2.0"
    ),
)
@_destination
@click.option("--to", metavar="REF", help="The version to go to (default: the latest release; :current: for this one).")
@click.option("-d", "--data", metavar="KEY=VALUE", multiple=True, callback=_pairs, help="Another answer; repeatable.")
@_answers_files
@click.option(
    "--conflict",
    type=click.Choice(["markers", "rej", "stop"]),
    default="markers",
    show_default=True,
    help="Lines that you and the template changed: both in the file, the template's in F.rej, or write nothing.",
)
@_dry_run
@_json
def update(**options: Any) -> None:
    """Bring the template's changes, or changed answers, into the repository at DEST.

    What you edited is merged with what the template changed; nothing that you wrote is lost. Writes all of it or
    nothing, and only into files that are committed.
    """
    _call("update", **options)


@cli.command(
    short_help="Show of which version images are, and what was edited.",
    epilog=_examples("dockertpl status", "dockertpl status --json"),
)
@_destination
@_json
def status(**options: Any) -> None:
    """Show which template the images at DEST are from, which version, what is newer, and what was edited."""
    _call("status", **options)


@cli.command(
    "questions",
    short_help="List the answers that new takes, or describe one.",
    epilog=_examples(
        "dockertpl questions", "dockertpl questions flavor", "dockertpl questions --kind nextjs-standalone --json"
    ),
)
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--kind", metavar="K", help=f"Only what this kind asks: {', '.join(KINDS[:-1])} or {KINDS[-1]}.")
@_json
def questions(**options: Any) -> None:
    """List the answers that `new` takes, or describe the answer NAME.

    Shows what it asks, its default, when it is asked, its choices, and an example.
    """
    _call("list_questions", **options)


_places = click.argument("places", metavar="[WHERE]...", nargs=-1)
_include = click.option(
    "--include", metavar="PATTERN", multiple=True, help="Only repositories like shop-*; repeatable."
)
_exclude = click.option("--exclude", metavar="PATTERN", multiple=True, help="No repositories like old-*; repeatable.")
_branch = click.option(
    "--branch", metavar="B", default="", help="The branch to start from (default: the one checked out, or a remote's)."
)
_template = click.option("--template", metavar="URL", help="The template whose images are meant (default: ours).")
_to = click.option("--to", metavar="REF", help="The version to go to (default: the latest release).")
_jobs = click.option(
    "--jobs", type=click.IntRange(1, 64), metavar="N", default=8, show_default=True, help="Repositories at once."
)


_WHERE = (
    "WHERE is a folder of repositories (default: this one), a file with one place a line, a URL, github:OWNER "
    "(?topic=T, ?search=WORDS), or gitlab:GROUP."
)


def _named(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take repositories."""
    for option in (_branch, _exclude, _include, _places):
        command = option(command)
    return command


def _looking(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take repositories, and what their images are to be."""
    for option in (_jobs, _to, _template, _named):
        command = option(command)
    return command


_FORMS = ("table", "json", "csv", "markdown", "html")
#: What lets CI run a plan's shards.
_DIVIDED = ("github-matrix", "gitlab")
_format = click.option(
    "--format", "form", type=click.Choice(_FORMS), default="table", show_default=True, help="What is printed."
)
_quiet = click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors: the exit code says it.")
_into = click.option("--output", "-o", type=click.Path(path_type=Path), metavar="F", help="Write it to this file.")


def _fleet(command: str, **options: Any) -> NoReturn:
    """Run a command of the fleet's; `--format json` is `--json`, and goes to the file that a report would go to."""
    form, into = options.get("form"), None
    if options["as_json"] and form in _DIVIDED:
        raise click.UsageError(f"--json and --format {form} both want standard output. Name one of them.")
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

    First `plan`, then `apply` what was planned. `status` looks, `report` tells what became of it, and `resume` goes
    on after a stop.
    """


@fleet.command(
    "discover", epilog=_examples("dockertpl fleet discover 'github:acme?topic=python' --exclude 'old-*'", more=_WHERE)
)
@_named
@_json
def fleet_discover(**options: Any) -> None:
    """List the repositories at WHERE, one a line."""
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
@click.option("--glance", is_flag=True, help="Read answers files only, through the forge's API: clone nothing.")
@_format
@_into
@_quiet
@_json
def fleet_status(**options: Any) -> None:
    """Show the state of each image of the repositories at WHERE."""
    _fleet("status", **options)


@fleet.command(
    "plan",
    short_help="Write what an update would change; change nothing.",
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
    help="Write the plan to this file.",
)
@click.option("--diff", is_flag=True, help="Print the differences.")
@click.option("--shards", type=click.IntRange(0), default=0, metavar="N", help="Divide the plan into N runs.")
@click.option(
    "--format",
    "form",
    type=click.Choice([*_FORMS, *_DIVIDED]),
    default="table",
    show_default=True,
    help="What is printed; with --shards, what lets CI run them.",
)
@_quiet
@_json
def fleet_plan(**options: Any) -> None:
    """Write what an update would change in the repositories at WHERE; change nothing.

    The same repositories, template and version give the same plan, and the same hash.
    """
    _fleet("plan", **options)


@fleet.command(
    "apply",
    short_help="Make a plan's changes: branches and pull requests.",
    epilog=_examples(
        "dockertpl fleet apply fleet-plan.jsonl --branches-only",
        "dockertpl fleet apply fleet-plan.jsonl --waves 5,20% --verify",
    ),
)
@click.argument("plan", type=click.Path(path_type=Path))
@_jobs
@click.option("--shard", metavar="K/N", default="", help="Only this part of the plan.")
@click.option("--branches-only", is_flag=True, help="Push branches, and open no pull requests.")
@click.option(
    "--on-conflict",
    type=click.Choice(["issue", "draft", "skip"]),
    default="issue",
    show_default=True,
    help="Tell of conflicts in an issue, in a draft with the rest in .rej files, or nowhere else.",
)
@click.option("--draft", is_flag=True, help="Open pull requests as drafts.")
@click.option("--reopen", is_flag=True, help="Open another pull request where a person closed one.")
@click.option("--verify", is_flag=True, help="Build and run each image before its branch is pushed.")
@click.option("--author", metavar="'NAME <MAIL>'", default="", help="Who commits (default: dockertpl).")
@click.option("--waves", metavar="N,M%,…", default="", help="In waves: first N images, then M% of them, then all.")
@click.option("--max-failures", metavar="N|N%", default="", help="Stop where more images fail.")
@click.option("--pause", is_flag=True, help="Stop after each wave; resume goes on.")
@click.option(
    "--journal", type=click.Path(path_type=Path), metavar="F", help="Note what was done here (default: beside PLAN)."
)
@_quiet
@_json
def fleet_apply(**options: Any) -> None:
    """Make PLAN's changes: a branch each, and a pull request where there is a forge.

    No work tree is touched, and nothing that a person committed to a branch of ours is overwritten.
    """
    _fleet("apply", **options)


@fleet.command(
    "resume",
    short_help="Go on with an apply that was stopped, paused or killed.",
    epilog=_examples("dockertpl fleet resume fleet-plan.journal.jsonl --failed"),
)
@click.argument("journal", type=click.Path(path_type=Path))
@click.option("--failed", is_flag=True, help="Do again what failed or needed a person, too.")
@_quiet
@_json
def fleet_resume(**options: Any) -> None:
    """Go on with an apply that was stopped, paused or killed, by its JOURNAL."""
    _fleet("resume", **options)


@fleet.command(
    "report",
    short_help="Show what became of a plan.",
    epilog=_examples("dockertpl fleet report fleet-plan.journal.jsonl --format markdown"),
)
@click.argument("journals_of", metavar="JOURNAL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--plan", type=click.Path(path_type=Path), metavar="F", help="Also tell of what no journal has.")
@_format
@_into
@_quiet
@_json
def fleet_report(**options: Any) -> None:
    """Show what became of a plan, by the JOURNAL of each of its shards."""
    _fleet("report", **options)


def _fail(error: DockertplError, as_json: bool) -> int:
    """Report one error in the form that was asked for and return its exit code."""
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, **error.data, "error": error.as_json()}, indent=2))
    else:
        tell(error)
    return error.exit_code


def _run(arguments: Sequence[str]) -> int:
    as_json = not {"--json", "--format=json"}.isdisjoint(arguments) or ("--format", "json") in pairwise(arguments)
    try:
        # Without standalone mode click returns the code of an Exit instead of raising it.
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
    """Run the command line and leave with the contract's exit code; no traceback reaches a user."""
    spell_out()
    sys.exit(_run(sys.argv[1:]))
