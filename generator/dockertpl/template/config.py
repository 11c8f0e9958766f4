"""Read `copier.yml` as Copier does: documents, includes, questions in order, and settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from dockertpl.errors import OnlyCopierError, TemplateError

# The C parser, if it exists, takes a tenth of the time.
_Base: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Settings that run code, or need features that only Copier has. dockertpl refuses such templates.
_ONLY_COPIER = (
    "external_data",
    "jinja_extensions",
    "migrations",
    "preserve_symlinks",
    "skip_if_exists",
    "tasks",
)
# Copier's own list for templates that render the whole repository.
_EXCLUDED_AT_THE_ROOT = ("copier.yaml", "copier.yml", "~*", "*.py[co]", "__pycache__", ".git", ".DS_Store", ".svn")
_TYPES: Mapping[str, type] = {
    "answers_file": str,
    "envops": dict,
    "exclude": list,
    "secret_questions": list,
    "subdirectory": str,
    "templates_suffix": str,
}
_COPY_WITH_COPIER = "Use Copier itself for this template."


@dataclass(frozen=True, kw_only=True)
class Config:
    """The content of `copier.yml`.

    Attributes:
        questions: Each question's raw definition by name, in order.
        subdirectory: The folder to render, from the template's root. A Jinja template.
        suffix: The end of the names of files that Jinja renders.
        answers_file: The answers file's path. A Jinja template.
        envops: Options of the Jinja environment.
        exclude: Patterns of rendered paths to leave out, as in a .gitignore. Jinja templates.
    """

    questions: Mapping[str, Mapping[str, Any]]
    subdirectory: str
    suffix: str
    answers_file: str
    envops: Mapping[str, Any]
    exclude: tuple[str, ...]


def read(root: Path) -> Config:
    """Read a template's `copier.yml`.

    Args:
        root: The template's root.

    Raises:
        TemplateError: The file is missing, not valid, includes a file outside the root, or needs Copier itself.
    """
    merged = _merged(root)
    questions = {}
    settings = {}
    for key, value in merged.items():
        if key.startswith("_"):
            settings[key[1:]] = value
        else:
            questions[key] = dict(value) if isinstance(value, dict) else {"default": value}
    for key in _ONLY_COPIER:
        if settings.get(key):
            raise OnlyCopierError(
                f"{root / 'copier.yml'} sets _{key}, which dockertpl does not support.", _COPY_WITH_COPIER
            )
    for key, kind in _TYPES.items():
        if not isinstance(settings.get(key), kind | None):
            raise TemplateError(f"{root / 'copier.yml'}: _{key} has to be a {kind.__name__}.")
    settings = {key: value for key, value in settings.items() if value is not None}
    for key in settings.get("secret_questions", []):
        if key in questions:
            questions[key]["secret"] = True
    subdirectory = settings.get("subdirectory", "")
    return Config(
        questions=questions,
        subdirectory=subdirectory,
        suffix=settings.get("templates_suffix", ".jinja"),
        answers_file=settings.get("answers_file", ".copier-answers.yml"),
        envops={"keep_trailing_newline": True, **settings.get("envops", {})},
        exclude=tuple(settings.get("exclude", () if subdirectory else _EXCLUDED_AT_THE_ROOT)),
    )


def _merged(root: Path) -> dict[str, Any]:
    """Return all documents as one mapping. Later values win, but keys keep the order of their first appearance."""
    path = root / "copier.yml"
    try:
        with path.open("rb") as stream:
            documents = list(_flat(yaml.load_all(stream, Loader=_loader(root))))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise TemplateError(f"{path} cannot be read: {error}") from error
    result: dict[str, Any] = {}
    for document in documents:
        if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
            raise TemplateError(f"{path}: a part of it is not a mapping from names to questions or settings.")
        result.update(document)
    for option in ("_exclude", "_secret_questions"):
        parts = [document[option] for document in documents if option in document]
        if parts:
            result[option] = [item for part in parts for item in part]
    return result


def _flat(items: Any) -> Iterator[Any]:
    """Yield the items of nested lists, without empty ones."""
    for item in items:
        if isinstance(item, list):
            yield from _flat(item)
        elif item:
            yield item


def _loader(root: Path) -> type[yaml.SafeLoader]:
    """Return a loader with `!include`. It never reads outside the template."""
    top = root.resolve()

    class Loader(_Base):  # type: ignore[misc, valid-type]
        """A separate class, because constructors belong to a class."""

    def include(_loader: yaml.SafeLoader, node: yaml.Node) -> list[Any]:
        pattern = str(node.value)
        if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
            raise TemplateError(f"{root / 'copier.yml'} includes {pattern}, which is outside the template.")
        found: list[Any] = []
        for path in sorted(top.glob(pattern)):
            if not path.resolve().is_relative_to(top):
                raise TemplateError(f"{root / 'copier.yml'} includes {pattern}, which leads out of the template.")
            found.extend(_flat(yaml.load_all(path.read_bytes(), Loader=Loader)))
        return found

    Loader.add_constructor("!include", include)
    return Loader
