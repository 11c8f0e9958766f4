"""ENV, ARG and LABEL: convert them into answers, or keep them. data/variables.toml has the rules."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from dockertpl.adopt.secrets import is_secret, is_secret_name
from dockertpl.adopt.source import Step
from dockertpl.adopt.stages import note_values, pairs, unquoted
from dockertpl.adopt.translation import Draft, StageState, Waiting, builds
from dockertpl.detect.dockerfile import expand

_PUBLIC = "NEXT_PUBLIC_"
_ADVICE = "its value looks like a secret: pass it when the container starts"


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "variables.toml").read_text("utf-8"))


def _row(table: dict[str, str], name: str) -> str | None:
    if name in table:
        return table[name]
    return next((why for key, why in table.items() if key.endswith("*") and name.startswith(key[:-1])), None)


def read_env(step: Step, draft: Draft, state: StageState, arguments: dict[str, str]) -> None:
    """Read an ENV. Each variable is handled separately, unless the whole instruction is kept."""
    kept: dict[str, list[tuple[str, str]]] = {}
    found = pairs(step)
    for name, value in found:
        for region in _variable(step, draft, state, name, value or ""):
            kept.setdefault(region, []).append((name, value or ""))
    for region, some in kept.items():
        whole = len(some) == len(found)
        # BuildKit warns about the old form, ENV NAME value.
        whole = whole and "=" in step.text.split(None, 2)[1]
        text = (
            step.verbatim if whole else "ENV " + " \\\n    ".join(f"{name}={_written(value)}" for name, value in some)
        )
        _put(draft, state, region, text)
    note_values(step, state.values, arguments)


def _put(draft: Draft, state: StageState, region: str, text: str) -> None:
    if region == "environment":
        state.own.append(text)
    if not draft.keep(region, text):
        draft.doubts.append(f"{draft.path}: an ENV has a line that looks like a region marker, so it is left out.")


def _written(value: str) -> str:
    if re.fullmatch(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|(?:[^\s\"'\\]|\\.)*", value):
        return value or '""'
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _variable(step: Step, draft: Draft, state: StageState, name: str, value: str) -> list[str]:
    """Record one variable, and return the regions for it."""
    line, what = step.line, f"ENV {name}"
    text = expand(unquoted(value), state.values)
    if is_secret(name, text) and is_secret(name, unquoted(value)):
        draft.dropped(line, what, _ADVICE)
        draft.doubt(line, f"{name} looks like a secret. {_AT_RUN_TIME if state.stage.final else _IN_BUILD}")
        return []
    if (why := _row(_data()["template"], name)) is not None:
        if why == "doubt":
            draft.dropped(line, what, "the lock or the build argument UV_DEFAULT_INDEX has the index")
            draft.doubt(line, f"{name} sets another package index: see private_index and UV_DEFAULT_INDEX.")
        else:
            draft.template(line, what, why)
        return []
    if name == "PATH":
        return _path(step, draft, state, value)
    if name == "PYTHONPATH" and draft.is_python:
        return _python_path(step, draft, state, text)
    if name == "PORT" and state.stage.final:
        return []  # the start answers it
    if not state.stage.final:
        return _of_a_builder(line, draft, state, name, value)
    regions = ["environment"]
    if draft.single_stage and draft.is_python and _is_of_the_build(name):
        regions = ["build"]
    elif draft.single_stage and not draft.is_python and not state.built:
        regions.append("code")
    draft.item(line, what, "kept", " and ".join(regions))
    return regions


_AT_RUN_TIME = "Pass it when the container starts, and replace it: anyone with the image can read it."
_IN_BUILD = "Make it a build secret, or use build_env if it is only a placeholder."


def _is_of_the_build(name: str) -> bool:
    return _row(dict.fromkeys(_data()["build"]["names"], ""), name) is not None


def _of_a_builder(line: int, draft: Draft, state: StageState, name: str, value: str) -> list[str]:
    what, own = f"ENV {name}", re.fullmatch(r"\"?\$\{?(\w+)\}?\"?", value)
    if own and own[1] == name:
        draft.template(line, what, "build arguments are in the environment of the build")
        return []
    plain = unquoted(value)
    if draft.is_python or (not state.installed and "$" not in plain and not name.startswith(_PUBLIC)):
        draft.item(line, what, "kept", "build")
        return ["build"]
    if "$" not in plain and re.fullmatch(r"[ -~]*", plain) and not _refers_back(draft, name):
        draft.answer(line, what, "build_env", {name: for_the_build(name, plain)})
        return []
    draft.item(line, what, "kept", "code")
    return ["code"]


def for_the_build(name: str, value: str) -> str:
    """Return a build variable's value, with the template's own options added."""
    return f"--use-system-ca {value}" if name == "NODE_OPTIONS" else value


def _refers_back(draft: Draft, name: str) -> bool:
    """Return whether a region already has the variable. Regions come after the answers."""
    return re.search(rf"\b{re.escape(name)}=", draft.kept("code")) is not None


def _path(step: Step, draft: Draft, state: StageState, value: str) -> list[str]:
    known = [re.compile(part) for part in _data()["path"]["parts"]]
    parts = [part for part in unquoted(value).split(":") if part]
    own = [part for part in parts if not any(one.fullmatch(part) for one in known)]
    own = [part for part in own if not any(one.fullmatch(expand(part, state.values)) for one in known)]
    if not own:
        draft.template(step.line, "ENV PATH", "the virtual environment and the tools are on PATH")
        return []
    region = "environment" if state.stage.final else "build"
    moved = [part if "$" in part else draft.moved(part) for part in own]
    draft.item(step.line, f"ENV PATH ({', '.join(own)})", "kept", region)
    text = f"ENV PATH={':'.join(moved)}:$PATH"
    draft.keep(region, text)
    state.own.append(text)
    return []


def _python_path(step: Step, draft: Draft, state: StageState, value: str) -> list[str]:
    root = draft.place_of(draft.app_dir) or "/app"
    root = f"{root}/src" if draft.known.get("layout") == "src" else root
    parts = [part for part in value.split(":") if part and "$" not in part]
    moved = list(
        dict.fromkeys(draft.moved(part if part.startswith("/") else f"{state.folder}/{part}") for part in parts)
    )
    others = [part.rstrip("/.") or "/" for part in moved if (part.rstrip("/.") or "/") not in (root, "/app")]
    if not others or not state.stage.final:
        draft.template(step.line, "ENV PYTHONPATH", f"the template sets it to {root}")
        return []
    draft.item(step.line, f"ENV PYTHONPATH ({':'.join(parts)})", "kept", "environment")
    draft.keep("environment", f"ENV PYTHONPATH={':'.join([root, *others])}")
    return []


def read_arg(step: Step, draft: Draft, state: StageState, arguments: dict[str, str]) -> None:
    """Read an ARG of a stage."""
    for name, value in pairs(step):
        _argument(step.line, draft, state, name, arguments.get(name) if value is None else value)
    note_values(step, state.values, arguments)


def _argument(line: int, draft: Draft, state: StageState, name: str, value: str | None) -> None:
    what = f"ARG {name}"
    text = what if value is None else f"{what}={_written(value)}"
    builder = builds(state, draft) and not draft.is_python and not state.built
    if value and is_secret(name, value):
        draft.dropped(line, what, _ADVICE)
        draft.doubt(line, f"{name} has a default that looks like a secret, and the image's history shows it.")
    elif is_secret_name(name):
        if builder and re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            draft.answer(line, what, "build_secrets", [name], "a build secret, which is in no layer")
        else:
            draft.dropped(line, what, "the image's history shows build arguments: pass it when the container starts")
            draft.doubt(line, f"the build argument {name} looks like a secret: check which step reads it.")
    elif (why := _row(_data()["template"], name)) is not None:
        draft.template(line, what, "the lock, or the build argument UV_DEFAULT_INDEX" if why == "doubt" else why)
    elif builder and name.startswith(_PUBLIC) and value is None:
        draft.answer(line, what, "public_variables", [name])
        if state.stage.final:
            state.own.append(text)
    elif builder:
        draft.item(line, what, "kept", "code")
        draft.keep("code", text)
        if state.stage.final:
            draft.keep("environment", text)
    else:
        region = "environment" if state.stage.final else "build" if draft.is_python else "code"
        state.own.append(text)
        draft.keep(region, text)
        draft.waiting.append(Waiting(line=line, name=name, region=region, text=text))


def read_label(step: Step, draft: Draft, state: StageState) -> None:
    """Read a LABEL."""
    others = []
    for name, value in pairs(step):
        name = unquoted(name)
        why = _data()["labels"].get(name)
        if not state.stage.final:
            draft.dropped(step.line, f"LABEL {name}", "it is in a build stage")
        elif why:
            draft.template(step.line, f"LABEL {name}", why)
        else:
            draft.item(step.line, f"LABEL {name}", "kept", "environment")
            others.append((name, value or '""'))
    if others and len(others) == len(pairs(step)):
        draft.keep("environment", step.verbatim)
    elif others:
        draft.keep("environment", "LABEL " + " \\\n      ".join(f"{name}={_written(value)}" for name, value in others))


def needed_here(draft: Draft, state: StageState, region: str, step: str) -> None:
    """Put a build stage's variables before a kept step."""
    if region in ("environment", "image"):
        return
    begin = state.given.get(region, 0)
    new = [text for text in state.own[begin:] if text not in draft.kept(region)]
    readers = "\n".join([step, *(text for text in new if not text.startswith("ARG "))])
    for text in new:
        argument = re.match(r"ARG (\w+)", text)
        if not argument or re.search(rf"\$\{{?{argument[1]}\b", readers):
            draft.keep(region, text)
    state.given[region] = len(state.own)
