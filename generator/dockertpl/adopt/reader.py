"""Read an old Dockerfile from its first to its last line."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dockertpl.adopt import bases, copies, foreign, packages
from dockertpl.adopt.environment import read_arg, read_env, read_label
from dockertpl.adopt.health import read_health
from dockertpl.adopt.ignore import read_ignore
from dockertpl.adopt.model import AdoptedItem, Adoption
from dockertpl.adopt.rest import keep_folders, read_other, read_port_variable, read_ports
from dockertpl.adopt.runs import read_run
from dockertpl.adopt.source import LONGEST, Step, steps
from dockertpl.adopt.stages import CodeCopy, Stage, choose, joined, note_values, pairs, split, values_at_start
from dockertpl.adopt.start import read_start
from dockertpl.adopt.translation import Draft, StageState, joined_paths
from dockertpl.detect.dockerfile import expand
from dockertpl.errors import BadInputError
from dockertpl.kinds import SERVICE_KINDS


@lru_cache(maxsize=1)
def _improvements() -> list[dict[str, Any]]:
    data = tomllib.loads((Path(__file__).parent / "data" / "improvements.toml").read_text("utf-8"))
    return list(data["improvements"])


def read(
    text: str,
    *,
    path: str,
    kind: str,
    answers: Mapping[str, Any],
    ignore: str | None = None,
    settled: Collection[str] | None = None,
    context: str = "",
) -> Adoption:
    """Read an old Dockerfile, and decide the outcome of each item.

    Args:
        text: The Dockerfile.
        path: Its path, relative to the repository root.
        kind: The kind of the new image.
        answers: The answers so far, with defaults.
        ignore: The text of its ignore file, or None.
        settled: The answers that are not defaults. None for all of them.
        context: The build context, if it is known.

    Returns:
        Answers, the text of regions, and all items with their outcomes.

    Raises:
        BadInputError: The kind is not a service, or the text is not a Dockerfile or too long.
    """
    if kind not in SERVICE_KINDS:
        raise BadInputError(
            f"A Dockerfile cannot be adopted as kind {kind}, only as a service.",
            f"Choose one of {', '.join(SERVICE_KINDS)}, or continue without --adopt.",
        )
    if ignore is not None and len(ignore) > LONGEST:
        raise BadInputError(f"The ignore file beside {path} is longer than {LONGEST // 1024} KiB.", "Check the path.")
    arguments, ahead, stages = split(steps(text, path))
    draft = Draft(path=path, kind=kind, known=answers, settled=frozenset(answers if settled is None else settled))
    said: list[str] = []
    image = choose(stages, said)
    draft.doubts += [f"{path}:{image.start.line}: {one}" for one in said]
    for stage in stages:
        stage.foreign = not stage.final and bases.kind_of(stage.root_image)[0] != kind
    draft.single_stage = not any(stage.builds and not stage.final and not stage.foreign for stage in stages)
    _find_code(draft, image, stages, arguments, context)
    if _needs_root(draft, stages) and "context" not in draft.settled:
        # Read it again as an application that is built from the root.
        known = {**answers, "context": "."}
        again = read(
            text, path=path, kind=kind, answers=known, ignore=ignore, settled={*draft.settled, "context"}, context="."
        )
        return _from_root(again, draft, image.start.line)
    _ahead(draft, ahead, stages)
    scenes = _stages(draft, stages, arguments)
    _end(draft, scenes, image)
    if ignore is not None:
        read_ignore(draft, ignore)
    return draft.finished(_improved(draft, image, ignore, scenes[image.index]))


def _chain(image: Stage) -> list[Stage]:
    """Return the stages that form the image, the lowest first."""
    below = _chain(image.below) if image.below else []
    return [*below, image]


def read_ignore_file(text: str, *, path: str, kind: str, answers: Mapping[str, Any]) -> Adoption:
    """Read an ignore file without a Dockerfile.

    Args:
        text: The ignore file.
        path: Its path, relative to the repository root.
        kind: The kind of image.
        answers: The answers so far.

    Raises:
        BadInputError: The kind is not a service, or the text is too long.
    """
    if kind not in SERVICE_KINDS or len(text) > LONGEST:
        raise BadInputError(f"{path} cannot be merged.", "Move it away, and copy the patterns that you need by hand.")
    draft = Draft(path=path, kind=kind, known=answers, settled=frozenset(answers))
    draft.context = str(answers.get("context", draft.app_dir))
    read_ignore(draft, text)
    return draft.finished([])


def _needs_root(draft: Draft, stages: Sequence[Stage]) -> bool:
    """Return whether the image needs files outside of the application's folder, and can be built from the root.

    Some managers need their project at the root of the build context.
    """
    if draft.app_dir == "." or draft.member or draft.context != ".":
        return False
    if draft.known.get("manager") != "pip" or draft.known.get("requirements_self"):
        return False
    for stage in stages:
        if not stage.reached or (stage.foreign and not draft.is_python):
            continue
        for step in stage.steps:
            if step.name not in ("COPY", "ADD") or step.flag("from") or step.heredocs:
                continue
            paths = [joined_paths(".", word) for word in step.words[:-1] if "://" not in word and "$" not in word]
            if any(path != "." and draft.in_context(path) is None for path in paths):
                return True
    return False


def _from_root(adoption: Adoption, draft: Draft, line: int) -> Adoption:
    """Return an adoption that builds from the repository root."""
    answers: dict[str, Any] = {"context": "."}
    for key in (
        "requirements_file",
        "requirements_source",
        "requirements_dev",
        "requirements_includes",
        "requirements_more",
    ):
        value = draft.known.get(key, "requirements.txt" if key == "requirements_file" else "")
        if isinstance(value, str) and value:
            answers[key] = f"{draft.app_dir}/{value}"
        elif value:
            answers[key] = [f"{draft.app_dir}/{one}" for one in value]
    item = AdoptedItem(line=line, what="files from the repository root", outcome="answer", where="context (.)")
    return replace(
        adoption,
        answers={**adoption.answers, **answers},
        evidence={**adoption.evidence, **dict.fromkeys(answers, f"{draft.path}:{line}")},
        items=tuple(sorted([*adoption.items, item], key=lambda one: one.line)),
    )


def _find_code(draft: Draft, image: Stage, stages: Sequence[Stage], arguments: Mapping[str, str], context: str) -> None:
    """Find the old build context, and the code's folder in the image."""
    context_sources = [
        source.removeprefix("./").rstrip("/")
        for stage in stages
        if stage.reached and not stage.foreign
        for step in stage.steps
        if step.name in ("COPY", "ADD") and not step.flag("from")
        for source in step.words[:-1]
    ]
    app_dir = draft.app_dir
    in_root = any(source == app_dir or source.startswith(f"{app_dir}/") for source in context_sources)
    beside = posixpath.dirname(draft.path) == app_dir and not in_root and app_dir != "."
    draft.context = context or (app_dir if beside else ".")
    found: list[CodeCopy] = []
    folder = "/"
    last = "/"
    for stage in _chain(image):
        values = values_at_start(stage, arguments)
        for step in stage.steps:
            note_values(step, values, arguments)
            if step.name == "WORKDIR":
                folder = joined(folder, expand(" ".join(step.words), values))
                last = folder
            elif step.name in ("COPY", "ADD") and len(step.words) > 1:
                found += _code_copies(step, folder, values)
    whole = [copy for copy in found if joined_paths(draft.context, copy.source) in (".", app_dir) and copy.folder]
    draft.copies = [copy for copy in found if copy.target != "/"]
    draft.root = whole[-1].target if whole else last
    if draft.root == "/":
        draft.root = "/app"
    if app_dir != "." and whole and joined_paths(draft.context, whole[-1].source) == ".":
        draft.root = joined(draft.root, app_dir) if draft.is_python or not draft.member else draft.root


