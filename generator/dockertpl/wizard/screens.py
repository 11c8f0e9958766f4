"""The lines of each screen of the wizard. Nothing here asks or uses a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from dockertpl.scaffold.session import Session
from dockertpl.screen import printable
from dockertpl.template.answers import Prompt
from dockertpl.template.presentation import Presentation
from dockertpl.template.questions import MISSING
from dockertpl.wizard.console import Option
from dockertpl.wizard.lines import Line, Style, read_out, rule, table, width, wrapped, written

if TYPE_CHECKING:
    from dockertpl.adopt.adoption import AdoptedDockerfile
    from dockertpl.merge.plan import PlannedFile
    from dockertpl.scaffold.prepare import Scaffold


def seen(session: Session, presentation: Presentation) -> list[Line]:
    """Return the first screen: what was detected, each fact with its evidence, and what was not."""
    found, prompts, given = session.found, session.interview.prompts, {**session.in_file, **session.given}
    lines = [rule(f"Found in {session.root.name}")]
    rows = [
        (presentation.title(key), read_out(prompt.default), found.evidence.get(key, ""))
        for key, prompt in prompts.items()
        if prompt.origin == "detected" and _says_something(prompt)
    ]
    rows += [(presentation.title(key), read_out(value), "given") for key, value in given.items()]
    lines += table(rows) if rows else _nothing(session)
    for key, (message, remedy) in found.unknown.items():
        lines += wrapped(f"{presentation.title(key)}: {message} {remedy}".strip(), "  ? ")
    if session.old:
        lines += wrapped(f"Found {session.old.title}. It will be converted: see the review.", "  * ")
    if session.not_adopted:
        problem = session.not_adopted
        lines += wrapped(f"{problem.message} {problem.remedy}".strip(), "  ! ", style="warning")
    for warning in found.warnings:
        lines += wrapped(warning, "  ! ", style="warning")
    return [*lines, Line("")]


def _says_something(prompt: Prompt) -> bool:
    """Return whether a finding is worth a row. "no", "none" and the usual answer of a hidden question are not."""
    return bool(prompt.default) and (prompt.asked_by_copier or prompt.default != prompt.question.default)


def _nothing(session: Session) -> list[Line]:
    if session.found.problem:
        return wrapped(session.found.problem.message, "  ")
    why = "Nothing that answers a question." if session.detecting else "Detection is off (--no-detect)."
    return wrapped(why, "  ")


def question(
    session: Session, presentation: Presentation, prompt: Prompt, *, number: int = 0, count: int = 0
) -> list[Line]:
    """Return the screen of a question, without its input.

    Args:
        session: The run.
        presentation: The questions' labels and reasons.
        prompt: The question.
        number: Its number in a row of questions, from 1.
        count: The length of that row.
    """
    name = prompt.question.name
    where = f", {number} of {count}" if count else ""
    lines = [rule(f"{presentation.group_of(name).name}{where}: {presentation.title(name)}")]
    lines += wrapped(prompt.message)
    for text, style in _notes(session, presentation, prompt):
        lines += wrapped(text, "  ", style=style)
    return lines


def _notes(session: Session, presentation: Presentation, prompt: Prompt) -> Iterator[tuple[str, Style]]:
    """Yield help for an answer: why the last one was refused, what is unknown, where the default comes from."""
    name = prompt.question.name
    if name in session.interview.dropped:
        yield (
            f"{written(session.interview.said[name])} is no longer valid: {session.interview.dropped[name]}",
            "warning",
        )
    elif name in session.found.unknown and prompt.origin != "asked":
        message, remedy = session.found.unknown[name]
        yield f"{message} {remedy}".strip(), "warning"
    if prompt.origin == "asked":
        yield f"Your answer: {read_out(prompt.default)}.", "dim"
    elif prompt.origin == "detected":
        where = session.found.evidence.get(name)
        yield f"Found: {read_out(prompt.default)}{f' ({where})' if where else ''}", "dim"
    elif prompt.default is not MISSING:
        yield f"{read_out(prompt.default)} is the default: {presentation.why(name)}", "dim"
    if effects := list(_effects(session, presentation, name)):
        yield f"Measured: {'; '.join(effects)}.", "dim"
    if prompt.type_name in ("yaml", "json") and not prompt.choices:
        yield "Write a list like [one, two], and [] for none.", "dim"


def _effects(session: Session, presentation: Presentation, name: str) -> Iterator[str]:
    """Yield the measured effect of each choice, or of each item of a list."""
    effects = presentation.questions[name].effects
    for value in effects:
        if effect := presentation.effect(name, value, session.kind):
            yield f"{'yes' if value == 'true' else value} {effect.removesuffix(', measured')}"


def choices(prompt: Prompt) -> list[Option]:
    """Return a question's choices. Empty if the answer is typed."""
    if prompt.type_name == "bool" and not prompt.choices:
        return [Option(value=True, label="yes"), Option(value=False, label="no")]
    found = []
    for choice in prompt.choices:
        value = str(choice.value)
        label = choice.label if choice.label.startswith(value) else f"{value}: {choice.label}"
        found.append(Option(value=choice.value, label=label, disabled=choice.disabled))
    return found


