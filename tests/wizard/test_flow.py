from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.wizard import repositories
from tests.wizard.typist import Typist

from dockertpl.actions.action_flags import Actions
from dockertpl.errors import StoppedError
from dockertpl.scaffold.prepare import Scaffold
from dockertpl.scaffold.session import Session
from dockertpl.template import presentation
from dockertpl.template.environment import Template
from dockertpl.template.source import bundled
from dockertpl.wizard.console import BACK
from dockertpl.wizard.flow import Wizard

TEMPLATE = Template(bundled())
SHOWN = presentation.load(TEMPLATE)


def _lead(root: Path, answers: dict[str, Any], *, dry_run: bool = False, adopt: bool = True) -> tuple[Scaffold, Typist]:
    """Return the answers that a user with those inputs confirms, and the user."""
    typist = Typist(answers)
    actions = Actions(tell_bot=True, adopt=adopt)
    session = Session(TEMPLATE, root, given={}, in_file={}, detecting=True, actions=actions)
    return Wizard(session, SHOWN, typist, dry_run=dry_run).run(), typist


def test_going_back_keeps_answers_and_going_forward_offers_them(tmp_path: Path) -> None:
    answers = {
        "What now?": ["every question", "every question"],
        "Image name": ["billing", BACK, None],
        "Application folder": [BACK],
        "Kind of image": [None, BACK],
    }
    scaffold, typist = _lead(repositories.make("python-fastapi", tmp_path), answers)
    assert scaffold.answers.values["name"] == "billing"
    start = typist.asked[: typist.asked.index("Build context")]
    assert start == [
        "What now?",
        "Kind of image",
        "Image name",
        "Application folder",
        "Image name",
        "Kind of image",
        "What now?",
        "Kind of image",
        "Image name",
        "Application folder",
    ]
    assert typist.seen.count("Your answer: billing.") == 2


def test_what_becomes_a_question_by_an_answer_is_asked_before_the_review(tmp_path: Path) -> None:
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders"
    answers = {
        "What now?": ["change something"],
        "Change what?": ["CI:", "done"],
        "CI: which?": ["Registry", BACK],
        "Registry": ["ecr"],
        "Image in the registry": ["no image", image],
        "AWS role": ["arn:aws:iam::123456789012:role/push"],
    }
    scaffold, typist = _lead(repositories.make("python-fastapi", tmp_path), answers)
    assert scaffold.answers.values["image"] == image
    assert typist.asked[-3:] == ["Image in the registry", "AWS role", "Write it?"]
    assert '! "no image" is not an image' in typist.seen


def test_an_answer_that_another_made_wrong_is_asked_again_with_the_reason(tmp_path: Path) -> None:
    answers = {
        "What now?": ["change something"],
        "Change what?": ["Image:", "done"],
        "Image: which?": ["Shared base image", "Flavor", BACK],
        "Shared base image": ["registry.example/base-python:main", ""],
        "Flavor": ["distroless"],
    }
    scaffold, typist = _lead(repositories.make("python-fastapi", tmp_path), answers)
    assert scaffold.answers.values["flavor"] == "distroless"
    assert scaffold.answers.values["base_image"] == ""
    assert "registry.example/base-python:main is no longer valid: The flavor distroless has" in " ".join(
        typist.seen.split()
    )


def test_the_bot_and_the_config_are_changed_as_the_review_says(tmp_path: Path) -> None:
    root = repositories.make("nextjs-standalone", tmp_path)
    (root / "renovate.json").write_text("{}\n")
    scaffold, _ = _lead(root, {})
    assert {entry.path for entry in scaffold.extra} == {"renovate.json"}
    scaffold, _ = _lead(root, {"Write it?": ["also put output", "do not put "]})
    assert {entry.path for entry in scaffold.extra} == {"renovate.json"}
    assert scaffold.answers.values["standalone"] is False
    scaffold, _ = _lead(root, {"Write it?": ["also put output", 'do not put "github']})
    assert {entry.path for entry in scaffold.extra} == {"next.config.mjs"}
    assert scaffold.answers.values["standalone"] is True


def test_enter_does_not_confirm_when_the_old_dockerfile_loses_something(tmp_path: Path) -> None:
    root = repositories.make("old-dockerfile", tmp_path)
    scaffold, typist = _lead(root, {})
    assert typist.asked == ["What now?", "Write it?", "Write it?"]
    assert typist.offered["Write it?"][0] == "write 6 files, without what is dropped above"
    assert "The old one" in typist.seen
    assert [copy.path for copy in scaffold.copies] == ["Dockerfile.before-dockertpl"]


def test_an_unreadable_dockerfile_blocks_the_write_and_is_reported(tmp_path: Path) -> None:
    root = repositories.make("python-fastapi", tmp_path)
    (root / "Dockerfile").write_text("FROM python:3.13\nRNU x\n")
    typist = Typist({"Write it?": ["stop"]})
    session = Session(TEMPLATE, root, given={}, in_file={}, detecting=True, actions=Actions(adopt=True))
    with pytest.raises(StoppedError):
        Wizard(session, SHOWN, typist, dry_run=False).run()
    assert "Dockerfile:2" in typist.seen
    assert "Dockerfile (exists, and differs)" in typist.seen
    assert "Dockerfile would be lost" in typist.offered["Write it?"][0]


def test_a_dry_run_says_that_it_writes_nothing(tmp_path: Path) -> None:
    _, typist = _lead(repositories.make("python-fastapi", tmp_path), {}, dry_run=True)
    assert typist.offered["Write it?"][0] == "show what would be written to 5 files"
