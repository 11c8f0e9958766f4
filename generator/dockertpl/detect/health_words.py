"""Recognize paths for health checks."""

from __future__ import annotations

import re

# The last part of a path, ranked: liveness first, since a probe that waits for a database restarts what works.
_WORDS = (
    (re.compile(r"live|livez|liveness|alive"), 0),
    (re.compile(r"healthz?|health[-_]?checks?"), 1),
    (re.compile(r"ping|heartbeat|up"), 3),
    (re.compile(r"status"), 4),
    (re.compile(r"ready|readyz|readiness"), 5),
)
# Above such a part; a /orders/status is an order's.
_ABOVE = re.compile(
    r"api|v\d+|utils?|system|health[\w-]*|internal|monitoring|common|core|probes?|misc|public|meta|ops|admin|status|_\w+"
)


def rank_of(part: str) -> int | None:
    """Return the rank of a path for health checks, 0 for the best, or None for other paths."""
    return next((rank for word, rank in _WORDS if word.fullmatch(part)), None)


def is_health_path(path: str) -> bool:
    """Return whether a path looks like one for health checks."""
    parts = [part for part in path.lower().split("/") if part]
    if not parts or not re.fullmatch(r"(?:/[A-Za-z0-9._~-]*)+", path):
        return False
    rank = rank_of(parts[-1])
    return rank is not None and (rank == 1 or all(_ABOVE.fullmatch(part) for part in parts[:-1]))
