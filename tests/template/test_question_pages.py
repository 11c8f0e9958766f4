from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from dockertpl.template.environment import Template
from dockertpl.template.question_pages import Page, Pages, markdown, terminal
from dockertpl.template.questions import MISSING, Question, RefusedError, load
from dockertpl.template.source import bundled

# The other answers that make an example valid.
WITH: Mapping[str, Mapping[str, Any]] = {
    "frontend_root": {"frontend": "frontend"},
    "browser": {"distribution": "debian:trixie-slim"},
    "context": {"app_dir": "services/api"},
    "prewarm": {"image": "ghcr.io/acme/api"},
}


@cache
def _pages() -> Pages:
    return Pages(Template(bundled()))


@cache
def _questions() -> Mapping[str, Question]:
    return {question.name: question for question in load(Template(bundled()))}


def _every_page() -> list[Page]:
    found = [_pages().page(name) for name in _pages().names]
    assert found
    return found


def test_no_page_shows_jinja_or_leaves_a_default_or_a_condition_unsaid() -> None:
    for page in _every_page():
        shown = markdown(page)
        assert not re.search(r"\{\{|\{%|%\}|UNSET", shown), page.name
        assert "from other answers" not in page.default, f"give {page.name} a default in templates/wizard.yml"
        assert "if other answers ask for it" not in page.asked, page.name
        assert page.kinds
        assert page.example or page.name == "digests"


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("kind", "For every kind."),
        ("app", "For `python-fastapi`."),
        ("port", "For `python-fastapi` and `nextjs-standalone`."),
        ("browser", "For `sandbox-multi-runtime`. For `shared-base` if `bases` has `sandbox`."),
        ("aws_role", "For every kind if `ci` is `github` and `registry` is `ecr`."),
        (
            "debian_release",
            "For `python-fastapi` and `shared-base`. For `nextjs-standalone` if `flavor` is not `alpine`. "
            "Hidden until you open the group Image.",
        ),
        (
            "workspace_members",
            "For `python-fastapi` if `manager` is `uv`. For `nextjs-standalone` if `context` differs from `app_dir`. "
            "Hidden until you open the group Application.",
        ),
        (
            "frontend_node",
            "For `python-fastapi`. Hidden until `frontend` is set and you open the group Application.",
        ),
        ("digests", "Never. Give it with `-d` or `--data-file`."),
    ],
)
def test_a_page_says_when_its_question_is_asked(name: str, asked: str) -> None:
    assert _pages().page(name).asked == asked


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("port", "`8000` for `python-fastapi`, `3000` for `nextjs-standalone`"),
        ("manager", "`uv` for `python-fastapi`, `npm` for `nextjs-standalone`"),
        ("compose", "`true` for `sandbox-multi-runtime`, otherwise `false`"),
        ("health_path", '`""`'),
        ("command", "`[sleep, infinity]`"),
        ("build_env", "`{}`"),
        ("context", "the answer to `app_dir`"),
        ("strip", "`true` if `flavor` is `minimal` or `distroless`, otherwise `false`"),
    ],
)
def test_a_page_says_the_default(name: str, default: str) -> None:
    assert _pages().page(name).default == default


def test_every_example_is_a_good_answer_and_not_the_default() -> None:
    template = Template(bundled())
    for page in _every_page():
        if not page.example:
            continue
        flag, answer = shlex.split(page.example)
        name, _, text = answer.partition("=")
        question = _questions()[page.name]
        assert (flag, name) == ("-d", page.name)
        context: dict[str, Any] = {"kind": page.kinds[0], "_folder_name": "api", **WITH.get(page.name, {})}
        for other in _questions().values():
            if other.name not in context:
                value = _default(other, template, context)
                context[other.name] = "" if value is MISSING else value
        value = question.parse(template, context, text)
        try:
            question.validate(template, context, value)
        except RefusedError as error:
            pytest.fail(f"the example of {name}: {error}")
        assert value != context[name], f"the example of {name} is its default"


def _default(question: Question, template: Template, context: Mapping[str, Any]) -> Any:
    value = question.default_value(template, context)
    return value if value is MISSING or question.choices else question.parse(template, context, value)


def test_choices_that_depend_on_the_kind_are_listed_for_each() -> None:
    choices = _pages().page("flavor").choices
    assert [(choice.kind, choice.value) for choice in choices][:2] == [
        ("python-fastapi", "slim"),
        ("python-fastapi", "minimal"),
    ]
    assert {choice.kind for choice in choices if choice.value == "alpine"} == {"nextjs-standalone"}
    assert all("MB" in choice.effect for choice in choices if choice.value != "alpine")


def test_pages_of_one_kind_speak_of_that_kind_only() -> None:
    pages = Pages(Template(bundled()), "shared-base")
    found = [page for by_kinds in pages.sections().values() for each in by_kinds.values() for page in each]
    assert {page.kinds for page in found} == {("shared-base",)}
    assert "app" not in [page.name for page in found]
    assert "bases" in [page.name for page in found]
    assert pages.page("browser").asked == "For `shared-base` if `bases` has `sandbox`."


def test_every_question_is_in_one_section() -> None:
    names = [page.name for kinds in _pages().sections().values() for found in kinds.values() for page in found]
    assert sorted(names) == sorted(_pages().names)


def test_a_section_fits_its_page_and_keeps_code_in_one_piece() -> None:
    for page in _every_page():
        assert max(map(len, markdown(page).splitlines())) <= 100, page.name
        assert all(line.count("`") % 2 == 0 for line in markdown(page).splitlines()), page.name


def test_the_text_for_a_terminal_fits_and_has_no_marks() -> None:
    for page in _every_page():
        shown = terminal(page, 80)
        assert shown.startswith(f"{page.name}: {page.title}\n")
        assert "`" not in shown
        assert not page.example or page.example in shown
        # You copy an example as a whole.
        assert max(map(len, shown.replace(page.example, "").splitlines())) <= 80, page.name
