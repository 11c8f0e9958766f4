"""A console of lines, for screen readers and dumb terminals. Nothing moves and nothing is overwritten."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import click

from dockertpl.wizard.console import BACK, Chosen, Option, Text
from dockertpl.wizard.lines import Line, uncolored, wrapped

_BACK = "<"
_NOTHING = ('""', "''")


class PlainConsole:
    """Asks line by line: type a number or a name to choose, "<" to go back."""

    def say(self, lines: Iterable[Line]) -> None:
        """Show lines."""
        click.echo(uncolored(lines), nl=False, err=True)

    def choose(self, message: str, options: Sequence[Option], default: object, *, back: bool) -> Chosen:
        """Ask for one of several options by number or value."""
        numbers = {}
        for number, option in enumerate(options, 1):
            numbers[str(number)] = option
            why_not = f" (not now: {option.disabled})" if option.disabled else ""
            self.say(wrapped(f"{option.label}{why_not}", f"  {number}) "))
        # A value that looks like a number, such as a version, comes before the number of an option.
        named = {**numbers, **{str(option.value): option for option in options}}
        usual = next((number for number, option in numbers.items() if option.value == default), None)

        def check(typed: str) -> Option:
            option = named.get(typed)
            option = option or _named(typed, options)
            if option is None:
                raise ValueError(f"{typed} is not in the list: type a number from 1 to {len(options)}, or a name.")
            if option.disabled:
                raise ValueError(option.disabled)
            return option

        chosen = self.type(Text(name=message, default=usual, check=check), back=back)
        return chosen if chosen is BACK else chosen.value

    def type(self, text: Text, *, back: bool) -> Chosen:
        """Ask for a text until it is valid."""
        hint = f' ("{_BACK}" goes back)' if back else ""
        while True:
            typed = str(
                click.prompt(
                    f"{text.name}{hint}",
                    default=text.default,
                    show_default=bool(text.default) and not text.secret,
                    hide_input=text.secret,
                    err=True,
                )
            )
            if back and typed == _BACK:
                return BACK
            try:
                return text.check("" if text.quoted and typed in _NOTHING else typed)
            except ValueError as error:
                self.say(wrapped(str(error), "  ! "))

    def page(self, lines: Sequence[Line]) -> None:
        """Show all lines at once. Such terminals have their own way to scroll."""
        self.say(lines)


def _named(typed: str, options: Sequence[Option]) -> Option | None:
    """Return the only option with a label that begins with the typed text, or None."""
    start = typed.strip().lower()
    found = [option for option in options if start and option.label.lower().startswith(start)]
    return found[0] if len(found) == 1 else None
