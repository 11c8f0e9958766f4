"""Runs the command line in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from dockertpl import cli


@dataclass(frozen=True)
class Done:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on stdout."""
        result = json.loads(self.out)
        assert isinstance(result, dict)
        return result


@pytest.fixture
def dockertpl(capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """`dockertpl(ARGUMENT, …)` runs a command line."""

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        code = cli._run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Done(code=code, out=captured.out, err=captured.err)

    return run
