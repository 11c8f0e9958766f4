"""HEALTHCHECK: convert its path and start period into answers. The template sets the rest."""

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
    "interval": "the template checks every 30 s, and every second during the start",
    "timeout": "the template's timeout is 5 s",
    "retries": "the template allows three failures",
    "start-interval": "the template checks every second during the start",
}


def read_health(step: Step, draft: Draft, state: StageState) -> None:
    """Read the last HEALTHCHECK."""
    line = step.line
    draft.facts.add("has-health")
    if step.words[:1] == ("NONE",):
        draft.dropped(line, "HEALTHCHECK NONE", "the image has a health check")
        draft.facts.discard("has-health")
        return
    for flag in step.flags:
        name, _, value = flag.removeprefix("--").partition("=")
        if name == "start-period":
            _start_period(draft, line, flag, value)
        else:
            draft.dropped(line, flag, _TIMES.get(name, "the template's health check has no such flag"))
    command = expand(" ".join(step.words[1:]), state.values)
    draft.uses.setdefault("health", set()).update(
        word.rpartition("/")[2] for word in re.split(r"[\s\"'(),;|&]+", command)
    )
    found = _ADDRESS.search(command)
    what = f"HEALTHCHECK {' '.join(step.words)}"
    if not found:
        draft.dropped(line, what, "the template's health check sends an HTTP request to the answer health_path")
        return
    path = found["path"] or "/"
    if path == "/":
        # curl accepts a redirect from /. On /, the template accepts every status below 500.
        draft.template(line, what, "without a health_path, any answer below 500 on / is healthy")
    elif _PATH.fullmatch(path):
        draft.answer(line, what, "health_path", path, path)
    else:
        draft.dropped(line, what, f"{path} is not a valid path for the health check, for example because of a query")
        draft.doubt(line, f"the health check requests {path}: set a health_path without a query.")
    if "|" in command.replace("||", "") and found:
        draft.doubt(line, "the health check reads the answer's text, but the template's only checks the status.")


def _start_period(draft: Draft, line: int, flag: str, value: str) -> None:
    units = {"h": 3600, "m": 60, "s": 1, "ms": 0.001}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", value)
    seconds = round(sum(float(number) * units[unit] for number, unit in parts))
    if 1 <= seconds <= 3600:
        draft.answer(line, flag, "health_start_period", seconds)
    else:
        draft.dropped(line, flag, "the answer health_start_period sets the start period")
