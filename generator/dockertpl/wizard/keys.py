"""A console with keys: arrows choose, typed text is checked at each key, Esc goes back."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click
import questionary
from prompt_toolkit.filters import Condition
from prompt_toolkit.key_binding import KeyBindings, merge_key_bindings
from prompt_toolkit.key_binding.key_processor import KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout import ConditionalMargin, ScrollbarMargin
from prompt_toolkit.output import create_output
from prompt_toolkit.output.color_depth import ColorDepth

from dockertpl.screen import terminal_size
from dockertpl.wizard.console import BACK, Chosen, Option, Text
from dockertpl.wizard.lines import Line, colored, cut, uncolored, width, wrapped

# Typing filters lists with more entries.
_SHORT = 8
# Seconds to wait for the rest of an arrow key after its Esc.
_ESCAPE = 0.05
_STYLE = questionary.Style(
    [
        ("qmark", "bold"),
        ("question", "bold"),
        ("answer", "fg:ansicyan"),
        ("pointer", "fg:ansicyan bold"),
        ("highlighted", "fg:ansicyan bold"),
        ("disabled", "fg:ansibrightblack"),
        ("validation-toolbar", "fg:ansiyellow noreverse"),
        ("bottom-toolbar", "noreverse"),
    ]
)


class KeysConsole:
    """Asks with questionary."""

    def __init__(self, *, colors: bool) -> None:
        self._text = colored if colors else uncolored
        self._look: dict[str, Any] = {"style": _STYLE, "color_depth": None if colors else ColorDepth.DEPTH_1_BIT}
        if not sys.stdout.isatty():
            # In `new | tee log` the questions stay on the terminal.
            self._look["output"] = create_output(stdout=sys.stderr)

    def say(self, lines: Iterable[Line]) -> None:
        """Show lines."""
        click.echo(self._text(lines), nl=False, err=True)

    def choose(self, message: str, options: Sequence[Option], default: Any, *, back: bool) -> Chosen:
        """Ask for one of several options with the arrow keys."""
        # By number, because a value may be anything and two may be equal. Labels get the rest of the line.
        room = width() - len(message) - 4
        choices = [
            questionary.Choice(cut(option.label, room), value=number, disabled=option.disabled or None)
            for number, option in enumerate(options)
        ]
        long = len(options) > _SHORT
        how = "type to filter" if long else "arrows, Enter"
        usual = (choice for choice, one in zip(choices, options, strict=True) if one.value == default)
        question = questionary.select(
            message,
            choices=choices,
            default=next((choice for choice in usual if not choice.disabled), None),
            instruction=f"({how}; Esc goes back)" if back else f"({how})",
            pointer=">",
            use_search_filter=long,
            use_jk_keys=not long,
            **self._look,
        )
        _show_scrollbar(question, len(options))
        chosen = self._ask(question, back=back)
        return chosen if chosen is BACK else options[chosen].value

    def type(self, text: Text, *, back: bool) -> Chosen:
        """Ask for a text, and check it while it is typed."""
        wrong = ""

        def check(typed: str) -> bool | str:
            nonlocal wrong
            try:
                text.check(typed)
            except ValueError as error:
                wrong = str(error)
                # The toolbar below has room for the whole message.
                return "Invalid value:"
            wrong = ""
            return True

        def toolbar() -> str:
            hint = "Enter takes it, Esc goes back" if back else "Enter takes it"
            return "\n".join(line.text for line in wrapped(wrong or hint))

        ask = questionary.password if text.secret else questionary.text
        typed = self._ask(
            ask(
                text.name,
                default=text.default or "",
                validate=check,
                bottom_toolbar=toolbar,
                **self._look,
            ),
            back=back,
        )
        return typed if typed is BACK else text.check(typed)

    def page(self, lines: Sequence[Line]) -> None:
        """Show lines in the user's pager."""
        if sys.stdout.isatty():
            click.echo_via_pager(self._text(lines))
        else:
            self.say(lines)

    def _ask(self, question: questionary.Question, *, back: bool) -> Any:
        application = question.application
        application.ttimeoutlen = _ESCAPE
        if back:
            bindings = KeyBindings()

            @bindings.add(Keys.Escape, eager=True)
            def _(event: KeyPressEvent) -> None:
                event.app.exit(result=BACK)

            known = application.key_bindings
            application.key_bindings = merge_key_bindings([known, bindings] if known else [bindings])
        try:
            return question.unsafe_ask()
        except EOFError:
            raise click.Abort from None


def _show_scrollbar(question: questionary.Question, count: int) -> None:
    """Draw a scrollbar where a list has more entries than the terminal has lines."""
    margin = ScrollbarMargin(display_arrows=True)
    hidden = Condition(lambda: count > terminal_size().lines - 2)
    for window in question.application.layout.find_all_windows():
        if type(window.content).__name__ == "InquirerControl":
            window.right_margins = [ConditionalMargin(margin, filter=hidden)]
