from __future__ import annotations

from pathlib import Path

import pytest

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.github.settings import read


def test_both_names_of_a_token_work() -> None:
    assert read({"GITHUB_TOKEN": "one\n", "GH_TOKEN": "two"}).token == "one"
    assert read({"GH_TOKEN": "two"}).token == "two"


def test_an_app_comes_before_a_token_and_its_key_is_text_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("a\nb")
    environ = {"GITHUB_TOKEN": "one", "GITHUB_APP_ID": "12"}
    named = read({**environ, "GITHUB_APP_PRIVATE_KEY_FILE": str(tmp_path / "key.pem")})
    assert (named.app, named.key, named.token) == ("12", "a\nb", "")
    assert read({**environ, "GITHUB_APP_PRIVATE_KEY": "a\\nb"}).key == "a\nb"


@pytest.mark.parametrize(
    ("environ", "message", "remedy"),
    [
        (
            {},
            "No GitHub token is set",
            "`contents: write`, `pull-requests: write`, `issues: write` and `workflows: write`",
        ),
        ({"GITHUB_TOKEN": "  "}, "No GitHub token is set", "GITHUB_APP_PRIVATE_KEY_FILE"),
        ({"GITHUB_TOKEN": "a secret"}, "has a space", "one line"),
        ({"GITHUB_TOKEN": "a\r\nX: secret"}, "has a space", "one line"),
        ({"GITHUB_APP_ID": "1"}, "private key is not", "GITHUB_APP_PRIVATE_KEY"),
        ({"GITHUB_APP_ID": "1", "GITHUB_APP_PRIVATE_KEY_FILE": "/nowhere.pem"}, "/nowhere.pem", ".pem file"),
        ({"GITHUB_TOKEN": "secret", "GITHUB_API_URL": "http://ghe.example.com/api/v3"}, "GITHUB_API_URL", "https"),
        ({"GITHUB_TOKEN": "secret", "GITHUB_API_URL": "https://u:p@ghe.example.com"}, "GITHUB_API_URL", "https"),
        ({"GITHUB_TOKEN": "secret", "GITHUB_API_URL": "https://[::1"}, "GITHUB_API_URL", "https"),
        ({"GITHUB_TOKEN": "secret", "GITHUB_API_URL": "nonsense"}, "GITHUB_API_URL", "https"),
    ],
)
def test_what_cannot_be_used_is_said_without_the_token(environ: dict[str, str], message: str, remedy: str) -> None:
    with pytest.raises(ForgeError, match=message) as caught:
        read(environ)
    assert remedy in caught.value.remedy
    assert "secret" not in caught.value.message + caught.value.remedy


@pytest.mark.parametrize(
    ("api", "web", "name"),
    [
        ("", "https://github.com", "GitHub"),
        ("https://api.github.com/", "https://github.com", "GitHub"),
        ("https://ghe.example.com/api/v3", "https://ghe.example.com", "GitHub (ghe.example.com)"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com", "GitHub (api.acme.ghe.com)"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "GitHub (127.0.0.1:8080)"),
    ],
)
def test_pages_and_git_are_found_from_the_address_of_the_api(api: str, web: str, name: str) -> None:
    named = read({"GITHUB_TOKEN": "x", "GITHUB_API_URL": api})
    assert (named.web, named.name) == (web, name)


def test_certificates_are_those_of_ssl_cert_file_unless_requests_has_its_own() -> None:
    assert read({"GITHUB_TOKEN": "x", "SSL_CERT_FILE": "/ca.pem"}).certificates == "/ca.pem"
    assert read({"GITHUB_TOKEN": "x", "SSL_CERT_FILE": "/ca.pem", "REQUESTS_CA_BUNDLE": "/b"}).certificates == ""


def test_neither_token_nor_key_is_in_what_is_printed_of_it() -> None:
    assert "secret" not in repr(read({"GITHUB_TOKEN": "secret"}))
    assert "secret" not in repr(read({"GITHUB_APP_ID": "1", "GITHUB_APP_PRIVATE_KEY": "secret"}))
