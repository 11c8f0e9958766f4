from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.registry.server import LIST, PLATFORMS, FakeRegistry, Reply, Seen, basic, digest_of

from dockertpl.errors import NoImageError, RegistryError
from dockertpl.registry import transport
from dockertpl.registry.client import Resolved, resolve
from dockertpl.registry.reference import hosts, parse


def _resolve(fake: FakeRegistry, mirrored: Mapping[str, str] | None = None, name: str = "x:1") -> Resolved:
    return resolve(parse(name if mirrored else f"{fake.address}/{name}"), mirrored)


def _log_in(tmp_path: Path, host: str, **config: Any) -> None:
    (tmp_path / "docker-config").mkdir()
    auth = base64.b64encode(b"ann:secret").decode()
    (tmp_path / "docker-config" / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}, **config}))


# --- what is found ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", ["application/vnd.oci.image.index.v1+json", LIST])
def test_the_digest_is_the_index_s_and_the_platforms_are_its(fake_registry: FakeRegistry, media_type: str) -> None:
    digest = fake_registry.put_index("x:1", media_type=media_type)
    found = _resolve(fake_registry)
    assert found == Resolved(digest=digest, is_index=True, platforms=PLATFORMS)
    assert found.is_multi_platform
    assert [(seen.method, seen.path) for seen in fake_registry.seen] == [
        ("HEAD", "/v2/x/manifests/1"),
        ("GET", f"/v2/x/manifests/{digest}"),
    ]
    for part in (media_type, "oci.image.manifest.v1+json", "docker.distribution.manifest.v2+json"):
        assert part in fake_registry.seen[0].headers["accept"]


def test_a_single_image_is_told_from_an_index_with_its_platform(fake_registry: FakeRegistry) -> None:
    digest = fake_registry.put_image("x:1")
    found = _resolve(fake_registry)
    assert found == Resolved(digest=digest, is_index=False, platforms=("linux/amd64",))
    assert not found.is_multi_platform


def test_an_index_of_one_platform_is_not_multi_platform(fake_registry: FakeRegistry) -> None:
    fake_registry.put_index("x:1", ("linux/amd64",))
    assert not _resolve(fake_registry).is_multi_platform


@pytest.mark.parametrize("config", [b"nonsense", b"[]", b'{"os": 1}'])
def test_a_single_image_whose_configuration_says_nothing_is_taken(fake_registry: FakeRegistry, config: bytes) -> None:
    digest = fake_registry.put_image("x:1", config)
    assert _resolve(fake_registry) == Resolved(digest=digest, is_index=False, platforms=())


def test_a_configuration_that_is_not_its_digest_s_is_not_believed(fake_registry: FakeRegistry) -> None:
    fake_registry.put_image("x:1")
    fake_registry.instead = lambda seen: (200, {}, b'{"os":"a","architecture":"b"}') if "blobs" in seen.path else None
    assert _resolve(fake_registry).platforms == ()
    fake_registry.instead = lambda seen: (404, {}, b"") if "blobs" in seen.path else None
    assert _resolve(fake_registry).platforms == ()


@pytest.mark.parametrize("status", [405, 501])
def test_without_head_the_manifest_itself_says_the_digest(fake_registry: FakeRegistry, status: int) -> None:
    digest = fake_registry.put_index("x:1")
    fake_registry.instead = lambda seen: (status, {}, b"") if seen.method == "HEAD" else None
    assert _resolve(fake_registry).digest == digest
    assert fake_registry.seen[-1].path == "/v2/x/manifests/1"


def test_without_the_header_the_digest_is_computed(fake_registry: FakeRegistry) -> None:
    digest = fake_registry.put_index("x:1")

    def without(seen: Seen) -> Reply:
        media_type, body = fake_registry.contents[seen.path]
        return 200, {"Content-Type": media_type}, body

    fake_registry.instead = without
    assert _resolve(fake_registry).digest == digest


def test_a_mirror_is_asked_in_the_public_registry_s_place(fake_registry: FakeRegistry) -> None:
    digest = fake_registry.put_index("hub/library/python:3")
    assert _resolve(fake_registry, {"docker.io": f"{fake_registry.address}/hub"}, "python:3").digest == digest


# --- who may read ----------------------------------------------------------------------------------------------------


def test_a_token_is_fetched_once_and_serves_every_request(fake_registry: FakeRegistry) -> None:
    fake_registry.wants = "bearer"
    digest = fake_registry.put_image("x:1")
    assert _resolve(fake_registry).digest == digest
    assert [seen.path.partition("?")[0].rpartition("/")[2][:5] for seen in fake_registry.seen] == [
        "1",
        "token",
        "1",
        digest[:5],
        digest[:5],
    ]


