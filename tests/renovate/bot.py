"""Renovate itself, from npm, on a machine with a forge on loopback and no other network."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.renovate.forge import Forge
from tests.samples import next_sample

from dockertpl.template.source import PUBLISHED

PACKAGE = "renovate@44.121.2"
#: The repository with the preset, where the forge has it.
TEMPLATE = "org/dockertpl"


class Done(NamedTuple):
    """How a run of Renovate ended, and the lines that it wrote."""

    code: int
    log: str


def command(name: str) -> list[str]:
    """Return how a command of Renovate's is run here; installed once, without the scripts of what it brings."""
    return next_sample.node_package(PACKAGE, name, "--ignore-scripts")


def run(forge: Forge, repository: str, template: Path, home: Path) -> Done:
    """Let Renovate look at a repository of the forge.

    Args:
        forge: Has the repository, and the template's as TEMPLATE.
        repository: OWNER/NAME.
        template: What git finds where answers files say that the template is.
        home: An empty folder, or that of an earlier run; Renovate keeps its clones and caches there.
    """
    home.mkdir(exist_ok=True)
    (home / ".gitconfig").write_text(f'[url "{template}"]\n\tinsteadOf = {PUBLISHED}\n')
    settings = {
        "platform": "gitea",
        "endpoint": forge.url,
        "token": "not-secret",
        "repositories": [repository],
        "onboarding": False,
        "requireConfig": "required",
        # What `dockertpl new` writes names GitHub; here the same file is on this forge.
        "migratePresets": {f"github>{TEMPLATE}": f"local>{TEMPLATE}"},
        # The others ask registries.
        "enabledManagers": ["copier"],
        "binarySource": "global",
        "baseDir": str(home / "renovate"),
    }
    (home / "config.json").write_text(json.dumps(settings))
    # What else is set here, a proxy or a token, is not for this Renovate. Copier is the tests' own.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environ = {
        "HOME": str(home),
        "PATH": path,
        "GIT_CONFIG_NOSYSTEM": "1",
        "LOG_LEVEL": "debug",
        "RENOVATE_CONFIG_FILE": str(home / "config.json"),
    }
    done = subprocess.run(command("renovate"), cwd=home, env=environ, capture_output=True, text=True, timeout=300)
    return Done(done.returncode, done.stdout + done.stderr)
