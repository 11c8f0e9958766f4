"""Read the old ignore file: patterns that the new one covers, that are kept, or that would break the build."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

import pathspec

from dockertpl.adopt.translation import Draft
from dockertpl.kinds import PYTHON_FASTAPI


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "ignore.toml").read_text("utf-8"))


def covered(kind: str) -> tuple[str, ...]:
    """Return the patterns that a kind's ignore file covers, without a leading `**/`."""
    own = "python" if kind == PYTHON_FASTAPI else "node"
    return tuple(one for one in (*_data()["common"], *_data()[own]) if not one.endswith("/never"))


def read_ignore(draft: Draft, text: str) -> None:
    """Read an old ignore file."""
    ours = frozenset(covered(draft.kind))
    needed = _needed(draft)
    for raw in text.splitlines():
        pattern = raw.strip()
        if not pattern or pattern.startswith("#"):
            continue
        what = f"ignore {pattern}"
        bare = re.sub(r"^(?:/|\./|\*\*/)+|(?:/\*{0,2})+$", "", pattern)
        if pattern.startswith("!"):
            _taken_back(draft, pattern, what, ours)
        elif bare in ours:
            draft.template(0, what, "the new ignore file")
        elif (moved := _moved(draft, pattern)) is None:
            draft.dropped(0, what, "it is outside of the build context")
        elif taken := _takes(moved, needed):
            draft.dropped(0, what, f"it would exclude {taken}, which the build reads")
        else:
            draft.item(0, what, "kept", "ignore")
            draft.ignored.append(moved)


def _taken_back(draft: Draft, pattern: str, what: str, ours: frozenset[str]) -> None:
    inner = pattern[1:]
    if re.search(
        r"\.env(?:\.(?!example|sample|template)|$)|\.key$|id_rsa|\.git(?:/|$)|node_modules|__pycache__", inner
    ):
        draft.dropped(0, what, "secrets and local build results stay excluded")
    elif (moved := _moved(draft, inner)) is None:
        draft.dropped(0, what, "it is outside of the build context")
    else:
        draft.item(0, what, "kept", "ignore")
        draft.ignored.append(f"!{moved}")


def _moved(draft: Draft, pattern: str) -> str | None:
    """Return a pattern relative to the new build context."""
    below = "" if draft.member or draft.app_dir == "." else f"{draft.app_dir}/"
    above = "" if draft.context == "." else f"{draft.context}/"
    if pattern.startswith("**/") or below == above:
        return pattern
    path = above + pattern.lstrip("/")
    return path.removeprefix(below) if path.startswith(below) else None


def _needed(draft: Draft) -> list[str]:
    names = list(_data()["needed"]["python" if draft.is_python else "node"])
    below = f"{draft.app_dir}/" if draft.member and draft.app_dir != "." else ""
    keys = ("requirements_file", "requirements_source", "requirements_dev", "app_file", "prisma_schema", "readme")
    names += [str(draft.known[key]) for key in keys if draft.known.get(key)]
    for key in (
        "install_files",
        "workspace_files",
        "requirements_includes",
        "requirements_more",
        "workspace_packages",
        "workspace_members",
    ):
        names += [str(value) for value in draft.answers.get(key, draft.known.get(key, []) or [])]
    names += re.findall(r"^(?:COPY|ADD) (?!--from)(?:--\S+ )*(\S+) ", draft.kept("image"), re.MULTILINE)
    module = str(draft.known.get("app", "")).partition(":")[0].partition(".")[0]
    names += [f"{module}/main.py", f"{module}.py"] if module else []
    return [*names, *(below + name for name in names if below)]


def _takes(pattern: str, needed: list[str]) -> str:
    """Return a needed file that a pattern excludes, or an empty string."""
    anchored = pattern if pattern.startswith(("/", "**/")) else f"/{pattern}"
    try:
        spec = pathspec.GitIgnoreSpec.from_lines([anchored])
    except ValueError:
        return ""
    for path in needed:
        if spec.match_file(path) or spec.match_file(f"{path}/~any~"):
            return path
    return ""