def _code_copies(step: Step, folder: str, values: Mapping[str, str]) -> list[CodeCopy]:
    words = [expand(word, values) for word in step.words]
    several = len(words) > 2
    result = []
    for source in words[:-1]:
        if "://" in source or step.heredocs or any(one in source for one in "*?$["):
            continue
        if origin := step.flag("from"):
            # The whole of the folder that a stage works in.
            if (
                origin
                and source.rstrip("/") in ("/app", ".", "/code", "/src", "/usr/src/app")
                and not step.words[-1].endswith("*")
            ):
                result.append(CodeCopy(source=".", target=joined(folder, words[-1]), folder=True))
            continue
        target = copies.target_of(source, words[-1], folder, several=several)
        result.append(CodeCopy(source=joined_paths(".", source), target=target, folder=not copies.is_file(source)))
    return result


def _ahead(draft: Draft, ahead: Sequence[Step], stages: Sequence[Stage]) -> None:
    """Record the build arguments before the first FROM."""
    froms = " ".join(" ".join([*stage.start.flags, *stage.start.words]) for stage in stages)
    again = {name for stage in stages for step in stage.steps if step.name == "ARG" for name, _ in pairs(step)}
    for step in ahead:
        for name, _ in pairs(step):
            if re.search(rf"\$\{{?{re.escape(name)}\b", froms):
                draft.template(step.line, f"ARG {name}", "the build arguments for the new base images")
            elif name in again:
                draft.template(step.line, f"ARG {name}", "the ARG in its stage, which is listed, too")
            else:
                draft.dropped(step.line, f"ARG {name}", "nothing reads it")


