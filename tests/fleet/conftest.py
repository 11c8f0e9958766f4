"""Fixtures of the fleet tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import releases
from tests.fleet.fakes import Bench, FakeForge

from dockertpl.template.versions import Versions


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A template with three versions, a forge, and the other inputs of `apply`."""
    (tmp_path / "bare").mkdir()
    template = releases.make(tmp_path / "template")
    with Versions() as versions:
        yield Bench(folder=tmp_path, template=template, versions=versions, forge=FakeForge(bare=tmp_path / "bare"))
