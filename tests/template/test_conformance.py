"""Copier and our wizard give the same questions, replies and results for the same input."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from copier import _main
from tests.conformance import EVERYTHING, Script, Session, between, by_copier, by_interview, scripts
from tests.pairwise import answer_sets
from tests.parity import copy_template

from dockertpl.template.environment import Template
from dockertpl.template.interview import Interview
from dockertpl.template.questions import load
from dockertpl.template.source import directory

pytestmark = pytest.mark.slow

KINDS = ("python-fastapi", "nextjs-standalone", "sandbox-multi-runtime", "shared-base")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_template(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="module")
def template(root: Path) -> Template:
    return Template(directory(root))


def _chosen(sets: Sequence[Mapping[str, Any]], every: int) -> list[Mapping[str, Any]]:
    """Return one of so many sets, and those that reach a question of a kind or a list's value first."""

    def reaches(answers: Mapping[str, Any]) -> set[tuple[str, str, str]]:
        return {
            (answers["kind"], name, repr(value) if isinstance(value, list) else "") for name, value in answers.items()
        }

    chosen = list(sets[::every])
    reached = set().union(*map(reaches, chosen))
    for answers in sets:
        if reaches(answers) - reached:
            chosen.append(answers)
            reached |= reaches(answers)
    return chosen


def _sessions(root: Path, template: Template, folder: Path, typed: Sequence[Script]) -> Iterator[Session]:
    for number, script in enumerate(typed):
        there = folder / str(number) / "Some Folder"
        copiers, ours = by_copier(root, script, there), by_interview(template, script, there.name)
        assert not between(copiers, ours), script
        assert not ours.end, script
        yield ours


@pytest.mark.parametrize("every", [60, pytest.param(8, marks=pytest.mark.thorough)])
def test_copier_and_our_wizard_ask_reply_and_answer_the_same(
    every: int, root: Path, template: Template, tmp_path: Path
) -> None:
    typed = scripts(_chosen(answer_sets(), every))
    assert {script.typed["kind"] for script in typed} == set(KINDS)

    said: dict[str, set[str]] = {}
    for session in _sessions(root, template, tmp_path, typed):
        for asked in session.asked:
            said.setdefault(asked.name, set()).update(verdict for _, verdict in asked.verdicts)

    # This proves nothing about a question that was never asked, or a validator that never refused.
    assert said.keys() == {question.name for question in load(template)} - {"digests"}
    assert all("" in verdicts for verdicts in said.values())
    validated = {question.name for question in load(template) if question.validator}
    assert {name for name, verdicts in said.items() if verdicts - {"", "Invalid input"}} == validated - {"digests"}


@pytest.mark.parametrize("kind", KINDS)
def test_enter_alone_gives_the_same(root: Path, template: Template, tmp_path: Path, kind: str) -> None:
    script = Script(typed={"kind": kind}, probes=False)
    (session,) = _sessions(root, template, tmp_path, [script])
    assert 8 <= len(session.asked) <= 11
    assert session.asked[-1].name == "customize"


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_question_opens_the_rest_by_group(root: Path, template: Template, tmp_path: Path, kind: str) -> None:
    def asked(groups: list[str]) -> set[str]:
        script = Script(typed={"kind": kind, "customize": groups}, probes=False)
        (session,) = _sessions(root, template, tmp_path / "-".join(groups), [script])
        return {one.name for one in session.asked}

    opened = {group: asked([group]) - asked([]) for group in EVERYTHING["customize"]}
    assert all(opened.values())
    assert set.union(*opened.values()) | asked([]) == asked(EVERYTHING["customize"])
    assert sum(map(len, opened.values())) == len(set.union(*opened.values()))


