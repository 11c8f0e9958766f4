from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from tests.registry.server import TOKEN, FakeRegistry, basic

from dockertpl.errors import RegistryError
from dockertpl.registry.auth import Challenge, authorize, challenges
from dockertpl.registry.credentials import Credentials

ANN = Credentials(user="ann", secret="secret")


def test_challenges_are_read_with_their_quotes_and_several_in_one_header() -> None:
    assert challenges(['Bearer realm="https://a.io/t?x=1",service="a, b", scope=pull,error="say \\"hi\\""']) == [
        Challenge("bearer", {"realm": "https://a.io/t?x=1", "service": "a, b", "scope": "pull", "error": 'say "hi"'})
    ]
    assert [each.scheme for each in challenges(['basic realm="x", BEARER realm="y"', "Negotiate", "Basic"])] == [
        "basic",
        "bearer",
        "basic",
    ]
    assert challenges([]) == []


def _authorize(fake: FakeRegistry, realm: str = "", credentials: Credentials | None = None) -> str | None:
    challenge = Challenge("bearer", {"realm": realm or f"http://{fake.address}/token?a=1", "service": "s"})
    return authorize(
        [Challenge("basic", {}), challenge],
        host="r.example.com",
        url=f"http://{fake.address}",
        repository="org/app",
        credentials=credentials,
    )


def test_a_token_is_asked_for_anonymously_or_with_the_login(fake_registry: FakeRegistry) -> None:
    assert _authorize(fake_registry) == f"Bearer {TOKEN}"
    fake_registry.users = {basic("ann", "secret")}
    assert _authorize(fake_registry, credentials=ANN) == f"Bearer {TOKEN}"
    anonymous, with_login = fake_registry.seen
    assert parse_qs(urlsplit(anonymous.path).query) == {
        "a": ["1"],
        "scope": ["repository:org/app:pull"],
        "service": ["s"],
    }
    assert (anonymous.authorization, with_login.authorization) == (None, basic("ann", "secret"))


def test_an_identity_token_is_changed_for_another(fake_registry: FakeRegistry) -> None:
    fake_registry.users = {"identity"}
    assert _authorize(fake_registry, credentials=Credentials(identity_token="identity")) == f"Bearer {TOKEN}"
    (seen,) = fake_registry.seen
    assert seen.method == "POST"
    fields = parse_qs(seen.body.decode())
    assert (fields["grant_type"], fields["scope"]) == (["refresh_token"], ["repository:org/app:pull"])


def test_a_registry_token_needs_no_server(fake_registry: FakeRegistry) -> None:
    assert _authorize(fake_registry, credentials=Credentials(registry_token="own")) == "Bearer own"
    assert fake_registry.seen == []


def test_basic_needs_a_login(fake_registry: FakeRegistry) -> None:
    def ask(credentials: Credentials | None) -> str | None:
        offered = [Challenge("basic", {})]
        return authorize(offered, host="h", url="https://h", repository="r", credentials=credentials)

    assert ask(ANN) == basic("ann", "secret")
    assert ask(None) is None
    assert ask(Credentials(identity_token="i")) is None


@pytest.mark.parametrize(
    "realm",
    [
        "http://elsewhere.example.com/token",
        "ftp://x/token",
        "file:///etc/passwd",
        "//x/token",
        "/token",
        "https://",
        "http://[",
    ],
)
def test_a_token_server_that_others_can_hear_gets_no_login(fake_registry: FakeRegistry, realm: str) -> None:
    with pytest.raises(RegistryError, match="it is not https"):
        _authorize(fake_registry, realm, ANN)
    assert fake_registry.seen == []


def test_a_public_registry_cannot_send_a_login_to_this_machine(fake_registry: FakeRegistry) -> None:
    challenge = Challenge("bearer", {"realm": f"http://{fake_registry.address}/token"})
    with pytest.raises(RegistryError, match="it is not https"):
        authorize([challenge], host="h.io", url="https://h.io", repository="r", credentials=ANN)
    assert fake_registry.seen == []


def test_a_token_server_that_refuses_says_so(fake_registry: FakeRegistry) -> None:
    fake_registry.users = {"nobody"}
    with pytest.raises(RegistryError, match="refuses with status 401") as caught:
        _authorize(fake_registry, credentials=ANN)
    assert "docker login r.example.com" in caught.value.remedy
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"token": 1}', b'{"token": "a\\r\\nX: y"}', b"<html>", b"[" * 99999]
)
def test_an_invalid_token_is_refused(fake_registry: FakeRegistry, body: bytes) -> None:
    fake_registry.instead = lambda seen: (200, {}, body)
    with pytest.raises(RegistryError, match="sends no token"):
        _authorize(fake_registry)


def test_the_other_name_of_a_token_is_known(fake_registry: FakeRegistry) -> None:
    fake_registry.instead = lambda seen: (200, {}, b'{"access_token": "other"}')
    assert _authorize(fake_registry) == "Bearer other"
