from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from dockertpl import __version__, cli, errors
from dockertpl.commands import new, verify
from dockertpl.errors import DestinationError

PACKAGE = Path(cli.__file__).parent


@pytest.fixture
def instead(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """`instead(FUNCTION)` replaces the command `new` with a function."""
    return lambda run: monkeypatch.setattr(new, "run", run)


def _raise(error: BaseException) -> Callable[..., Any]:
    def run(**_: Any) -> Any:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (DestinationError("x is a link.", "Move it.\nOr not.", path="x"), 2, "destination"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (PermissionError(13, "Permission denied", "/x"), 3, "machine"),
        (RuntimeError("bug"), 3, "internal"),
        (RecursionError("deep"), 3, "internal"),
    ],
)
def test_every_error_is_one_message_and_one_object(
    instead: Callable[..., None], capsys: pytest.CaptureFixture[str], error: BaseException, code: int, word: str
) -> None:
    instead(_raise(error))
    assert cli._run(["new"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("dockertpl: ")
    assert "Traceback" not in captured.err

    assert cli._run(["new", "--json"]) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    result = json.loads(captured.out)
    assert next(iter(result)) == "schema"
    assert result["schema"] == 1
    assert result["error"]["code"] == word
    assert set(result["error"]) == {"code", "message", "remedy"}


def test_advice_is_indented_below_the_message(instead: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    instead(_raise(DestinationError("x\x1b[2J is a link.", "Move it.\nOr not.")))
    cli._run(["new"])
    assert capsys.readouterr().err == "dockertpl: x\\x1b[2J is a link.\n  Move it.\n  Or not.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["new", "--nonsense"],
        ["new", "-d", "port"],
        ["new", "-d", "=8000"],
        ["new", "a", "b"],
        ["new", "--data-file"],
    ],
)
def test_a_bad_command_line_is_bad_input(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli._run(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "--help." in captured.err
    assert cli._run([*arguments, "--json"]) == 2
    if arguments != ["new", "--data-file"]:
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "bad-input"


def test_options_reach_the_command_and_its_exit_code_comes_back(
    instead: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    seen: dict[str, Any] = {}

    def run(**options: Any) -> tuple[int, dict[str, Any]]:
        seen.update(options)
        return 1, {"written": ["ä"]}

    instead(run)
    assert cli._run(["new", "x", "-d", "a=b=c", "--data", "a=2", "-d", "e=", "--kind", "k", "--json", "--dry-run"]) == 1
    assert seen == {
        "destination": Path("x"),
        "data": {"a": "2", "e": ""},
        "data_file": None,
        "kind": "k",
        "defaults": False,
        "no_detect": False,
        "update_bot": None,
        "patch_next_config": False,
        "adopt": False,
        "adopt_file": "",
        "replace": False,
        "accept_dropped": False,
        "dry_run": True,
        "quiet": True,
    }
    assert json.loads(capsys.readouterr().out) == {"schema": 1, "written": ["ä"]}


def test_debugging_shows_where(instead: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(errors.DEBUG, "1")
    instead(_raise(RuntimeError("bug")))
    with pytest.raises(RuntimeError):
        cli._run(["new"])


def _command(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    return subprocess.Popen(
        [sys.executable, "-m", "dockertpl", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def test_help_and_version_import_no_more_than_the_command_line() -> None:
    code = (
        "import sys; from dockertpl import cli\n"
        "assert cli._run(['--help']) == 0\n"
        "assert cli._run(['new', '--help']) == 0\n"
        "assert cli._run(['pin', '--help']) == 0\n"
        "print(sorted({'jinja2', 'yaml', 'copier', 'pathspec', 'subprocess', 'urllib.request'} & sys.modules.keys()))"
    )
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    out, _ = _command("--version").communicate()
    assert out == f"dockertpl, version {__version__}\n"


def test_no_line_of_help_is_cut_off(capsys: pytest.CaptureFixture[str]) -> None:
    for group in ([], ["fleet"]):
        assert cli._run([*group, "--help"]) == 0
        shown = capsys.readouterr().out.replace("[ARGS]...", "")
        assert "..." not in shown
        assert max(map(len, shown.splitlines())) <= 80
    for command in ("discover", "status", "plan"):
        assert cli._run(["fleet", command, "--help"]) == 0
        assert "WHERE is a folder of repositories (default: this one)" in capsys.readouterr().out


def _commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for name, command in group.commands.items():
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += _commands(command, (*path, name))
    return found


@pytest.mark.parametrize("command", _commands(cli.cli), ids=" ".join)
def test_the_help_of_every_command_ends_with_examples(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    assert cli._run([*command, "--help"]) == 0
    shown = capsys.readouterr().out
    examples = [line.strip() for line in shown.partition("\n  Examples:\n")[2].splitlines()]
    assert examples
    assert max(map(len, shown.splitlines())) <= 80
    for example in examples:
        program, *arguments = shlex.split(example)
        assert program == "dockertpl"
        assert tuple(arguments[: len(command)]) == command
        _parse(cli.cli, arguments)


def _parse(command: click.Command, arguments: list[str]) -> None:
    """Parse arguments as click does before it runs a command. A wrong one raises an error."""
    context = command.make_context(command.name, arguments, resilient_parsing=False)
    if isinstance(command, click.Group):
        _, inner, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        assert inner
        _parse(inner, rest)


def test_the_help_names_the_kinds_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    from dockertpl.template.environment import Template
    from dockertpl.template.source import bundled

    assert tuple(Template(bundled()).config.questions["kind"]["choices"].values()) == cli.KINDS
    for command in ("new", "questions"):
        assert cli._run([command, "--help"]) == 0
        shown = "".join(capsys.readouterr().out.split())
        assert all(kind in shown for kind in cli.KINDS)


def test_new_never_imports_copier(tmp_path: Path) -> None:
    code = (
        "import sys; from dockertpl import cli\n"
        f"assert cli._run(['new', {str(tmp_path / 'x')!r}, '--defaults', '--no-detect']) == 0\n"
        "assert not {'copier', 'pydantic', 'questionary'} & sys.modules.keys()"
    )
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)


def test_a_closed_output_pipe_is_not_an_error(tmp_path: Path) -> None:
    process = _command(
        "new", str(tmp_path / "x"), "--defaults", "--no-detect", "--dry-run", stderr=subprocess.PIPE, bufsize=1
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 0


def test_what_an_encoding_does_not_have_is_spelled_out(tmp_path: Path) -> None:
    (tmp_path / "データ" / ".git").mkdir(parents=True)
    code = "import sys; from dockertpl.cli import main; sys.argv[1:] = ['fleet', 'discover']; main()"
    environment = {**os.environ, "PYTHONPATH": str(PACKAGE.parent), "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, capture_output=True, check=True)
    assert done.stdout == rb"\u30c7\u30fc\u30bf" + b"\n"


def test_ctrl_c_ends_with_130_and_no_traceback(tmp_path: Path) -> None:
    fifo = tmp_path / "answers.yml"
    os.mkfifo(fifo)
    process = _command("new", str(tmp_path / "x"), "--data-file", str(fifo), stderr=subprocess.PIPE)
    # Opening for writing succeeds when the command has opened it for reading. Now the command waits.
    writer = os.open(fifo, os.O_WRONLY)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    os.close(writer)
    assert process.returncode == 130
    assert err == "dockertpl: interrupted; nothing was changed.\n"
    assert not (tmp_path / "x").exists()


def test_a_variable_without_a_value_is_passed_on_and_one_that_is_not_set_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(verify, "run", lambda **options: (given.update(options), (0, {}))[1])
    monkeypatch.setenv("MINE", "a=b")
    monkeypatch.delenv("NOT_SET", raising=False)
    assert cli._run(["verify", "-e", "MINE", "--env", "OTHER=1=2"]) == 0
    assert given["environment"] == {"MINE": "a=b", "OTHER": "1=2"}
    assert cli._run(["verify", "-e", "NOT_SET"]) == 2
    assert "NOT_SET is not set" in capsys.readouterr().err