@pytest.mark.parametrize("layer", ["given", "stored", "found"])
def test_answers_from_elsewhere_are_asked_about_in_the_same_way(
    root: Path, template: Template, tmp_path: Path, layer: str
) -> None:
    for number, answers in enumerate(answer_sets()[5::60]):
        (script,) = scripts([answers])
        answers = {name: value for name, value in answers.items() if name not in ("digests", "customize")}
        known = {name: script.typed[name] if layer == "given" else answers[name] for name in answers}
        # Answer half of the questions again.
        typed = {name: value for name, value in script.typed.items() if layer != "given" and len(name) % 2}
        script = replace(script, typed={**typed, **EVERYTHING}, probes=False, **{layer: known})
        (session,) = _sessions(root, template, tmp_path / str(number), [script])
        put = {asked.name for asked in session.asked}
        # Only applications with a front end get its questions.
        asked_about = {name for name in known if answers.get("frontend") or not name.startswith("frontend_")}
        assert put & known.keys() == (set() if layer == "given" else asked_about)
        assert {name: session.answers[name] for name in answers} == answers


def test_a_stored_answer_that_is_refused_is_asked_for_in_the_same_way(
    root: Path, template: Template, tmp_path: Path
) -> None:
    stored = {
        "kind": "nextjs-standalone",
        "port": 80,
        "manager": "uv",
        "name": "Not A Name",
        "smoke_test_env": {"A": "b"},
    }
    (session,) = _sessions(root, template, tmp_path, [Script(typed=EVERYTHING, stored=stored, probes=False)])
    defaults = {asked.name: asked.default for asked in session.asked}
    assert {key: defaults[key] for key in stored} == {
        "kind": "nextjs-standalone",
        "port": 3000,
        "manager": "npm",
        "name": "some-folder",
        "smoke_test_env": {"A": "b"},
    }


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"flavour": "distroless"}, {"flavor": "distroless", "strip": True}),
        ({"kind": "shared-base", "flavours": ["node"]}, {"bases": ["node"]}),
        (
            {"kind": "shared-base", "children": {"api": {"dir": "api", "base": "python"}}},
            {"dependents": {"api": {"dir": "api", "base": "python"}}},
        ),
        ({"gate_env": {"A": "b"}}, {"smoke_test_env": {"A": "b"}}),
    ],
)
def test_an_answer_under_its_old_name_is_carried_over(
    root: Path, template: Template, tmp_path: Path, old: Mapping[str, Any], new: Mapping[str, Any]
) -> None:
    (session,) = _sessions(root, template, tmp_path, [Script(typed={}, stored=old, probes=False)])
    assert {name: session.answers[name] for name in new} == new


@pytest.mark.parametrize("registry", ["ecr", "gar", "dockerhub", "acr", "other"])
def test_a_question_that_only_you_can_answer_is_asked_and_copier_continues(
    root: Path, template: Template, tmp_path: Path, registry: str
) -> None:
    script = Script(typed={"registry": registry, **EVERYTHING})
    copiers, ours = by_copier(root, script, tmp_path / "app"), by_interview(template, script, "app")
    assert not between(copiers, ours)
    assert (ours.asked[-1].name, ours.asked[-1].default) == ("image", "(nothing)")
    assert "write it like" in copiers.end


