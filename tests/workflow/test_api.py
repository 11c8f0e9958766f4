"""The answers of the local API, when GitHub's is not reachable."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from . import api

REPOSITORY = {"full_name": "acme/orders", "default_branch": "main"}


def _get(url: str) -> Any:
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10) as answer:
        return json.load(answer)


def test_it_knows_the_repository_and_its_commits_and_nothing_else() -> None:
    with api.answering(REPOSITORY) as address:
        assert _get(f"{address}/repos/acme/orders") == REPOSITORY
        assert _get(f"{address}/repos/acme/orders/commits/0123abc") == {"sha": "0123abc"}
        with pytest.raises(urllib.error.HTTPError, match="404"):
            _get(f"{address}/repos/acme/other")
