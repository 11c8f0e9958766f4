"""How many questions remain: none, if detection finds every answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.samples import next_sample, sample
from tests.wizard.typist import Typist

from dockertpl.actions.action_flags import Actions
from dockertpl.scaffold.session import Session
from dockertpl.template import presentation
from dockertpl.template.environment import Template
from dockertpl.template.source import bundled
from dockertpl.wizard.flow import Wizard

# Only the parts of a lock that detection reads. A real lock needs the network.
LOCKS = {
    "uv.lock": "version = 1\n",
    "poetry.lock": '[metadata]\nlock-version = "2.1"\n',
    "pdm.lock": '[metadata]\nlock_version = "4.5.0"\n',
    "Pipfile.lock": '{"_meta": {}, "default": {}, "develop": {}}\n',
    "requirements.txt": "fastapi==0.115.0\nuvicorn==0.30.0\n",
    "package-lock.json": '{"lockfileVersion": 3, "packages": {}}\n',
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    "yarn.lock": "# yarn lockfile v1\n",
    "bun.lock": '{"lockfileVersion": 1}\n',
}
PYTHON = [
    (manager, layout)
    for manager in sample.catalog()["managers"]
    for layout in sample.catalog()["layouts"]
    if sample.is_possible(manager, layout)
]
NEXT = [
    (manager, layout)
    for manager in next_sample.catalog()["managers"]
    for layout in next_sample.catalog()["layouts"]
    if next_sample.is_possible(manager, layout)
]


@pytest.fixture(scope="module")
def template() -> Template:
    return Template(bundled())


def _questions(template: Template, root: Path) -> tuple[int, list[str]]:
    """Return the number of questions for a user who accepts every default, and the prompts that need Enter."""
    typist = Typist()
    session = Session(template, root, given={}, in_file={}, detecting=True, actions=Actions())
    wizard = Wizard(session, presentation.load(template), typist, dry_run=False)
    assert wizard.run().to_write
    return wizard.asked, typist.asked


@pytest.mark.slow
@pytest.mark.parametrize(("manager", "layout"), PYTHON)
def test_a_fastapi_repository_that_says_all_leaves_no_question(
    template: Template, manager: str, layout: str, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    sample.write_sample(root, manager=manager, layout=layout, server="uvicorn", lock=False)
    lock = sample.catalog()["managers"][manager].get("lock_file")
    if lock and not (root / lock).exists():
        (root / lock).write_text(LOCKS[lock])
    assert _questions(template, root) == (0, ["What now?", "Write it?"])


@pytest.mark.parametrize(("manager", "layout"), NEXT)
def test_a_nextjs_repository_that_says_all_leaves_no_question(
    template: Template, manager: str, layout: str, tmp_path: Path
) -> None:
    root = tmp_path / "repository"
    next_sample.write_next_sample(root, manager=manager, router="app", layout=layout, lock=False)
    lock = next_sample.catalog()["managers"][manager]["lock_file"]
    (root / lock).write_text(LOCKS[lock] if manager == "yarn" or lock != "yarn.lock" else "__metadata:\n  version: 8\n")
    assert _questions(template, root) == (0, ["What now?", "Write it?"])


def test_what_the_repository_does_not_say_is_one_question(template: Template, tmp_path: Path) -> None:
    root = tmp_path / "repository"
    sample.write_sample(root, manager="uv", layout="flat", server="uvicorn", lock=False)
    (root / "uv.lock").write_text(LOCKS["uv.lock"])
    manifest = (root / "pyproject.toml").read_text()
    (root / "pyproject.toml").write_text(
        manifest.replace('requires-python = ">=3.11,<3.14"', 'requires-python = "<3.9"')
    )
    assert _questions(template, root) == (1, ["What now?", "Python version", "Write it?"])
