"""The built wheel carries the template and scaffolds on its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from tests import wheels
from tests.parity import by_us, copy_template, read_tree

from dockertpl import __version__
from dockertpl.template.source import PUBLISHED, bundled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.copy_source(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.build(WheelBuilder, source, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return wheels.unpack(wheel, tmp_path_factory.mktemp("unpacked"))


def test_the_wheel_s_template_is_the_repository_s(unpacked: Path, tmp_path: Path) -> None:
    expected = {path: file.content for path, file in read_tree(copy_template(tmp_path)).items()}
    bundle = {path: file.content for path, file in read_tree(unpacked / "dockertpl" / "_bundle").items()}
    assert bundle == expected


def test_the_wheel_is_typed_and_of_this_version(wheel: Path, unpacked: Path) -> None:
    assert wheel.name.startswith(f"dockertpl-{__version__}-")
    assert (unpacked / "dockertpl" / "py.typed").exists()
    assert not list(unpacked.rglob("tests"))


def test_the_wheel_scaffolds_in_an_environment_of_its_own(unpacked: Path, tmp_path: Path) -> None:
    # Dependencies come from this environment, so no network is needed. `.ci/run` installs them into an empty one.
    venv.create(tmp_path / "venv", symlinks=True)
    site = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))
    dependencies = Path(pytest.__file__).parent.parent
    (site / "paths.pth").write_text(f"{unpacked}\n{dependencies}\n")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [tmp_path / "venv" / "bin" / "python", "-m", "dockertpl", "new", "app", "--defaults", "--no-detect", "--json"],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert read_tree(tmp_path / "app") == by_us(bundled(), "app")


def test_what_a_wheel_wrote_is_updated_to_the_next_tag(
    unpacked: Path, tmp_path: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copier and the wheel's own command find the tag at the URL of the answers file."""
    published = wheels.publish(unpacked, tmp_path / "published")
    # Without the network, git uses a local copy of the published repository.
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{published}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", PUBLISHED)
    monkeypatch.setenv("COPIER_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONPATH", str(unpacked))
    command = [sys.executable, "-m", "dockertpl"]
    ours, theirs = tmp_path / "ours" / "app", tmp_path / "theirs" / "app"
    ours.mkdir(parents=True)
    git(ours, "init", "--quiet")
    subprocess.run([*command, "new", "--defaults", "--no-detect"], cwd=ours, check=True, capture_output=True)
    (ours / "Dockerfile").write_text((ours / "Dockerfile").read_text() + "# mine\n")
    git(ours, "add", "--all")
    git(ours, "commit", "--quiet", "--message", "mine")
    shutil.copytree(ours, theirs)

    subprocess.run([*command, "update"], cwd=ours, check=True, capture_output=True)
    copier = [sys.executable, "-m", "copier", "update", "--defaults", "--quiet"]
    subprocess.run(copier, cwd=theirs, check=True, capture_output=True)

    text = (ours / "Dockerfile").read_text()
    assert "# Put your own lines" in text
    assert text.endswith("# mine\n")
    assert (ours / "motto.sh").exists()
    assert not (ours / ".github").exists()
    assert f"_commit: {wheels.NEXT}\n" in (ours / ".copier-answers.yml").read_text()
    assert read_tree(ours) == read_tree(theirs)


def test_the_sdist_builds_the_same_wheel(source: Path, wheel: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(wheels.build(SdistBuilder, source, tmp_path), tmp_path / "sdist", filter="data")
    again = wheels.build(WheelBuilder, next((tmp_path / "sdist").iterdir()), tmp_path)
    assert _contents(again) == _contents(wheel)


def _contents(wheel: Path) -> dict[str, int]:
    with zipfile.ZipFile(wheel) as archive:
        return {item.filename: item.CRC for item in archive.infolist()}
