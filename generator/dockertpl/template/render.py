"""Render a template to files in memory, byte for byte as Copier writes them."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2

from dockertpl.errors import TemplateError
from dockertpl.template.answers import Answers
from dockertpl.template.environment import Template
from dockertpl.template.tree import File, Tree

# In bytes, on every file system that matters.
_LONGEST_NAME = 255
# A pattern of _exclude that is only a name, such as *.py[co].
_NAME_PATTERN = re.compile(r"[A-Za-z0-9_.~*-]+(?:\[[a-z]+\])?")
_LINE_END = re.compile(r"\r\n|\r|\n")


def render(template: Template, answers: Answers) -> Tree:
    """Return every file that a template renders for some answers.

    Empty folders are left out, as in a git tree. Two template files that render to the same path are an error, because
    the result would depend on the order of a directory.

    Args:
        answers: Valid answers.

    Raises:
        TemplateError: A file cannot be read or rendered, or its path leads out of the repository.
    """
    context = _context(template, answers)
    answers_file = str(context["_copier_conf"]["answers_file"])
    excluded = _excluded(template, context)
    root = template.source.root.resolve()
    top = (root / _text(template, template.config.subdirectory, context, "_subdirectory")).resolve()
    if not top.is_relative_to(root):
        raise TemplateError(f"The template's _subdirectory is {template.config.subdirectory}, which leads out of it.")
    result: dict[str, File] = {}
    for source in _walk(top, root, ()):
        destination = _destination(template, source.relative_to(top), context, answers_file, top)
        if destination is None or excluded(destination):
            continue
        if destination in result:
            raise TemplateError(f"Two of the template's files render to {destination}.")
        result[destination] = _file(template, source, root, context)
    _check_tree(result)
    return dict(sorted(result.items()))


def answers_path(template: Template, answers: Answers) -> str:
    """Return the POSIX path of the answers file, relative to the repository root.

    Raises:
        TemplateError: The path leads out of the repository.
    """
    path = str(PurePosixPath(_text(template, template.config.answers_file, answers.context(), "_answers_file")))
    _check_path(path, "_answers_file")
    return path


def _context(template: Template, answers: Answers) -> dict[str, Any]:
    source = template.source
    metadata = {key: value for key, value in (("_commit", source.commit), ("_src_path", source.src_path)) if value}
    return {
        **answers.context(),
        **metadata,
        "_copier_answers": {**metadata, **answers.remembered()},
        "_copier_conf": {"answers_file": PurePosixPath(answers_path(template, answers)), "sep": os.sep},
        "_copier_phase": "render",
    }


def _text(template: Template, text: str, context: Mapping[str, Any], what: str) -> str:
    try:
        return template.text(text, context)
    except jinja2.TemplateError as error:
        raise TemplateError(f"The template's {what} cannot be rendered: {error}") from error


def _excluded(template: Template, context: Mapping[str, Any]) -> Callable[[str], bool]:
    """Return a function that says whether a rendered path is left out."""
    with_operation = {**context, "_copier_operation": "copy"}
    patterns = [
        unicodedata.normalize("NFD", line)
        for pattern in template.config.exclude
        for line in _LINE_END.split(_text(template, pattern, with_operation, "_exclude"))
    ]
    if all(_NAME_PATTERN.fullmatch(pattern) for pattern in patterns):
        # Such a pattern matches the name of the file or of a folder above it. Importing the whole syntax takes longer
        # than rendering a small file.
        return lambda path: any(fnmatchcase(part, pattern) for part in path.split("/") for pattern in patterns)
    import pathspec

    syntax = "gitignore" if int(pathspec.__version__.split(".")[0]) >= 1 else "gitwildmatch"
    return pathspec.PathSpec.from_lines(syntax, patterns).match_file


def _walk(directory: Path, root: Path, parents: tuple[Path, ...]) -> Iterator[Path]:
    """Yield each file below a directory, sorted by name. Follow links within the template."""
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except OSError as error:
        raise TemplateError(f"{directory} cannot be read: {error.strerror}.") from error
    for entry in entries:
        path = Path(entry.path)
        if entry.is_symlink() and not path.resolve().is_relative_to(root):
            raise TemplateError(f"The template's {path.relative_to(root)} is a link that leads out of it.")
        if entry.is_dir():
            real = path.resolve()
            if real in parents:
                raise TemplateError(f"The template's {path.relative_to(root)} is a link to a folder that it is in.")
            yield from _walk(path, root, (*parents, real))
        else:
            yield path


def _destination(
    template: Template, relative: Path, context: Mapping[str, Any], answers_file: str, top: Path
) -> str | None:
    """Return the path that a file renders to, or None if it is skipped."""
    suffix = template.config.suffix
    is_template = relative.name.endswith(suffix)
    # If both `a` and `a.jinja` exist, the second wins.
    if suffix and (top / f"{relative}{suffix}").exists():
        return None
    if suffix and is_template:
        relative = relative.with_suffix("")
    parts = []
    for part in relative.parts:
        rendered = _text(template, part, context, f"path {relative}")
        if not rendered:
            return None
        if rendered == answers_file:
            return answers_file
        _check_path(rendered, str(relative))
        parts.append(rendered)
    path = str(PurePosixPath(*parts))
    if not is_template and (template.source.root / f"{path}{suffix}").exists():
        return None
    return path


def _check_path(path: str, source: str) -> None:
    """Refuse a rendered path, or a part of it, that is not a plain relative path."""
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts or (not parts and path != "."):
        raise TemplateError(f"The template's {source} renders to {path!r}, which leads out of the repository.")
    if any(part.rstrip(". ").casefold() == ".git" for part in parts):
        raise TemplateError(f"The template's {source} renders to {path!r}, which belongs to git.")
    too_long = any(len(part.encode(errors="replace")) > _LONGEST_NAME for part in parts)
    if too_long or not path.isprintable() or "\\" in path:
        raise TemplateError(f"The template's {source} renders to {path!r}, which is not a valid path.")


def _file(template: Template, source: Path, root: Path, context: Mapping[str, Any]) -> File:
    name = source.relative_to(root)
    try:
        mode = source.stat().st_mode
        if not stat.S_ISREG(mode):
            raise TemplateError(f"The template's {name} is not a regular file.")
        if name.name.endswith(template.config.suffix):
            content = template.file(name.as_posix(), context).encode()
        else:
            content = source.read_bytes()
    except jinja2.TemplateError as error:
        where = f"{error.name}, line {error.lineno}" if isinstance(error, jinja2.TemplateSyntaxError) else str(name)
        raise TemplateError(f"The template's {where} cannot be rendered: {error}") from error
    except UnicodeError as error:
        raise TemplateError(f"The template's {name} is not UTF-8 text: {error}") from error
    except OSError as error:
        raise TemplateError(f"The template's {name} cannot be read: {error.strerror}.") from error
    return File(content=content, executable=bool(mode & 0o111))


def _check_tree(tree: Tree) -> None:
    """Refuse paths that are the same file on some systems, and a file where another path needs a folder."""
    seen: dict[str, str] = {}
    for path in tree:
        folded = unicodedata.normalize("NFC", path).casefold()
        if folded in seen:
            raise TemplateError(f"The template renders {seen[folded]} and {path}, which differ only in case.")
        seen[folded] = path
    for path in tree:
        for parent in PurePosixPath(path).parents:
            if str(parent) in tree:
                raise TemplateError(f"The template renders {parent} as a file and as the folder of {path}.")