def test_a_login_reaches_the_token_server_and_not_the_registry(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    fake_registry.wants, fake_registry.users = "bearer", {basic("ann", "secret")}
    fake_registry.put_index("x:1")
    _log_in(tmp_path, fake_registry.address)
    assert _resolve(fake_registry).is_index
    assert {
        seen.path.startswith("/token") for seen in fake_registry.seen if seen.authorization == basic("ann", "secret")
    } == {True}


def test_a_login_is_sent_where_basic_is_wanted_and_only_then(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    _log_in(tmp_path, fake_registry.address)
    fake_registry.put_index("x:1")
    _resolve(fake_registry)
    assert {seen.authorization for seen in fake_registry.seen} == {None}
    fake_registry.wants, fake_registry.users = "basic", {basic("ann", "secret")}
    assert _resolve(fake_registry).is_index


def test_a_mirror_gets_its_own_login_and_not_the_public_registry_s(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    _log_in(tmp_path, hosts()["docker.io"]["login"])
    fake_registry.wants = "basic"
    with pytest.raises(RegistryError, match="status 401"):
        _resolve(fake_registry, {"docker.io": fake_registry.address}, "python:3")
    assert {seen.authorization for seen in fake_registry.seen} == {None}


# --- what is refused -------------------------------------------------------------------------------------------------


def _reply(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> Any:
    return lambda seen: (status, headers or {}, body)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_names_the_host_and_the_login(fake_registry: FakeRegistry, status: int) -> None:
    fake_registry.instead = _reply(status)
    with pytest.raises(
        RegistryError, match=f"{fake_registry.address} refuses access to x:1: status {status}"
    ) as caught:
        _resolve(fake_registry)
    assert caught.value.exit_code == 3
    assert f"docker login {fake_registry.address}" in caught.value.remedy


def test_a_refusal_tells_of_a_helper_that_failed(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    _log_in(tmp_path, "other", credsStore="absent")
    fake_registry.wants = "basic"
    with pytest.raises(RegistryError, match="docker-credential-absent is not installed"):
        _resolve(fake_registry)


def test_what_is_not_there_is_bad_input(fake_registry: FakeRegistry) -> None:
    with pytest.raises(NoImageError, match=f"{fake_registry.address} has no image x:1") as caught:
        _resolve(fake_registry)
    assert caught.value.exit_code == 2
    assert "Is the name right?" in caught.value.remedy
    with pytest.raises(NoImageError) as caught:
        _resolve(fake_registry, {"docker.io": fake_registry.address})
    assert "--registry-mirror docker.io=HOST/FOLDER" in caught.value.remedy


@pytest.mark.parametrize(("wait", "words"), [("30", "in 30 seconds"), ("Wed, 21 Oct", "later"), (None, "later")])
def test_too_many_requests_say_when_to_come_back(fake_registry: FakeRegistry, wait: str | None, words: str) -> None:
    body = b'{"errors": [{"message": "You have reached your limit."}]}'
    fake_registry.put_index("x:1")
    fake_registry.instead = lambda seen: (
        (429, {"Retry-After": wait} if wait else {}, body) if seen.method == "GET" else None
    )
    with pytest.raises(RegistryError, match=r"too many requests .* You have reached your limit\.") as caught:
        _resolve(fake_registry)
    assert f"Try again {words}." in caught.value.remedy


@pytest.mark.parametrize(
    ("status", "words"), [(500, "has a problem: status 500"), (503, "503"), (418, "with status 418")]
)
def test_other_problems_are_reported(fake_registry: FakeRegistry, status: int, words: str) -> None:
    fake_registry.instead = _reply(status)
    with pytest.raises(RegistryError, match=words):
        _resolve(fake_registry)


def test_a_body_that_is_not_its_digest_s_is_refused(fake_registry: FakeRegistry) -> None:
    fake_registry.put_index("x:1")
    fake_registry.instead = lambda seen: (200, {}, b'{"mediaType": "other"}') if seen.method == "GET" else None
    with pytest.raises(RegistryError, match="sends something else"):
        _resolve(fake_registry)


@pytest.mark.parametrize("digest", ["sha512:" + 128 * "a", "sha256:1", "x", "sha256:" + 64 * "A"])
def test_an_invalid_digest_is_refused(fake_registry: FakeRegistry, digest: str) -> None:
    fake_registry.instead = _reply(200, {"Docker-Content-Digest": digest})
    with pytest.raises(RegistryError, match="which is not a sha256 digest"):
        _resolve(fake_registry)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b"\xff", b"[" * 99999])
def test_an_invalid_manifest_is_refused(fake_registry: FakeRegistry, body: bytes) -> None:
    fake_registry.put("x:1", "text/html", body)
    with pytest.raises(RegistryError, match="something that is not a manifest"):
        _resolve(fake_registry)


@pytest.mark.parametrize(
    "body", [{}, {"mediaType": "application/vnd.docker.distribution.manifest.v1+prettyjws"}, {"mediaType": 1}]
)
def test_another_kind_of_manifest_is_refused(fake_registry: FakeRegistry, body: dict[str, Any]) -> None:
    fake_registry.put("x:1", "application/json", json.dumps(body).encode())
    with pytest.raises(RegistryError, match="which is not an index or an image"):
        _resolve(fake_registry)


@pytest.mark.parametrize(
    "manifests", [None, "x", [1, {"platform": "x"}, {"platform": {"os": ["a"], "architecture": 1}}, {}]]
)
def test_an_index_of_nonsense_has_no_platforms(fake_registry: FakeRegistry, manifests: Any) -> None:
    fake_registry.put("x:1", LIST, json.dumps({"mediaType": LIST, "manifests": manifests}).encode())
    assert _resolve(fake_registry).platforms == ()


def test_a_manifest_that_is_too_big_is_refused(fake_registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "LIMIT", 100)
    fake_registry.put_index("x:1")
    with pytest.raises(RegistryError, match="so it is not a manifest"):
        _resolve(fake_registry)


def test_the_fake_s_digests_are_digests() -> None:
    assert digest_of(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
