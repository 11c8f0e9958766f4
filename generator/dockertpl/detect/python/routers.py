"""Routers: where each hangs in the application, by include_router, mount and prefixes, as far as they are static."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dockertpl.detect.python.asgi import Finder
from dockertpl.detect.python.syntax import Code, Module, Name, dotted, keyword, local_assignments, string, unparse

_AUTH = re.compile(
    r"user|auth|token|current|admin|secur|api_?key|jwt|permission|principal|credential|login", re.IGNORECASE
)
# A search costs a pass over all of the code. Real applications have two or three.
_MOST_SETTINGS = 20
_MOST_LOOPS = 50
_JOINS = ("mount", "include_router")


@dataclass(frozen=True, kw_only=True)
class _Edge:
    """`owner.include_router(child, prefix=…)` or `owner.mount(prefix, child)`."""

    owner: Name
    child: Name
    prefix: str | None
    assumes: tuple[str, ...]
    guarded: bool


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a router hangs in the application."""

    prefix: str
    assumes: tuple[str, ...] = field(default=())


class Routers:
    """The routers of one application.

    Attributes:
        code: The application's files.
        app: The application: its file, and the variable or the factory.
        guarded: Routers that ask who is calling.
    """

    def __init__(self, code: Code, app: Name) -> None:
        self.code = code
        self.app = app
        self.finder = Finder(code)
        self.modules = list(code.mentioning(r"\.include_router\(|\.mount\("))
        self.prefixes: dict[Name, str | None] = {}
        self.assumed: dict[Name, tuple[str, ...]] = {}
        self.guarded: set[Name] = set()
        self._settings: dict[str, str | None] = {}

    def places(self) -> dict[Name, list[Place]]:
        """Return where every router hangs; a router may hang in several places."""
        edges = [edge for module in self.modules for edge in self._edges(module)]
        found: dict[Name, list[Place]] = {self.app: [Place(prefix="")]}
        self._router_prefix(self.app)
        if self.app in self.guarded:
            return {}
        waiting = [self.app]
        for _ in range(1000):
            if not waiting:
                break
            owner = waiting.pop()
            for edge in (edge for edge in edges if edge.owner == owner):
                own = self._router_prefix(edge.child)
                if edge.guarded or edge.child in self.guarded:
                    continue
                if edge.prefix is None or own is None:
                    continue
                assumes = edge.assumes + self.assumed.get(edge.child, ())
                hung = found.setdefault(edge.child, [])
                for place in found[owner]:
                    new = Place(prefix=place.prefix + edge.prefix + own, assumes=place.assumes + assumes)
                    if new not in hung and len(hung) < 20:
                        hung.append(new)
                        waiting.append(edge.child)
        self.guarded |= {edge.child for edge in edges if edge.guarded and edge.child not in found}
        return found

    def _edges(self, module: Module) -> Iterator[_Edge]:
        for scope, node in module.calls:
            if not isinstance(node.func, ast.Attribute) or node.func.attr not in _JOINS:
                continue
            mounts = node.func.attr == "mount"
            child_node = keyword(node, "app" if mounts else "router") or argument(node, 1 if mounts else 0)
            prefix_node = keyword(node, "path" if mounts else "prefix") or (argument(node, 0) if mounts else None)
            owner = self.owner(module, scope, dotted(node.func.value))
            for child in self._children(module, scope, child_node):
                prefix, assumes = ("", ()) if prefix_node is None else self.text(module, prefix_node)
                if mounts and prefix is not None:
                    prefix = prefix.rstrip("/")
                guarded = is_guarded(node)
                yield _Edge(owner=owner, child=child, prefix=prefix, assumes=assumes, guarded=guarded)

    def _children(self, module: Module, scope: ast.AST | None, node: ast.expr | None) -> list[Name]:
        expression = dotted(node.func if isinstance(node, ast.Call) else node)
        if not expression:
            return []
        for loop in module.loops[:_MOST_LOOPS]:
            # `for router in (users.router, health.router): app.include_router(router)`
            if dotted(loop.target) == expression and isinstance(loop.iter, ast.List | ast.Tuple):
                return [self.code.resolve(module, dotted(part)) for part in loop.iter.elts if dotted(part)]
        return [self.owner(module, scope, expression)]

    def owner(self, module: Module, scope: ast.AST | None, expression: str) -> Name:
        """Tell which application or router `expression.get(…)` belongs to."""
        if scope is None or not expression or "." in expression:
            return self.code.resolve(module, expression) if expression else Name("", "")
        function = getattr(scope, "name", "")
        local, parameters = local_assignments(scope), _parameters(scope)
        if expression in local:
            value, annotation, _ = local[expression]
            whole = self.finder.class_of(module, value) or "FastAPI" in unparse(annotation)
            # What the factory returns is the application; it may also be bound at the top of some module.
            if whole and self._makes_app(module, Name(module.path, function), expression):
                return self.app
            return Name(module.path, f"{function}.{expression}")
        if expression in parameters:
            text = unparse(parameters[expression]) or expression
            known = "FastAPI" in text or text in ("app", "application", "Starlette")
            return self.app if known else Name("", expression)
        return self.code.resolve(module, expression)

    def _makes_app(self, module: Module, factory: Name, variable: str) -> bool:
        """Tell whether a function's variable is the application that was looked for."""
        function = module.functions.get(factory.name)
        if function is None:
            return False
        returned = {dotted(node.value) for node in ast.walk(function) if isinstance(node, ast.Return)}
        if returned and variable not in returned:
            return False
        if self.app == factory:
            return True
        below = self.code.module(self.app.path)
        value = below.assigned.get(self.app.name, (None, None, 0))[0] if below else None
        called = dotted(value.func) if isinstance(value, ast.Call) else ""
        # `app = create_app()` elsewhere; a class's method or a chain of factories is taken on trust.
        return not called or below is None or self.code.resolve(below, called) == factory or "." in called

    def _router_prefix(self, router: Name) -> str | None:
        """Return a router's own prefix, or None if it is unknown."""
        if router not in self.prefixes:
            self.prefixes[router] = self._read_prefix(router)
        return self.prefixes[router]

    def _read_prefix(self, router: Name) -> str | None:
        module = self.code.module(router.path) if router.path else None
        if module is None:
            return ""
        function, _, local = router.name.rpartition(".")
        names = local_assignments(module.functions[function]) if function in module.functions else module.assigned
        value = names.get(local, (None, None, 0))[0]
        if not isinstance(value, ast.Call):
            return ""
        if is_guarded(value):
            self.guarded.add(router)
        node = keyword(value, "prefix")
        if node is None:
            return ""
        text, assumes = self.text(module, node)
        if assumes:
            self.assumed[router] = assumes
        return text

    def text(self, module: Module, node: ast.expr) -> tuple[str | None, tuple[str, ...]]:
        """Return a static string: a literal, an f-string, a sum, a constant, a setting's default."""
        if (literal := string(node)) is not None:
            return literal, ()
        parts: list[ast.expr] = []
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add) and not isinstance(node.left, ast.BinOp):
            parts = [node.left, node.right]
        if parts and not any(isinstance(part, ast.JoinedStr | ast.BinOp) for part in parts):
            texts = [self.text(module, part) for part in parts]
            joined = [text for text, _ in texts if text is not None]
            return ("".join(joined) if len(joined) == len(texts) else None), tuple(
                n for _, names in texts for n in names
            )
        expression = dotted(node)
        if not expression:
            return None, ()
        found = self.code.resolve(module, expression)
        below = self.code.module(found.path) if found.path else None
        if below and found.name in below.assigned and (text := string(below.assigned[found.name][0])) is not None:
            return text, ()
        name = expression.rpartition(".")[2]
        if name not in self._settings:
            self._settings[name] = self._setting(name) if len(self._settings) < _MOST_SETTINGS else None
        value = self._settings[name]
        return value, (name,) if value is not None else ()

    def _setting(self, name: str) -> str | None:
        """Return the one text that the code gives to a name, such as `API_V1_STR: str = "/api/v1"`."""
        pattern = re.compile(
            rf"""^[ \t]*{re.escape(name)}[ \t]*(?::[^=\n]+)?=[ \t]*["']([^"'\n]*)["'][ \t]*(?:#.*)?$""", re.MULTILINE
        )
        values = {value for path in self.code.files for value in pattern.findall(self.code.repository.text(path) or "")}
        return values.pop() if len(values) == 1 else None


def argument(call: ast.Call, index: int) -> ast.expr | None:
    """Return a positional argument."""
    return call.args[index] if len(call.args) > index else None


def _parameters(scope: ast.AST) -> dict[str, ast.expr | None]:
    if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        return {}
    return {a.arg: a.annotation for a in (*scope.args.posonlyargs, *scope.args.args, *scope.args.kwonlyargs)}


def is_guarded(call: ast.Call) -> bool:
    """Tell whether `dependencies=[…]` asks who is calling."""
    node = keyword(call, "dependencies")
    return node is not None and asks_who(unparse(node))


def asks_who(text: str) -> bool:
    """Tell whether a piece of code looks like one that asks who is calling."""
    return _AUTH.search(text) is not None
