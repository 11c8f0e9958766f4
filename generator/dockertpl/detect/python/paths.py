"""Evaluate the path expressions of Python code without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from dockertpl.detect.python.syntax import Code, Function, Module, dotted, keyword, local_assignments, string
from dockertpl.detect.repository import clean, join

_DEEPEST = 16
# What returns the same place as its argument, and what returns the folder around it.
_SAME = frozenset(
    [
        "str",
        "os.fspath",
        "os.path.abspath",
        "os.path.realpath",
        "os.path.normpath",
        "os.path.expandvars",
        "pathlib.Path",
        "pathlib.PurePath",
        "pathlib.PosixPath",
        "anyio.Path",
    ]
)
_SAME_METHODS = frozenset(["resolve", "absolute", "as_posix", "expanduser", "__str__"])
_VARIABLES = frozenset(["os.getenv", "os.environ.get"])


class Place(NamedTuple):
    """A path.

    Attributes:
        path: Relative to the repository's root, or absolute in the container.
        below: Whether something unknown follows, so that only this folder is known.
    """

    path: str
    below: bool = False


class _Text(NamedTuple):
    """A path that is being put together: relative to the working directory, or `anchored` in the repository."""

    text: str
    anchored: bool = False
    below: bool = False


class Paths:
    """Reads paths in one application's code.

    Attributes:
        code: The code.
        folder: The folder that it is started in, relative to the repository's root.
    """

    def __init__(self, code: Code, folder: str) -> None:
        self.code = code
        self.folder = folder

    def place(self, node: ast.AST | None, module: Module, scope: Function | None = None) -> Place | None:
        """Return what an expression comes to, or None if that is unknown.

        Args:
            node: The expression.
            module: Its module.
            scope: Its function.
        """
        return self.settled(self._text(node, module, scope, 0))

    def settled(self, found: _Text | None) -> Place | None:
        """Return a text as a place in the repository or the container."""
        if found is None or not found.text.isprintable() or found.text.startswith("~") or "://" in found.text:
            return None
        if found.text.startswith("/") and not found.anchored:
            return Place(PurePosixPath(found.text).as_posix(), found.below)
        path = clean(found.text if found.anchored else join(self.folder, found.text))
        return Place(path, found.below) if path is not None else None

    def database(self, node: ast.AST, module: Module, scope: Function | None = None) -> Place | None:
        """Return the file that an address such as `sqlite:///./app.db` names, or None if it is not such an address."""
        return self._database(self._text(node, module, scope, 0))

    def address(self, text: str) -> Place | None:
        """Return the file that such an address names as it is written, or None if it is not one."""
        return self._database(_Text(text))

    def _database(self, found: _Text | None) -> Place | None:
        if found is None or not found.text.startswith("sqlite") or "://" not in found.text:
            return None
        file = found.text.partition("://")[2].removeprefix("/").partition("?")[0]
        if file in ("", ":memory:") or file.startswith("file:"):
            return None
        return self.settled(_Text(file, found.anchored and not file.startswith("/"), found.below))

    def _text(self, node: ast.AST | None, module: Module, scope: Function | None, depth: int) -> _Text | None:
        if node is None or depth > _DEEPEST:
            return None
        deeper = depth + 1
        match node:
            case ast.Constant():
                return _constant(node)
            case ast.Name(id="__file__"):
                return _Text(module.path, anchored=True)
            case ast.Name():
                return self._name(node.id, module, scope, deeper)
            case ast.Attribute(attr="parent"):
                return _parent(self._text(node.value, module, scope, deeper), 1)
            case ast.Subscript(value=ast.Attribute(attr="parents", value=inner), slice=ast.Constant(value=int(steps))):
                return _parent(self._text(inner, module, scope, deeper), steps + 1)
            case ast.BinOp(op=ast.Div()):
                return _joined(
                    self._text(node.left, module, scope, deeper), self._text(node.right, module, scope, deeper)
                )
            case ast.BinOp(op=ast.Add()):
                left, right = (self._text(part, module, scope, deeper) for part in (node.left, node.right))
                return _concatenated([left, right])
            case ast.JoinedStr():
                parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
                return _concatenated([self._text(part, module, scope, deeper) for part in parts])
            case ast.BoolOp(op=ast.Or()):
                return next(filter(None, (self._text(part, module, scope, deeper) for part in node.values)), None)
            case ast.Attribute():
                return self._attribute(node, module, scope, deeper)
            case ast.Call():
                return self._call(node, module, scope, deeper)
        return None

    def _call(self, call: ast.Call, module: Module, scope: Function | None, depth: int) -> _Text | None:
        first = call.args[0] if call.args else None
        full = self.full_name(call.func, module)
        if full in _SAME:
            if len(call.args) > 1:
                return self._joined(call.args, module, scope, depth)
            return self._text(first, module, scope, depth) if first else _Text("") if full.endswith("Path") else None
        if full == "os.path.dirname":
            return _parent(self._text(first, module, scope, depth), 1)
        if full == "os.path.join":
            return self._joined(call.args, module, scope, depth)
        if full in ("os.getcwd", "pathlib.Path.cwd"):
            return _Text("")
        if full in _VARIABLES:
            return self._text(call.args[1] if len(call.args) > 1 else keyword(call, "default"), module, scope, depth)
        if full in ("pydantic.Field", "pydantic.fields.Field"):
            return self._text(first or keyword(call, "default"), module, scope, depth)
        if isinstance(call.func, ast.Attribute):
            inner = call.func.value
            if call.func.attr in _SAME_METHODS:
                return self._text(inner, module, scope, depth)
            if call.func.attr == "joinpath":
                return self._joined([inner, *call.args], module, scope, depth)
        return None

    def _joined(self, parts: list[ast.expr], module: Module, scope: Function | None, depth: int) -> _Text | None:
        found = self._text(parts[0], module, scope, depth) if parts else None
        for part in parts[1:]:
            found = _joined(found, self._text(part, module, scope, depth))
        return found

    def _name(self, name: str, module: Module, scope: Function | None, depth: int) -> _Text | None:
        if scope is not None:
            local = local_assignments(scope)
            if name in local:
                return self._text(local[name][0], module, scope, depth)
            arguments = scope.args
            if name in {one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}:
                return None
        if name in module.assigned:
            return self._text(module.assigned[name][0], module, None, depth)
        return self._imported(name, module, depth)

    def _imported(self, expression: str, module: Module, depth: int) -> _Text | None:
        """Follow a dotted name to where it is assigned, in another module or in a class."""
        found = self.code.resolve(module, expression)
        there = self.code.module(found.path) if found.path else None
        if there is None or not found.name:
            return None
        first, _, rest = found.name.partition(".")
        if not rest:
            value = there.assigned.get(first, (None, None, 0))[0]
            return self._text(value, there, None, depth)
        return self._member(there, first, rest, depth) if "." not in rest else None

    def _attribute(self, node: ast.Attribute, module: Module, scope: Function | None, depth: int) -> _Text | None:
        if name := dotted(node):
            return self._imported(name, module, depth)
        if isinstance(node.value, ast.Call):  # get_settings().data_dir
            found = self.code.resolve(module, dotted(node.value.func) or "?")
            there = self.code.module(found.path) if found.path else None
            if there:
                return self._member(there, found.name, node.attr, depth)
        return None

    def _member(self, module: Module, name: str, attribute: str, depth: int) -> _Text | None:
        """Return the default of a class's attribute; `name` is the class, an instance of it, or what returns one."""
        owner, value = module, module.assigned.get(name, (None, None, 0))[0]
        if name in module.functions:
            returned = [node.value for node in ast.walk(module.functions[name]) if isinstance(node, ast.Return)]
            value = returned[0] if len(returned) == 1 else None
        if isinstance(value, ast.Call):
            found = self.code.resolve(module, dotted(value.func) or "?")
            if (found.path, found.name) == (module.path, name):
                return None
            there = self.code.module(found.path) if found.path else None
            if there is None or depth > _DEEPEST:
                return None
            if found.name not in there.classes:
                return self._member(there, found.name, attribute, depth + 1) if found.name in there.functions else None
            owner, name = there, found.name
        if name not in owner.classes:
            return None
        value = next((found for target, found in _defaults(owner.classes[name]) if target == attribute), None)
        return self._text(value, owner, None, depth)

    def full_name(self, function: ast.AST, module: Module) -> str:
        """Return a called function's full dotted name; that of a builtin, or of a method, as it is written."""
        name = dotted(function)
        first = name.partition(".")[0]
        if first not in module.imports or first in module.assigned:
            return name
        found = self.code.resolve(module, name)
        return name if found.path else found.name