_QUESTIONS = "copier.yml"
_SERVICE = "templates/kinds/questions.yml"
_PYTHON = "templates/kinds/python-fastapi/questions.yml"
_NODE = "templates/kinds/nextjs-standalone/questions.yml"
_SANDBOX = "templates/kinds/sandbox-multi-runtime/questions.yml"
_CI = "templates/ci/questions.yml"
_MUTATIONS = [
    # validators
    (_QUESTIONS, "name | length > 63", "name | length > 64", "python-fastapi", "name: to "),
    (_QUESTIONS, "is not an image name: use", "is no name: use", "python-fastapi", "name: to "),
    (_QUESTIONS, "1024 <= port", "80 <= port", "nextjs-standalone", "port: to '80' "),
    (_QUESTIONS, "health_path and not", "not", "python-fastapi", "Copier asks None, the interview health_path"),
    (_PYTHON, "1 <= workers <= 64", "0 <= workers <= 64", "python-fastapi", "workers: to '0' "),
    (_QUESTIONS, "|r|bun'", "|bun'", "sandbox-multi-runtime", "tools: to "),
    (_QUESTIONS, "browser == 'chromium' and", "browser == 'none' and", "sandbox-multi-runtime", "browser: to "),
    (_CI, "'..' in branch or", "", "python-fastapi", "branch: to "),
    ("templates/lib/validate.jinja", "is not a plain relative path", "is no path", "python-fastapi", "app_dir: to "),
    ("templates/lib/validate.jinja", "forms[registry][1] }}", "registry }}", "python-fastapi", "image: to "),
    # conditions
    (_PYTHON, "and server == 'gunicorn' }}", "}}", "python-fastapi", "Copier asks gunicorn_worker, "),
    (_PYTHON, "and server != 'gunicorn' }}", "and server == 'granian' }}", "python-fastapi", "Copier asks graceful_"),
    (_NODE, "context != app_dir }}", "context == app_dir }}", "nextjs-standalone", "Copier asks workspace_tool, "),
    (
        "templates/ci/questions.yml",
        "registry in ['ghcr', 'ecr'] }}",
        "registry in ['ecr'] }}",
        "python-fastapi",
        "Copier asks prewarm, ",
    ),
    # defaults
    (_PYTHON, "default: 8\n", "default: 9\n", "python-fastapi", "graceful_timeout: default: "),
    (_PYTHON, "else '' }}{{ app.split", "else 'lib/' }}{{ app.split", "python-fastapi", "app_file: default: "),
    (_QUESTIONS, "3000 if kind", "3001 if kind", "nextjs-standalone", "port: default: "),
    (_QUESTIONS, "else 'ghcr' }}", "else 'other' }}", "shared-base", "registry: default: "),
    # texts, types, choices
    (
        _CI,
        "help: Which platforms is the image built for?",
        "help: Which platforms?",
        "shared-base",
        "platforms: message: ",
    ),
    (_QUESTIONS, "Docker Hub: dockerhub", "Docker's hub: dockerhub", "shared-base", "registry: choices: "),
    (_SERVICE, "choices: [trixie, bookworm]", "choices: [trixie]", "python-fastapi", "debian_release: choices: "),
    (_QUESTIONS, "port:\n  type: int", "port:\n  type: float", "python-fastapi", "port: type: "),
    # which questions are asked
    (_QUESTIONS, "  multiselect: true\n", "", "python-fastapi", "Copier asks None, the interview customize"),
    (_CI, "ask: \"{{ 'ci' in customize }}\"", "ask: false", "python-fastapi", "Copier asks image, "),
    # one more question
    (_CI, "prewarm:\n", "extra: {type: int, default: 1}\n\nprewarm:\n", "shared-base", "Copier asks extra, "),
]


@pytest.mark.parametrize(("path", "old", "new", "kind", "difference"), _MUTATIONS)
def test_a_template_with_different_questions_is_detected(
    root: Path, template: Template, tmp_path: Path, path: str, old: str, new: str, kind: str, difference: str
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(root, copy)
    text = (copy / path).read_text(encoding="utf-8")
    assert old in text
    (copy / path).write_text(text.replace(old, new), encoding="utf-8")
    script = Script(typed={"kind": kind, **EVERYTHING})
    ours = by_interview(template, script, "app")

    assert not between(by_copier(root, script, tmp_path / "one" / "app"), ours)
    found = between(by_copier(copy, script, tmp_path / "other" / "app"), ours)
    assert any(one.startswith(difference) for one in found), found


def test_copier_itself_checks_what_is_typed_and_not_what_is_chosen(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # This is why tests/conformance.py runs the validators of choices. Remove that when Copier runs them.
    checked: dict[str, set[bool]] = {}

    def prompt(questions: list[dict[str, Any]], answers: dict[str, Any]) -> dict[str, Any]:
        checked.setdefault(questions[0]["type"], set()).add("validate" in questions[0])
        return answers

    monkeypatch.setattr(_main, "unsafe_prompt", prompt)
    with _main.Worker(src_path=str(root), dst_path=tmp_path / "app", quiet=True) as worker:
        worker._ask()
    assert checked == {"input": {True}, "select": {False}, "checkbox": {True}}


def test_a_choice_that_its_validator_refuses_is_refused_by_us_alone(template: Template) -> None:
    interview = Interview(template, folder_name="app")
    interview.say("ci", "gitlab")
    with pytest.raises(ValueError, match="GitLab CI logs in to its own registry"):
        interview.say("registry", "ecr")
