"""HEALTHCHECK: its path and its start period become answers; the rest is the template's."""

from __future__ import annotations

import re

from dockertpl.adopt.source import Step
from dockertpl.adopt.translation import Draft, StageState
from dockertpl.detect.dockerfile import expand

_ADDRESS = re.compile(
    r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|\$\{?HOSTNAME\}?)(?::(?P<port>\$?[\w{}:-]+?))?(?P<path>/[^\s\"'\\)|;&,]*)?(?=[\s\"'\\)|;&,]|$)"
)
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]*)+")
_TIMES = {
    "interval": "the template's probe asks every 30 s, and every second while it starts",
    "timeout": "the template's probe waits 5 s",
    "retries": "the template's probe may fail three times",
    "start-interval": "the template's probe asks every second while it starts",
}


def read_health(step: Step, draft: Draft, state: StageState) -> None:
    """Read the HEALTHCHECK that counts."""
    line = step.line
    draft.facts.add("has-health")
    if step.words[:1] == ("NONE",):
        draft.dropped(line, "HEALTHCHECK NONE", "the image has a probe")
        draft.facts.discard("has-health")
        return
    for flag in step.flags:
        name, _, value = flag.removeprefix("--").partition("=")
        if name == "start-period":
            _start_period(draft, line, flag, value)
        else:
            draft.dropped(line, flag, _TIMES.get(name, "the template's probe knows no such flag"))
    command = expand(" ".join(step.words[1:]), state.values)
    draft.uses.setdefault("health", set()).update(
        word.rpartition("/")[2] for word in re.split(r"[\s\"'(),;|&]+", command)
    )
    found = _ADDRESS.search(command)
    what = f"HEALTHCHECK {' '.join(step.words)}"
    if not found:
        draft.dropped(line, what, "the template's probe asks the application over HTTP, by the answer health_path")
        return
    path = found["path"] or "/"
    if path == "/":
        # curl takes a redirection from / for an answer; the template takes every status below 500 there.
        draft.template(line, what, "without a health_path, any answer below 500 on / is healthy")
    elif _PATH.fullmatch(path):
        draft.answer(line, what, "health_path", path, path)
    else:
        draft.dropped(line, what, f"{path} is no path that the probe can ask for, such as one with a query")
        draft.doubt(line, f"the health check asks for {path}: name a health_path without a query.")
    if "|" in command.replace("||", "") and found:
        draft.doubt(
            line, "the health check looks at the answer's text: the template's probe looks at its status alone."
        )


def _start_period(draft: Draft, line: int, flag: str, value: str) -> None:
    units = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", value)
    seconds = round(sum(float(number) * units[unit] for number, unit in parts))
    if 1 <= seconds <= 3600:
        draft.answer(line, flag, "health_start_period", seconds)
    else:
        draft.dropped(line, flag, "the answer health_start_period says how long it may take to start")
