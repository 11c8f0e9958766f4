"""Puts questions to a person on a terminal, one after another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click
import yaml

from dockertpl.screen import printable, say
from dockertpl.template.answers import Prompt
from dockertpl.template.questions import MISSING


def asker(evidence: Mapping[str, str]) -> Callable[[Prompt], Any]:
    """Return a function that asks one question and returns its checked answer.

    Args:
        evidence: For a detected answer, by the question's name: where it was found, such as `pyproject.toml:12`.
    """

    def ask(prompt: Prompt) -> Any:
        if len(prompt.choices) == 1 and prompt.choices[0].value == prompt.default:
            return prompt.check(prompt.default)
        say()
        say(prompt.message)
        for number, choice in enumerate(prompt.choices, 1):
            label = "" if choice.label == str(choice.value) else f"  {choice.label}"
            say(f"  {number}) {choice.value}{label}{f'  ({choice.disabled})' if choice.disabled else ''}")
        if prompt.origin == "detected":
            where = evidence.get(prompt.question.name)
            say(f"  Found: {written(prompt.default)}{f' ({where})' if where else ''}")
        if prompt.type_name == "str" and prompt.default not in ("", MISSING) and not prompt.choices:
            say('  (Enter takes what is in brackets, "" means nothing.)')
        while True:
            answer = _answer(prompt)
            try:
                return prompt.check(answer)
            except ValueError as error:
                say(f"  {error}")

    return ask


def confirm(question: str) -> None:
    """Ask for a yes.

    Args:
        question: What a yes means.

    Raises:
        click.Abort: It was a no, or there was no more input.
    """
    click.confirm(question, default=True, abort=True, err=True)


def agree(question: str) -> bool:
    """Ask whether something is to be done that can be left out.

    Args:
        question: What a yes means.

    Raises:
        click.Abort: There was no more input.
    """
    return bool(click.confirm(question, default=True, err=True))


def written(value: Any) -> str:
    """Return a value as a person would write it as an answer: on one line, as YAML where it is no text.

    Args:
        value: An answer.
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | dict):
        text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1 << 30).strip()
        return printable(text)
    return printable(str(value))


def _answer(prompt: Prompt) -> Any:
    if prompt.question.secret:
        return click.prompt(prompt.question.name, default=prompt.default, hide_input=True, show_default=False, err=True)
    if prompt.type_name == "bool" and not prompt.choices:
        yes = None if prompt.default is MISSING else bool(prompt.default)
        return click.confirm(prompt.question.name, default=yes, err=True)
    default = None if prompt.default is MISSING else written(prompt.default)
    answer = str(click.prompt(prompt.question.name, default=default, show_default=bool(default), err=True))
    if answer == default:
        # As it is, not as it was printed.
        return prompt.default
    if answer in ('""', "''") and prompt.type_name == "str":
        return ""
    return _chosen(prompt, answer)


def _chosen(prompt: Prompt, answer: str) -> Any:
    """Return the choice that was named by its value, or by its number where no value reads the same."""
    values = [str(choice.value) for choice in prompt.choices]
    if prompt.choices and answer not in values and answer.isascii() and answer.isdigit():
        number = int(answer[:9])
        if 1 <= number <= len(values):
            return prompt.choices[number - 1].value
    return answer