def review(session: Session, presentation: Presentation, scaffold: Scaffold) -> list[Line]:
    """Return the last screen: the answers that differ from the defaults, the files, and other changes."""
    answers = scaffold.answers
    lines = [rule(f"Review: {answers.values['name']}, into {session.root.name}")]
    given = {**session.in_file, **session.given}
    plain = 0
    for group in presentation.groups:
        rows = []
        for name in group.questions:
            if name in answers.hidden or name not in answers.values:
                continue
            prompt = session.interview.prompts.get(name)
            found = answers.origin[name] == "detected"
            if answers.origin[name] == "default" or (found and prompt and not _says_something(prompt)):
                plain += 1
                continue
            place = {"asked": "you", "detected": session.found.evidence.get(name, "found")}.get(
                answers.origin[name], "given" if name in given else ""
            )
            rows.append((presentation.title(name), read_out(answers.values[name]), place.partition(",")[0]))
        if rows:
            lines.append(Line(group.name, "title"))
            lines += table(rows)
    lines.append(Line(f"{plain} other answers have their defaults.", "dim"))
    lines.append(Line("Files", "title"))
    for entry in scaffold.entries:
        lines += wrapped(f"{entry.path}{_what(entry, scaffold)}", "  ", style=_style(entry, scaffold))
    if scaffold.adopted:
        lines += adoption_lines(scaffold.adopted)
    if scaffold.bot and scaffold.bot.new is None:
        lines += wrapped(f"{scaffold.bot.summary} {scaffold.bot.by_hand}", "  ! ", style="warning")
    for warning in answers.warnings:
        lines += wrapped(warning, "  ! ", style="warning")
    return [*lines, Line("")]


def adoption_lines(adopted: AdoptedDockerfile) -> list[Line]:
    """Return a summary of how an old Dockerfile is converted, with every dropped or doubtful part."""
    adoption = adopted.adoption
    counts = Counter(item.outcome for item in adoption.items)
    lines = [Line(f"{adopted.old.title}, converted", "title")]
    known, kept = counts["answer"] + counts["template"], counts["kept"]
    lines += wrapped(f"{known} steps are covered by the new one, {kept} are kept as they are.", "  ")
    for improvement in adoption.improvements:
        lines += wrapped(improvement, "  + ", style="added")
    for item in adopted.lost:
        lines += wrapped(f"{adopted.place(item)}: {item.what} - {item.where}", "  - ", style="removed")
    for item in adopted.overruled:
        lines += wrapped(f"{adopted.place(item)}: {item.what} - {item.where}", "  * ", style="warning")
    for doubt in adoption.doubts:
        lines += wrapped(doubt, "  ? ", style="warning")
    where = ", ".join(copy.path for copy in adopted.copies)
    lines += wrapped(f"The old one stays as {where}." if where else _stays(adopted), "  ", style="dim")
    if others := adopted.old.others:
        lines += wrapped(f"Not converted: {', '.join(others)}. (--adopt-file F converts another.)", "  ", style="dim")
    return lines


