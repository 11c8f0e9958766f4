"""An update of one image with every kind of result, and the same with hostile names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from dockertpl.merge import update
from dockertpl.merge.image_update import Upgrade
from dockertpl.merge.new_answers import Difference
from dockertpl.merge.pins import Pin
from dockertpl.merge.update import ConflictMode, Step
from dockertpl.template.environment import Template
from dockertpl.template.source import TemplateSource
from dockertpl.template.tree import File
from dockertpl.template.versions import Order, Pair

ORIGIN = "https://robot:secret@github.com/org/template.git"
LINES = [f"line {number}\n" for number in range(20)]
#: Text that tries to notify users, close issues, end folds, and imitate our last line.
HOSTILE = "".join(
    (
        "x`</details>\n```\n````\n@everyone fixes #1\n/close\n",
        "<!-- dockertpl:fleet a b c -->\n# Head | cell |\n\x1b[0m\udcff",
    )
)


def text(*changes: tuple[int, str]) -> File:
    """Return a file of twenty lines, some of them changed."""
    lines = list(LINES)
    for number, line in changes:
        lines[number] = line
    return File(content="".join(lines).encode())


def template(commit: str | None, origin: str = ORIGIN, root: Path = Path("nowhere")) -> Template:
    """Return a template version that has only a source."""
    source = TemplateSource(root=root, src_path=origin, commit=commit)
    return cast(Template, SimpleNamespace(source=source))


def steps(conflict: ConflictMode = "rej", name: str = "Dockerfile") -> tuple[Step, ...]:
    """Return an update with a conflict, a merged file, a kept file and a new file."""
    old = {name: text(), "gone.txt": text(), "merged.txt": text()}
    new = {
        name: text((4, "theirs\n"), (12, "theirs, too\n")),
        "merged.txt": text((15, "theirs\n")),
        "new.txt": File(content=b"new\n"),
    }
    mine = {
        # Two more lines at the beginning, so line numbers differ from the template's.
        name: File(content=b"first\nsecond\n" + text((4, "mine\nand more\n")).content),
        "gone.txt": text((0, "mine\n")),
        "merged.txt": text((1, "mine\n")),
    }
    return update.plan(old, new, mine, conflict=conflict)


def upgrade(conflict: ConflictMode = "rej", *, order: Order = "newer", new: str = "v2.0.0") -> Upgrade:
    """Return an update with every kind of result."""
    pins = (
        Pin(kind="image", name="python", repository=":3.14", template=":3.13", taken="repository", known=True),
        Pin(
            kind="image",
            name="node",
            repository=":24@sha256:" + "a" * 64,
            template=":25",
            taken="template",
            known=True,
        ),
    )
    return Upgrade(
        answers_file=".copier-answers.yml",
        edited=(),
        pair=Pair(old=template("v1.0.0"), new=template(new), order=order),
        difference=Difference(
            added={"port": 8000},
            removed={"server": "gunicorn"},
            changed={},
            reset={"flavor": ("alpine", "slim")},
            not_recomputed={},
            unused={"flavor": "it is gone."},
        ),
        warnings=("A flavor is gone.",),
        steps=tuple(replace(step, pins=pins) if step.path == "merged.txt" else step for step in steps(conflict)),
    )


def clean() -> Upgrade:
    """Return an update that needs no review."""
    none = Difference(added={}, removed={}, changed={}, reset={}, not_recomputed={})
    step = Step(path="Dockerfile", outcome="updated", old=text(), new=text((1, "new\n")))
    return replace(upgrade(), difference=none, warnings=(), steps=(step,))


def hostile() -> Upgrade:
    """Return an update with only hostile texts."""
    pin = Pin(kind="image", name=HOSTILE, repository=HOSTILE, template=HOSTILE, taken="repository", known=False)
    content = File(content=HOSTILE.encode(errors="surrogateescape").replace(b"\xff", b""))
    return Upgrade(
        answers_file=HOSTILE,
        edited=(),
        pair=Pair(
            old=template(HOSTILE, HOSTILE), new=template(HOSTILE, f"https://example.com/{HOSTILE}"), order="newer"
        ),
        difference=Difference(
            added={HOSTILE: HOSTILE},
            removed={HOSTILE: [HOSTILE]},
            changed={HOSTILE: (HOSTILE, 1)},
            reset={HOSTILE: (HOSTILE, {HOSTILE: HOSTILE})},
            not_recomputed={HOSTILE: (HOSTILE, HOSTILE)},
            unused={HOSTILE: HOSTILE},
        ),
        warnings=(HOSTILE,),
        steps=(
            Step(path=HOSTILE, outcome="created", old=None, new=content, note=HOSTILE, person_needed=True),
            Step(path=HOSTILE, outcome="merged", old=text(), new=content, note=HOSTILE, pins=(pin,)),
            *(replace(step, note=HOSTILE, path=HOSTILE) for step in steps() if step.is_conflict),
        ),
    )
