"""Set `output: 'standalone'` in a next.config, in one line, at a place where it certainly counts."""

from __future__ import annotations

import re
from pathlib import Path

from dockertpl.actions.edit import UNCERTAIN, NotEditableError, decoded, indentation, line_end, read_file
from dockertpl.actions.proposal import Proposal
from dockertpl.detect.node.conventions import CONFIGS
from dockertpl.detect.node.next_config import NextConfig, read
from dockertpl.errors import DestinationError
from dockertpl.merge.edit_text import apply_edits, insertion
from dockertpl.template.tree import File

NAME = "next-config"
_NEW = """\
/** @type {import('next').NextConfig} */
const nextConfig = {
  output: 'standalone',
};

export default nextConfig;
"""
_VALUE = "standalone"


def propose(root: Path, app_dir: str) -> Proposal:
    """Return the change to an application's next.config. Nothing is written."""
    folder = "" if app_dir == "." else f"{app_dir}/"
    path = next((f"{folder}{name}" for name in CONFIGS if _is_there(root / folder / name)), f"{folder}next.config.mjs")
    by_hand = f"Add this line to the object that {path} exports:\n  output: 'standalone',"
    old = None
    try:
        old = read_file(root, path)
        new = File(content=_NEW.encode()) if old is None else add_output(old)
    except NotEditableError as error:
        return Proposal(path=path, old=old, new=None, summary=f"{path} {error}.", by_hand=by_hand)
    return Proposal(path=path, old=old, new=new, summary=f"output: 'standalone' in {path}.", by_hand=by_hand)


def refusal(patch: Proposal) -> DestinationError:
    """Return the error for a patch that was requested and cannot be made."""
    return DestinationError(
        patch.summary, f"{patch.by_hand}\nOr run this again without --patch-next-config.", path=patch.path
    )


def add_output(file: File) -> File:
    """Return a next.config that sets `output: 'standalone'`. It may be the same file.

    Raises:
        NotEditableError: It cannot be read, sets something else, or the right place is uncertain.
    """
    mark, text = decoded(file)
    config = read(text)
    output = config.get("output")
    if output and output.text == _VALUE:
        return file
    if output:
        raise NotEditableError(f"already sets output in line {output.line}, to another value or under a condition")
    if config.own is None:
        raise NotEditableError(UNCERTAIN)
    place, line = _line(config, config.own)
    after_text = apply_edits(text, [insertion(place, line)])
    after = read(after_text)
    found = after.get("output")
    if not found or found.text != _VALUE or _words(after, line) != _words(config, ""):
        raise NotEditableError(UNCERTAIN)
    return File(content=(mark + after_text).encode(), executable=file.executable)


def _line(config: NextConfig, brace: int) -> tuple[int, str]:
    """Return the position after an object's opening brace, and the member in the object's layout."""
    source = config.source
    text, start = source.text, source.tokens[brace].end
    end = source.tokens[source.partner[brace]].start
    inside = text[start:end]
    quote = _quote(config)
    member = f"output: {quote}{_VALUE}{quote}"
    if "\n" not in inside:
        if not inside.strip():
            return start, f" {member} " if not inside else f" {member}"
        return start, f" {member}," + ("" if inside[0] == " " else " ")
    # After a comment on the brace's line.
    comment = re.match(r"[ \t]*(?://[^\n\r]*|/\*[^\n\r]*?\*/[ \t]*(?=[\r\n]))?", inside)
    place = start + (comment.end() if comment else 0)
    next_line = re.search(r"\n([ \t]*)(?=[^\s}])", inside)
    indent = next_line[1] if next_line else indentation(text, source.tokens[brace].start) + "  "
    return place, f"{line_end(text)}{indent}{member},"


def _quote(config: NextConfig) -> str:
    """Return the quotation mark that the file uses most."""
    strings = [token.text[0] for token in config.source.tokens if token.kind == "string"]
    return '"' if strings.count('"') > strings.count("'") else "'"


def _words(config: NextConfig, without: str) -> list[str]:
    """Return the tokens of a text, without those of an inserted line."""
    words = [token.text for token in config.source.tokens]
    if not without:
        return words
    added = [token.text for token in read(without.strip()).source.tokens]
    at = next((n for n in range(len(words)) if words[n : n + len(added)] == added), None)
    return words if at is None else words[:at] + words[at + len(added) :]


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()