def _stays(adopted: AdoptedDockerfile) -> str:
    old = adopted.old
    if not old.dockerfile or old.dockerfile == old.target:
        return "The old one stays in Git."
    still = f" {' and '.join(old.named_by)} still builds it." if old.named_by else ""
    return f"The new one is {old.target}. {old.dockerfile} stays as it is.{still}"


def beside(adopted: AdoptedDockerfile, new: str) -> list[Line]:
    """Return an old Dockerfile with the outcome of each step, and then side by side with the new one."""
    lines = [*adoption_lines(adopted), Line(""), Line("Line  Step, and what becomes of it", "title")]
    styles: dict[str, Style] = {"dropped": "removed", "kept": "added"}
    for item in adopted.adoption.items:
        number = f"{item.line:>4}  " if item.line else "      "
        lines += wrapped(f"{item.what}", number, style=styles.get(item.outcome, "plain"))
        lines += wrapped(f"{_OUTCOMES[item.outcome]} {item.where}", "        ", style="dim")
    half = (width() - 4) // 2
    lines += [Line(""), Line(f"{'The old one':<{half}} | The new one", "title")]
    left, right = (
        [part for line in text.splitlines() for part in _columns(line, half)] for text in (adopted.old.text, new)
    )
    for one, other in zip_longest(left, right, fillvalue=""):
        lines.append(Line(f"{one:<{half}} | {other}".rstrip()))
    return lines


_OUTCOMES = {
    "answer": "becomes the answer",
    "template": "the new one does this:",
    "kept": "is kept, in your region",
    "dropped": "is dropped:",
}


def _columns(line: str, width: int) -> list[str]:
    """Return a line as lines that fit a column."""
    text = printable(line).replace("\t", "    ")
    return [text[at : at + width] for at in range(0, len(text), width)] or [""]


def _what(entry: PlannedFile, scaffold: Scaffold) -> str:
    if entry in scaffold.extra:
        return " (your file: changed)"
    if entry in scaffold.copies:
        return " (the old one)"
    if entry.status == "differs" and entry not in scaffold.in_the_way:
        return " (replaces the old one)"
    return {"create": "", "identical": " (unchanged)", "differs": " (exists, and differs)"}[entry.status]


def _style(entry: PlannedFile, scaffold: Scaffold) -> Style:
    return "warning" if entry in scaffold.in_the_way else "plain"


def group(session: Session, presentation: Presentation, names: Sequence[str]) -> list[Option]:
    """Return the questions of a group that apply, each with its answer."""
    prompts = session.interview.prompts
    shown = [name for name in names if name in prompts]
    longest = max((len(presentation.title(name)) for name in shown), default=0)
    return [
        Option(value=name, label=f"{presentation.title(name):<{longest}}  {_default(prompts[name])}") for name in shown
    ]


def _default(prompt: Prompt) -> str:
    mark = {"asked": "  (you)", "detected": "  (found)"}.get(prompt.origin, "")
    return "?" if prompt.default is MISSING else f"{read_out(prompt.default)}{mark}"


def files(scaffold: Scaffold) -> list[Option]:
    """Return the files to show, each with the number of lines that it gains and loses."""
    found = []
    for entry in scaffold.entries:
        if entry.status == "identical":
            continue
        lines = difference(scaffold, entry)
        added, removed = (sum(line.style == style for line in lines) for style in ("added", "removed"))
        found.append(Option(value=entry.path, label=f"{entry.path}  +{added} -{removed}"))
    return found


def difference(scaffold: Scaffold, *entries: PlannedFile) -> list[Line]:
    """Return the changes as a unified diff. Without entries, return those of all files."""
    from dockertpl.merge.diff import unified

    text = unified(replace(scaffold.planned, entries=entries or scaffold.entries))
    return [Line(printable(line), _kind(line)) for line in text.split("\n")[:-1]]


def _kind(line: str) -> Style:
    if line.startswith(("diff --git", "--- ", "+++ ")):
        return "title"
    return {"+": "added", "-": "removed", "@": "place"}.get(line[:1], "plain")  # type: ignore[return-value]
