"""COPY and ADD: recognize copies that the template makes, and keep others."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from dockertpl.adopt.source import Step
from dockertpl.adopt.stages import Stage, joined, named
from dockertpl.adopt.translation import Draft, StageState, joined_paths
from dockertpl.detect.dockerfile import expand

_INSTALL_FILE = re.compile(r"[A-Za-z0-9_.@+-]+(?:/[A-Za-z0-9_.@+-]+)*")
_CODE = "the application's code"


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "copies.toml").read_text("utf-8"))


def is_manifest(path: str) -> bool:
    """Return whether only an install reads a file of the build context."""
    name = path.rstrip("/").rpartition("/")[2].rstrip("*")
    return any(re.fullmatch(one, name) for one in _data()["manifests"]["names"])


def is_file(path: str) -> bool:
    """Return whether a path of the build context looks like a file."""
    name = path.rpartition("/")[2]
    return not path.endswith("/") and (
        "." in name.lstrip(".") or name in ("Pipfile", "Makefile", "Procfile", "LICENSE")
    )


def target_of(source: str, destination: str, folder: str, *, several: bool) -> str:
    """Return the path of a source in the image."""
    target = joined(folder, destination)
    if is_file(source) and (several or destination.endswith(("/", ".")) or target == folder):
        return joined(target, source.rpartition("/")[2])
    return target


def read_copy(step: Step, draft: Draft, state: StageState, stages: Sequence[Stage], names: Mapping[int, str]) -> None:
    """Read a COPY or ADD.

    Args:
        step: The instruction.
        draft: Collects items and lines.
        state: The stage so far.
        stages: All stages.
        names: The new names of kept stages, by index.
    """
    words = [expand(word, state.values) for word in step.words]
    if len(words) < 2:
        return
    origin = step.flag("from")
    if step.heredocs:
        _literal(step, draft, state)
    elif origin:
        _from_elsewhere(step, draft, state, words, named(stages[: state.stage.index], origin), names)
    else:
        for source in words[:-1]:
            _from_context(step, draft, state, source, words[-1], several=len(words) > 2)


def _literal(step: Step, draft: Draft, state: StageState) -> None:
    what = f"{step.name} of lines to {step.words[-1]}"
    if state.stage.final:
        draft.item(step.line, what, "kept", "image")
        draft.keep("image", step.verbatim)
    else:
        draft.item(step.line, what, "kept", "build")
        draft.keep("build", step.verbatim)


def _flags(step: Step) -> str:
    """Return the flags to keep. The owner is always the image's user."""
    found = []
    for flag in step.flags:
        if flag.startswith("--chown="):
            root = re.fullmatch(r"--chown=(?:root|0)(?::\w+)?", flag)
            found += [] if root else ["--chown=10001:10001"]
        elif not flag.startswith("--from="):
            found.append(flag)
    return "".join(f"{flag} " for flag in found)


def _keep(step: Step, draft: Draft, region: str, origin: str, source: str, target: str) -> None:
    comment = f"{step.comment}\n" if step.comment and step.comment not in draft.kept(region) else ""
    start = f"--from={origin} " if origin else ""
    words = [source, target]
    quoted = (
        "[" + ", ".join(f'"{word}"' for word in words) + "]" if any(" " in word for word in words) else " ".join(words)
    )
    draft.keep(region, f"{comment}{step.name} {start}{_flags(step)}{quoted}")


def _from_elsewhere(
    step: Step, draft: Draft, state: StageState, words: Sequence[str], stage: Stage | None, names: Mapping[int, str]
) -> None:
    origin, destination = step.flag("from"), words[-1]
    for source in words[:-1]:
        what = f"{step.name} --from={origin} {source}"
        target = joined(state.folder, destination)
        if destination.endswith("/") and is_file(source):
            target = joined(target, source.rpartition("/")[2])
        if stage is None:
            _from_image(step, draft, state, what, source, target)
            continue
        product = _product(source, draft)
        if product and not (stage.foreign and draft.is_python):
            draft.template(step.line, what, product)
            state.installed = state.installed or "node_modules" in source or draft.is_python
            state.copied = state.copied or "standalone" in source
        elif not state.stage.final:
            if _has_code(source, draft):
                draft.template(step.line, what, "the stages that build have the code")
                state.copied = True
            elif stage.foreign and draft.is_python:
                draft.dropped(step.line, what, "the template has its own version of that stage")
                draft.doubt(step.line, f"{source} is copied from another stage into the application's build.")
            else:
                draft.template(step.line, what, "the build stages are based on one another")
        else:
            _of_stage(step, draft, state, stage, what, source, target, names)


def _product(source: str, draft: Draft) -> str:
    path = "/" + source.strip("/")
    for one in _data()["products"]["python" if draft.is_python else "node"]:
        if re.fullmatch(one, path):
            return "the image has what the stage " + ("venv installs" if draft.is_python else "build makes")
    return ""


def _has_code(source: str, draft: Draft) -> bool:
    return source.rstrip("/").removesuffix("/.") in (draft.root, "/app", ".", "") or "/out" in source


def _from_image(step: Step, draft: Draft, state: StageState, what: str, source: str, target: str) -> None:
    origin = step.flag("from")
    if any(re.fullmatch(one, origin) for one in _data()["tools"]["images"]):
        draft.template(step.line, what, "the stage build has the pinned installer")
        return
    region = "build" if not state.stage.final else "image" if state.copied or state.installed else "runtime"
    draft.item(step.line, what, "kept", region)
    _keep(step, draft, region, origin, source, draft.moved(target))


