"""Likely secrets stay out of images and reports."""

from __future__ import annotations

import pytest

from dockertpl.adopt.secrets import holds_secret, is_secret, is_secret_name, shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "abc"),
        ("DB_PASSWORD", "x"),
        ("OPENAI_API_KEY", "k"),
        ("DATABASE_URL", "postgresql://me:pw@db/x"),
        ("GREETING", "ghp_0123456789abcdefghij0123456789abcdef"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
    ],
)
def test_a_secret_is_recognized_by_its_name_or_its_value(name: str, value: str) -> None:
    assert is_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "$SECRET_KEY"),
        ("SECRET_KEY", "${SECRET_KEY}"),
        ("TOKEN_URL", "https://example.com"),
        ("PASSWORD_FILE", "/run/secrets/x"),
        ("NEXT_PUBLIC_API_KEY", "public"),
        ("MONKEY", "x"),
        ("DATABASE_URL", "sqlite:///x.db"),
        ("COMPASS", "north"),
    ],
)
def test_a_value_that_is_not_a_secret_is_not_reported(name: str, value: str) -> None:
    assert not is_secret(name, value)


def test_a_name_is_enough() -> None:
    assert is_secret_name("NPM_TOKEN")
    assert not is_secret_name("TOKENIZERS_PARALLELISM")


def test_a_report_shows_no_secret() -> None:
    text = "curl --password hunter22 https://me:pw@host/x?token=abcdef ghp_0123456789abcdefghij0123"
    assert holds_secret(text)
    for secret in ("hunter22", "me:pw", "abcdef ", "ghp_0123"):
        assert secret not in shown(text)


def test_a_report_shows_one_line_that_is_not_too_long() -> None:
    assert shown("a \\\n   b\n") == "a \\ b"
    assert len(shown("x" * 500)) == 100
    assert not holds_secret("adduser --disabled-password app && pip install tokenizers")
