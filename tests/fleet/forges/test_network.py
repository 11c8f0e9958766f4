"""The error about a forge that did not answer says why, and whether a retry may help."""

from __future__ import annotations

import pytest
import requests.exceptions as raised

from dockertpl.fleet.forges import network


@pytest.mark.parametrize(
    ("error", "passes", "words"),
    [
        (raised.ConnectTimeout(), True, "the request timed out"),
        (raised.ProxyError(), True, "the proxy refused the connection"),
        (raised.ConnectionError(), True, "the connection failed"),
        (raised.ChunkedEncodingError(), True, "the connection failed"),
        (raised.SSLError(), False, "is not trusted"),
        (raised.InvalidProxyURL(), False, "the connection failed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_may_pass_and_what_is_said(error: raised.RequestException, passes: bool, words: str) -> None:
    message, remedy = network.unreachable(error, "GitHub", "open a pull request in org/app")
    assert (network.may_pass(error), words in message, bool(remedy)) == (passes, True, True)
    assert "GitHub" in message
    assert "open a pull request in org/app" in message


@pytest.mark.parametrize(
    ("text", "wanted"), [("30", 30), ("1.5", 1.5), ("-4", 0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0), (None, 0)]
)
def test_a_header_that_is_not_a_number_of_seconds_is_ignored(text: object, wanted: float) -> None:
    assert network.seconds(text) == wanted


def test_a_forge_s_words_are_one_short_line() -> None:
    assert network.short("Not\n  found. ") == "Not found"
    assert len(network.short("x" * 1000)) == 300


def test_a_pause_is_reported_in_minutes() -> None:
    assert "in 61 min" in network.too_long("GitHub", "list repositories", 3660).remedy
    assert "in 1 min" in network.too_long("GitHub", "list repositories", 5).remedy
