from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.wizard import repositories

from dockertpl.actions.action_flags import Actions
from dockertpl.errors import BadAnswerError, BadInputError
from dockertpl.scaffold.session import Session
from dockertpl.template.environment import Template
from dockertpl.template.source import bundled

TEMPLATE = Template(bundled())


def _session(root: Path, **given: Any) -> Session:
    return Session(TEMPLATE, root, given=given, in_file={}, detecting=True, actions=Actions())


def _two(tmp_path: Path) -> Path:
    """Return a repository with two applications, each in its own folder."""
    root = tmp_path / "both"
    root.mkdir()
    for name in ("one", "two"):
        repositories.make("python-fastapi", tmp_path).rename(root / name)
    return root


def test_your_answers_stay_when_you_choose_another_application(tmp_path: Path) -> None:
    session = _session(_two(tmp_path), app_dir="one")
    session.say("port", "8123")
    session = _session(tmp_path / "both")
    assert session.found.problem is not None
    session.choose({"app_dir": "one"})
    assert session.found.problem is None
    assert session.found.answers["app"] == "app.main:app"
    session.say("port", "8123")
    session.choose({"app_dir": "two"})
    assert session.interview.said["port"] == 8123
    assert session.interview.answers().values["app_dir"] == "two"


def test_choosing_another_kind_runs_detection_again_and_a_refusal_changes_nothing(tmp_path: Path) -> None:
    session = _session(repositories.make("python-fastapi", tmp_path))
    assert session.kind == "python-fastapi"
    session.say("kind", "sandbox-multi-runtime")
    assert session.kind == "sandbox-multi-runtime"
    assert "app" not in session.interview.prompts
    session.say("kind", "python-fastapi")
    assert session.interview.prompts["app"].origin == "detected"


def test_pending_questions_do_not_prevent_choosing_another_application(tmp_path: Path) -> None:
    session = _session(_two(tmp_path))
    session.choose({"app_dir": "one"})
    session = Session(
        TEMPLATE, tmp_path / "both", given={}, in_file={"app_dir": "one"}, detecting=False, actions=Actions(adopt=True)
    )
    session.say("registry", "ecr")
    assert session.pending
    session.say("kind", "nextjs-standalone")
    assert session.kind == "nextjs-standalone"


def test_without_detection_too_it_is_the_chosen_folder_s_dockerfile_that_is_adopted(tmp_path: Path) -> None:
    root = _two(tmp_path)
    for name, port in (("one", 8101), ("two", 8102)):
        (root / name / "Dockerfile").write_text(f"FROM python:3.13-slim\nEXPOSE {port}\n")
    session = Session(TEMPLATE, root, given={}, in_file={}, detecting=False, actions=Actions(adopt=True))
    assert session.old is None
    for name, port in (("one", 8101), ("two", 8102)):
        session.say("app_dir", name)
        assert session.old is not None
        assert session.old.dockerfile == f"{name}/Dockerfile"
        assert session.interview.answers().values["port"] == port


def test_a_refused_dockerfile_does_not_affect_another(tmp_path: Path) -> None:
    root = _two(tmp_path)
    (root / "one" / "Dockerfile").write_text("RNU x\n")
    (root / "two" / "Dockerfile").write_text("FROM python:3.13-slim\n")
    session = Session(TEMPLATE, root, given={}, in_file={}, detecting=False, actions=Actions(adopt=True))
    session.say("app_dir", "one")
    assert session.not_adopted is not None
    assert session.prepare().adopted is None
    session.say("app_dir", "two")
    assert session.not_adopted is None
    assert session.prepare().adopted is not None


def test_a_question_that_only_you_can_answer_stays_pending_until_answered(tmp_path: Path) -> None:
    session = _session(repositories.make("python-fastapi", tmp_path))
    assert session.pending == []
    session.say("registry", "ecr")
    assert session.pending[0] == "image"
    session.say("image", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/orders")
    session.say("aws_role", "arn:aws:iam::123456789012:role/push")
    assert session.pending == []


def test_an_answer_that_a_later_one_made_wrong_is_asked_again(tmp_path: Path) -> None:
    session = _session(repositories.make("python-fastapi", tmp_path))
    session.say("base_image", "registry.example/base-python:main")
    session.say("flavor", "distroless")
    assert session.pending == ["base_image"]


def test_a_bad_answer_on_the_command_line_is_an_error_before_the_first_question(tmp_path: Path) -> None:
    with pytest.raises(BadAnswerError, match="prot"):
        _session(repositories.make("python-fastapi", tmp_path), prot="1")


def test_skipping_detection_gives_the_conventions_of_the_template(tmp_path: Path) -> None:
    session = _session(tmp_path)
    assert session.found.problem is not None
    session.go_on_without()
    assert session.found.problem is None
    assert session.prepare().answers.values["app"] == "app.main:app"


def test_an_application_that_cannot_be_used_leaves_the_one_before(tmp_path: Path) -> None:
    root = _two(tmp_path)
    (root / "two" / "pyproject.toml").write_text("[project\n")
    session = _session(root, app_dir="one")
    with pytest.raises(BadInputError):
        session.choose({"app_dir": "two"})
    assert session.interview.answers().values["app_dir"] == "one"
