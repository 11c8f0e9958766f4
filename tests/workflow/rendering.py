"""The workflows of the pairwise set."""

from __future__ import annotations

import functools
import re

from tests.renderings import rendered

from .harness import parse

IMAGE_WORKFLOW = re.compile(r"\.github/workflows/.+-image\.yml")
WORKFLOW = re.compile(r"\.github/workflows/.+\.yml")


@functools.cache
def workflows() -> tuple[dict[str, str], ...]:
    """Return the workflows of each set of answers by path. Leave out sets that have no workflow."""
    result = []
    for _, tree in rendered():
        found = {path: file.content.decode() for path, file in tree.items() if WORKFLOW.fullmatch(path)}
        if found:
            result.append(found)
    return tuple(result)


@functools.cache
def all_workflows() -> tuple[str, ...]:
    """Return the distinct texts of all workflows."""
    return tuple(dict.fromkeys(text for files in workflows() for text in files.values()))


@functools.cache
def image_workflows() -> tuple[str, ...]:
    """Return the distinct texts of the workflows that build an image."""
    texts = [text for files in workflows() for path, text in files.items() if IMAGE_WORKFLOW.fullmatch(path)]
    return tuple(dict.fromkeys(texts))


@functools.cache
def one_of_each_shape() -> tuple[str, ...]:
    """Return one workflow for each set of jobs and number of steps, to test faults on."""
    shapes = {
        tuple((job, len(body["steps"])) for job, body in parse(text)["jobs"].items()): text
        for text in image_workflows()
    }
    assert shapes
    return tuple(shapes.values())
