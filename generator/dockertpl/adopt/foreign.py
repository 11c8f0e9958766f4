"""Stages that are kept whole, such as a front-end build, and stages that the image does not use."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dockertpl.adopt.packages import asked
from dockertpl.adopt.shell import commands
from dockertpl.adopt.source import Step
from dockertpl.adopt.stages import Stage, named, pairs, sources
from dockertpl.adopt.translation import Draft
from dockertpl.detect.repository import is_within

#: The names of the template's stages.
# fmt: off
_TAKEN = frozenset([
    "uv", "build", "strip", "code", "python", "rootfs", "dev", "prod", "pruned", "deps", "node",
])
# fmt: on


def names_of(stages: Sequence[Stage], draft: Draft) -> dict[int, str]:
    """Return the new names of foreign stages by index."""
    found = {}
    for stage in stages:
        if stage.foreign and stage.reached and draft.is_python:
            name = stage.name.lower() or f"stage-{stage.index}"
            found[stage.index] = f"old-{name}" if name in _TAKEN else name
    return found


def keep_stage(
    draft: Draft, stage: Stage, stages: Sequence[Stage], names: Mapping[int, str], arguments: Mapping[str, str]
) -> None:
    """Keep a stage unchanged in the region for stages."""
    if not draft.is_python:
        for what, line in listed(stage):
            draft.dropped(line, what, f"it is in {stage.title}, which does not fit into the template")
        draft.doubt(
            stage.start.line, f"{stage.title} is based on {stage.root_image}: it does not fit into the template."
        )
        return
    name = names[stage.index]
    for what, line in listed(stage):
        draft.item(line, what, "kept", f"stages, in the stage {name}")
    others = [one for one in sources(stage, stages) if not one.foreign]
    if others:
        draft.doubt(stage.start.line, f"{stage.title} copies from {others[0].title}, which is not in the new file.")
    if draft.context == "." and draft.app_dir != "." and not draft.member:
        draft.doubt(
            stage.start.line,
            f"{stage.title} copies from the repository root, but the new build context is {draft.app_dir}: "
            f"move the files below {draft.app_dir}, or build them in a separate image.",
        )
    base = names[stage.below.index] if stage.below and stage.below.index in names else stage.image
    platform = "".join(f"{flag} " for flag in stage.start.flags if "$" not in flag or "BUILDPLATFORM" in flag)
    lines = [stage.start.comment] if stage.start.comment else []
    lines.append(f"FROM {platform}{base} AS {name}")
    lines += [_step(step, stage, stages, names, arguments) for step in stage.steps]
    _leave_out_ours(draft, stage)
    if not draft.keep("stages", "\n".join(lines)):
        draft.doubt(stage.start.line, "a step has a line that looks like a region marker, so the stage is left out.")


def _step(
    step: Step, stage: Stage, stages: Sequence[Stage], names: Mapping[int, str], arguments: Mapping[str, str]
) -> str:
    text = step.verbatim
    if step.name == "ARG":
        for name, value in pairs(step):
            if value is None and name in arguments:
                return f'ARG {name}="{arguments[name]}"'
    origin = named(stages[: stage.index], step.flag("from")) if step.flag("from") else None
    if origin and origin.index in names:
        text = re.sub(r"--from=\S+", f"--from={names[origin.index]}", text, count=1)
    return text


def _leave_out_ours(draft: Draft, stage: Stage) -> None:
    """Set the answer `frontend` to none if a kept stage already builds the front end."""
    folder = str(draft.known.get("frontend") or "")
    copied = (
        draft.in_context(source)
        for step in stage.steps
        if step.name in ("COPY", "ADD") and not step.flag("from") and not step.heredocs
        for source in step.words[:-1]
    )
    if folder and any(path is not None and (path == "." or is_within(path, folder)) for path in copied):
        draft.answers["frontend"] = ""
        draft.evidence["frontend"] = f"{draft.path}:{stage.start.line}"


def drop_stage(draft: Draft, stage: Stage) -> None:
    """Report a whole stage as not used by the image."""
    why = f"the image does not use {stage.title}"
    for what, line in listed(stage):
        draft.dropped(line, what, why)
    for step in stage.steps:
        if step.name == "ONBUILD":
            draft.doubt(step.line, "ONBUILD is for base images, which this kind does not build.")


def listed(stage: Stage) -> list[tuple[str, int]]:
    """Return the instructions of a stage with their lines."""
    found = [(f"FROM {' '.join(stage.start.words)}", stage.start.line)]
    for step in stage.steps:
        if step.name in ("ENV", "ARG", "LABEL"):
            found += [(f"{step.name} {name}", step.line) for name, _ in pairs(step)]
        elif step.name == "RUN" and not step.exec_form:
            for command in commands("\n".join([*step.words, *step.heredocs])):
                found.append((command.text, step.line))
                found += [(name, step.line) for part in command.parts for name in asked(part)]
        elif step.name in ("CMD", "ENTRYPOINT", "EXPOSE"):
            found += [(f"{step.name} {word}", step.line) for word in step.words]
        else:
            found.append((f"{step.name} {' '.join([*step.flags, *step.words])}", step.line))
    return found
