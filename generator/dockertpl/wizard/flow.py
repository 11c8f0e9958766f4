"""The order of the wizard: what it shows, what it asks, the review, and the ways back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from dockertpl.errors import BadInputError, NotDetectedError, StoppedError
from dockertpl.kinds import SERVICE_KINDS
from dockertpl.scaffold.detected import candidates
from dockertpl.scaffold.session import Session
from dockertpl.template.answers import Prompt
from dockertpl.template.presentation import Presentation
from dockertpl.template.questions import MISSING
from dockertpl.wizard import screens
from dockertpl.wizard.console import BACK, Back, Console, Option, Text
from dockertpl.wizard.lines import Line, rule, wrapped, written

if TYPE_CHECKING:
    from dockertpl.scaffold.prepare import Scaffold


class Go(Enum):
    """Where to go from a screen."""

    REVIEW = auto()
    CHANGE = auto()
    ALL = auto()
    FILES = auto()
    BESIDE = auto()
    WRITE = auto()
    PATCH = auto()
    BOT = auto()
    REPLACE = auto()
    SEEN = auto()
    STOP = auto()


class Wizard:
    """Leads a user from the first screen to the last confirmation.

    Attributes:
        asked: The number of questions asked.
        rest: The other applications to ask about, each by its answers.
    """

    def __init__(self, session: Session, presentation: Presentation, console: Console, *, dry_run: bool) -> None:
        """Prepare the wizard without showing anything.

        Args:
            session: The run.
            presentation: Labels, groups and reasons of the questions.
            console: The user's terminal.
            dry_run: Whether a confirmation writes nothing. The wizard says so.
        """
        self._session = session
        self._presentation = presentation
        self._console = console
        self._dry_run = dry_run
        self.asked = 0
        self.rest: Sequence[Mapping[str, str]] = ()

    def run(self) -> Scaffold:
        """Return what the user confirmed.

        Raises:
            StoppedError: The user chose to stop.
            KeyboardInterrupt: The user pressed Ctrl-C.
            BadInputError: The repository cannot be used as it is.
        """
        self._settle()
        go = Go.SEEN
        while True:
            if go is Go.SEEN:
                go = self._seen()
            elif go is Go.STOP:
                raise StoppedError("stopped; nothing was changed.")
            elif go is Go.CHANGE:
                go = self._change()
            elif go is Go.ALL:
                go = self._tour(self._everything())
            elif pending := self._session.pending:
                go = self._tour(pending)
            else:
                agreed = self._review()
                if not isinstance(agreed, Go):
                    return agreed
                go = agreed

    def _settle(self) -> None:
        """Ask which application and which Dockerfile to use, if the repository has several."""
        self._which_application()
        problem = self._session.not_adopted
        if problem and "dockerfiles" in problem.data:
            self._console.say([rule("Which Dockerfile?"), *wrapped(problem.message)])
            paths = [str(path) for path in problem.data["dockerfiles"]]
            options = [Option(value=path, label=path) for path in paths]
            self._session.adopt(self._console.choose("Convert", options, paths[0], back=False))

    def _which_application(self) -> None:
        session = self._session
        while problem := session.found.problem:
            offered = candidates(problem)
            if offered:
                self._console.say([rule("Which one?"), *wrapped(problem.message)])
                options = [Option(value=answers, label=line.removeprefix("-d ")) for line, answers in offered]
                every = [answers for _, answers in offered]
                if all("app_dir" in answers for answers in every):
                    options.append(Option(value=None, label="all of them, one after another"))
                chosen = self._console.choose("Take", options, every[0], back=False)
                if chosen is None:
                    chosen, self.rest = every[0], every[1:]
                session.choose(chosen)
                continue
            self._without_application(problem)
            return

    def _without_application(self, problem: NotDetectedError) -> None:
        """Offer the choices without an application: stop, another kind, or the template's conventions."""
        session = self._session
        self._console.say([rule("No FastAPI or Next.js application"), *wrapped(problem.message, style="warning")])
        self._console.say([*wrapped(problem.remedy, "  "), Line("")])
        options = [Option(value="", label="stop, and do that first")]
        prompt = session.interview.prompts.get("kind")
        if prompt is None:
            options.append(Option(value=session.kind, label="continue with the template's conventions"))
        else:
            unsupported = SERVICE_KINDS if "framework" in problem.data else ()
            for choice in prompt.choices:
                if choice.value in unsupported:
                    continue
                looks = f"{choice.value}, with the template's conventions"
                label = looks if choice.value in SERVICE_KINDS else choice.label
                options.append(Option(value=str(choice.value), label=label))
        kind = self._console.choose("What now?", options, "", back=False)
        if not kind:
            # The reason is on the screen already.
            raise NotDetectedError("No application was found. Nothing was changed.")
        if kind in SERVICE_KINDS:
            session.go_on_without()
        if prompt is not None:
            session.say("kind", kind)

    def _seen(self) -> Go:
        session = self._session
        self._console.say(screens.seen(session, self._presentation))
        count = len(session.pending)
        ask = f"answer {count} question{'s' if count > 1 else ''}, then review" if count else "accept all, and review"
        options = [
            Option(value=Go.REVIEW, label=ask),
            Option(value=Go.CHANGE, label="change something"),
            Option(value=Go.ALL, label="go through every question"),
            Option(value=Go.STOP, label="stop"),
        ]
        return self._go("What now?", options, usual=Go.REVIEW, back=False)

    def _go(self, message: str, options: Sequence[Option], *, usual: Go, back: bool = True) -> Go:
        chosen = self._console.choose(message, options, usual, back=back)
        return Go.SEEN if chosen is BACK else Go(chosen)

    def _everything(self) -> list[str]:
        return [name for group in self._presentation.groups for name in group.questions]

    def _tour(self, names: Sequence[str]) -> Go:
        """Ask questions one after another, with a way back. Skip those that no longer apply."""
        session = self._session
        at, step = 0, 1
        while 0 <= at < len(names):
            prompt = session.interview.prompts.get(names[at])
            if prompt:
                applying = [name for name in names if name in session.interview.prompts]
                number = applying.index(names[at]) + 1
                step = -1 if self._put(prompt, number, len(applying)) is BACK else 1
            at += step
        return Go.SEEN if at < 0 else Go.REVIEW

    def _put(self, prompt: Prompt, number: int, count: int, *, back: bool = True) -> Back | None:
        """Ask a question until it has a valid answer. Return `BACK` if the user went back instead."""
        self.asked += 1
        session, presentation, name = self._session, self._presentation, prompt.question.name
        self._console.say(screens.question(session, presentation, prompt, number=number, count=count))
        options = screens.choices(prompt)
        while True:
            if options:
                chosen = self._console.choose(presentation.title(name), options, prompt.default, back=back)
            else:
                chosen = self._console.type(self._text(prompt), back=back)
            if isinstance(chosen, Back):
                return chosen
            try:
                session.say(name, chosen)
            except NotDetectedError as error:
                self._console.say(wrapped(f"{error.message} {error.remedy}", "  ! ", style="warning"))
            except (ValueError, BadInputError) as error:
                self._console.say(wrapped(str(error), "  ! ", style="warning"))
            else:
                return None

    def _text(self, prompt: Prompt) -> Text:
        default = None if prompt.default is MISSING else written(prompt.default)

        def check(typed: str) -> Any:
            # Enter returns the default itself, not its printed form.
            answer = prompt.default if typed == default else typed
            prompt.check(answer)
            return answer

        return Text(
            name=self._presentation.title(prompt.question.name),
            default=default,
            check=check,
            secret=prompt.question.secret,
            quoted=prompt.type_name == "str",
        )

    def _change(self) -> Go:
        """Let the user pick a group, then one of its questions."""
        presentation = self._presentation
        prompts = self._session.interview.prompts
        while True:
            groups = [
                Option(value=group, label=f"{group.name}: {group.title}")
                for group in presentation.groups
                if any(name in prompts for name in group.questions)
            ]
            done = Option(value=BACK, label="done: review")
            group = self._console.choose("Change what?", [*groups, done], groups[0].value, back=True)
            if group is BACK:
                return Go.REVIEW
            name: Any = None
            while name is not BACK:
                options = screens.group(self._session, presentation, group.questions)
                names = [option.value for option in options]
                usual = name if name in names else names[0]
                name = self._console.choose(f"{group.name}: which?", [*options, done], usual, back=True)
                if name is not BACK:
                    self._put(self._session.interview.prompts[name], 0, 0)

    def _review(self) -> Scaffold | Go:
        """Show everything before the last confirmation."""
        session = self._session
        scaffold = session.prepare()
        self._console.say(screens.review(session, self._presentation, scaffold))
        adopted = scaffold.adopted
        losing = adopted is not None and adopted.drops
        verb = "show what would be written to" if self._dry_run else "write"
        yes = f"{verb} {len(scaffold.to_write)} files{', without what is dropped above' if losing else ''}"
        old = self._old(scaffold)
        taken = [] if self._dry_run else [entry.path for entry in scaffold.in_the_way]
        options = [
            Option(value=Go.WRITE, label=yes, disabled=f"{', '.join(taken)} would be lost" if taken else ""),
            Option(value=Go.FILES, label="show the files first"),
            *([Option(value=Go.BESIDE, label="show the old Dockerfile beside the new one")] if adopted else []),
            Option(value=Go.CHANGE, label="change an answer"),
            *([Option(value=Go.REPLACE, label=old)] if old else []),
            *self._actions(scaffold),
            Option(value=Go.STOP, label="stop, and write nothing"),
        ]
        # Enter confirms, unless something would be lost.
        usual = options[2 if losing else 0].value
        while True:
            go = self._go("Write it?", options, usual=usual)
            if go is Go.FILES:
                self._files(scaffold)
            elif go is Go.BESIDE and adopted:
                self._console.page(screens.beside(adopted, scaffold.text(adopted.old.target)))
                # The user has seen it now.
                usual = Go.WRITE
            else:
                break
        if go in (Go.PATCH, Go.BOT, Go.REPLACE):
            self._toggle(go)
            return Go.REVIEW
        return scaffold if go is Go.WRITE else go

    def _actions(self, scaffold: Scaffold) -> list[Option]:
        """Return optional actions, as switches."""
        found = []
        actions = scaffold.actions
        for go, on, proposal in (
            (Go.PATCH, actions.patch_next_config, scaffold.patch),
            (Go.BOT, actions.tell_bot, scaffold.bot),
        ):
            if proposal and proposal.is_change:
                found.append(Option(value=go, label=f"{'do not put' if on else 'also put'} {proposal.summary}"))
        return found

    def _old(self, scaffold: Scaffold) -> str:
        """Return the label of the switch between converting and replacing existing files. It may be empty."""
        if scaffold.actions.replace:
            return "convert the old Dockerfile after all" if self._session.old else "keep the existing files"
        replaced = {*(entry.path for entry in scaffold.in_the_way), *scaffold.replaced}
        return f"replace {', '.join(sorted(replaced))} (Git keeps the old ones)" if replaced else ""

    def _toggle(self, go: Go) -> None:
        actions = self._session.actions
        if go is Go.REPLACE:
            self._session.replace_files(not actions.replace)
            return
        self._session.actions = (
            replace(actions, patch_next_config=not actions.patch_next_config)
            if go is Go.PATCH
            else replace(actions, tell_bot=not actions.tell_bot)
        )

    def _files(self, scaffold: Scaffold) -> None:
        """Show the files to write, one at a time."""
        options = [*screens.files(scaffold), Option(value=BACK, label="back to the review")]
        path = options[0].value
        while True:
            path = self._console.choose("Show which file?", options, path, back=True)
            if path is BACK:
                return
            self._console.page(screens.difference(scaffold, *(one for one in scaffold.entries if one.path == path)))