def _defaults(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr | None]]:
    for step in node.body:
        if isinstance(step, ast.AnnAssign) and isinstance(step.target, ast.Name):
            yield step.target.id, step.value
        elif isinstance(step, ast.Assign):
            yield from ((target.id, step.value) for target in step.targets if isinstance(target, ast.Name))


def _constant(node: ast.AST) -> _Text | None:
    text = string(node)
    return None if text is None else _Text(text)


def _parent(found: _Text | None, steps: int) -> _Text | None:
    if found is None or found.below:
        return found
    path = PurePosixPath(found.text)
    if found.anchored and len(path.parts) < steps:
        return None  # above the repository
    for _ in range(steps):
        path = path.parent
    return found._replace(text=path.as_posix())


def _joined(left: _Text | None, right: _Text | None) -> _Text | None:
    if left is None or left.below:
        return left
    if right is None:
        return left._replace(below=True)
    if right.anchored or right.text.startswith("/"):
        return right
    return _Text(f"{left.text or '.'}/{right.text}" if right.text else left.text, left.anchored, right.below)


def _concatenated(parts: list[_Text | None]) -> _Text | None:
    """Join texts as they stand. Of what follows an unknown part, nothing is known."""
    first = parts[0] if parts else None
    if first is None:
        return None
    text, anchored = first.text, first.anchored
    for part in parts[1:]:
        if part is None or (part.anchored and text and not text.endswith(("://", ":///"))):
            head, slash, _ = text.rpartition("/")
            # "uploads/" + name is below uploads; "upload-" + name is anywhere.
            return _Text(head, anchored, below=True) if slash and head else None
        text, anchored = text + part.text, anchored or part.anchored
        if part.below:
            return _Text(text, anchored, below=True)
    return _Text(text, anchored, first.below)
