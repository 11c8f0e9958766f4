from __future__ import annotations

import pytest

from dockertpl.detect.health_words import is_health_path, rank_of


@pytest.mark.parametrize(
    "path",
    [
        "/health",
        "/healthz",
        "/health-check",
        "/livez",
        "/api/v1/health",
        "/utils/health-check/",
        "/api/status",
        "/ping",
    ],
)
def test_paths_of_probes(path: str) -> None:
    assert is_health_path(path)


@pytest.mark.parametrize(
    "path", ["/", "", "/orders/status", "/users/live", "/healthy-food", "/health/{x}", "/health check"]
)
def test_other_paths(path: str) -> None:
    assert not is_health_path(path)


def test_liveness_comes_before_readiness() -> None:
    live, ready = rank_of("live"), rank_of("ready")
    assert live is not None
    assert ready is not None
    assert live < ready
