"""Image references: the registry and repository of a name, and the mirror that replaces the registry."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from dockertpl.errors import BadInputError

DEFAULT_HOST = "docker.io"

# The grammar of the distribution project's package `reference`.
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_HOST = re.compile(r"(?:\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::[0-9]{1,5})?", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST = 255


@dataclass(frozen=True, kw_only=True)
class Reference:
    """An image in a registry.

    Attributes:
        host: The registry's host as in image names, with a port if it has one.
        repository: The repository's full name.
        tag: The tag, or `latest` if the name has no tag.
    """

    host: str
    repository: str
    tag: str

    def __str__(self) -> str:
        return f"{self.host}/{self.repository}:{self.tag}"


@dataclass(frozen=True, kw_only=True)
class Place:
    """The address of a reference's repository.

    Attributes:
        host: The host for credentials, as in `docker login`.
        url: The API's URL, without a trailing slash.
        repository: The repository's name there.
    """

    host: str
    url: str
    repository: str


def parse(text: str) -> Reference:
    """Read an image's name the way engines do: `python:3.13` is `docker.io/library/python:3.13`.

    Args:
        text: A name with or without a host and a tag. A digest is ignored.

    Raises:
        BadInputError: The text is not an image name.
    """
    name, _, digest = text.partition("@")
    first, slash, rest = name.partition("/")
    # Only a name like a host is one: `org/app` is a repository of the default registry.
    has_host = bool(slash) and ("." in first or ":" in first or first == "localhost" or first.startswith("["))
    host, name = (first, rest) if has_host else (DEFAULT_HOST, name)
    repository, colon, tag = name.partition(":")
    host = public_name(host)
    folder = hosts().get(host, {}).get("folder")
    if folder and "/" not in repository:
        repository = f"{folder}/{repository}"
    good = (
        _HOST.fullmatch(host)
        and _REPOSITORY.fullmatch(repository)
        and len(repository) <= _LONGEST
        and (_TAG.fullmatch(tag) if colon else True)
        and (not digest or _DIGEST.fullmatch(digest))
    )
    if not good:
        raise BadInputError(
            f"{text!r} is not an image name.", "Write it as [HOST[:PORT]/]NAME[:TAG], in lower case up to the tag."
        )
    return Reference(host=host, repository=repository, tag=tag or "latest")


def is_digest(text: str) -> bool:
    """Return whether a text is a sha256 digest, the only algorithm that every registry supports."""
    return bool(_DIGEST.fullmatch(text))


def mirrors(options: Iterable[str]) -> dict[str, str]:
    """Read `HOST=MIRROR[/FOLDER]` options.

    Args:
        options: For example `docker.io=mirror.example.com/hub`. Of two for the same host, the later wins.

    Raises:
        BadInputError: An option is not valid.
    """
    result = {}
    for option in options:
        host, equals, mirror = option.partition("=")
        mirror = mirror.rstrip("/")
        place, slash, folder = mirror.partition("/")
        if not (equals and _HOST.fullmatch(host) and _HOST.fullmatch(place)) or (
            slash and not _REPOSITORY.fullmatch(folder)
        ):
            raise BadInputError(
                f"--registry-mirror {option} is not HOST=MIRROR.",
                "Both are hosts without https://. The mirror may have a folder:\n"
                "--registry-mirror docker.io=mirror.example.com/hub",
            )
        result[public_name(host)] = mirror
    return result


def locate(reference: Reference, mirrored: Mapping[str, str]) -> Place:
    """Return the address to ask for a reference.

    Args:
        reference: An image.
        mirrored: Mirrors by the host that they replace.
    """
    host, _, folder = mirrored.get(reference.host, reference.host).partition("/")
    repository = f"{folder}/{reference.repository}" if folder else reference.repository
    api = hosts().get(host, {}).get("api", host)
    scheme = "http" if is_loopback(host_name(api)) else "https"
    return Place(host=host, url=f"{scheme}://{api}", repository=repository)


def host_name(host: str) -> str:
    """Return a host without its port and without the brackets of IPv6."""
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]


def is_loopback(name: str) -> bool:
    """Return whether a host is this machine. Engines talk to it without TLS."""
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def public_name(host: str) -> str:
    """Return the host as in image names, for a host that may be an alias of it."""
    return next((known for known, entry in hosts().items() if host in entry["aliases"]), host)


@cache
def hosts() -> Mapping[str, Mapping[str, Any]]:
    """Return the content of `data/hosts.toml`, by the host in image names."""
    path = Path(__file__).with_name("data") / "hosts.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))