def _stages(draft: Draft, stages: Sequence[Stage], arguments: dict[str, str]) -> dict[int, StageState]:
    names = foreign.names_of(stages, draft)
    scenes: dict[int, StageState] = {}
    for stage in stages:
        if not stage.reached:
            foreign.drop_stage(draft, stage)
            continue
        if stage.foreign:
            continue
        below = scenes.get(stage.below.index) if stage.below else None
        state = StageState(stage=stage, values=values_at_start(stage, arguments))
        if below:
            state.folder, state.shell, state.user = below.folder, below.shell, below.user
            state.installed, state.copied, state.built = below.installed, below.copied, below.built
            state.sources = below.sources
            if stage.final and below.stage.final:
                state.made, state.owned, state.own = dict(below.made), dict(below.owned), list(below.own)
                state.given = dict(below.given)
        scenes[stage.index] = state
        bases.read_base(draft, stage)
        for step in stage.steps:
            _step(step, draft, state, stages, names, arguments)
    # Last, since the template's next line begins a new stage.
    for stage in stages:
        if stage.reached and stage.foreign:
            foreign.keep_stage(draft, stage, stages, names, arguments)
    return scenes


def _step(
    step: Step,
    draft: Draft,
    state: StageState,
    stages: Sequence[Stage],
    names: Mapping[int, str],
    arguments: dict[str, str],
) -> None:
    match step.name:
        case "RUN":
            read_run(step, draft, state)
        case "COPY" | "ADD":
            copies.read_copy(step, draft, state, stages, names)
        case "ENV":
            read_env(step, draft, state, arguments)
        case "ARG":
            read_arg(step, draft, state, arguments)
        case "LABEL":
            read_label(step, draft, state)
        case "WORKDIR":
            _workdir(step, draft, state)
        case "CMD" | "ENTRYPOINT" | "EXPOSE" | "HEALTHCHECK" if state.stage.final:
            pass  # the last one counts: see _end
        case "CMD" | "ENTRYPOINT" | "EXPOSE" | "HEALTHCHECK":
            for word in (*step.flags, *step.words):
                draft.dropped(step.line, f"{step.name} {word}", "it is in a build stage")
        case _:
            read_other(step, draft, state)


def _workdir(step: Step, draft: Draft, state: StageState) -> None:
    word = expand(" ".join(step.words), state.values)
    state.folder = joined(state.folder, word)
    moved = draft.moved(state.folder)
    note = "WORKDIR /app" if moved == "/app" else f"the template works in /app; {state.folder} is {moved}"
    if not state.stage.final:
        note = "the build stages work in /app"
    elif state.folder == moved and moved != "/app":
        note = "the template works in /app, and kept steps change to this folder"
    draft.template(step.line, f"WORKDIR {word}", note)


def _end(draft: Draft, scenes: Mapping[int, StageState], image: Stage) -> None:
    """Read instructions of which only the last counts, and finish deferred items."""
    state = scenes[image.index]
    chain = [step for stage in _chain(image) for step in stage.steps]
    last = {name: _last(draft, chain, name) for name in ("ENTRYPOINT", "CMD", "HEALTHCHECK")}
    keep_folders(draft, state)
    read_start(draft, state, last["ENTRYPOINT"], last["CMD"])
    read_port_variable(draft, state, chain)
    for step in chain:
        if step.name == "EXPOSE":
            read_ports(step, draft, state, started="low-port" in draft.facts)
    if last["HEALTHCHECK"]:
        read_health(last["HEALTHCHECK"], draft, state)
    packages.settle(draft, draft.requests, draft.purged, draft.uses)
    _link(draft)
    draft.settle_arguments()
    draft.settle_shells()


def _last(draft: Draft, chain: Sequence[Step], name: str) -> Step | None:
    found = [step for step in chain if step.name == name]
    for step in found[:-1]:
        for word in (*step.flags, *step.words):
            draft.dropped(step.line, f"{name} {word}", f"the {name} of line {found[-1].line} replaces it")
    return found[-1] if found else None


def _link(draft: Draft) -> None:
    """Create a link at the code's old folder if a kept step or a script may use it."""
    root = draft.root
    if draft.moved(root) != "/app" or root == "/app" or root.startswith("/app/"):
        return
    texts = "\n".join(draft.kept(region) for region in ("runtime", "environment", "image"))
    if not re.search(rf"(?<![\w/]){re.escape(root)}(?![\w-])", texts) and "ENTRYPOINT" not in draft.kept("image"):
        return
    parent = posixpath.dirname(root)
    made = f"mkdir -p {parent} && " if parent != "/" else ""
    draft.first("image", f"# The lines below use {root}, the application's old folder.\nRUN {made}ln -s /app {root}")


def _improved(draft: Draft, image: Stage, ignore: str | None, state: StageState) -> list[str]:
    facts = set(draft.facts)
    if state.user.partition(":")[0] in ("", "root", "0"):
        facts.add("root")
    if draft.single_stage:
        facts.add("single-stage")
    if ignore is not None:
        facts.add("has-ignore")
    return [
        str(row["text"])
        for row in _improvements()
        if facts.issuperset(row.get("needs", ())) and not facts.intersection(row.get("unless", ()))
    ]
