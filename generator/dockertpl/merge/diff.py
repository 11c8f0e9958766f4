"""Diffs as text, to read before anything is written."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

from dockertpl.merge.plan import Plan
from dockertpl.merge.write import Change
from dockertpl.template.tree import File

# The time of a comparison grows with the square of the lines.
_MOST_LINES = 5000


def unified(plan: Plan) -> str:
    """Return a plan as a unified diff for `git apply`, without files that do not change."""
    return of_changes(
        Change(path=entry.path, old=entry.old, new=entry.new) for entry in plan.entries if entry.status != "identical"
    )


def of_changes(changes: Iterable[Change]) -> str:
    """Return changes as a unified diff for `git apply`."""
    return "".join(line for change in changes for line in _change(change))


def patch(path: str, before: str, after: str) -> str:
    """Return the diff between two texts for `patch -p1` and `git apply`. Empty if they are equal."""
    sides = (_text_lines(before), _text_lines(after))
    return "".join(_ended(line) for line in _unified(*sides, f"a/{path}", f"b/{path}"))


def _change(change: Change) -> Iterator[str]:
    yield f"diff --git a/{change.path} b/{change.path}\n"
    old, new = change.old, change.new
    if old is None:
        yield f"new file mode {_mode(new)}\n"
    elif new is None:
        yield f"deleted file mode {_mode(old)}\n"
    elif old.executable != new.executable:
        yield f"old mode {_mode(old)}\nnew mode {_mode(new)}\n"
    before = b"" if old is None else old.content
    try:
        lines = _lines(before), _lines(b"" if new is None else new.content)
    except UnicodeDecodeError:
        yield f"Binary files a/{change.path} and b/{change.path} differ\n"
        return
    source = "/dev/null" if old is None else f"a/{change.path}"
    target = "/dev/null" if new is None else f"b/{change.path}"
    yield from (_ended(line) for line in _unified(*lines, source, target))


def _ended(line: str) -> str:
    # A file may lack a line break at its end. The diff always has one.
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _unified(before: list[str], after: list[str], source: str, target: str) -> Iterator[str]:
    if max(len(before), len(after)) <= _MOST_LINES:
        yield from difflib.unified_diff(before, after, fromfile=source, tofile=target)
        return
    # Remove everything and add everything. That is a valid diff, too.
    yield f"--- {source}\n"
    yield f"+++ {target}\n"
    yield f"@@ -{min(1, len(before))},{len(before)} +{min(1, len(after))},{len(after)} @@\n"
    yield from (f"-{line}" for line in before)
    yield from (f"+{line}" for line in after)


def _lines(content: bytes) -> list[str]:
    return _text_lines(content.decode())


def _text_lines(text: str) -> list[str]:
    # Only "\n" ends a line here, as in git. str.splitlines knows ten more.
    return [f"{line}\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.rsplit("\n", 1)[-1]) else [])


def _mode(file: File | None) -> str:
    return "100755" if file and file.executable else "100644"
