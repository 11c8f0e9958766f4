"""A private view of apt for Debian-like machines: their own sources plus one newer suite, without touching /etc/apt."""

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

NEWER_SUITE = "forky"  # the first suite with an engine that uses the containerd image store
ETC_APT = Path("/etc/apt")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


class AptError(Exception):
    """The machine cannot install packages."""


class Mirrors(NamedTuple):
    """A source of Debian packages of this machine."""

    debian: str
    security: str | None


def usable() -> bool:
    """Return whether this machine has Debian's apt and the right to use it."""
    return os.geteuid() == 0 and Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None


def run(*args: str, config: Path | None = None) -> str:
    """Run an apt command, with the private view if `config` is given. Return its output."""
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if config:
        environ["APT_CONFIG"] = str(config)
    done = subprocess.run(args, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AptError(f"{' '.join(args)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


def install(packages: Sequence[str], *, newer: Sequence[str] = (), cache: Path) -> None:
    """Install packages of the machine's own suite, and `newer` ones from the newer suite."""
    if not usable():
        raise AptError(f"{', '.join([*packages, *newer])} must be installed, which takes root and Debian's apt")
    config = private_view(cache)
    wanted = [*packages, *(f"{name}/{NEWER_SUITE}" for name in newer)]
    # Another process may be installing packages: wait for the lock instead of failing.
    options = ("-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3")
    run("apt-get", *options, "install", "--yes", "--no-install-recommends", *wanted, config=config)


@functools.cache
def private_view(cache: Path) -> Path:
    """Write the apt.conf of the view, with fresh lists of the machine's sources and the newer suite.

    The pin of that suite is so low that apt uses it only on an explicit request.
    """
    home = cache / "apt"
    sources, preferences, lists = home / "sources.list.d", home / "preferences.d", home / "lists"
    for folder in (sources, preferences):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    for file in source_files():
        shutil.copy(file, sources / file.name)
    config = home / "apt.conf"
    config.write_text(
        f'Dir::Etc::SourceList "/dev/null";\nDir::Etc::SourceParts "{sources}";\n'
        f'Dir::Etc::PreferencesParts "{preferences}";\nDir::State::Lists "{lists}";\n'
        # The cache is in a home directory that apt's own user cannot enter.
        'APT::Sandbox::User "root";\n'
    )
    run("apt-get", "-qq", "update", config=config)
    mirror = _mirrors(config).debian
    (preferences / NEWER_SUITE).write_text(f"Package: *\nPin: release n={NEWER_SUITE}\nPin-Priority: 40\n")
    (sources / f"{NEWER_SUITE}.sources").write_text(stanza(mirror, NEWER_SUITE))
    run("apt-get", "-qq", "update", config=config)
    return config


def mirrors(cache: Path) -> Mirrors:
    """Return the mirrors of the machine's own sources."""
    return _mirrors(private_view(cache))


def _mirrors(config: Path) -> Mirrors:
    # Apt lists the indexes to fetch in the same way for one-line and deb822 sources.
    listed = run(
        "apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages", config=config
    )
    found: dict[str, str] = {}
    for line in listed.splitlines():
        origin, label, uri = line.split("|")
        if origin == "Debian":
            found.setdefault(label, uri.rstrip("/"))
    if "Debian" not in found:
        raise AptError("no source of this machine's apt is a Debian mirror")
    return Mirrors(found["Debian"], found.get("Debian-Security"))


def source_files() -> list[Path]:
    """Return the files with the machine's package sources."""
    one_line = [*ETC_APT.glob("sources.list"), *ETC_APT.glob("sources.list.d/*.list")]
    return sorted([*one_line, *ETC_APT.glob("sources.list.d/*.sources")])


def stanza(uri: str, *suites: str) -> str:
    """Return a deb822 source."""
    return f"Types: deb\nURIs: {uri}\nSuites: {' '.join(suites)}\nComponents: main\nSigned-By: {KEYRING}\n"


def acquire_options() -> list[str]:
    """Return the machine's apt settings that its mirror needs: proxies, and the checks of dates."""
    wanted = ("Acquire::Check-", "Acquire::http::Proxy", "Acquire::https::Proxy")
    if sys.platform != "linux" or not shutil.which("apt-config"):
        return []
    return [line for line in run("apt-config", "dump").splitlines() if line.startswith(wanted) and '""' not in line]
