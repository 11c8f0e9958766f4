"""Which files the application's Python code opens: what it imports, reads, serves and writes."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from dockertpl.detect.opened import Opened
from dockertpl.detect.python.paths import Paths, Place
from dockertpl.detect.python.syntax import Code, Function, Module, dotted, keyword, string
from dockertpl.detect.repository import join, parent

_MOST_MODULES = 3000
_DEEPEST = 4
_WRITING = frozenset("wax+")
_OPEN = frozenset(["open", "io.open", "aiofiles.open", "codecs.open", "gzip.open", "anyio.open_file"])


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "opened.toml").read_text("utf-8"))


def reachable(code: Code, start: str) -> Iterator[Module]:
    """Yield the application's modules that a module imports, directly or not, itself first.

    Args:
        code: The application's code.
        start: The file of the module.
    """
    waiting, seen = [start], {start}
    while waiting and len(seen) <= _MOST_MODULES:
        module = code.module(waiting.pop(0))
        if module is None:
            continue
        yield module
        for name, level, attribute in dict.fromkeys(module.imports.values()):
            inner = f"{name}.{attribute}" if name and attribute else name or attribute
            for path in (code.find(name, module.path, level) if name else None, code.find(inner, module.path, level)):
                for one in (path, *_packages(code, path)) if path else ():
                    if one not in seen:
                        seen.add(one)
                        waiting.append(one)


def _packages(code: Code, path: str) -> Iterator[str]:
    """Yield the __init__.py of the packages around a module, which are imported first."""
    folder = parent(path)
    while folder != "." and code.repository.is_file(join(folder, "__init__.py")):
        yield join(folder, "__init__.py")
        folder = parent(folder)


def opened(code: Code, start: str, folder: str) -> Iterator[Opened]:
    """Yield what the code that an application imports opens.

    Args:
        code: The application's code.
        start: The file of its main module.
        folder: The folder that it is started in, relative to the repository's root.
    """
    paths = Paths(code, folder)
    for module in reachable(code, start):
        if module.path != start:
            yield Opened(module.path, "read", False, start, 1)
        for scope, call in module.calls:
            yield from _call(paths, module, scope, call)
        if "sqlite" in module.text:
            yield from _databases(paths, module)
        if "FileHandler" in module.text:
            yield from _handlers(paths, module)


def of_variables(code: Code, folder: str, values: Mapping[str, str], source: str, line: int | None) -> Iterator[Opened]:
    """Yield the files of the SQLite addresses among the values that variables have.

    Args:
        code: The application's code.
        folder: The folder that it is started in, relative to the repository's root.
        values: The variables.
        source: The file that reads them.
        line: The line there.
    """
    paths = Paths(code, folder)
    for value in values.values():
        if place := paths.address(value):
            yield Opened(place.path, "file", place.below, source, line or 1)


def _call(paths: Paths, module: Module, scope: Function | None, call: ast.Call) -> Iterator[Opened]:
    data = _data()
    full = _known(paths, module, call.func)
    if full in _OPEN:
        mode = string(call.args[1] if len(call.args) > 1 else keyword(call, "mode")) or "r"
        yield from _as(
            _first(paths, module, scope, call, "file"), "file" if _WRITING & set(mode) else "read", module, call
        )
        return
    for how, table in (("served", "served"), ("read", "read"), ("folder", "written_folder"), ("file", "written_file")):
        if full in data[table]:
            yield from _as(_first(paths, module, scope, call, data[table][full]), how, module, call)
            return
    if not isinstance(call.func, ast.Attribute):
        return
    name, receiver = call.func.attr, call.func.value
    methods = data["methods"]
    if name in methods["read"]:
        yield from _as(paths.place(receiver, module, scope), "read", module, call)
    elif name in methods["write"]:
        yield from _as(paths.place(receiver, module, scope), "file", module, call)
    elif name in methods["make"]:
        yield from _as(paths.place(receiver, module, scope), "folder", module, call)
    elif name == "open":
        mode = string(call.args[0] if call.args else keyword(call, "mode")) or "r"
        if set(mode) <= set("rwaxbt+"):
            yield from _as(
                paths.place(receiver, module, scope), "file" if _WRITING & set(mode) else "read", module, call
            )
    elif name == "frontend" and (folder := keyword(call, "directory")):
        yield from _as(paths.place(folder, module, scope), "served", module, call)


def _known(paths: Paths, module: Module, function: ast.AST, depth: int = 0) -> str:
    """Return a called function's full name; that of its base for a class of static files."""
    full = paths.full_name(function, module)
    found = paths.code.resolve(module, dotted(function) or "?")
    there = paths.code.module(found.path) if found.path else None
    node = there.classes.get(found.name) if there else None
    if there is None or node is None or depth > _DEEPEST:
        return full
    bases = (_known(paths, there, base, depth + 1) for base in node.bases)
    return next((base for base in bases if base in _data()["served"]), full)


def _first(paths: Paths, module: Module, scope: Function | None, call: ast.Call, parameter: str) -> Place | None:
    return paths.place(call.args[0] if call.args else keyword(call, parameter), module, scope)


def _as(place: Place | None, how: Any, module: Module, node: ast.expr) -> Iterator[Opened]:
    if place is not None:
        yield Opened(place.path, how, place.below, module.path, node.lineno)


def _handlers(paths: Paths, module: Module) -> Iterator[Opened]:
    """Yield the files of the handlers in a dictionary for logging.config.dictConfig."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Dict):
            members = {string(key): value for key, value in zip(node.keys, node.values, strict=True) if key is not None}
            if (string(members.get("class")) or "").endswith("FileHandler") and (file := members.get("filename")):
                yield from _as(paths.place(file, module), "file", module, file)


def _databases(paths: Paths, module: Module) -> Iterator[Opened]:
    """Yield the files of the SQLite addresses in a module, wherever they stand."""
    waiting: list[ast.AST] = [module.tree]
    while waiting:
        node = waiting.pop()
        # A part of an address is none itself.
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and (place := paths.database(node, module)):
            yield from _as(place, "file", module, node)
        else:
            waiting += ast.iter_child_nodes(node)
