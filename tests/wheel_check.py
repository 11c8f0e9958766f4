"""`make wheel-check`: build the wheel, install it into an empty environment, and scaffold with it.

With TAG=vX.Y.Z, also check that the wheel has the tag's version and template, and that CHANGELOG.md lists it.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

from dockertpl import __version__

ROOT = Path(__file__).parents[1]
BUNDLE = "dockertpl/_bundle/"


def build() -> Path:
    """Build the wheel and the sdist into dist/ and return the wheel."""
    dist = ROOT / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "hatchling", "build", "--directory", str(dist)], cwd=ROOT, check=True)
    return next(dist.glob("*.whl"))


def check_scaffolds(wheel: Path, folder: Path) -> None:
    """Install the wheel and its dependencies into an empty environment, and scaffold in an empty folder."""
    venv.create(folder / "venv", with_pip=True)
    binaries = folder / "venv" / "bin"
    pip = [str(binaries / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, str(wheel)], check=True)
    new = [str(binaries / "dockertpl"), "new", str(folder / "app"), "--defaults", "--no-detect"]
    subprocess.run(new, cwd=folder, check=True)
    answers = (folder / "app" / ".copier-answers.yml").read_text()
    if f"_commit: v{__version__}\n" not in answers or not (folder / "app" / "Dockerfile").exists():
        raise SystemExit(f"the wheel does not scaffold what it should:\n{answers}")


def bundled(wheel: Path) -> dict[str, bytes]:
    """Return the template in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {n.removeprefix(BUNDLE): archive.read(n) for n in archive.namelist() if n.startswith(BUNDLE)}


def tagged(tag: str, root: Path = ROOT) -> dict[str, bytes]:
    """Return the template of a tag."""
    command = ["git", "archive", "--format=tar", tag, "copier.yml", "templates"]
    content = subprocess.run(command, cwd=root, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        files = {member.name: archive.extractfile(member) for member in archive if member.isreg()}
        return {name: file.read() for name, file in files.items() if file}


def check_tag(tag: str, wheel: Path) -> None:
    """Exit unless the tag, the wheel and the changelog agree."""
    if tag != f"v{__version__}":
        raise SystemExit(f"the tag is {tag}, the wheel's version {__version__}: set __version__, or tag v{__version__}")
    if f"\n## [{__version__}] - " not in (ROOT / "CHANGELOG.md").read_text():
        raise SystemExit(f"CHANGELOG.md has no section [{__version__}]")
    if bundled(wheel) != tagged(tag):
        raise SystemExit("the wheel's template is not the tag's: build from a clean checkout of the tag")


def main() -> None:
    """Build and check."""
    wheel = build()
    with tempfile.TemporaryDirectory() as folder:
        check_scaffolds(wheel, Path(folder))
    if tag := os.environ.get("TAG"):
        check_tag(tag, wheel)
    print(f"{wheel.name} scaffolds" + (f" and is {tag}" if tag else ""))  # noqa: T201


if __name__ == "__main__":
    main()
