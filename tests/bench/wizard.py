"""Measure the processor time of the wizard in ms: `python -m tests.bench.wizard`.

The first table is the time to the first prompts, in new processes, on the sample application of `make demo`. The second
is the time of every answer, which evaluates all questions again. Both show the median, the minimum and the maximum.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.samples.sample import write_sample

from dockertpl.template.environment import Template
from dockertpl.template.interview import Interview
from dockertpl.template.questions import MISSING
from dockertpl.template.source import bundled

RUNS = 9
KINDS = ("python-fastapi", "nextjs-standalone", "sandbox-multi-runtime", "shared-base")
#: Each step prints the processor time since the process began, including the start of the interpreter.
FIRST_PROMPTS = """
import json, sys, time
from pathlib import Path
times = {"the interpreter": time.process_time()}
import questionary
times["import questionary"] = time.process_time()
from dockertpl.detect import detect
from dockertpl.template import presentation
from dockertpl.template.environment import Template
from dockertpl.template.interview import Interview
from dockertpl.template.source import bundled
times["import what is under the wizard"] = time.process_time()
root = Path(sys.argv[1])
found = detect(root)
times["look at the repository"] = time.process_time()
template = Template(bundled())
times["read the questions"] = time.process_time()
presentation.load(template)
times["read what is said beside them"] = time.process_time()
assert Interview(template, folder_name=root.name, detected=found.answers).prompts
times["have all prompts"] = time.process_time()
print(json.dumps(times))
"""


def _first_prompts(folder: Path) -> dict[str, list[float]]:
    """Return the ms of each step, in each of the runs."""
    steps: dict[str, list[float]] = {}
    for _ in range(RUNS):
        command = [sys.executable, "-c", FIRST_PROMPTS, str(folder)]
        done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ)
        before = 0.0
        for step, at in json.loads(done.stdout).items():
            steps.setdefault(step, []).append((at - before) * 1000)
            before = at
        steps.setdefault("all of it", []).append(before * 1000)
    return steps


def _answers(kind: str) -> list[float]:
    """Return the ms of each answer of a user who accepts every default of a kind."""
    interview = Interview(Template(bundled()), folder_name="orders")
    interview.say("kind", kind)
    times = []
    for name in interview.prompts:
        default = interview.prompts[name].default
        if default is not MISSING:
            begin = time.process_time()
            interview.say(name, default)
            times.append((time.process_time() - begin) * 1000)
    return times


def _row(what: str, times: Sequence[float]) -> str:
    return f"| {what} | {statistics.median(times):.1f} | {min(times):.1f} to {max(times):.1f} |"


def main() -> None:
    """Print two tables in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "orders"
        write_sample(sample, manager="uv", layout="flat", server="uvicorn", lock=False)
        first = _first_prompts(sample)
    lines = [f"| till the first prompts, {RUNS} each | ms | |", "|---|---|---|"]
    lines += [_row(step, times) for step, times in first.items()]
    lines += ["", "| an answer, with all questions looked at again | ms | |", "|---|---|---|"]
    lines += [_row(kind, _answers(kind)) for kind in KINDS]
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()
