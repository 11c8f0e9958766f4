"""Compiles a text of a template once for all tests of a process, which is most of the time that rendering takes."""

from __future__ import annotations

from typing import Any
from unittest import mock

from jinja2.sandbox import SandboxedEnvironment

_codes: dict[tuple[Any, ...], Any] = {}
_compile = SandboxedEnvironment.compile


def _compile_once(
    self: SandboxedEnvironment, source: Any, name: str | None = None, filename: str | None = None, *arguments: Any
) -> Any:
    """Compile a text that this kind of environment has not seen yet, wherever it was checked out."""
    if not isinstance(source, str):
        return _compile(self, source, name, filename, *arguments)
    settings = (self.trim_blocks, self.lstrip_blocks, self.keep_trailing_newline, self.undefined, self.optimized)
    key = (source, name, type(self), *settings, frozenset(self.filters), *arguments)
    if key not in _codes:
        _codes[key] = _compile(self, source, name, filename, *arguments)
    return _codes[key]


def once() -> None:
    """Begin to do so, in this process: for us and for Copier."""
    mock.patch.object(SandboxedEnvironment, "compile", _compile_once).start()
