"""A template with five versions, made from this repository's, for updates from any version to any later one."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from tests.parity import copy_template

TAGS = ("v1.0.0", "v2.0.0", "v3.0.0", "v4.0.0", "v5.0.0")
#: Since this version, `second` is no longer an answer to `extra_choice`.
RESET = 2

NUMBERED = "".join(f"Line {number} of the notes.\n" for number in range(1, 25))
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{
        f"GIT_{role}_{key}": f"test{at}"
        for role in ("AUTHOR", "COMMITTER")
        for key, at in (("NAME", ""), ("EMAIL", "@x"))
    },
}
#: For scenarios: leave the sample hooks out of new repositories, since copying them takes long.
QUICK_ENVIRONMENT = {**ENVIRONMENT, "GIT_TEMPLATE_DIR": ""}
_SCRIPT = "#!/bin/sh\n" + "".join(f"echo {number}\n" for number in range(12))
#: Lines that a file has twice, until a version removes the first copy.
_BLOCK = "".join(f"Line {number} of each block.\n" for number in range(1, 10))
_CHOICES = "extra_choice:\n  type: str\n  choices: [first, second, third]\n  default: first\n"
_WORD = "extra_word:\n  type: str\n  default: word\n"
#: Answers that keep the files of two images in one repository apart.
_FOLDER = Path("templates/project/{{ app_dir }}")


def git(folder: Path, *arguments: str) -> str:
    """Run git without the settings of this machine, and return its output."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True, env={**os.environ, **ENVIRONMENT}
    )
    return done.stdout


def make_template(root: Path) -> Path:
    """Make a repository with a tag for each version. Check each out in the folder `versions` beside it."""
    copy_template(root)
    git(root, "init", "--quiet")
    for tag, change in zip(TAGS, (_first, _second, _third, _fourth, _fifth), strict=True):
        change(root)
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", tag)
        git(root, "tag", tag)
        git(root, "worktree", "add", "--quiet", "--detach", str(version(root, tag)), tag)
    return root


def version(template: Path, tag: str) -> Path:
    """Return the checkout of a version."""
    return template.parent / "versions" / tag


def _first(root: Path) -> None:
    folder = root / _FOLDER
    (folder / "extra-script.sh").write_text(_SCRIPT)
    (folder / "extra-script.sh").chmod(0o755)
    (folder / "extra-data.bin").write_bytes(b"\0\1\2 first")
    for name in ("notes", "old", "move"):
        (folder / f"extra-{name}.txt").write_text(f"About {name}.\n{NUMBERED}")
    (folder / "extra-blocks.txt").write_text(f"First.\n{_BLOCK}Second.\n{_BLOCK}")
    (folder / "extra-choice.txt.jinja").write_text(f"{NUMBERED}The {{{{ extra_choice }}}} one.\n{NUMBERED}")
    _replace(root / "copier.yml", "\nbases:\n", f"\n{_CHOICES}\nbases:\n")


def _second(root: Path) -> None:
    folder = root / _FOLDER
    _replace(folder / "extra-script.sh", "echo 6\n", "echo six\n")
    _replace(folder / "extra-notes.txt", "Line 3 of", "The third line of")
    _replace(folder / "extra-notes.txt", "Line 15 of", "The fifteenth line of")
    (folder / "extra-data.bin").write_bytes(b"\0\1\2 second")
    (folder / "extra-new.txt.jinja").write_text(f"A {{{{ extra_word }}}}.\n{NUMBERED}")
    _replace(root / "copier.yml", "\nbases:\n", f"\n{_WORD}\nbases:\n")
    _replace(root / "templates" / "lib" / "versions.yml", "\nuv: ", "\nuv: 1")
    _beside_regions(root, "", "# New below.\n")


def _third(root: Path) -> None:
    folder = root / _FOLDER
    (folder / "extra-old.txt").unlink()
    (folder / "extra-move.txt").rename(folder / "extra-moved.txt")
    _replace(folder / "extra-blocks.txt", f"First.\n{_BLOCK}", "First.\n")
    _replace(folder / "extra-moved.txt", "Line 20 of", "The twentieth line of")
    (folder / "extra-script.sh").chmod(0o644)
    _replace(root / "copier.yml", "[first, second, third]", "[first, third]")
    for path in (root / "templates" / "kinds").glob("*/Dockerfile.jinja"):
        lines = path.read_text().splitlines(keepends=True)
        comments = [number for number, line in enumerate(lines) if re.match(r"# [A-Z]", line)]
        for number in comments[1::3]:
            lines[number] = lines[number].rstrip("\n") + " Since version 3.\n"
        path.write_text("".join(lines))


def _fourth(root: Path) -> None:
    folder = root / _FOLDER
    (folder / "extra-new.txt.jinja").unlink()
    (folder / "extra-notes.txt").write_text((folder / "extra-notes.txt").read_text() + "The last line, without an end")
    _replace(root / "copier.yml", f"\n{_WORD}", "")
    _beside_regions(root, "# New above.\n", "# New below.\n")


def _fifth(root: Path) -> None:
    folder = root / _FOLDER
    (folder / "extra-data.bin").unlink()
    _replace(root / "templates" / "lib" / "custom.jinja", "- {{ what }}", "- {{ what }}, and no update changes it")
    (folder / "extra-script.sh").write_text(_SCRIPT.replace("echo 1\n", "echo one\n").replace("echo 10\n", ""))
    actions = root / "templates" / "ci" / "actions.yml"
    text, count = re.subn(
        r"commit: [0-9a-f]{40}, version: v(\d+)", rf"commit: {'5' * 40}, version: v9\1", actions.read_text()
    )
    if not count:
        raise AssertionError(f"{actions} pins no action")
    actions.write_text(text)


def _beside_regions(root: Path, above: str, below: str) -> None:
    path = root / "templates" / "lib" / "custom.jinja"
    plain = path.read_text().replace("# New above.\n", "").replace("# New below.\n", "")
    ended = "# <<< custom: {{ name }}\n"
    text = plain.replace("# >>> custom: {{ name }}", f"{above}# >>> custom: {{{{ name }}}}")
    path.write_text(text.replace(ended, ended + below))


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    if old not in text:
        raise AssertionError(f"{path} has no {old!r}")
    path.write_text(text.replace(old, new, 1))
