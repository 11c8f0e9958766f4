"""For which Pythons distributions have wheels: by the files of a lock, and for bare pins by data/wheels.toml."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from dockertpl.detect.python.lock import Locked


@lru_cache(maxsize=1)
def first_releases() -> Mapping[str, Mapping[str, str]]:
    """Return, by distribution and Python, the first release with a wheel for Linux."""
    return tomllib.loads((Path(__file__).parent / "data" / "wheels.toml").read_text("utf-8"))


def has_linux_wheel(package: Locked) -> bool:
    """Tell whether a distribution has a binary wheel for Linux with glibc."""
    return any(re.search(r"-(?:many)?linux[^-]*$", wheel) for wheel in package.wheels)


def is_compiled_for(package: Locked) -> bool:
    """Tell whether the lock says for which Pythons a distribution has wheels."""
    return bool(package.wheels)


def lacks_wheel(package: Locked, python: str) -> bool:
    """Tell whether a distribution has to be compiled for a Python, as far as its files or its version tell.

    Args:
        package: The distribution.
        python: A version such as 3.13.
    """
    if not package.wheels:
        releases = first_releases().get(package.name, {})
        pure = _is_older(package, releases.get("since"))
        return not pure and _is_older(package, releases.get(python))
    minor = int(python.partition(".")[2])
    fits: list[bool] = []
    for wheel in package.wheels:
        parts = wheel.removesuffix(".whl").split("-")
        if len(parts) < 5:
            continue
        tags, abis, platform = parts[-3:]
        if platform == "any" or ("linux" in platform and "musllinux" not in platform):
            fits.append(any(_fits(tag, abis, minor) for tag in tags.split(".")))
    return bool(fits) and not any(fits)


def _fits(tag: str, abis: str, minor: int) -> bool:
    if match := re.fullmatch(r"cp3(\d+)", tag):
        if "abi3" in abis.split("."):
            return int(match[1]) <= minor
        # A wheel for the interpreter without a global lock (cp313t) is of no use to the usual one.
        return int(match[1]) == minor and not abis.endswith("t")
    if match := re.fullmatch(r"py3(\d+)", tag):
        return int(match[1]) <= minor
    return tag in ("py3", "cp3")


def _is_older(package: Locked, first: str | None) -> bool:
    if first is None or not package.version:
        return False
    from packaging.version import InvalidVersion, Version

    try:
        return Version(package.version) < Version(first)
    except InvalidVersion:
        return False
