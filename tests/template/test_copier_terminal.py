"""`copier copy` on a terminal, with Enter at every question: the questions of each kind, and the result.

`python -m tests.template.test_copier_terminal` records the questions again.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from tests.parity import copy_template, read_tree
from tests.wizard.terminal import DOWN, ENTER, Terminal

from dockertpl.scaffold.rerun_command import SHORT_SOURCE, copiers
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled, directory

pytestmark = pytest.mark.slow

RECORDED = Path(__file__).parent / "copier"
KINDS = ("python-fastapi", "nextjs-standalone", "sandbox-multi-runtime", "shared-base")
#: A row where a question begins, by Copier's mark.
_MARK = "🎤"
_LAST = "Which other settings"


def questions(template: Path, kind: str, folder: Path) -> list[str]:
    """Run `copier copy` in a new folder, with Enter at all questions but the kind. Return the rows of each."""
    folder.mkdir(parents=True)
    with Terminal(["-m", "copier", "copy", str(template), "."], folder) as terminal:
        terminal.see("What kind of image?")
        terminal.settle()
        terminal.press(DOWN * KINDS.index(kind), ENTER)
        while _LAST not in terminal.screen:
            terminal.settle()
            terminal.press(ENTER)
        terminal.settle()
        terminal.press(ENTER)
        terminal.see("Next:")
        assert terminal.end() == 0
        rows = terminal.transcript
    rows = rows[: next(number for number, row in enumerate(rows) if row.startswith("Copying from"))]
    return [row for row in rows if row]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_template(tmp_path_factory.mktemp("template"))


@pytest.mark.parametrize("kind", KINDS)
def test_plain_copier_asks_at_most_eleven_questions(kind: str, root: Path, tmp_path: Path) -> None:
    rows = questions(root, kind, tmp_path / "orders")
    assert "\n".join(rows) + "\n" == (RECORDED / f"{kind}.txt").read_text(encoding="utf-8"), __doc__
    assert 8 <= len([row for row in rows if row.startswith(_MARK)]) <= 11

    template = Template(directory(root))
    expected = render(template, resolve(template, folder_name="orders", data={"kind": kind}))
    assert read_tree(tmp_path / "orders").keys() == expected.keys()


ANSWERS = {
    "kind": "nextjs-standalone",
    "name": "shop",
    "app_dir": "apps/web",
    "context": ".",
    "manager": "pnpm",
    "workspace_members": ["packages/ui"],
    "build_env": {"GREETING": 'it\'s $(a) "test"'},
    "flavor": "distroless",
    "strip": False,
    "registry": "ecr",
    "image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/shop",
    "aws_role": "arn:aws:iam::123456789012:role/push-shop",
    "attest": False,
}


def test_the_command_for_copier_runs_as_it_is_printed_and_asks_nothing(root: Path, tmp_path: Path) -> None:
    template = Template(bundled())
    answers = resolve(template, folder_name="orders", data=ANSWERS)
    (tmp_path / "orders").mkdir()
    command = copiers(template, answers, tmp_path / "orders")
    # Split it as a shell does, and replace the published template with this one.
    words = shlex.split(command.replace(SHORT_SOURCE, str(root)))
    done = subprocess.run(
        [sys.executable, "-m", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert read_tree(tmp_path / "orders").keys() == render(template, answers).keys()
    copied = (tmp_path / "orders" / "apps" / "web" / "Dockerfile").read_bytes()
    assert copied == render(template, answers)["apps/web/Dockerfile"].content


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        template = copy_template(Path(place) / "template")
        for one in KINDS:
            text = "\n".join(questions(template, one, Path(place) / one / "orders")) + "\n"
            (RECORDED / f"{one}.txt").write_text(text, encoding="utf-8")
