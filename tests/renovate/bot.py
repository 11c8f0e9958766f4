"""The real Renovate, from npm, with a forge on loopback and no other network."""

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
#: The forge's repository with the preset.
TEMPLATE = "org/dockertpl"


class Done(NamedTuple):
    """The result of a Renovate run, and the lines of its log."""

    code: int
    log: str


def command(name: str) -> list[str]:
    """Return the command line of a Renovate program. Install Renovate once, without the scripts of its dependencies."""
    return next_sample.node_package(PACKAGE, name, "--ignore-scripts")


def run(forge: Forge, repository: str, template: Path, home: Path) -> Done:
    """Run Renovate on a repository of the forge.

    Args:
        forge: The forge with the repository, and with the template as TEMPLATE.
        repository: OWNER/NAME.
        template: The repository that git uses for the template's URL.
        home: An empty folder, or that of an earlier run. Renovate keeps its clones and caches there.
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
        # `dockertpl new` writes a GitHub address, but here the same file is on this forge.
        "migratePresets": {f"github>{TEMPLATE}": f"local>{TEMPLATE}"},
        # The other managers need registries.
        "enabledManagers": ["copier"],
        "binarySource": "global",
        "baseDir": str(home / "renovate"),
    }
    (home / "config.json").write_text(json.dumps(settings))
    # Keep this machine's other settings, such as a proxy or a token, from Renovate. Copier is that of the tests.
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
