from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.wizard import repositories

from dockertpl.actions.action_flags import Actions
from dockertpl.scaffold.session import Session
from dockertpl.screen import WIDTH
from dockertpl.template import presentation
from dockertpl.template.answers import Prompt
from dockertpl.template.environment import Template
from dockertpl.template.source import bundled
from dockertpl.wizard import screens
from dockertpl.wizard.lines import Line

TEMPLATE = Template(bundled())
SHOWN = presentation.load(TEMPLATE)


def _session(kind: str, folder: Path) -> Session:
    given = {"kind": kind} if kind in ("sandbox-multi-runtime", "shared-base") else {}
    root = repositories.make(kind, folder)
    return Session(TEMPLATE, root, given=given, in_file={}, detecting=True, actions=Actions(tell_bot=True, adopt=True))


def _shown(session: Session) -> dict[str, Prompt]:
    """Return the questions that the wizard can show."""
    prompts = session.interview.prompts
    found = {name: prompt for name, prompt in prompts.items() if name not in presentation.NOT_SHOWN}
    assert found
    return found


def _text(lines: list[Line]) -> str:
    return "\n".join(line.text for line in lines)


@pytest.mark.parametrize("columns", [60, 80, 200])
@pytest.mark.parametrize("kind", repositories.FILES)
def test_every_screen_of_every_kind_fits_a_terminal(
    kind: str, columns: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    session = _session(kind, tmp_path)
    scaffold = session.prepare()
    shown = [*screens.seen(session, SHOWN), *screens.review(session, SHOWN, scaffold)]
    if scaffold.adopted:
        shown += screens.beside(scaffold.adopted, scaffold.text("Dockerfile"))
    for prompt in _shown(session).values():
        question = screens.question(session, SHOWN, prompt, number=10, count=45)
        assert len(question) + len(screens.choices(prompt)) < (22 if columns >= WIDTH else 26), prompt.question.name
        assert set(prompt.message.split()) <= set(_text(question).split()), f"{prompt.question.name}: a word is broken"
        shown += question
    assert [line.text for line in shown if len(line.text) >= columns] == []


@pytest.mark.parametrize("kind", repositories.FILES)
def test_every_question_says_where_its_default_is_from(kind: str, tmp_path: Path) -> None:
    session = _session(kind, tmp_path)
    for name, prompt in _shown(session).items():
        said = " ".join(_text(screens.question(session, SHOWN, prompt)).split())
        reason = {"detected": "Found: ", "default": SHOWN.why(name)}[prompt.origin]
        assert reason in said, name


def test_a_choice_has_what_it_was_measured_to_cost(tmp_path: Path) -> None:
    session = _session("python-fastapi", tmp_path)
    said = _text(screens.question(session, SHOWN, session.interview.prompts["flavor"]))
    assert "Measured: slim " in said
    assert " MB" in said


def test_the_review_has_every_answer_that_is_no_default_and_every_file(tmp_path: Path) -> None:
    session = _session("python-fastapi", tmp_path)
    session.say("port", "8123")
    scaffold = session.prepare()
    said = _text(screens.review(session, SHOWN, scaffold))
    assert re.search(r"Port +8123 +you\n", said)
    usual = {"check_app", "app_factory", "dev_groups", "layout", "server", "branch"}
    for name, origin in scaffold.answers.origin.items():
        if origin != "default" and name not in scaffold.answers.hidden:
            assert (f"\n  {SHOWN.title(name)} " in said) is (name not in usual), name
    assert all(f"  {entry.path}" in said for entry in scaffold.entries)


def test_what_was_found_has_no_row_for_no_none_or_the_usual_answer(tmp_path: Path) -> None:
    said = _text(screens.seen(_session("python-fastapi", tmp_path), SHOWN))
    assert re.search(r"Import string +app.main:app", said)
    assert re.search(r"Health route +/health", said)
    for title in ("Check application file", "Application factory", "Development groups", "Code layout", "Branch"):
        assert title not in said


def test_an_old_dockerfile_is_shown_item_by_item_and_beside_the_new_one(tmp_path: Path) -> None:
    scaffold = _session("old-dockerfile", tmp_path).prepare()
    adopted = scaffold.adopted
    assert adopted is not None
    shown = screens.beside(adopted, scaffold.text("Dockerfile"))
    lines = [line.text for line in shown]
    said = " ".join(_text(shown).split())
    assert all(" ".join(item.what.split())[:40] in said for item in adopted.adoption.items)
    left = "".join(line[:38].rstrip() for line in lines if line[39:40] == "|")
    assert all(line.strip()[:30] in left for line in adopted.old.text.splitlines())


def test_a_difference_is_marked_by_what_each_line_is(tmp_path: Path) -> None:
    scaffold = _session("python-fastapi", tmp_path).prepare()
    entry = next(entry for entry in scaffold.entries if entry.path == "renovate.json")
    styles = {line.text[:1]: line.style for line in screens.difference(scaffold, entry)}
    assert (styles["+"], styles["-"], styles["@"]) == ("added", "removed", "place")
