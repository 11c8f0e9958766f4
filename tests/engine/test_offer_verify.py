"""After `new` writes the files, it builds and runs them beside the old image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.samples import adopt_sample
from tests.wizard.typist import Typist

from dockertpl import cli
from dockertpl.commands import new

from . import host, service
from .bases import BaseImage

pytestmark = pytest.mark.engine


def test_the_new_image_is_verified_and_compared_with_the_old_one(
    tmp_path: Path,
    docker: host.Engine,
    base_images: Callable[..., dict[str, BaseImage]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    row = adopt_sample.catalog()["guide-before"]
    base_images(*service.BASES, *row["bases"])
    folder = tmp_path / "orders"
    adopt_sample.write_adopt_sample(folder, "guide-before")
    typist = Typist({"Verify it?": ["for comparison"]})
    monkeypatch.setattr(new, "_is_terminal", lambda dry_run: True)
    monkeypatch.setattr(new, "_console", lambda: typist)
    answers = [word for key, value in row["answers"].items() for word in ("-d", f"{key}={value}")]
    assert cli._run(["new", str(folder), *answers]) == 0
    said = capsys.readouterr().err
    assert "s as uid 10001 on a read-only root" in said
    table = said[said.index("  image  ", said.index("for comparison")) :].splitlines()
    old, new_one = (float(word) for word in table[0].split()[1::2])
    # The new image has the standard library's bytecode (10.7 MB), so a start compiles nothing.
    assert 0 < new_one < old + 10.7
    assert table[2].split() == ["user", "root", "uid", "10001"]
    # The comparison leaves nothing behind.
    left = docker.run("image", "ls", "--quiet", "dockertpl/orchestrator:before").stdout
    assert left == ""
    docker.run("image", "rm", "--force", "dockertpl/orchestrator:verify", check=False)
