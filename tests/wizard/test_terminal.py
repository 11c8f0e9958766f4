from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

import pytest
from tests.parity import read_tree
from tests.wizard import recording, repositories
from tests.wizard.terminal import DOWN, END_OF_INPUT, ENTER, INTERRUPT, Terminal, dockertpl

from dockertpl.actions.action_flags import Actions
from dockertpl.scaffold.rerun_command import typed
from dockertpl.scaffold.session import Session
from dockertpl.template import presentation
from dockertpl.template.environment import Template
from dockertpl.template.source import bundled

pytestmark = pytest.mark.slow

KINDS = list(repositories.FILES)
# Several runs of the command line in one process, since Python's start takes most of a run. Each waits for Enter at its
# end, so the next one does not scroll its output away.
_SEVERAL = """
import json, sys
from dockertpl import cli
for number, arguments in enumerate(json.load(open(sys.argv[1]))):
    input(f"run {number} ended with {cli._run(arguments)}")
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_each_kind_looks_as_it_was_recorded(kind: str, tmp_path: Path) -> None:
    screens = recording.record(kind, repositories.make(kind, tmp_path))
    expected = (recording.SCREENS / f"{kind}.txt").read_text()
    assert recording.as_text(screens) == expected, "python -m tests.wizard.recording records it anew"


@pytest.mark.parametrize("columns", recording.OTHER_WIDTHS)
def test_a_run_uses_the_width_of_the_terminal(columns: int, tmp_path: Path) -> None:
    screens = recording.record(recording.WIDE, repositories.make(recording.WIDE, tmp_path), columns)
    expected = (recording.SCREENS / recording.name_of(recording.WIDE, columns)).read_text()
    assert recording.as_text(screens) == expected, "python -m tests.wizard.recording records it again"


def test_a_long_list_shows_that_it_goes_on_and_is_filtered_by_typing(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    with Terminal(dockertpl("new"), root, rows=12) as terminal:
        terminal.see("What now?", "(arrows")
        terminal.press(DOWN, ENTER)
        terminal.see("Change what?")
        terminal.settle()
        terminal.press(DOWN, ENTER)
        terminal.see("Image: which?", "type to filter", "v")
        terminal.settle()
        rows = [row for row in terminal.screen.splitlines() if len(row) > 70]
        assert any(row.endswith("^") for row in rows)
        assert any(row.endswith("v") for row in rows)
        terminal.type("proxy")
        terminal.see("Behind a proxy")
        terminal.settle()
        assert "Flavor" not in terminal.screen
        terminal.press(ENTER)
        terminal.see("Image: Behind a proxy")
        terminal.press(INTERRUPT)
        assert terminal.end() == 130


def test_questions_stay_on_the_terminal_where_stdout_is_a_pipe(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    command = f"{sys.executable} {shlex.join(dockertpl('new'))} | cat"
    with Terminal(["-c", f"import os; os.execvp('sh', ['sh', '-c', {command!r}])"], root) as terminal:
        terminal.see("What now?", "(arrows")
        assert not (root / "Dockerfile").exists()
        terminal.press(INTERRUPT)
        terminal.end()
    assert not (root / "Dockerfile").exists()


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.thorough)])
@pytest.mark.parametrize("kind", KINDS)
def test_stopping_at_any_question_leaves_the_tree_untouched(kind: str, every: int, tmp_path: Path) -> None:
    root = repositories.make(kind, tmp_path)
    runs = _one_for_each_question(kind, root)
    assert len(runs) > 20
    # The last question, and one of so many before it.
    tried = range((len(runs) - 1) % every, len(runs), every)
    (tmp_path / "runs.json").write_text(json.dumps([runs[place][0] for place in tried]))
    before = read_tree(root)
    with Terminal(["-c", _SEVERAL, str(tmp_path / "runs.json")], root) as terminal:
        for number, place in enumerate(tried):
            terminal.see("What now?", "(arrows")
            # All keys at once: the program reads one key at a time.
            terminal.press(DOWN, DOWN, ENTER)
            terminal.see(f"1 of {len(runs) - place}: {runs[place][1]}")
            terminal.settle()
            terminal.press(INTERRUPT)
            terminal.see(f"run {number} ended with 130")
            assert "nothing was changed" in terminal.screen
            assert read_tree(root) == before
            terminal.press(ENTER)
        assert terminal.end() == 0


def _one_for_each_question(kind: str, root: Path) -> list[tuple[list[str], str]]:
    """Return a command line and a title for each question. The command line answers the questions before it."""
    template = Template(bundled())
    shown = presentation.load(template)
    given: dict[str, str] = {} if kind not in ("sandbox-multi-runtime", "shared-base") else {"kind": kind}
    session = Session(template, root, given=given, in_file={}, detecting=True, actions=Actions())
    runs = []
    for name in [name for group in shown.groups for name in group.questions]:
        prompt = session.interview.prompts.get(name)
        if prompt:
            flags = [word for key, value in given.items() for word in ("-d", f"{key}={value}")]
            runs.append((["new", *flags], shown.title(name)))
            session.say(name, prompt.default)
            given = {**given, name: typed(prompt.default)}
    return runs


def test_a_stopped_run_resumes_with_the_printed_command(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    before = read_tree(root)
    with Terminal(dockertpl("new"), root) as terminal:
        terminal.see("What now?", "(arrows")
        terminal.press(DOWN, DOWN, ENTER)
        terminal.see("1 of", "(arrows")
        terminal.press(ENTER)
        terminal.see("2 of", "Enter takes it")
        terminal.type("billing")
        terminal.see("3 of", "Enter takes it")
        terminal.press(INTERRUPT)
        assert terminal.end() == 130
        command = next(line.strip() for line in terminal.screen.splitlines() if line.startswith("  dockertpl new"))
    assert read_tree(root) == before
    assert command == "dockertpl new -d kind=python-fastapi -d name=billing"
    with Terminal(dockertpl(*command.split()[1:]), root) as terminal:
        terminal.see("Image name", "billing", "given", "What now?", "(arrows")
        terminal.press(ENTER)
        terminal.see("Write it?", "(arrows")
        terminal.press(ENTER)
        terminal.see("The same with Copier:")
        terminal.press(ENTER)
        assert terminal.end() == 0
    assert b"name: billing\n" in (root / ".copier-answers.yml").read_bytes()


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"DOCKERTPL_PLAIN": "1"}])
def test_a_screen_reader_gets_lines_and_nothing_that_moves(environment: dict[str, str], tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    with Terminal(dockertpl("new"), root, environment) as terminal:
        terminal.see("  3) go through every question", "What now? [1]:")
        terminal.press("3", ENTER)
        terminal.see("Kind of image", '("<" goes back) [1]:')
        terminal.press(ENTER)
        terminal.see("Image name", "[orders]:")
        terminal.press("My App", ENTER)
        terminal.see('! "My App" is not an image name')
        terminal.press("<", ENTER)
        terminal.see("Your answer: python-fastapi.")
        terminal.press("<", ENTER)
        terminal.settle()
        terminal.press(ENTER)
        terminal.see("Write it?")
        terminal.press("1", ENTER)
        terminal.see("Written:", "The same with Copier:")
        terminal.press(ENTER)
        assert terminal.end() == 0
    assert b"\x1b" not in terminal.raw
    assert (root / "Dockerfile").is_file()


def test_the_end_of_input_stops_as_ctrl_c_does(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    before = read_tree(root)
    with Terminal(dockertpl("new"), root, {"TERM": "dumb"}) as terminal:
        terminal.see("What now? [1]:")
        terminal.press(END_OF_INPUT)
        assert terminal.end() == 130
    assert read_tree(root) == before


def test_no_color_means_none(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    for environment, colored in (({}, True), ({"NO_COLOR": "1"}, False)):
        with Terminal(dockertpl("new"), root, environment) as terminal:
            terminal.see("What now?", "(arrows")
            terminal.press(ENTER)
            terminal.see("Write it?", "(arrows")
            terminal.settle()
            colors = {cell.fg for row in terminal.cells for cell in row}
            terminal.press(INTERRUPT)
            terminal.end()
        assert (colors != {"default"}) is colored
