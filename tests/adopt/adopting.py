"""Helpers of the adoption tests: read a sample's old Dockerfile, and render the new files."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.samples import adopt_sample

from dockertpl import adopt
from dockertpl.detect import detect
from dockertpl.template.answers import Answers, resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled
from dockertpl.template.tree import Tree


@dataclass(frozen=True, kw_only=True)
class Adopted:
    """An adopted sample: the old Dockerfile as read, the answers, and the new files."""

    adoption: adopt.Adoption
    answers: Answers
    tree: Tree

    @property
    def dockerfile(self) -> str:
        """The new Dockerfile."""
        return self.tree["Dockerfile"].content.decode()

    @property
    def ignore_file(self) -> str:
        """The new ignore file."""
        return self.tree[".dockerignore"].content.decode()


def read(text: str, kind: str = "python-fastapi", ignore: str | None = None, **answers: Any) -> adopt.Adoption:
    """Read a Dockerfile of the application at orders.main:app."""
    known = {"manager": "pip", "app": "orders.main:app"} if kind == "python-fastapi" else {"manager": "npm"}
    return adopt.read(text, path="Dockerfile", kind=kind, answers={**known, **answers}, ignore=ignore)


def found(adoption: adopt.Adoption) -> dict[str, tuple[str, str]]:
    """Return each finding with its outcome and place. Of several with one name, keep the last."""
    return {item.what: (item.outcome, item.where) for item in adoption.items}


@functools.cache
def _template() -> Template:
    return Template(bundled())


def render_adopted(adoption: adopt.Adoption, kind: str, known: Mapping[str, Any]) -> Adopted:
    """Render the files that replace a Dockerfile."""
    template = _template()
    data = {**known, **adoption.answers, "kind": kind}
    answers = resolve(template, folder_name="orders", data=data)
    tree = adopt.apply(render(template, answers), adoption, dockerfile="Dockerfile", ignore_file=".dockerignore")
    return Adopted(adoption=adoption, answers=answers, tree=tree)


def adopt_sample_at(folder: Path, name: str) -> Adopted:
    """Adopt the sample in a folder, as `dockertpl new` does."""
    row = adopt_sample.catalog()[name]
    given = {"kind": row["kind"], **row.get("answers", {})}
    known = {**detect(folder, ".", given=given).answers, **given}
    adoption = adopt.read(
        adopt_sample.old_dockerfile(name),
        path="Dockerfile",
        kind=row["kind"],
        answers=known,
        ignore=adopt_sample.old_ignore(name),
    )
    known = {key: value for key, value in known.items() if key != "kind"}
    return render_adopted(adoption, row["kind"], known)
