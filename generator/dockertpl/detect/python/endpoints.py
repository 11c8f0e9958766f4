"""The GET routes of an application, by syntax tree: followed through routers, prefixes and mounts."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dockertpl.detect.python.routers import Routers, argument, asks_who, is_guarded
from dockertpl.detect.python.syntax import Module, Name, dotted, keyword, unparse

_VERBS = ("get", "api_route", "route", "add_api_route", "add_route")
# Parameters of a handler that are a query, a body or a header: a probe does not send them.
_SENT = re.compile(
    r"str|int|float|bool|bytes|list|dict|UUID|date|datetime|Query|Body|Form|File|UploadFile|Path|Header|Cookie"
)
_FREE = frozenset(["Request", "Response", "BackgroundTasks", "HTTPConnection"])


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route that a plain GET can call, without a login.

    Attributes:
        path: Its path; below its router's prefix until that is added.
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


def routes(routers: Routers, modules: Iterable[Module], looks_right: re.Pattern[str]) -> Iterator[tuple[Name, Route]]:
    """Yield the routes that some files define, with the router that each belongs to.

    Args:
        routers: The application's routers.
        modules: The files.
        looks_right: What a route's own path has to match, in lower case.
    """
    for module in modules:
        for scope, function, decorator in module.decorated:
            made = _route(routers, module, decorator, function, looks_right)
            if made and isinstance(decorator.func, ast.Attribute):
                yield routers.owner(module, scope, dotted(decorator.func.value)), made
        for scope, call in module.calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr in ("add_api_route", "add_route"):
                handler = dotted(argument(call, 1) or keyword(call, "endpoint"))
                if made := _route(routers, module, call, module.functions.get(handler), looks_right):
                    yield routers.owner(module, scope, dotted(call.func.value)), made


def _route(
    routers: Routers,
    module: Module,
    call: ast.Call,
    function: ast.FunctionDef | ast.AsyncFunctionDef | None,
    looks_right: re.Pattern[str],
) -> Route | None:
    verb = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if verb not in _VERBS:
        return None
    methods = keyword(call, "methods")
    if methods is not None and "GET" not in unparse(methods).upper():
        return None
    node = argument(call, 0) or keyword(call, "path")
    path = routers.text(module, node)[0] if node is not None else None
    if path is None or not looks_right.search(path.lower()) or "{" in path or is_guarded(call):
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
