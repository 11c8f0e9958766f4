"""FROM: convert the base image of an old Dockerfile into answers."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from dockertpl.adopt.stages import Stage
from dockertpl.adopt.translation import Draft


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "bases.toml").read_text("utf-8"))


def kind_of(image: str) -> tuple[str, re.Match[str] | None, dict[str, Any]]:
    """Return the kind for a base image, the parts of its name, and its row in data/bases.toml."""
    name = re.sub(r"^(?:docker\.io|registry-1\.docker\.io|public\.ecr\.aws/docker|mirror\.gcr\.io)/", "", image)
    name = name.partition("@")[0]
    if ":" not in name:
        name += ":"
    for row in _data()["bases"]:
        if match := re.fullmatch(row["image"], name.lower()):
            return row["kind"], match, row
    return "", None, {}


def read_base(draft: Draft, stage: Stage) -> None:
    """Record a stage's FROM. The FROM of the final image sets answers."""
    line, what = stage.start.line, "FROM " + " ".join(stage.start.words[:1])
    for flag in stage.start.flags:
        if flag.startswith("--platform="):
            draft.dropped(line, flag, "the workflow or the build command selects the platform")
    if stage.below:
        draft.template(line, what, "the template has its own stages")
        return
    kind, match, row = kind_of(stage.image)
    if kind != draft.kind or match is None:
        if stage.final:
            draft.dropped(line, what, "it is not an image of " + ("Python" if draft.is_python else "Node.js"))
            draft.doubt(line, f"the base image {stage.image} is unknown: check what it contains.")
        return
    if row.get("doubt") and stage.final:
        draft.doubt(line, f"{stage.image}: {row['doubt']}.")
    if not stage.final:
        draft.template(line, what, "the stage build" if draft.is_python else "the stages deps and build")
        return
    said = {key: value or "" for key, value in match.groupdict().items()}
    _release(draft, line, said)
    if draft.is_python:
        _python(draft, line, what, said)
    else:
        _node(draft, line, what, said)
    if said.get("variant", "") == "" and not row.get("flavor"):
        draft.facts.add("full-base")
    if "@sha256:" in stage.image:
        draft.dropped(line, "the base image's digest", "`dockertpl pin` sets the digest of the new base image")


def _python(draft: Draft, line: int, what: str, said: dict[str, str]) -> None:
    version = ".".join(said.get("version", "").split(".")[:2])
    offered = _data()["offered"]["python"]
    if said.get("variant", "").startswith("alpine"):
        draft.facts.add("python-alpine")
    if version in offered:
        draft.answer(line, what, "python_version", version, version)
    elif version in ("", "3"):
        draft.template(line, what, "the answer python_version, since the old file has no version")
    else:
        draft.dropped(line, what, f"Python {version} is not available, only {', '.join(offered)}")
        draft.doubt(
            line,
            f"the old image has Python {version}, which is not available. Set the answer python_version.",
        )


def _node(draft: Draft, line: int, what: str, said: dict[str, str]) -> None:
    if said.get("variant", "").startswith("alpine"):
        if draft.flavor == "alpine" or "flavor" not in draft.settled:
            draft.answer(line, "the Alpine flavor", "flavor", "alpine", "alpine")
        else:
            draft.template(line, "the Alpine flavor", f"the answer flavor, {draft.flavor}")
    version, offered = said.get("version", ""), _data()["offered"]["node"]
    if version in offered:
        draft.answer(line, what, "node_version", version, version)
    elif version.isdigit() and int(version) < int(offered[-1]):
        next_ = next(one for one in offered if int(one) > int(version))
        if "node_version" in draft.settled:
            draft.template(
                line,
                what,
                f"the answer node_version, {draft.known['node_version']}: Node.js {version} is not available",
            )
        else:
            draft.answer(line, what, "node_version", next_, f"{next_}, the oldest available version above {version}")
        draft.facts.add("old-node")
    else:
        draft.template(line, what, "the answer node_version, since the old file has no version")


def _release(draft: Draft, line: int, said: dict[str, str]) -> None:
    release = said.get("release") or said.get("late") or ""
    if not release:
        return
    if release in _data()["offered"]["debian"]:
        if draft.flavor != "alpine":
            draft.answer(line, f"Debian {release}", "debian_release", release)
    else:
        draft.dropped(
            line, f"Debian {release}", "it is no longer available: the answer debian_release selects the release"
        )
        draft.facts.add("old-debian")
