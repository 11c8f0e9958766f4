"""Python modules by their syntax trees. Names are resolved through the repository's imports."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import PurePosixPath
from typing import NamedTuple

from dockertpl.detect.repository import Repository, join, parent

_DEEPEST = 12
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Name(NamedTuple):
    """The definition of an expression.

    Attributes:
        path: The file that defines it. Empty for external modules.
        name: The name in that file, or empty for the module. The full dotted name for external modules.
    """

    path: str
    name: str


class Module:
    """One parsed file.

    Attributes:
        path: The file.
        tree: Its syntax tree.
        text: Its text.
    """

    def __init__(self, path: str, tree: ast.Module, text: str) -> None:
        self.path = path
        self.tree = tree
        self.text = text

    @cached_property
    def statements(self) -> list[ast.stmt]:
        """Every statement that runs on import, also in `if`, `try` and `with`, but not under the main guard."""
        return list(_on_import(self.tree.body))

    @cached_property
    def imports(self) -> dict[str, tuple[str, int, str]]:
        """Every imported name, wherever the import stands: (module, level, attribute), attribute "" for a module."""
        found: dict[str, tuple[str, int, str]] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    name = alias.asname or alias.name.partition(".")[0]
                    found[name] = (alias.name if alias.asname else name, 0, "")
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    found[alias.asname or alias.name] = (node.module or "", node.level, alias.name)
        return found

    @cached_property
    def _scoped(self) -> list[tuple[Function | None, ast.AST]]:
        """Every call, function and loop, with its outermost function."""
        found: list[tuple[Function | None, ast.AST]] = []
        waiting: list[tuple[Function | None, ast.AST]] = [(None, self.tree)]
        while waiting:
            scope, node = waiting.pop()
            if isinstance(node, ast.Call | ast.For | Function):
                found.append((scope, node))
            inner = node if isinstance(node, Function) and scope is None else scope
            waiting += [(inner, child) for child in ast.iter_child_nodes(node)]
        return sorted(found, key=lambda pair: getattr(pair[1], "lineno", 0))

    @cached_property
    def calls(self) -> list[tuple[Function | None, ast.Call]]:
        """Every call with its outermost function, or None at the top level."""
        return [(scope, node) for scope, node in self._scoped if isinstance(node, ast.Call)]

    @cached_property
    def decorated(self) -> list[tuple[Function | None, Function, ast.Call]]:
        """Every decorator that is a call, with the function it decorates and the one around that."""
        functions = ((scope, node) for scope, node in self._scoped if isinstance(node, Function))
        return [
            (scope, node, decorator)
            for scope, node in functions
            for decorator in node.decorator_list
            if isinstance(decorator, ast.Call)
        ]

    @cached_property
    def loops(self) -> list[ast.For]:
        """Every `for` statement."""
        return [node for _, node in self._scoped if isinstance(node, ast.For)]

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The functions of the module's top level."""
        return {node.name: node for node in self.statements if isinstance(node, Function)}

    @cached_property
    def classes(self) -> dict[str, ast.ClassDef]:
        """The classes of the module's top level."""
        return {node.name: node for node in self.statements if isinstance(node, ast.ClassDef)}

    @cached_property
    def assigned(self) -> dict[str, tuple[ast.expr | None, ast.expr | None, int]]:
        """Every name that the top level assigns: (value, annotation, line). The first assignment counts."""
        return dict(reversed(list(_assignments(self.statements))))

    def binds(self, name: str) -> bool:
        """Tell whether the module has a name, defined or imported."""
        return any(name in names for names in (self.assigned, self.functions, self.classes, self.imports))


def _on_import(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    waiting = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If):
            guard = any(isinstance(part, ast.Name) and part.id == "__name__" for part in ast.walk(node.test))
            waiting += reversed(node.orelse if guard else [*node.body, *node.orelse])
        elif isinstance(node, ast.Try):
            inside = [*node.body, *(step for handler in node.handlers for step in handler.body)]
            waiting += reversed([*inside, *node.orelse, *node.finalbody])
        elif isinstance(node, ast.With):
            waiting += reversed(node.body)


def _assignments(statements: Sequence[ast.stmt]) -> Iterator[tuple[str, tuple[ast.expr | None, ast.expr | None, int]]]:
    for node in statements:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, (node.value, None, node.lineno)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, (node.value, node.annotation, node.lineno)


@lru_cache(maxsize=4096)
def local_assignments(function: ast.AST) -> dict[str, tuple[ast.expr | None, ast.expr | None, int]]:
    """Return what a function's body assigns, the first assignment of each name."""
    nodes = [node for node in ast.walk(function) if isinstance(node, ast.Assign | ast.AnnAssign)]
    return dict(reversed(list(_assignments(sorted(nodes, key=lambda node: node.lineno)))))


