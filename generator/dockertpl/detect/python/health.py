"""The application's own health route, by syntax tree: routes, followed through routers, prefixes and mounts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dockertpl.detect.health_words import is_health_path, rank_of
from dockertpl.detect.python.routers import Place, Routers, argument, asks_who, is_guarded
from dockertpl.detect.python.syntax import Code, Module, Name, dotted, keyword, unparse

_LOOKS_RIGHT = r"(?:health|live|alive|ping|heartbeat|status|ready|readiness)[\w-]*/?$|^/?up/?$"
_QUOTED = r"""["']/[\w/.-]*(?:health|live|alive|ping|heartbeat|status|ready|readiness)[\w-]*/?["']|["']/up["']"""
# Parameters of a handler that are a query, a body or a header: a probe does not send them.
_SENT = re.compile(
    r"str|int|float|bool|bytes|list|dict|UUID|date|datetime|Query|Body|Form|File|UploadFile|Path|Header|Cookie"
)
_FREE = frozenset(["Request", "Response", "BackgroundTasks", "HTTPConnection"])


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route that answers health probes.

    Attributes:
        path: Its full path.
        file: Where it is defined.
        line: The line there.
        needs: What it depends on, by name.
        assumes: The names of settings whose default was taken for a part of the path.
    """

    path: str
    file: str
    line: int
    needs: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, int, int, str]:
        """Return what routes are ordered by; the smallest is the best."""
        parts = [part for part in self.path.lower().split("/") if part]
        word = rank_of(parts[-1]) if parts else None
        return bool(self.needs) * 2 + (9 if word is None else word), len(parts), len(self.path), self.path


def health_routes(code: Code, app: Name) -> tuple[list[Route], list[Route]]:
    """Return the health routes of an application, the best first, and those whose full path cannot be told.

    Args:
        code: The application's files.
        app: The application: its file, and the variable or the factory.
    """
    routers = Routers(code, app)
    places = routers.places()
    found: list[Route] = []
    lost: list[Route] = []
    for owner, route in _routes(routers, places):
        hung = places.get(owner, [])
        for place in hung:
            full = replace(route, path=place.prefix + route.path, assumes=place.assumes)
            if is_health_path(full.path):
                found.append(full)
        if not hung and owner not in routers.guarded and is_health_path(route.path):
            lost.append(route)
    return sorted(set(found), key=lambda route: route.rank), sorted(set(lost), key=lambda route: route.rank)


def _routes(routers: Routers, places: dict[Name, list[Place]]) -> Iterator[tuple[Name, Route]]:
    """Yield every GET route whose last part looks right and that anybody may call, with its owner."""
    modules = {module.path: module for module in routers.code.mentioning(_QUOTED)}
    # A router that hangs at /health answers at "" or "/".
    for router, hung in places.items():
        if any(is_health_path(place.prefix) for place in hung) and (module := routers.code.module(router.path)):
            modules[module.path] = module
    for module in modules.values():
        for scope, function, decorator in module.decorated:
            made = _route(routers, module, decorator, function)
            if made and isinstance(decorator.func, ast.Attribute):
                yield routers.owner(module, scope, dotted(decorator.func.value)), made
        for scope, call in module.calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr in ("add_api_route", "add_route"):
                handler = dotted(argument(call, 1) or keyword(call, "endpoint"))
                if made := _route(routers, module, call, module.functions.get(handler)):
                    yield routers.owner(module, scope, dotted(call.func.value)), made


def _route(
    routers: Routers, module: Module, call: ast.Call, function: ast.FunctionDef | ast.AsyncFunctionDef | None
) -> Route | None:
    verb = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if verb not in ("get", "api_route", "route", "add_api_route", "add_route"):
        return None
    methods = keyword(call, "methods")
    if methods is not None and "GET" not in unparse(methods).upper():
        return None
    node = argument(call, 0) or keyword(call, "path")
    path = routers.text(module, node)[0] if node is not None else None
    if path is None or not re.search(_LOOKS_RIGHT + "|^/?$", path.lower()) or "{" in path or is_guarded(call):
        return None
    needs = _needs(function) if function else ()
    if needs is None:
        return None
    return Route(path=path, file=module.path, line=call.lineno, needs=needs)


def _needs(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...] | None:
    """Return what a handler depends on, or None if a plain GET cannot call it."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    pairs = [*zip(positional, defaults, strict=True), *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    needs: list[str] = []
    for parameter, default in pairs:
        if parameter.arg in ("self", "cls"):
            continue
        annotation = unparse(parameter.annotation) if parameter.annotation is not None else ""
        given = unparse(default) if default is not None else ""
        last = re.split(r"[.\[]", annotation)[0 if "[" in annotation else -1]
        if last in _FREE:
            continue
        if depends := re.search(r"(?:Depends|Security)\(\s*([\w.]*)", given or annotation):
            if asks_who(f"{parameter.arg} {annotation} {given}") or "Security(" in given + annotation:
                return None
            needs.append(depends[1] or annotation)
        elif default is not None:
            continue  # a query parameter with a default
        elif asks_who(f"{parameter.arg} {annotation}") or _SENT.fullmatch(last) or not annotation:
            return None
        else:
            needs.append(annotation)
    return tuple(needs)
