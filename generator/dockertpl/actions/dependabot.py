"""Add entries to `updates` of a Dependabot configuration.

A YAML writer would change the layout of the file. So the text of new entries is inserted behind the last one, in the
same layout. Then a YAML parser checks that nothing differs but the added entries.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import yaml

from dockertpl.actions.edit import UNCERTAIN, NotEditableError, decoded, line_end
from dockertpl.merge.edit_text import Edit, apply_edits, insertion, last_of
from dockertpl.template.tree import File

#: The paths where GitHub looks for it.
PATHS = (".github/dependabot.yml", ".github/dependabot.yaml")
#: Days to wait before a release is proposed, the same as in the Renovate preset.
COOLDOWN = 7
GROUP = "container-image-pins"

_DEEPEST = 50


class UpdateEntry(NamedTuple):
    """An ecosystem of Dependabot, in a folder that starts with a slash."""

    ecosystem: str
    directory: str


def entries(app_dir: str) -> list[UpdateEntry]:
    """Return the entries that an image needs."""
    return [UpdateEntry("docker", "/" if app_dir == "." else f"/{app_dir}"), UpdateEntry("github-actions", "/")]


def config(wanted: Sequence[UpdateEntry]) -> File:
    """Return a new configuration."""
    lines = ["version: 2", "updates:", *(line for entry in wanted for line in _lines(entry, 2, 4, 2))]
    return File(content=("\n".join(lines) + "\n").encode())


def snippet(wanted: Sequence[UpdateEntry]) -> str:
    """Return entries as text, to add by hand."""
    return "\n".join(line for entry in wanted for line in _lines(entry, 2, 4, 2))


def add(file: File, wanted: Sequence[UpdateEntry]) -> tuple[File, list[UpdateEntry]]:
    """Return a configuration with its missing entries added, and these entries.

    Args:
        file: The configuration.
        wanted: The entries it should have. One with the same ecosystem for the folder, or for a matching pattern,
            counts.

    Raises:
        NotEditableError: The configuration cannot be read or edited.
    """
    mark, text = decoded(file)
    before = _load(text)
    updates = before["updates"]
    if updates is not None and not (isinstance(updates, list) and all(isinstance(item, dict) for item in updates)):
        raise NotEditableError('has "updates" that are not a list of entries')
    missing = [entry for entry in wanted if not any(_covers(item, entry) for item in updates or ())]
    if not missing:
        return file, []
    after_text = apply_edits(text, list(_insertions(text, missing)))
    after = _load(after_text)
    added = [_content(entry) for entry in missing]
    if [*after.items()] != [(key, [*(old or []), *added] if key == "updates" else old) for key, old in before.items()]:
        raise NotEditableError(UNCERTAIN)
    return File(content=(mark + after_text).encode(), executable=file.executable), missing


def _load(text: str) -> dict[Any, Any]:
    try:
        _check_events(text)
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        raise NotEditableError(f"is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict) or "updates" not in content:
        raise NotEditableError('has no "updates"')
    return content


def _check_events(text: str) -> None:
    """Refuse what takes long to parse: deep nesting, because PyYAML's time grows with its square, and aliases."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise NotEditableError("has YAML aliases, which are not edited here")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise NotEditableError("is nested too deeply")


# --- existing entries ------------------------------------------------------------------------------------------------


def _covers(item: Mapping[str, Any], entry: UpdateEntry) -> bool:
    if item.get("package-ecosystem") != entry.ecosystem:
        return False
    listed = item.get("directories")
    folders = [item.get("directory"), *(listed if isinstance(listed, list) else ())]
    return any(isinstance(folder, str) and _fits(folder, entry.directory) for folder in folders)


def _fits(pattern: str, directory: str) -> bool:
    """Return whether a pattern matches a folder. `*` matches one folder's name, `**` any folders."""
    words = {"**": ".*", "*": "[^/]*"}
    expression = "".join(words.get(part) or re.escape(part) for part in re.split(r"(\*\*|\*)", _clean(pattern)))
    return bool(re.fullmatch(expression, _clean(directory)))


def _clean(folder: str) -> str:
    return "/" + "/".join(part for part in folder.split("/") if part not in ("", "."))


# --- adding entries --------------------------------------------------------------------------------------------------


def _content(entry: UpdateEntry) -> dict[str, Any]:
    return {
        "package-ecosystem": entry.ecosystem,
        "directory": entry.directory,
        "schedule": {"interval": "weekly"},
        "cooldown": {"default-days": COOLDOWN},
        "groups": {GROUP: {"patterns": ["*"]}},
    }


def _lines(entry: UpdateEntry, dash: int, keys: int, step: int) -> Iterator[str]:
    """Yield an entry's lines.

    Args:
        dash: The column of its dash.
        keys: The column of its keys.
        step: The indentation of each further level.
    """
    more, most = " " * (keys + step), " " * (keys + 2 * step)
    yield " " * dash + "-".ljust(keys - dash) + f"package-ecosystem: {entry.ecosystem}"
    for line in (
        f"directory: {entry.directory}",
        "schedule:",
        f"{more}interval: weekly",
        "cooldown:",
        f"{more}default-days: {COOLDOWN}",
        "groups:",
        f"{more}{GROUP}:",
        f'{most}patterns: ["*"]',
    ):
        yield line if line.startswith(" ") else " " * keys + line


def _insertions(text: str, missing: Sequence[UpdateEntry]) -> Iterator[Edit]:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(root, yaml.MappingNode)  # noqa: S101 - what _load made sure of
    if root.flow_style:
        raise NotEditableError(UNCERTAIN)
    key, updates = next(pair for pair in root.value if pair[0].value == "updates")
    end = line_end(text)
    if not updates.value:
        # `updates:` without a value. The mark of this null may be some lines below.
        place = key.end_mark.index + text[key.end_mark.index :].index(":") + 1
        if updates.end_mark.index > updates.start_mark.index:
            raise NotEditableError(UNCERTAIN)
        lines = [line for entry in missing for line in _lines(entry, 2, 4, 2)]
        yield insertion(_line_s_end(text, place), "".join(f"{end}{line}" for line in lines))
        return
    if updates.flow_style or not all(isinstance(item, yaml.MappingNode) and item.value for item in updates.value):
        raise NotEditableError(UNCERTAIN)
    dash, keys = updates.start_mark.column, updates.value[-1].start_mark.column
    apart = len(updates.value) > 1 and _blank_line_between(text, updates.value[-2], updates.value[-1])
    lines = []
    for entry in missing:
        lines += [""] if apart else []
        lines += _lines(entry, dash, keys, _step(updates.value))
    yield insertion(_line_s_end(text, last_of(updates)), "".join(f"{end}{line}" for line in lines))


def _blank_line_between(text: str, one: yaml.Node, other: yaml.Node) -> bool:
    return bool(re.search(r"\n[ \t]*\r?\n", text[last_of(one) : other.start_mark.index]))


def _step(items: Sequence[yaml.MappingNode]) -> int:
    """Return the indentation that the file uses for nested keys."""
    for item in items:
        for key, value in item.value:
            if isinstance(value, yaml.MappingNode) and not value.flow_style and value.value:
                return max(1, int(value.start_mark.column - key.start_mark.column))
    return 2


def _line_s_end(text: str, at: int) -> int:
    """Return the end of the line at a position, before its line break."""
    if text[at - 1 : at] == "\n":
        # A block scalar includes the end of its last line.
        at -= 1
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end - 1 if text[end - 1 : end] == "\r" else end
