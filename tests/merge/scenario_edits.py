"""Edits of a rendered repository by a user or a bot, with one function for each kind of edit.

Every manual edit contains a unique word, so a test can look for it after an update.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from tests.merge.scenario_template import NUMBERED

from dockertpl.merge import regions
from dockertpl.template.tree import File

#: The target of a link to a file, and of a link to a folder.
_LINKED, _LINKED_FOLDER = "linked.txt", "linked"


@dataclass
class Edits:
    """A repository after manual edits.

    Attributes:
        random: The random generator.
        coming: The paths that the new version adds.
        files: Its files.
        links: Its links and their targets.
        words: The unique words of the edits, to find after the update.
        done: The edits, each as its kind and its path.
    """

    random: random.Random
    coming: Sequence[str]
    files: dict[str, File]
    links: dict[str, str] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)
    done: list[tuple[str, str]] = field(default_factory=list)

    def edit(self) -> None:
        """Make edits of the given kinds, where possible."""
        sort = self.random.choice(_SORTS)
        path = sort(self)
        if path:
            self.done.append((sort.__name__[1:].replace("_", " "), path))

    def word(self) -> str:
        """Return a unique word."""
        self.words.append(f"mine{len(self.words)}x{self.random.randrange(10**6)}")
        return self.words[-1]

    def has_word(self, path: str) -> bool:
        """Return whether a file has manual edits."""
        return any(word.encode() in self.files[path].content for word in self.words)

    def path(self, fits: Callable[[str, str], bool] = lambda _, __: True) -> str:
        """Return the path of a random text file that fits, or nothing."""
        paths = [
            path
            for path, file in self.files.items()
            if b"\0" not in file.content and not is_answers(path) and fits(path, file.content.decode())
        ]
        return self.random.choice(paths) if paths else ""

    def change(self, path: str, change: Callable[[str], str]) -> str:
        """Change the text of a file. Return its path, or nothing if the text stayed the same."""
        if not path:
            return ""
        file = self.files[path]
        content = change(file.content.decode()).encode()
        self.files[path] = File(content=content, executable=file.executable)
        return path if content != file.content else ""


def is_answers(path: str) -> bool:
    """Return whether a path is that of an answers file."""
    return path.startswith(".copier-answers")


# --- lines -----------------------------------------------------------------------------------------------------------


def _insert(edits: Edits) -> str:
    return edits.change(
        edits.path(), lambda text: _at_line(edits, text, lambda line: f"# {edits.word()}{_end(text)}{line}")
    )


def _rewrite(edits: Edits) -> str:
    return edits.change(edits.path(), lambda text: _at_line(edits, text, lambda _: f"# {edits.word()}{_end(text)}"))


def _remove(edits: Edits) -> str:
    return edits.change(edits.path(), lambda text: _at_line(edits, text, lambda _: ""))


def _append(edits: Edits) -> str:
    def change(text: str) -> str:
        return text + ("" if text.endswith("\n") or not text else _end(text)) + f"# {edits.word()}{_end(text)}"

    return edits.change(edits.path(), change)


def _at_line(edits: Edits, text: str, change: Callable[[str], str]) -> str:
    """Change a line without a region mark and without an earlier edit."""
    lines = text.splitlines(keepends=True)
    plain = [n for n, line in enumerate(lines) if "custom:" not in line and not any(w in line for w in edits.words)]
    if not plain:
        return text
    number = edits.random.choice(plain)
    lines[number] = change(lines[number])
    return "".join(lines)


def _end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _no_end(edits: Edits) -> str:
    return edits.change(edits.path(), lambda text: text.rstrip("\r\n"))


def _crlf(edits: Edits) -> str:
    return edits.change(edits.path(), lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n"))


def _mixed_ends(edits: Edits) -> str:
    return edits.change(edits.path(), lambda text: _at_line(edits, text, lambda line: line.rstrip("\r\n") + "\r\n"))


def _region(edits: Edits) -> str:
    def fill(text: str) -> str:
        name = edits.random.choice(list(regions.find(text)))
        return text if regions.find(text)[name] else regions.fill(text, {name: f"# {edits.word()}\n"})

    return edits.change(edits.path(lambda _, text: ">>> custom:" in text), fill)


def _beside_region(edits: Edits) -> str:
    """Write above or below a region, and sometimes into it as well."""

    def change(text: str) -> str:
        lines = text.splitlines(keepends=True)
        at = edits.random.choice([number for number, line in enumerate(lines) if "custom:" in line])
        is_start = ">>>" in lines[at]
        if edits.random.random() < 0.5:
            lines.insert(at + 1 if is_start else at, f"# {edits.word()}{_end(text)}")
            at += not is_start
        lines.insert(at if is_start else at + 1, f"# {edits.word()}{_end(text)}")
        return "".join(lines)

    return edits.change(edits.path(lambda _, text: ">>> custom:" in text), change)


def _comment_in_answers(edits: Edits) -> str:
    path = edits.random.choice([path for path in edits.files if is_answers(path)])

    def change(text: str) -> str:
        lines = text.splitlines(keepends=True)
        at = edits.random.choice([n for n, line in enumerate(lines) if re.match(r"[#\w]", line)] + [len(lines)])
        lines.insert(at, f"# {edits.word()}\n")
        return "".join(lines)

    return edits.change(path, change)


# --- pins ------------------------------------------------------------------------------------------------------------


def _action_pin(edits: Edits) -> str:
    """Change the version of every action in a workflow. Some are newer than the template's newest."""
    number = edits.random.randrange(1, 9)
    version = f"v{number}" + edits.random.choice(["0", "00"])
    return edits.change(
        edits.path(lambda path, _: path.startswith(".github")),
        lambda text: re.sub(r"@[0-9a-f]{40} # v\d+", f"@{str(number) * 40} # {version}", text),
    )


