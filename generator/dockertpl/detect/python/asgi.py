"""Find the ASGI application by its syntax tree, without importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from dockertpl.detect.python.conventions import (
    APPLICATION_CLASSES,
    FACTORY_RANKS,
    MODULE_RANKS,
    NOT_DEPLOYED,
    VARIABLE_RANKS,
)
from dockertpl.detect.python.starts import Start
from dockertpl.detect.python.syntax import Code, Module, Name, dotted, keyword, local_assignments, string
from dockertpl.detect.repository import is_within, relative_to

# How many steps a class or a function may be away from the module that serves it.
_ROUNDS = 5
_MOST = 200
_MAY_HOLD = r"FastAPI|Starlette|Cadwyn"
# What takes an application and is one.
_WRAPPER = re.compile(r"(?:.*Middleware|ASGIApp|ASGIWrapper)$")
_TEST = re.compile(r"test_.*|.*_test|tests?|conftest|noxfile")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One application that was found.

    Attributes:
        path: Its file.
        name: The variable, or the function that returns it.
        line: Its line.
        factory: Whether it is such a function.
        plain: Whether it is a Starlette application without FastAPI.
        starts: The commands that name it, the weightiest first.
    """

    path: str
    name: str
    line: int
    factory: bool = False
    plain: bool = False
    starts: tuple[Start, ...] = field(default=(), compare=False)

    @property
    def score(self) -> tuple[int, ...]:
        """Return what it is ranked by. Two candidates with equal scores are equally good."""
        names = FACTORY_RANKS if self.factory else VARIABLE_RANKS
        return (
            max((start.weight for start in self.starts), default=0),
            not self.factory,
            not self.plain,
            MODULE_RANKS.get(PurePosixPath(self.path).stem, 0),
            names.get(self.name, 0),
        )


def python_files(files: Sequence[str], folder: str) -> list[str]:
    """Return the Python files below a folder that may be deployed: no tests, documents, examples or migrations."""
    found = []
    for path in files:
        if path.endswith(".py") and is_within(path, folder):
            inside = PurePosixPath(relative_to(path, folder))
            names = {part.lower() for part in inside.parts[:-1]}
            if not names & NOT_DEPLOYED and not _TEST.fullmatch(inside.stem):
                found.append(path)
    return found


