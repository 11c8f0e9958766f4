from __future__ import annotations

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.fleet.forges.clock import Clock
from tests.fleet.forges.github.fake import FakeGitHub, says

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.base import Forge, Query
from dockertpl.fleet.forges.github import connect
from dockertpl.fleet.forges.github.requests import Sender
from dockertpl.fleet.forges.github.settings import Settings
from dockertpl.fleet.forges.github.tokens import AppTokens

BRANCH = "dockertpl/app"


@pytest.fixture(scope="session")
def key() -> str:
    """The private key of an App."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def app(fake: FakeGitHub, clock: Clock, key: str) -> Forge:
    """GitHub with an App that is installed for an organization and for a user."""
    fake.installations = {"orgs/org": 5, "users/ann": 6}
    fake.token_ends = _ends(clock, 3600)
    environ = {"GITHUB_APP_ID": "12", "GITHUB_APP_PRIVATE_KEY": key}
    return connect(environ, timing=clock.timing())


def _ends(clock: Clock, seconds: float) -> str:
    return datetime.fromtimestamp(clock.now + seconds, UTC).isoformat().replace("+00:00", "Z")


def _token(forge: Forge, slug: str) -> str:
    (header,) = forge.git_settings(slug).values()
    return base64.b64decode(header.rpartition(" ")[2]).decode().removeprefix("x-access-token:")


def test_each_owner_has_a_token_of_its_own_made_once(app: Forge, fake: FakeGitHub) -> None:
    assert [_token(app, slug) for slug in ("org/a", "ann/b", "org/c", "ORG/d")] == [
        "made-1",
        "made-2",
        "made-1",
        "made-1",
    ]
    paths = [seen.path for seen in fake.seen]
    assert "/app/installations/5/access_tokens" in paths and "/app/installations/6/access_tokens" in paths


def test_the_app_asks_for_it_by_its_number_and_repositories_by_the_token(app: Forge, fake: FakeGitHub) -> None:
    app.proposal("org/a", BRANCH)
    claims = fake.seen[0].authorization.removeprefix("Bearer ").split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(claims + "=="))["iss"] == "12"
    assert fake.seen[-1].authorization == "token made-1"


def test_a_token_is_renewed_before_it_ends(app: Forge, fake: FakeGitHub, clock: Clock) -> None:
    assert _token(app, "org/a") == "made-1"
    clock.now += 3290
    assert _token(app, "org/a") == "made-1"
    clock.now += 20
    fake.token_ends = _ends(clock, 3600)
    assert _token(app, "org/a") == "made-2"


def test_a_token_that_ended_while_its_request_waited_is_renewed_in_the_smallest_shard(
    fake: FakeGitHub, clock: Clock, key: str
) -> None:
    fake.installations = {"orgs/org": 5}
    fake.token_ends = _ends(clock, 3600)
    app = connect({"GITHUB_APP_ID": "12", "GITHUB_APP_PRIVATE_KEY": key}, timing=clock.timing(64))
    done = threading.Event()

    def propose() -> None:
        # More than this shard's share of an hour.
        for number in range(500 // 64 + 1):
            app.propose(f"org/{number}", branch=BRANCH, base="main", title="Update", body="Text", draft=False)
        done.set()

    threading.Thread(target=propose, daemon=True).start()
    assert done.wait(20)
    assert clock.waits and fake.tokens_made > 1


def test_a_token_that_is_refused_is_made_again_once(app: Forge, fake: FakeGitHub) -> None:
    fake.fails("GET", "/repos/org/a/pulls", says(401, "Bad credentials"))
    assert app.proposal("org/a", BRANCH) is None
    assert fake.seen[-1].authorization == "token made-2"
    fake.fails("GET", "/repos/org/a/pulls", *[says(401, "Bad credentials")] * 3)
    with pytest.raises(ForgeError, match="does not accept the token"):
        app.proposal("org/a", BRANCH)


def test_a_refused_token_that_was_replaced_meanwhile_costs_no_other(
    fake: FakeGitHub, clock: Clock, key: str, app: Forge
) -> None:
    settings = Settings(app="12", key=key)
    tokens = AppTokens(settings, Sender(settings, timing=clock.timing()))
    assert tokens.token("org") == "made-1"
    assert tokens.renew("org", "made-1")
    assert tokens.token("org") == "made-2"
    assert tokens.renew("org", "made-1")
    assert tokens.token("org") == "made-2"


def test_threads_of_one_owner_make_one_token(app: Forge, fake: FakeGitHub) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: app.proposal(f"org/{number}", BRANCH), range(20)))
    assert fake.tokens_made == 1


def test_a_token_that_needs_a_second_try_gets_it(app: Forge, fake: FakeGitHub) -> None:
    fake.fails("POST", "/app/installations/5/access_tokens", says(502, "Bad Gateway"))
    assert _token(app, "org/a") == "made-1"


def test_an_owner_without_the_app_gets_advice_to_install_it(app: Forge) -> None:
    with pytest.raises(ForgeError, match="not installed for other") as caught:
        app.proposal("other/a", BRANCH)
    assert "Install the App" in caught.value.remedy


def test_a_search_without_an_owner_takes_the_only_installation(app: Forge, fake: FakeGitHub) -> None:
    with pytest.raises(ForgeError, match="installed for 2 owners"):
        list(app.find(Query(topic="python")))
    fake.installations = {"orgs/org": 5}
    fake.add("org/a")
    assert [found.repository.slug for found in app.find(Query(search="x"))] == ["org/a"]


def test_an_invalid_key_is_reported_at_once(clock: Clock) -> None:
    with pytest.raises(ForgeError, match="not a valid PEM key") as caught:
        connect({"GITHUB_APP_ID": "1", "GITHUB_APP_PRIVATE_KEY": "secret"}, timing=clock.timing())
    assert "secret" not in caught.value.message + caught.value.remedy