def _image_pin(edits: Edits) -> str:
    """Change every image of a Dockerfile: add a digest, and sometimes change the version."""
    digest = f"@sha256:{edits.random.choice('0123456789abcdef') * 64}"
    ahead = edits.random.choice(["", "2"])
    return edits.change(
        edits.path(lambda path, _: path.endswith("Dockerfile")),
        lambda text: re.sub(
            r"^(ARG \w+_IMAGE=[^\s:@]+:)(\d)([^\s@]*)(?:@\S+)?",
            rf"\g<1>{ahead}\2\3{digest}",
            text,
            flags=re.MULTILINE,
        ),
    )


# --- whole files -----------------------------------------------------------------------------------------------------


def _delete(edits: Edits) -> str:
    path = _untouched(edits)
    if path:
        del edits.files[path]
    return path


def _mode(edits: Edits) -> str:
    path = edits.random.choice([*edits.files, *_extra(edits, "extra-script.sh")])
    file = edits.files[path]
    edits.files[path] = File(content=file.content, executable=not file.executable)
    return path


def _binary(edits: Edits) -> str:
    paths = [path for path in _extra(edits, "extra-data.bin") if not edits.has_word(path)]
    if not paths:
        return ""
    file = edits.files[paths[0]]
    edits.files[paths[0]] = File(content=b"\0\1\2 " + edits.word().encode(), executable=file.executable)
    return paths[0]


def _link(edits: Edits) -> str:
    """Replace a current or future file with a link. The link is broken or leads to a user's file."""
    path = _free(edits) if edits.random.random() < 0.2 else _untouched(edits)
    if path:
        target = edits.random.choice(["elsewhere", _LINKED])
        if target == _LINKED and _LINKED not in edits.files:
            edits.files[_LINKED] = File(content=f"# {edits.word()}\n".encode())
        edits.files.pop(path, None)
        edits.links[path] = "../" * path.count("/") + target
    return path


def _link_to_a_folder(edits: Edits) -> str:
    """Move a folder, and leave a link in its place."""
    folders = {
        PurePosixPath(path).parts[0] for path in edits.files if "/" in path and not path.startswith(_LINKED_FOLDER)
    }
    if not folders or _LINKED_FOLDER in edits.links.values() or any("/" in path for path in edits.links):
        return ""
    folder = edits.random.choice(sorted(folders))
    for path in [path for path in edits.files if path.startswith(f"{folder}/")]:
        edits.files[_LINKED_FOLDER + path.removeprefix(folder)] = edits.files.pop(path)
    # Keep the target of the link whatever is deleted, since Copier fails at a broken link.
    edits.files[f"{_LINKED_FOLDER}/mine.txt"] = File(content=f"# {edits.word()}\n".encode())
    edits.links[folder] = _LINKED_FOLDER
    return folder


def _add(edits: Edits) -> str:
    """Add a file, at a path that the new version adds if it has one."""
    path = _free(edits) or "mine.txt"
    if path not in edits.files:
        edits.files[path] = File(
            content=f"# {edits.word()}\n{NUMBERED}".encode(), executable=edits.random.random() < 0.2
        )
    return path


def _free(edits: Edits) -> str:
    """Return a free path at which the template adds a file, or nothing."""
    paths = [path for path in edits.coming if path not in edits.files and not _is_behind_a_link(edits, path)]
    return edits.random.choice(paths) if paths else ""


def _is_behind_a_link(edits: Edits, path: str) -> bool:
    return path in edits.links or any(parent.as_posix() in edits.links for parent in PurePosixPath(path).parents)


def _of_the_removed(edits: Edits) -> str:
    """Edit a file that a version removes or renames."""
    path = edits.path(lambda path, _: PurePosixPath(path).name in ("extra-old.txt", "extra-move.txt", "extra-new.txt"))
    return edits.change(path, lambda text: _at_line(edits, text, lambda _: f"# {edits.word()}{_end(text)}"))


def _untouched(edits: Edits) -> str:
    paths = [path for path in edits.files if not is_answers(path) and not edits.has_word(path)]
    return edits.random.choice(paths) if paths else ""


def _extra(edits: Edits, name: str) -> list[str]:
    return [path for path in edits.files if PurePosixPath(path).name == name]


_OFTEN = (_insert, _rewrite, _remove, _append, _region, _beside_region)
_SELDOM = (_no_end, _crlf, _mixed_ends, _comment_in_answers, _action_pin, _image_pin, _delete, _mode, _binary, _link)
_RARELY = (_link_to_a_folder, _add, _of_the_removed)
_SORTS = _OFTEN * 3 + _SELDOM * 2 + _RARELY * 2