class Finder:
    """Finds the applications in `code`."""

    def __init__(self, code: Code) -> None:
        self.code = code
        self._returning: dict[Name, ast.expr | bool] = {}

    def candidates(self) -> list[Candidate]:
        """Return every application and factory, without those that are part of another one."""
        modules: dict[str, Module] = {}
        makers: set[str] = set()
        methods: set[str] = set()
        pattern = _MAY_HOLD
        for _ in range(_ROUNDS):
            new = [module for module in self.code.mentioning(pattern) if module.path not in modules]
            modules |= {module.path: module for module in new}
            names = {name for module in new for name in self._makers(module)}
            methods |= {name for module in new for name in self._methods(module)}
            if not (names | methods) - makers:
                break
            makers |= names | methods
            # Who uses a class or a function that makes one need not speak of FastAPI itself.
            pattern = "|".join(rf"\b{re.escape(name)}\b" for name in sorted(makers)[:_MOST])
        modules |= {module.path: module for module in self.code.mentioning(r"\.mount\(|\bMount\(")}
        found = {(c.path, c.name): c for module in modules.values() for c in self._of(module, frozenset(methods))}
        parts = {part for module in modules.values() for part in self._parts(module)}
        whole = {key: candidate for key, candidate in found.items() if key not in parts}
        return list((whole or found).values())[:_MOST]

    def _makers(self, module: Module) -> Iterator[str]:
        """Yield a module's functions that return an application, and its classes of applications."""
        yield from (name for name in module.functions if self.returns_app(Name(module.path, name)))
        yield from (name for name in module.classes if self._class(module, ast.Name(id=name)))

    def _methods(self, module: Module) -> Iterator[str]:
        """Yield the names of methods that are annotated as returning an application."""
        for definition in module.classes.values():
            for node in definition.body:
                if isinstance(node, ast.FunctionDef) and node.returns is not None and self._class(module, node.returns):
                    yield node.name

    def _of(self, module: Module, methods: frozenset[str] = frozenset()) -> Iterator[Candidate]:
        for name, (value, annotation, line) in module.assigned.items():
            made = self.class_of(module, value, methods) or self._wrapped(module, value)
            made = made or self._class(module, annotation)
            if made:
                yield Candidate(path=module.path, name=name, line=line, plain=made.endswith("Starlette"))
        for name, function in module.functions.items():
            if name.startswith("_") or isinstance(function, ast.AsyncFunctionDef) or _needs_arguments(function):
                continue
            if self.returns_app(Name(module.path, name)) and not _is_dependency(function):
                yield Candidate(path=module.path, name=name, line=function.lineno, factory=True)

    def class_of(self, module: Module, value: ast.expr | None, methods: frozenset[str] = frozenset()) -> str:
        """Return the class of the application that an expression makes, empty if it makes none."""
        if not isinstance(value, ast.Call):
            return ""
        if made := self._class(module, value.func):
            return made
        if isinstance(value.func, ast.Attribute) and value.func.attr in methods:
            return "fastapi.FastAPI"
        expression = dotted(value.func)
        return "fastapi.FastAPI" if expression and self.returns_app(self.code.resolve(module, expression)) else ""

    def _class(self, module: Module, node: ast.AST | None, depth: int = 0) -> str:
        """Return the full name if an expression is an application's class, also one derived from it."""
        expression = string(node) or dotted(node)  # a string: an annotation in quotes
        if not re.fullmatch(r"[\w.]+", expression) or depth > 8:
            return ""
        found = self.code.resolve(module, expression)
        if not found.path:
            return found.name if found.name in APPLICATION_CLASSES or found.name.endswith(".FastAPI") else ""
        below = self.code.module(found.path)
        definition = below.classes.get(found.name) if below else None
        if below is None or definition is None:
            return ""
        return next((made for base in definition.bases if (made := self._class(below, base, depth + 1))), "")

    def _wrapped(self, module: Module, value: ast.expr | None) -> str:
        """Return the class of an application inside `SomeMiddleware(app)` or `socketio.ASGIApp(sio, app)`."""
        if not isinstance(value, ast.Call) or not _WRAPPER.fullmatch(dotted(value.func).rpartition(".")[2]):
            return ""
        return next((made for part in _arguments(value) if (made := self._made_by(module, part))), "")

    def _made_by(self, module: Module, node: ast.expr) -> str:
        if made := self.class_of(module, node):
            return made
        expression = dotted(node)
        found = self.code.resolve(module, expression) if expression else Name("", "")
        below = self.code.module(found.path) if found.path else None
        if below is None or found.name not in below.assigned:
            return ""
        return self.class_of(below, below.assigned[found.name][0])

    def returns_app(self, function: Name) -> bool:
        """Tell whether a function of the repository returns an application."""
        if function not in self._returning:
            self._returning[function] = False  # while it is being looked at: it may call itself
            module = self.code.module(function.path) if function.path else None
            definition = module.functions.get(function.name) if module else None
            if module and definition:
                self._returning[function] = self._returns(module, definition)
        return bool(self._returning[function])

    def _returns(self, module: Module, function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
        if function.returns is not None and self._class(module, function.returns):
            return True
        local = local_assignments(function)
        for node in ast.walk(function):
            if not isinstance(node, ast.Return):
                continue
            value, annotation = node.value, None
            if isinstance(value, ast.Name):
                value, annotation, _ = local.get(value.id, (None, None, 0))
            if self.class_of(module, value) or (annotation is not None and self._class(module, annotation)):
                return True
        return False

    def _parts(self, module: Module) -> Iterator[tuple[str, str]]:
        """Yield what a module makes part of another application: mounted, wrapped, or called by a factory."""
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else dotted(node.func)
            inside: list[ast.expr] = []
            if name in ("mount", "Mount"):
                inside = [*node.args[1:2], *([part] if (part := keyword(node, "app")) else [])]
            elif _WRAPPER.fullmatch(name):
                inside = _arguments(node)
            for part in inside:
                expression = dotted(part.func if isinstance(part, ast.Call) else part)
                if expression:
                    yield self.code.resolve(module, expression)
        # `app = SomeMiddleware(app)` keeps its name, so it is not part of another application.
        for name, function in module.functions.items():
            if self.returns_app(Name(module.path, name)):
                for node in ast.walk(function):
                    if isinstance(node, ast.Call) and (expression := dotted(node.func)):
                        called = self.code.resolve(module, expression)
                        if called != (module.path, name):
                            yield called


def _arguments(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(word.value for word in call.keywords)]


def _needs_arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = function.args
    positional = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return positional > 0 or any(default is None for default in arguments.kw_defaults)


def _is_dependency(function: ast.FunctionDef) -> bool:
    """Tell whether a decorator makes it something else than a plain function (a fixture, a command, a cache aside)."""
    names = [
        dotted(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2] for node in function.decorator_list
    ]
    return any(name not in ("cache", "lru_cache", "singleton") for name in names)


def with_starts(candidates: Sequence[Candidate], starts: Sequence[Start], code: Code) -> list[Candidate]:
    """Give every candidate the commands that name it; add what a command names and no syntax tree showed."""
    named: dict[tuple[str, str], list[Start]] = {(c.path, c.name): [] for c in candidates}
    extra: dict[tuple[str, str], Candidate] = {}
    for start in starts:
        matches: list[Candidate] = []
        path = code.find(start.module) if start.target else None
        module = code.module(path) if path else None
        if path and module and module.binds(start.attribute):
            meant = code.resolve(module, start.attribute)  # it may only be imported there
            matches = [c for c in candidates if (c.path, c.name) == meant]
            if not matches:
                factory = start.factory or start.attribute in module.functions
                line = _line(module, start.attribute)
                matches = [Candidate(path=path, name=start.attribute, line=line, factory=factory)]
                extra[path, start.attribute] = matches[0]
        if not matches:
            # `main:app` may mean app/main.py, with app/ as the working directory: the shortest path is the nearest.
            named_like = [c for c in candidates if _names(start, c)]
            matches = [c for c in named_like if len(c.path) == min(len(m.path) for m in named_like)]
        for match in matches:
            named.setdefault((match.path, match.name), []).append(start)
    everything = {**{(c.path, c.name): c for c in candidates}, **extra}
    return [replace(candidate, starts=tuple(named[key])) for key, candidate in everything.items()]


def _line(module: Module, name: str) -> int:
    if name in module.assigned:
        return module.assigned[name][2]
    if name in module.functions:
        return module.functions[name].lineno
    found = re.search(rf"\b{re.escape(name)}\b", module.text)
    return module.text.count("\n", 0, found.start()) + 1 if found else 1


def _names(start: Start, candidate: Candidate) -> bool:
    if start.file:
        wanted = start.file.removeprefix("./").lstrip("/")
        paths = (candidate.path, candidate.path.removesuffix("/__init__.py"))
        same = any(path == wanted or path.endswith(f"/{wanted}") or wanted.endswith(f"/{path}") for path in paths)
        return same and (candidate.name in ("app", "api") or not candidate.factory)
    if not start.target:
        return False
    file = candidate.path.removesuffix(".py").removesuffix("/__init__")
    wanted = start.module.replace(".", "/")
    return start.attribute == candidate.name and (file == wanted or file.endswith(f"/{wanted}"))


def best(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the best candidate, or all of the best if none is better than the others."""
    top = max((candidate.score for candidate in candidates), default=())
    return sorted(
        (c for c in candidates if c.score == top), key=lambda c: (len(PurePosixPath(c.path).parts), c.path, c.line)
    )
