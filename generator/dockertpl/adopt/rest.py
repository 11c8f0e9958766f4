"""EXPOSE, USER, VOLUME, STOPSIGNAL, SHELL and the other instructions."""

from __future__ import annotations

import re

from dockertpl.adopt.source import Step
from dockertpl.adopt.stages import joined
from dockertpl.adopt.start import port
from dockertpl.adopt.translation import Draft, StageState
from dockertpl.detect.dockerfile import expand

WRITTEN = "image; mount a volume or --tmpfs there, since the root is read-only"


def read_ports(step: Step, draft: Draft, state: StageState, *, started: bool) -> None:
    """Read an EXPOSE of the image.

    Args:
        step: The instruction.
        draft: Collects answers and items.
        state: The stage at its end.
        started: Whether the start command has the port.
    """
    words = [one for word in step.words for one in expand(word, state.values).split()]
    for word in words:
        what = f"EXPOSE {word}"
        number, _, protocol = word.partition("/")
        if not number.isdigit():
            draft.dropped(step.line, what, "the port is not a known number")
        elif int(number) == draft.answers.get("port"):
            draft.answer(step.line, what, "port", int(number))
        elif int(number) < 1024 or ("port" not in draft.answers and not started and protocol in ("", "tcp")):
            port(draft, step.line, what, number)
        else:
            draft.item(step.line, what, "kept", "image")
            draft.keep("image", f"EXPOSE {word}")


def read_port_variable(draft: Draft, state: StageState, steps: list[Step]) -> None:
    """Read an ENV PORT. It is the port in Next.js, and in Python if the command reads it."""
    for step in steps:
        if step.name != "ENV" or "PORT" not in step.words[::2]:
            continue
        value = state.values.get("PORT", "")
        if not draft.is_python or draft.answers.get("port") == (int(value) if value.isdigit() else None):
            port(draft, step.line, "ENV PORT", value)
        else:
            draft.item(step.line, "ENV PORT", "kept", "environment")
            draft.keep("environment", f"ENV PORT={value}")


def read_other(step: Step, draft: Draft, state: StageState) -> None:
    """Read one of the other instructions."""
    line, words = step.line, step.words
    match step.name:
        case "USER":
            state.user = expand(" ".join(words), state.values)
            if state.stage.final:
                draft.template(line, f"USER {' '.join(words)}", "the user 10001, which has a number and no shell")
            else:
                draft.template(line, f"USER {' '.join(words)}", "build stages run as root")
        case "SHELL":
            state.shell = step.text.partition(" ")[2].strip() if step.exec_form else ""
            draft.shells.append((line, f"SHELL {' '.join(words)}", state.shell))
        case "STOPSIGNAL":
            _stop_signal(step, draft, state)
        case "VOLUME":
            _volumes(step, draft, state)
        case "ONBUILD":
            draft.dropped(line, f"ONBUILD {step.inner} {' '.join(words)}", "the image is not a base image")
            draft.doubt(line, "ONBUILD makes it a base of other images, which this kind is not.")
        case "MAINTAINER":
            draft.item(line, f"MAINTAINER {' '.join(words)}", "kept", "environment, as a label")
            draft.keep("environment", f'LABEL maintainer="{" ".join(words).replace(chr(34), "")}"')


def _stop_signal(step: Step, draft: Draft, state: StageState) -> None:
    what = f"STOPSIGNAL {' '.join(step.words)}"
    if not state.stage.final:
        draft.dropped(step.line, what, "it is of a stage that only builds")
    elif step.words[:1] in (("SIGTERM",), ("15",)):
        draft.template(step.line, what, "it is the engine's default")
    else:
        draft.item(step.line, what, "kept", "image")
        draft.keep("image", step.verbatim)


def _volumes(step: Step, draft: Draft, state: StageState) -> None:
    for word in step.words:
        place = joined(state.folder, expand(word, state.values))
        if not state.stage.final:
            draft.dropped(step.line, f"VOLUME {word}", "it is of a stage that only builds")
        elif place == draft.root or draft.moved(place) == "/app":
            draft.dropped(step.line, f"VOLUME {word}", "it would hide the application, and is only for development")
        else:
            draft.item(step.line, f"VOLUME {word}", "kept", "image")
            state.made.setdefault(place, 0)
            state.owned.setdefault(place, 0)
            draft.keep("image", f'VOLUME ["{draft.moved(place)}"]')


def keep_folders(draft: Draft, state: StageState) -> None:
    """Keep the folders that the old image created or gave to its user, since it writes there."""
    for place, line in state.owned.items():
        if place not in state.made:
            draft.item(line, f"chown {place}", "kept", "image")
            draft.keep("image", f"RUN chown -R 10001:10001 {draft.moved(place)}")
    lines = []
    for place, line in state.made.items():
        moved = draft.moved(place)
        settings = re.match(r"/(?:etc|opt|usr|bin|lib)(?:/|$)", place) and place not in state.owned
        if line:
            where = f"{WRITTEN}; /tmp is empty when it starts" if place.split("/")[1] == "tmp" else WRITTEN
            draft.item(line, f"mkdir {place}", "kept", "image" if settings else where)
        if state.owned.get(place):
            draft.item(state.owned[place], f"chown {place}", "kept", "image")
        lines.append(f"RUN mkdir -p {moved}" if settings else f"RUN install -d -o 10001 -g 10001 {moved}")
    for text in reversed(lines):
        draft.first("image", text)
