"""RUN: split a step if all of its commands are known. Otherwise keep it unchanged."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias

from dockertpl.adopt import files, node_installs, packages, python_installs
from dockertpl.adopt.environment import for_the_build, needed_here
from dockertpl.adopt.secrets import holds_secret
from dockertpl.adopt.shell import Command, commands
from dockertpl.adopt.source import Step
from dockertpl.adopt.tables import pattern, rules
from dockertpl.adopt.translation import Draft, StageState, builds
from dockertpl.adopt.verdict import Verdict

# Keep longer steps whole: they are probably generated.
_LONGEST = 16_384
# What becomes of a step: a region has it, nothing has it, or steps of the template do the same.
_Fate: TypeAlias = Literal["kept", "dropped", "replaced"]
_MANAGERS = re.compile(r"(?:\S*/)?(?:poetry (?:install|export)|uv sync|pdm (?:install|sync))\b")


def read_run(step: Step, draft: Draft, state: StageState) -> None:
    """Read a RUN."""
    text = " ".join(step.words) + "".join(step.heredocs)
    if len(text) > _LONGEST:
        _too_long(step, draft, state, text)
        return
    found = _commands(step)
    if packages.adds_sources(text):
        state.sources = True
    verdicts = [_verdict(command, draft, state, step) for command in found]
    unknown = [verdict is None for verdict in verdicts]
    if any("type=cache" in flag for flag in step.flags):
        draft.facts.add("has-cache-mounts")
    if not any(unknown):
        _flags(step, draft, "replaced")
        for verdict in verdicts:
            if verdict is not None:
                carry_out(step, draft, state, verdict)
        return
    stays = [verdict for verdict in verdicts if verdict is not None and not (verdict.soft or verdict.passing)]
    if not stays or step.heredocs or step.exec_form or any(verdict.state for verdict in stays):
        region = _whole(step, draft, state, found, verdicts)
    else:
        region = _parts(step, draft, state, found, verdicts)
    _flags(step, draft, "kept" if region else "dropped")


def _too_long(step: Step, draft: Draft, state: StageState, text: str) -> None:
    """Keep a very long step unchanged."""
    region = region_for(text[:_LONGEST], draft, state)
    if region:
        draft.item(step.line, text, "kept", region)
        draft.keep_step(region, step.verbatim, folder=_place(draft, state, region), shell=state.shell)
    else:
        draft.dropped(step.line, text, "it runs after the build, but the image only gets the build's result")
    draft.doubt(step.line, f"a step of {len(text)} characters is too long to convert: check what it does.")


def _commands(step: Step) -> tuple[Command, ...]:
    if step.exec_form:
        return (Command(text=" ".join(step.words), parts=(step.words,)),)
    text = step.words[0] if step.words else ""
    if not step.heredocs:
        return commands(text)
    script = re.fullmatch(r"\s*<<-?\s*[\"']?\w+[\"']?\s*", text)
    if script:
        return commands("\n".join(line for line in step.heredocs[0].splitlines() if not line.startswith("#!")))
    return (Command(text=text, parts=(tuple(text.split()),), compound=True),)


def _verdict(command: Command, draft: Draft, state: StageState, step: Step) -> Verdict | None:
    """Return the verdict on a command, or None to keep it unchanged."""
    if command.compound:
        return _compound(command, draft, state, step)
    if not command.is_one:
        return _by_table(" ".join(" ".join(part) for part in command.parts), draft, command)
    words = list(command.words)
    if words[:1] == ["sudo"]:
        words = words[1:]
    if not words:
        # Only variables, for the commands after it.
        return Verdict(items=[(command.text, "template", "only steps of the template read it")], state=True)
    return _simple(words, command, draft, state, step)


def _simple(words: list[str], command: Command, draft: Draft, state: StageState, step: Step) -> Verdict | None:
    text = " ".join(words)
    program = words[0].rpartition("/")[2]
    if program in ("apt-get", "apt", "aptitude", "apk"):
        return None if state.sources else packages.read_command(words, draft, state, step.line)
    found = files.read_files(words, draft, state, command.text)
    if found is not None:
        return found
    if draft.is_python:
        found = python_installs.read_pip(words, draft, state.folder)
        if found is None and _MANAGERS.match(text):
            found = python_installs.read_manager(words, draft)
    else:
        found = node_installs.read_node(words, draft, state, command.text)
    if found is not None and not draft.is_python:
        _set_for(command, found)
    return found or _by_table(text, draft, command)


def _set_for(command: Command, found: Verdict) -> None:
    """Read `NODE_OPTIONS=… npm run build`: only the build has the variable."""
    for assignment in command.assignments if found.built else ():
        name, _, value = assignment.partition("=")
        if "$" in value:
            found.doubts.append(f"the build gets {name} from another variable: see build_env.")
            found.items.append((f"{name} for the build", "dropped", "its value is another variable's"))
        else:
            found.answers.append((f"{name} for the build", "build_env", {name: for_the_build(name, value)}, ""))


def _by_table(text: str, draft: Draft, command: Command) -> Verdict | None:
    for rule, outcome, row in rules():
        if not rule.fullmatch(text):
            continue
        if row.get("uses"):
            draft.uses.setdefault("template", set()).update(part[0].rpartition("/")[2] for part in command.parts)
        why = row["where"] if outcome == "template" else row["why"]
        return Verdict(
            items=[(command.text, "template" if outcome == "template" else "dropped", why)],
            installed=bool(row.get("installs")),
            passing=bool(row.get("passing")),
            soft=bool(row.get("passing")) and outcome == "dropped",
        )
    return None


def _compound(command: Command, draft: Draft, state: StageState, step: Step) -> Verdict | None:
    """Read an `if` or a group if the template covers all its commands, such as an install for each manager."""
    merged = Verdict()
    for part in command.parts:
        inner = Command(text=" ".join(part), parts=(part,))
        words = list(inner.words)
        if not words or words[0] in ("[", "test", "exit"):
            continue
        if not draft.is_python and node_installs.is_of_another_manager(words, draft):
            merged.items.append((inner.text, "template", "the lock selects the manager"))
            continue
        found = _simple(words, inner, draft, state, step)
        if found is None or not (found.plain or node_installs.only_flags(found)):
            return None
        merged.answers += found.answers
        merged.installed = merged.installed or found.installed
        merged.built = merged.built or found.built
        merged.facts |= found.facts
        merged.items += found.items
    merged.items = merged.items or [(command.text, "template", "it changes nothing that is kept")]
    return merged


def carry_out(step: Step, draft: Draft, state: StageState, verdict: Verdict) -> None:
    """Carry out a verdict."""
    line = step.line
    for what, outcome, where in verdict.items:
        draft.item(line, what, outcome, where)
    for what, key, value, note in verdict.answers:
        draft.answer(line, what, key, value, note)
    for what, key, value, note in verdict.exact:
        draft.answer(line, what, key, value, note, exact=True)
    for region, text in verdict.kept:
        needed_here(draft, state, region, text)
        draft.keep_step(region, text, folder=_place(draft, state, region))
        _note_uses(draft, region, [tuple(text.split()[1:])])
    for doubt in verdict.doubts:
        draft.doubt(line, doubt)
    draft.requests += verdict.packages
    draft.purged |= verdict.purged
    draft.facts |= verdict.facts
    state.made |= dict.fromkeys((path for path in verdict.made if path not in state.made), line)
    state.owned |= dict.fromkeys((path for path in verdict.owned if path not in state.owned), line)
    _progress(draft, state, verdict)


def _progress(draft: Draft, state: StageState, verdict: Verdict) -> None:
    if verdict.installed and state.copied and not state.installed and state.stage.steps:
        draft.facts.add("code-before-dependencies")
    state.installed = state.installed or verdict.installed
    state.built = state.built or verdict.built


def _place(draft: Draft, state: StageState, region: str) -> str:
    """Return the working directory of a kept step."""
    moved = draft.moved(state.folder)
    if region == "code" and moved == "/app":
        return f"/app/{draft.app_dir}" if draft.keeps_tree else "/app"
    return moved


def region_for(text: str, draft: Draft, state: StageState) -> str:
    """Return the region for a kept step, or an empty string."""
    late = state.installed or state.copied
    if builds(state, draft) and pattern("toolchain", "match").search(text):
        return "build"
    if state.stage.final:
        if not draft.is_python and draft.single_stage and state.copied and not state.built:
            return "code"
        return "image" if late or _asks_python(text, draft) else "runtime"
    if draft.is_python:
        return "" if state.copied else "build"
    if state.built:
        return ""
    return "code" if late else "build"


def _asks_python(text: str, draft: Draft) -> bool:
    return draft.is_python and re.search(r"(?:^|[\s&;])(?:python3?|playwright|alembic)\s", text) is not None


def _whole(
    step: Step, draft: Draft, state: StageState, found: Sequence[Command], verdicts: Sequence[Verdict | None]
) -> str:
    """Keep a step unchanged, and return its region. Without a region, the step is dropped."""
    text = " ".join(step.words) + "".join(step.heredocs)
    region = region_for(text, draft, state)
    for command, verdict in zip(found, verdicts, strict=True):
        _keep_item(step, draft, state, command, region)
        if verdict is not None and verdict.installed:
            draft.doubt(step.line, "a kept step also installs the dependencies: remove that part.")
        if verdict is not None:
            _progress(draft, state, verdict)
    if not region:
        return ""
    body = step.verbatim
    if re.search(r"\bapt(?:-get)?\b[^&;]*\binstall\b", text) and not re.search(r"\bapt(?:-get)? .*update\b", text):
        body = f"RUN apt-get update\n{body}"
    _keep(step, draft, state, region, body, found)
    return region


def _parts(
    step: Step, draft: Draft, state: StageState, found: Sequence[Command], verdicts: Sequence[Verdict | None]
) -> str:
    """Keep the unknown commands of a step and those that they need. Return their region, or "" if they are dropped."""
    kept: list[Command] = []
    for command, verdict in zip(found, verdicts, strict=True):
        if verdict is None or verdict.soft:
            kept.append(command)
        else:
            carry_out(step, draft, state, verdict)
    region = region_for("\n".join(command.text for command in kept), draft, state)
    for command in kept:
        _keep_item(step, draft, state, command, region)
    if region and kept:
        flags = "".join(f"{flag} \\\n    " for flag in step.flags)
        lines = [kept[0].text]
        lines += [f"{';' if command.before == ';' else '&&'} {command.text}" for command in kept[1:]]
        text = "RUN " + flags + " \\\n    ".join(lines)
        text = text.replace(" \\\n    ; ", "; \\\n    ")
        _keep(step, draft, state, region, f"{step.comment}\n{text}" if step.comment else text, kept)
    return region


def _keep(step: Step, draft: Draft, state: StageState, region: str, text: str, found: Sequence[Command]) -> None:
    needed_here(draft, state, region, text)
    draft.keep_step(region, text, folder=_place(draft, state, region), shell=state.shell)
    _note_uses(draft, region, [part for command in found for part in command.parts])
    if holds_secret(text):
        draft.doubt(step.line, "a kept step has a text that looks like a secret: make it a build secret.")
    if pattern("home", "match").search(text) and region in ("image", "runtime"):
        draft.doubt(
            step.line,
            "a kept step downloads into root's home, which the image's user cannot read: use another folder, and set "
            "it in the application.",
        )
    if draft.flavor == "distroless":
        draft.doubt(step.line, "the flavor distroless has no shell for a kept step.")


def _keep_item(step: Step, draft: Draft, state: StageState, command: Command, region: str) -> None:
    if region:
        draft.item(step.line, command.text, "kept", region)
    else:
        draft.dropped(step.line, command.text, "it runs after the build, but the image only gets the build's result")
        draft.doubt(step.line, "a step with a separate build does not fit into the template.")
    for part in command.parts:
        for name in packages.asked(part):
            if region:
                draft.item(step.line, name, "kept", region)
            else:
                draft.dropped(step.line, name, "together with the step that installs it")


def _note_uses(draft: Draft, region: str, parts: Sequence[Sequence[str]]) -> None:
    draft.uses.setdefault(region, set()).update(
        word.rpartition("/")[2] for part in parts for word in part if not word.startswith("-")
    )


def _flags(step: Step, draft: Draft, fate: _Fate) -> None:
    """Record a step's mounts of secrets and of other stages."""
    for flag in step.flags:
        if "type=secret" in flag:
            _secret(step, draft, flag, fate)
        elif flag.startswith(("--network", "--security")):
            if fate == "kept":
                draft.item(step.line, flag, "kept", "with its step")
            elif fate == "dropped":
                draft.dropped(step.line, flag, "together with its step")
            else:
                draft.template(step.line, flag, "the template's steps have network access")
        elif fate == "kept" and re.search(r"[=,]from=", flag):
            draft.doubt(step.line, f"a kept step mounts from another stage: {flag}.")


def _secret(step: Step, draft: Draft, flag: str, fate: _Fate) -> None:
    found = re.search(r"[=,]id=([^,\s]+)", flag)
    name = found[1] if found else "default"
    what = f"the build secret {name}"
    variable = re.search(r"[=,]env=([A-Z_][A-Z0-9_]*)", flag)
    if fate == "kept":
        draft.item(step.line, what, "kept", "with its step")
    elif fate == "dropped":
        draft.dropped(step.line, what, "together with its step")
    elif re.search(r"netrc|npmrc", name + flag):
        draft.answer(step.line, what, "private_index", True, "netrc" if draft.is_python else "npmrc")
    elif not draft.is_python and (variable or re.fullmatch(r"[A-Z_][A-Z0-9_]*", name)):
        draft.answer(step.line, what, "build_secrets", [variable[1] if variable else name])
    else:
        draft.dropped(step.line, what, "the template only has the secrets ca and netrc")
        draft.doubt(step.line, f"the build reads the secret {name}, but the new build does not get it.")
