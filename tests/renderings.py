"""The renderings of the pairwise set, made once a session."""

from __future__ import annotations

import functools

from tests.pairwise import answer_sets

from dockertpl.template.answers import Answers, resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled
from dockertpl.template.tree import Tree


@functools.cache
def rendered() -> tuple[tuple[Answers, Tree], ...]:
    """Return each set with its defaults, and its files. Do not change them."""
    template = Template(bundled())
    sets = (resolve(template, folder_name="repository", data=data) for data in answer_sets())
    found = tuple((answers, render(template, answers)) for answers in sets)
    assert found
    return found