def dotted(node: ast.AST | None) -> str:
    """Return `a.b.c` for such an expression, otherwise an empty string."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([node.id, *reversed(parts)])


def unparse(node: ast.AST | None) -> str:
    """Return an expression's text, or an empty string if it is missing or nested too deeply."""
    try:
        return ast.unparse(node) if node is not None else ""
    except RecursionError:
        return ""


def string(node: ast.AST | None) -> str | None:
    """Return a string literal's value."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def keyword(call: ast.Call, name: str) -> ast.expr | None:
    """Return a keyword argument's value."""
    return next((word.value for word in call.keywords if word.arg == name), None)


class Code:
    """The Python files of one application.

    Attributes:
        repository: Where they are read.
        app_dir: The application's folder.
        files: Those that may be its code.
    """

    def __init__(self, repository: Repository, app_dir: str, files: Sequence[str]) -> None:
        self.repository = repository
        self.app_dir = app_dir
        self.files = tuple(files)
        self._modules: dict[str, Module | None] = {}

    def module(self, path: str) -> Module | None:
        """Return a parsed file, or None if it cannot be parsed."""
        if path not in self._modules:
            tree = self.repository.tree(path) if path.endswith(".py") else None
            text = self.repository.text(path) or ""
            self._modules[path] = Module(path, tree, text) if tree else None
        return self._modules[path]

    def mentioning(self, pattern: str) -> Iterator[Module]:
        """Yield the modules whose text matches a regular expression; only they are parsed."""
        wanted = re.compile(pattern)
        for path in self.files:
            if wanted.search(self.repository.text(path) or "") and (module := self.module(path)):
                yield module

    def find(self, name: str, beside: str = "", level: int = 0) -> str | None:
        """Return the file of a module.

        Args:
            name: Its dotted name.
            beside: The importing file.
            level: How many dots the import begins with; 0 is an absolute import.
        """
        inside = name.replace(".", "/")
        if level:
            folder = parent(beside)
            for _ in range(level - 1):
                folder = parent(folder)
            starts = [folder]
        else:
            starts = [self.app_dir, join(self.app_dir, "src")]
            # Where it is started elsewhere, or installed from elsewhere: any folder above the importing file.
            folder = parent(beside) if beside and name.partition(".")[0] not in ("fastapi", "starlette") else "."
            while folder != "." and folder not in starts:
                if not self.repository.is_file(join(folder, "__init__.py")):
                    starts.append(folder)
                folder = parent(folder)
        for start in starts:
            for candidate in (join(start, f"{inside}.py") if inside else "", join(start, inside, "__init__.py")):
                if candidate and self.repository.is_file(candidate):
                    return candidate
        return None

    def resolve(self, module: Module, expression: str, depth: int = 0) -> Name:
        """Resolve a dotted expression in a module, through imports and re-exports."""
        first, _, rest = expression.partition(".")
        found = self._first(module, first, depth)
        for attribute in rest.split(".") if rest else ():
            found = self._attribute(found, attribute, depth)
        return found

    def _first(self, module: Module, name: str, depth: int) -> Name:
        if name in module.functions or name in module.classes or name in module.assigned or depth > _DEEPEST:
            return Name(module.path, name)
        if name not in module.imports:
            return Name(module.path, name)
        source, level, attribute = module.imports[name]
        if level and not source and attribute:
            path = self.find("", module.path, level)
        else:
            path = self.find(source, module.path, level)
        if attribute:
            submodule = self.find(f"{source}.{attribute}" if source else attribute, module.path, level)
            if path is None:
                return Name(submodule, "") if submodule else Name("", f"{source}.{attribute}")
            below = self.module(path)
            if submodule and (below is None or attribute not in {**below.assigned, **below.functions}):
                return Name(submodule, "")
            if path == module.path or below is None:
                return Name(path, attribute)
            return self.resolve(below, attribute, depth + 1)
        return Name(path, "") if path else Name("", source)

    def _attribute(self, found: Name, attribute: str, depth: int) -> Name:
        if not found.path:
            return Name("", f"{found.name}.{attribute}")
        if found.name:
            return Name(found.path, f"{found.name}.{attribute}")
        below = self.module(found.path)
        if below and below.binds(attribute) and depth <= _DEEPEST:
            return self.resolve(below, attribute, depth + 1)
        if PurePosixPath(found.path).name == "__init__.py":
            for candidate in (
                join(parent(found.path), f"{attribute}.py"),
                join(parent(found.path), attribute, "__init__.py"),
            ):
                if self.repository.is_file(candidate):
                    return Name(candidate, "")
        return Name(found.path, attribute)
