"""Every workflow that the pairwise set of answers gives."""

from __future__ import annotations

import functools
import re

from tests.renderings import rendered

from .harness import parse

IMAGE_WORKFLOW = re.compile(r"\.github/workflows/.+-image\.yml")
WORKFLOW = re.compile(r"\.github/workflows/.+\.yml")


@functools.cache
def workflows() -> tuple[dict[str, str], ...]:
    """Return, for each set of answers, its workflows by path; the sets without one are left out."""
    result = []
    for _, tree in rendered():
        found = {path: file.content.decode() for path, file in tree.items() if WORKFLOW.fullmatch(path)}
        if found:
            result.append(found)
    return tuple(result)


@functools.cache
def all_workflows() -> tuple[str, ...]:
    """Return the texts of the different workflows, whatever they do."""
    return tuple(dict.fromkeys(text for files in workflows() for text in files.values()))


@functools.cache
def image_workflows() -> tuple[str, ...]:
    """Return the texts of the different workflows that build an image."""
    texts = [text for files in workflows() for path, text in files.items() if IMAGE_WORKFLOW.fullmatch(path)]
    return tuple(dict.fromkeys(texts))


@functools.cache
def one_of_each_shape() -> tuple[str, ...]:
    """Return one workflow for each set of jobs and number of steps: what a fault is tried on."""
    shapes = {
        tuple((job, len(body["steps"])) for job, body in parse(text)["jobs"].items()): text
        for text in image_workflows()
    }
    assert shapes
    return tuple(shapes.values())
