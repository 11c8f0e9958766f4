"""The application's own health route."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from dockertpl.detect.health_words import is_health_path, rank_of
from dockertpl.detect.python.endpoints import Route, routes
from dockertpl.detect.python.routers import Place, Routers
from dockertpl.detect.python.syntax import Code, Module, Name

_LOOKS_RIGHT = re.compile(r"(?:health|live|alive|ping|heartbeat|status|ready|readiness)[\w-]*/?$|^/?up/?$|^/?$")
_QUOTED = r"""["']/[\w/.-]*(?:health|live|alive|ping|heartbeat|status|ready|readiness)[\w-]*/?["']|["']/up["']"""


def health_routes(code: Code, app: Name) -> tuple[list[Route], list[Route]]:
    """Return the health routes of an application, the best first, and those with an unknown full path.

    Args:
        code: The application's files.
        app: The application: its file, and the variable or the factory.
    """
    routers = Routers(code, app)
    places = routers.places()
    found: list[Route] = []
    lost: list[Route] = []
    for owner, route in routes(routers, _modules(routers, places), _LOOKS_RIGHT):
        hung = places.get(owner, [])
        for place in hung:
            full = replace(route, path=place.prefix + route.path, assumes=place.assumes)
            if is_health_path(full.path):
                found.append(full)
        if not hung and owner not in routers.guarded and is_health_path(route.path):
            lost.append(route)
    return sorted(set(found), key=_rank), sorted(set(lost), key=_rank)


def _modules(routers: Routers, places: dict[Name, list[Place]]) -> Iterator[Module]:
    """Yield the files that may define such a route."""
    modules = {module.path: module for module in routers.code.mentioning(_QUOTED)}
    # A router that hangs at /health answers at "" or "/".
    for router, hung in places.items():
        if any(is_health_path(place.prefix) for place in hung) and (module := routers.code.module(router.path)):
            modules[module.path] = module
    yield from modules.values()


def _rank(route: Route) -> tuple[int, int, int, str]:
    """Return what routes are ordered by; the smallest is the best."""
    parts = [part for part in route.path.lower().split("/") if part]
    word = rank_of(parts[-1]) if parts else None
    return bool(route.needs) * 2 + (9 if word is None else word), len(parts), len(route.path), route.path
