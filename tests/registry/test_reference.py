from __future__ import annotations

import pytest

from dockertpl.errors import BadInputError
from dockertpl.registry.reference import hosts, is_digest, is_loopback, locate, mirrors, parse, public_name

HUB = hosts()["docker.io"]
ALIAS = HUB["aliases"][0]
DIGEST = "sha256:" + 64 * "a"


@pytest.mark.parametrize(
    ("text", "host", "repository", "tag"),
    [
        ("python:3.13-slim-trixie", "docker.io", "library/python", "3.13-slim-trixie"),
        ("python", "docker.io", "library/python", "latest"),
        (f"python:3.13@{DIGEST}", "docker.io", "library/python", "3.13"),
        ("org/app:1", "docker.io", "org/app", "1"),
        ("docker.io/python:3", "docker.io", "library/python", "3"),
        (f"{ALIAS}/org/app:1", "docker.io", "org/app", "1"),
        ("ghcr.io/astral-sh/uv:0.13.9", "ghcr.io", "astral-sh/uv", "0.13.9"),
        ("localhost/app", "localhost", "app", "latest"),
        ("localhost:5000/app:V_1", "localhost:5000", "app", "V_1"),
        ("[::1]:5000/app:1", "[::1]:5000", "app", "1"),
        ("1.dkr.ecr.eu-west-1.amazonaws.com/a/b/c:x", "1.dkr.ecr.eu-west-1.amazonaws.com", "a/b/c", "x"),
    ],
)
def test_a_name_is_read_as_engines_read_it(text: str, host: str, repository: str, tag: str) -> None:
    found = parse(text)
    assert (found.host, found.repository, found.tag) == (host, repository, tag)


@pytest.mark.parametrize(
    "text",
    ["", "Python", "a b", "../etc", "a//b", "-x", "python:", "python:-a", "python@sha256:1", "ex ample.com/a", "a:b:c",
     "host.example/../../v2", "python:3\n", "https://docker.io/python", "user@host.example/app", "a/" * 200 + "b"],
)  # fmt: skip
def test_an_invalid_name_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="is not an image name"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("python:3", f"https://{HUB['api']}"),
        ("ghcr.io/a/b:1", "https://ghcr.io"),
        ("registry.example.com:8443/a:1", "https://registry.example.com:8443"),
        ("localhost:5000/a:1", "http://localhost:5000"),
        ("127.9.9.9:5000/a:1", "http://127.9.9.9:5000"),
        ("[::1]:5000/a:1", "http://[::1]:5000"),
        ("localhost.example.com/a:1", "https://localhost.example.com"),
        ("127.0.0.1.example.com/a:1", "https://127.0.0.1.example.com"),
    ],
)
def test_only_loopback_is_spoken_to_without_tls(text: str, url: str) -> None:
    assert locate(parse(text), {}).url == url


def test_a_mirror_stands_in_for_its_host_alone() -> None:
    found = mirrors(["docker.io=old.example.com", f"{ALIAS}=mirror.example.com/hub/", "ghcr.io=127.0.0.1:5000"])
    place = locate(parse("python:3"), found)
    assert (place.host, place.url) == ("mirror.example.com", "https://mirror.example.com")
    assert place.repository == "hub/library/python"
    place = locate(parse("ghcr.io/astral-sh/uv:1"), found)
    assert (place.url, place.repository) == ("http://127.0.0.1:5000", "astral-sh/uv")
    assert locate(parse("quay.io/a/b:1"), found).host == "quay.io"


@pytest.mark.parametrize(
    "option", ["docker.io", "=x", "docker.io=", "docker.io=https://m.example", "docker.io=m.example/../x", "a b=c"]
)
def test_an_invalid_mirror_is_refused(option: str) -> None:
    with pytest.raises(BadInputError, match="is not HOST=MIRROR"):
        mirrors([option])


def test_helpers_know_their_kind() -> None:
    assert is_digest(DIGEST)
    assert not is_digest("sha256:" + 64 * "A")
    assert not is_digest(DIGEST + "\n")
    assert [is_loopback(name) for name in ("localhost", "127.0.0.1", "::1", "10.0.0.1", "", "x")] == [True] * 3 + [
        False
    ] * 3
    assert public_name(HUB["api"]) == "docker.io"
    assert public_name("ghcr.io") == "ghcr.io"