def _of_stage(
    step: Step,
    draft: Draft,
    state: StageState,
    stage: Stage,
    what: str,
    source: str,
    target: str,
    names: Mapping[int, str],
) -> None:
    """Read a copy from an old stage into the image."""
    line = step.line
    ignored = _ignored(source.strip("/"))
    if ignored:
        draft.dropped(line, what, ignored["why"])
        if ignored.get("doubt"):
            draft.doubt(line, f"{source} is copied into the image and may contain secrets.")
        return
    if source.rstrip("/") in ("", "/."):
        draft.dropped(line, what, "it copies a whole root file system, and the new image has its own")
        draft.doubt(
            line, f"everything from the stage {step.flag('from')} is copied: name the files that the image needs."
        )
        return
    inside = source.startswith((draft.root.rstrip("/") + "/", "/app/")) or not source.startswith("/")
    if (_has_code(source, draft) or inside) and not stage.foreign and draft.is_python:
        draft.template(line, what, _CODE)
        state.copied = True
    elif _has_code(source, draft) and not stage.foreign:
        draft.template(line, what, "the standalone output has what the server needs")
        state.copied = True
    elif stage.foreign and stage.index not in names:
        draft.dropped(line, what, f"it is built in {stage.title}, which does not fit into the template")
    else:
        origin = names.get(stage.index, "runtime" if stage.final else "build")
        draft.item(line, what, "kept", "image")
        place = source if stage.foreign else draft.moved(source if source.startswith("/") else f"{draft.root}/{source}")
        _keep(step, draft, "image", origin, place, draft.moved(target))


def _ignored(path: str) -> dict[str, Any] | None:
    return next((row for row in _data()["ignored"] if re.fullmatch(row["match"], path)), None)


def _from_context(step: Step, draft: Draft, state: StageState, source: str, destination: str, *, several: bool) -> None:
    line, what = step.line, f"{step.name} {source}"
    if re.match(r"https?://|git@|ftp://", source):
        region = "build" if not state.stage.final else "image" if state.copied or state.installed else "runtime"
        draft.item(line, what, "kept", region)
        _keep(step, draft, region, "", source, draft.moved(joined(state.folder, destination)))
        return
    path = joined_paths(".", source)
    target = target_of(source, destination, state.folder, several=several)
    whole = path == "." or joined_paths(draft.context, path) == draft.app_dir
    if whole and not state.installed:
        state.copied = True
    manifest = is_manifest(path)
    code = not manifest
    ignored = None if manifest else _ignored(path)
    if ignored and not (step.name == "ADD" and path.endswith((".tar", ".gz"))):
        draft.dropped(line, what, ignored["why"])
        if ignored.get("doubt"):
            draft.doubt(line, f"{path} is copied into the image and may contain secrets.")
    elif draft.in_context(path) is None:
        draft.dropped(line, what, "it is outside of the build context, which is the application's folder")
        draft.doubt(
            line, f"{path} is outside of {draft.app_dir}, the new build context: move it below {draft.app_dir}."
        )
    elif state.stage.final:
        _into_image(step, draft, state, what, path, target, manifest=manifest, whole=whole)
    else:
        code = _into_build(line, draft, state, what, path, manifest=manifest, whole=whole)
    state.copied = state.copied or whole or code


def _into_build(
    line: int, draft: Draft, state: StageState, what: str, path: str, *, manifest: bool, whole: bool
) -> bool:
    """Record a copy into a build stage, and return whether it copies code."""
    place = draft.in_context(path) or path
    if manifest:
        draft.template(line, what, "the stage " + ("venv" if draft.is_python else "deps") + " copies the manifests")
    elif draft.is_python or whole or state.installed or not _INSTALL_FILE.fullmatch(place):
        draft.template(line, what, _CODE)
    else:
        draft.answer(line, what, "install_files", [place], "the installation reads it")
        return False
    return not manifest


def _into_image(
    step: Step, draft: Draft, state: StageState, what: str, path: str, target: str, *, manifest: bool, whole: bool
) -> None:
    line = step.line
    place = draft.place_of(path)
    same = place is not None and joined("/app", _below(target, draft.root)) == place
    if (
        not draft.is_python
        and not draft.single_stage
        and not re.fullmatch(r"public|package.*\.json|next\.config\.\w+", path)
    ):
        draft.item(line, what, "kept", "image")
        _keep(step, draft, "image", "", draft.in_context(path) or path, draft.moved(target))
    elif manifest:
        draft.template(line, what, "the stage " + ("venv" if draft.is_python else "deps") + " copies the manifests")
    elif same:
        draft.template(line, what, _CODE if draft.is_python else "the standalone output has what the server needs")
    elif place is not None and target == draft.root and not is_file(path):
        draft.template(line, what, f"{_CODE}, which is in {place}")
        # If the whole application moves, the server starts in the new folder.
        if not whole and not str(draft.known.get("app_file", "")).startswith(f"{draft.in_context(path)}/"):
            draft.doubt(line, f"{path} moves from {target} to {place}: check imports and paths.")
    else:
        draft.item(line, what, "kept", "image")
        destination = joined("/app", _below(target, draft.root)) if target.startswith(draft.root + "/") else target
        _keep(step, draft, "image", "", draft.in_context(path) or path, destination)


def _below(path: str, root: str) -> str:
    if path == root:
        return "."
    return path.removeprefix(root.rstrip("/") + "/") if path.startswith(root.rstrip("/") + "/") else "../elsewhere"
