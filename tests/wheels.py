"""The wheel of this checkout, built in another folder, and its template as a published repository."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder
from tests.parity import ROOT, copy_template

from dockertpl import __version__

#: The tag of a later release.
NEXT = f"v{__version__.split('.')[0]}.99.0"


def copy_source(folder: Path) -> Path:
    """Copy the sources of a build into a folder, so the build leaves nothing in this checkout."""
    root = copy_template(folder)
    shutil.copytree(ROOT / "generator", root / "generator", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE", "README.md", "CHANGELOG.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, root)
    return root


def build(builder: type[WheelBuilder] | type[SdistBuilder], source: Path, folder: Path) -> Path:
    """Build a wheel or an sdist of a copy into a folder and return it."""
    return Path(next(iter(builder(str(source)).build(directory=str(folder)))))


def unpack(wheel: Path, folder: Path) -> Path:
    """Unpack a wheel into a folder for PYTHONPATH, and return the folder."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def publish(unpacked: Path, folder: Path) -> Path:
    """Make the template's repository in a folder, with two tags: the wheel's version, and NEXT."""
    shutil.copytree(unpacked / "dockertpl" / "_bundle", folder)
    # Update bots read the preset from the same repository.
    shutil.copy(ROOT / "default.json", folder)
    _git(folder, "init", "--quiet", "--initial-branch", "main")
    for tag in (f"v{__version__}", NEXT):
        if tag == NEXT:
            _improve(folder)
        _git(folder, "add", "--all")
        _git(folder, "commit", "--quiet", "--message", tag)
        _git(folder, "tag", tag)
    return folder


def _improve(template: Path) -> None:
    """Change a template as a release may: lines, a question, a new file and a removed one."""
    regions = template / "templates" / "lib" / "custom.jinja"
    regions.write_text(regions.read_text().replace("# Add your own lines", "# Put your own lines"))
    questions = template / "copier.yml"
    motto = "motto:\n  type: str\n  help: Which motto?\n  default: small and quick\n"
    questions.write_text(questions.read_text().replace("\nname:\n", f"\n{motto}\nname:\n"))
    project = template / "templates" / "project"
    script = project / "{{ app_dir }}" / "motto.sh.jinja"
    script.write_text("#!/bin/sh\necho '{{ motto }}'\n")
    script.chmod(0o755)
    shutil.rmtree(project / "{% if ci == 'github' %}.github{% endif %}")


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
