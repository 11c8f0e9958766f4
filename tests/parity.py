"""Run Copier and our renderer on the same template and answers, for tests that compare them."""

from __future__ import annotations

import copy
import os
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import copier
from copier import _template
from copier._main import Worker
from plumbum import local

from dockertpl.errors import BadInputError
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import TemplateSource, directory
from dockertpl.template.tree import File, Tree

ROOT = Path(__file__).resolve().parent.parent


_configs: dict[tuple[Path, int], Any] = {}
_load_config = _template.load_template_config


def _load_config_once(path: Path, quiet: bool = False) -> Any:
    key = (path, path.stat().st_mtime_ns)
    if key not in _configs:
        _configs[key] = _load_config(path, quiet)
    return copy.deepcopy(_configs[key])


mock.patch.object(_template, "load_template_config", _load_config_once).start()
# It runs git for each file, to check for file systems without an executable bit.
mock.patch.object(Worker, "_sync_git_index_executable_bit", lambda *_: None).start()


class RefusedError(Exception):
    """Copier or our renderer refused the answers."""


def copy_template(destination: Path) -> Path:
    """Copy the current template of this repository into a folder."""
    shutil.copytree(ROOT / "templates", destination / "templates", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "copier.yml", destination)
    return destination


def read_tree(root: Path) -> Tree:
    """Return every file below a folder, without git's own."""
    return {
        path.relative_to(root).as_posix(): File(content=path.read_bytes(), executable=bool(path.stat().st_mode & 0o111))
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


def by_copier(source: Path | str, destination: Path, data: Mapping[str, Any] | None = None, **options: Any) -> Tree:
    """Return the files that Copier writes into a folder."""
    # Copier runs git with the environment from the time of its import.
    with warnings.catch_warnings(), local.env(**os.environ):
        warnings.simplefilter("ignore")
        try:
            copier.run_copy(
                str(source), destination, data=dict(data or {}), defaults=True, overwrite=True, quiet=True, **options
            )
        except Exception as error:
            raise RefusedError(f"Copier: {error}") from error
    return read_tree(destination)


def by_us(
    source: Template | TemplateSource | Path,
    folder_name: str,
    data: Mapping[str, Any] | None = None,
    stored: Mapping[str, Any] | None = None,
    detected: Mapping[str, Any] | None = None,
) -> Tree:
    """Return the files that our renderer returns."""
    if isinstance(source, Path):
        source = directory(source)
    template = Template(source) if isinstance(source, TemplateSource) else source
    try:
        answers = resolve(template, folder_name=folder_name, data=data, stored=stored, detected=detected)
        return render(template, answers)
    except BadInputError as error:
        raise RefusedError(f"dockertpl: {error}") from error
