"""Differences as text, for a person to read before anything is written."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from dockertpl.merge.plan import Entry, Plan
from dockertpl.template.tree import File

# Comparing takes time by the square of the lines.
_MOST_LINES = 5000


def unified(plan: Plan) -> str:
    """Return a plan as a unified diff that `git apply` takes; files that stay as they are, are left out.

    Args:
        plan: The plan.
    """
    return "".join(line for entry in plan.entries if entry.status != "identical" for line in _entry(entry))


def _entry(entry: Entry) -> Iterator[str]:
    yield f"diff --git a/{entry.path} b/{entry.path}\n"
    old, new = entry.old, entry.new
    if old is None:
        yield f"new file mode {_mode(new)}\n"
    elif old.executable != new.executable:
        yield f"old mode {_mode(old)}\nnew mode {_mode(new)}\n"
    before = b"" if old is None else old.content
    try:
        lines = _lines(before), _lines(new.content)
    except UnicodeDecodeError:
        yield f"Binary files a/{entry.path} and b/{entry.path} differ\n"
        return
    source = "/dev/null" if old is None else f"a/{entry.path}"
    for line in _unified(*lines, source, f"b/{entry.path}"):
        # The text of a file ends in a line's end or it does not; the diff always does.
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def _unified(before: list[str], after: list[str], source: str, target: str) -> Iterator[str]:
    if max(len(before), len(after)) <= _MOST_LINES:
        yield from difflib.unified_diff(before, after, fromfile=source, tofile=target)
        return
    # All of it goes and all of it comes, which is true too.
    yield f"--- {source}\n"
    yield f"+++ {target}\n"
    yield f"@@ -{min(1, len(before))},{len(before)} +{min(1, len(after))},{len(after)} @@\n"
    yield from (f"-{line}" for line in before)
    yield from (f"+{line}" for line in after)


def _lines(content: bytes) -> list[str]:
    # Only "\n" ends a line here, as in git: str.splitlines knows ten more.
    text = content.decode()
    return [f"{line}\n" for line in text.split("\n")[:-1]] + ([last] if (last := text.rsplit("\n", 1)[-1]) else [])


def _mode(file: File) -> str:
    return "100755" if file.executable else "100644"
