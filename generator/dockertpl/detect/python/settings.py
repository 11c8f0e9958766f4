"""Find variables that the application needs to start: pydantic's settings, os.environ[…], config(…)."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence

from dockertpl.detect.dotenv import find_example
from dockertpl.detect.facts import Detection
from dockertpl.detect.placeholders import address_of, answer
from dockertpl.detect.python.conventions import REQUIREMENTS
from dockertpl.detect.python.dialects import ASYNCHRONOUS, dialect, schemes
from dockertpl.detect.python.opened import reachable
from dockertpl.detect.python.syntax import Code, Module, dotted, keyword, string, unparse
from dockertpl.detect.repository import join

_SETTINGS = frozenset(["pydantic_settings.BaseSettings", "pydantic.BaseSettings", "pydantic.v1.BaseSettings"])
_CONFIGS = frozenset(["decouple.config", "environs.Env.str", "starlette.config.Config"])
# Functions that refuse None, each with the type of what they want.
_REFUSING = {
    "sqlalchemy.create_engine": "engine",
    "sqlalchemy.engine.create_engine": "engine",
    "sqlalchemy.ext.asyncio.create_async_engine": "async engine",
    "sqlmodel.create_engine": "engine",
    "redis.from_url": "RedisDsn",
    "redis.Redis.from_url": "RedisDsn",
    "redis.asyncio.from_url": "RedisDsn",
    "int": "int",
    "float": "float",
}
# What an engine takes that has no driver for a server.
_WITHOUT_DRIVER = {"engine": "sqlite://", "async engine": "sqlite+aiosqlite://"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEEPEST = 6


def find_settings(code: Code, found: Detection, start: str) -> None:
    """Answer `smoke_test_env` with the variables that the application needs to start.

    Args:
        code: The application's code.
        found: Where the answer goes.
        start: The file of its main module.
    """
    needed: dict[str, tuple[str, str, int]] = {}
    for module in reachable(code, start):
        for name, type_name, line in [*_of_settings(code, module), *_of_environment(code, module)]:
            needed.setdefault(name, (type_name, module.path, line))
    path, example = find_example(code.repository, (code.app_dir, "."))
    answer(found, needed, path, example, _schemes(code) if needed else {})


def _schemes(code: Code) -> dict[str, str]:
    asynchronous = any(ASYNCHRONOUS.search(code.repository.text(path) or "") for path in code.files)
    return schemes(_asked_for(code), asynchronous=asynchronous)


def read_settings(code: Code, module: Module) -> Iterator[tuple[str, str]]:
    """Yield the variables of a module's settings classes, each with its default where that is a text.

    Args:
        code: The application's code.
        module: The module.
    """
    for _, step, name in _fields(code, module):
        yield name, _default_text(step.value)


def _of_settings(code: Code, module: Module) -> Iterator[tuple[str, str, int]]:
    """Yield the fields of settings classes that have no default: variable, type, line."""
    for node, step, name in _fields(code, module):
        assigned = {one for other in node.body if isinstance(other, ast.Assign) for one in map(dotted, other.targets)}
        if not (isinstance(step.target, ast.Name) and step.target.id in assigned) and not _has_default(step.value):
            yield name, _literal(step.annotation) or _type(step.annotation), step.lineno


def _fields(code: Code, module: Module) -> Iterator[tuple[ast.ClassDef, ast.AnnAssign, str]]:
    """Yield the fields of settings classes that one variable sets: class, field, variable."""
    if "BaseSettings" not in module.text and "Settings" not in module.text:
        return
    for node in module.classes.values():
        if not _is_settings(code, module, node, 0):
            continue
        prefix = _prefix(node)
        for step in node.body:
            if not (isinstance(step, ast.AnnAssign) and isinstance(step.target, ast.Name)):
                continue
            field = step.target.id
            type_name = _type(step.annotation)
            inner = code.resolve(module, type_name)
            if field.startswith("_") or field == "model_config" or type_name == "ClassVar":
                continue
            name = _alias(step.value) or f"{prefix}{field}".upper()
            if not _is_model(code, inner.path, inner.name) and _NAME.fullmatch(name):
                yield node, step, name


def _default_text(value: ast.expr | None) -> str:
    if isinstance(value, ast.Call):
        value = value.args[0] if value.args else keyword(value, "default")
    return string(value) or ""


def _is_settings(code: Code, module: Module, node: ast.ClassDef, depth: int) -> bool:
    for base in map(dotted, node.bases):
        full = code.resolve(module, base) if base else None
        if full is None or depth > _DEEPEST:
            continue
        there = code.module(full.path) if full.path else None
        if full.name in _SETTINGS and not full.path:
            return True
        if there and full.name in there.classes and there.classes[full.name] is not node:
            return _is_settings(code, there, there.classes[full.name], depth + 1)
    return False


def _is_model(code: Code, path: str, name: str) -> bool:
    """Return whether a type is a class of the application. Its fields have their own variables."""
    module = code.module(path) if path else None
    return bool(module and name in module.classes and not _is_enumeration(module.classes[name]))


def _is_enumeration(node: ast.ClassDef) -> bool:
    return any(base.rpartition(".")[2] in ("Enum", "StrEnum", "IntEnum") for base in map(dotted, node.bases))


def _prefix(node: ast.ClassDef) -> str:
    for step in ast.walk(node):
        if isinstance(step, ast.Call) and (prefix := string(keyword(step, "env_prefix"))) is not None:
            return prefix
        if isinstance(step, ast.Dict):
            for key, value in zip(step.keys, step.values, strict=True):
                if key is not None and string(key) == "env_prefix":
                    return string(value) or ""
        if isinstance(step, ast.Assign) and any(dotted(target) == "env_prefix" for target in step.targets):
            return string(step.value) or ""
    return ""


def _has_default(value: ast.expr | None) -> bool:
    if value is None or (isinstance(value, ast.Constant) and value.value is ...):
        return False
    if isinstance(value, ast.Call) and dotted(value.func).rpartition(".")[2] == "Field":
        first = value.args[0] if value.args else keyword(value, "default")
        return keyword(value, "default_factory") is not None or (first is not None and _has_default(first))
    return True


def _alias(value: ast.expr | None) -> str:
    if not isinstance(value, ast.Call):
        return ""
    for name in ("validation_alias", "alias", "env"):
        given = keyword(value, name)
        if isinstance(given, ast.Call) and given.args:  # AliasChoices("A", "B")
            given = given.args[0]
        if text := string(given):
            return text
    return ""


def _type(annotation: ast.expr | None) -> str:
    """Return the name of a type: the first one of a union, and `Annotated[X, …]` is X."""
    while True:
        if isinstance(annotation, ast.BinOp):
            annotation = annotation.left
        elif isinstance(annotation, ast.Subscript) and dotted(annotation.value).rpartition(".")[2] in (
            "Annotated",
            "Optional",
            "Union",
        ):
            inner = annotation.slice
            annotation = inner.elts[0] if isinstance(inner, ast.Tuple) and inner.elts else inner
        elif isinstance(annotation, ast.Subscript):
            annotation = annotation.value
        else:
            break
    return dotted(annotation) or string(annotation) or ""


def _literal(annotation: ast.expr | None) -> str:
    """Return the first value of a `Literal[…]` as a type for this value."""
    if isinstance(annotation, ast.Subscript) and dotted(annotation.value).rpartition(".")[2] == "Literal":
        values: Sequence[ast.expr] = (
            annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
        )
        return f"={string(values[0]) or unparse(values[0])}" if values else ""
    return ""


def _of_environment(code: Code, module: Module) -> Iterator[tuple[str, str, int]]:
    """Yield the variables that a module reads on import without a default."""
    if "env" not in module.text and "config" not in module.text:
        return
    yield from _of_addresses(code, module)
    for step in module.statements:
        if isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef | ast.If | ast.Try | ast.With | ast.ClassDef):
            continue
        for node in ast.walk(step):
            if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
                name = string(node.slice)
                if (
                    name
                    and _NAME.fullmatch(name)
                    and code.resolve(module, dotted(node.value) or "?").name == "os.environ"
                ):
                    yield name, "", node.lineno
            elif isinstance(node, ast.Call) and len(node.args) == 1 and keyword(node, "default") is None:
                name = string(node.args[0])
                if name and _NAME.fullmatch(name) and _is_config(code, module, node):
                    yield name, dotted(keyword(node, "cast")) or "", node.lineno


def _of_addresses(code: Code, module: Module) -> Iterator[tuple[str, str, int]]:
    """Yield the variables without a default whose value a module gives on import to a function that refuses None."""
    read: dict[str, tuple[str, int]] = {}
    for step in module.statements:
        if isinstance(step, ast.FunctionDef | ast.AsyncFunctionDef | ast.If | ast.Try | ast.With | ast.ClassDef):
            continue
        if isinstance(step, ast.Assign) and (name := _unset(code, module, step.value)):
            read |= {dotted(target): (name, step.lineno) for target in step.targets}
        for node in ast.walk(step):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            full = code.resolve(module, dotted(node.func) or "?").name
            if full not in _REFUSING:
                continue
            first = node.args[0]
            name, line = _unset(code, module, first), node.lineno
            if isinstance(first, ast.Name) and first.id in read:
                name, line = read[first.id]
            if name:
                yield name, _wanted(code, full), line


def _wanted(code: Code, function: str) -> str:
    """Return the type of what a function wants, or `=` and an address in a dialect that is installed."""
    engine = _REFUSING[function]
    if engine not in _WITHOUT_DRIVER:
        return engine
    found = dialect(_asked_for(code), asynchronous=engine == "async engine")
    return f"={address_of(found.kind, found.scheme)}" if found else f"={_WITHOUT_DRIVER[engine]}"


def _asked_for(code: Code) -> Callable[[str], bool]:
    """Return what tells whether a manifest names a distribution."""
    folders = dict.fromkeys((code.app_dir, "."))
    files = (join(folder, name) for folder in folders for name in ("pyproject.toml", *REQUIREMENTS, "Pipfile"))
    text = "\n".join(code.repository.text(file) or "" for file in files).lower()
    return lambda name: re.search(rf"\b{name}(?![0-9a-z])", text) is not None


def _unset(code: Code, module: Module, node: ast.expr | None) -> str:
    """Return the variable that an expression reads without a default, as `os.getenv("X")` does."""
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords:
        return ""
    if code.resolve(module, dotted(node.func) or "?").name not in ("os.getenv", "os.environ.get"):
        return ""
    name = string(node.args[0]) or ""
    return name if _NAME.fullmatch(name) else ""


def _is_config(code: Code, module: Module, call: ast.Call) -> bool:
    """Tell whether a call reads a setting, as `config("X")` of decouple and of Starlette do."""
    name = dotted(call.func)
    if not name or name.partition(".")[0] in module.functions:
        return False
    found = code.resolve(module, name)
    if not found.path:
        return found.name in _CONFIGS
    there = code.module(found.path)
    value = there.assigned.get(found.name, (None, None, 0))[0] if there else None
    if there is None or not isinstance(value, ast.Call):
        return False
    return code.resolve(there, dotted(value.func) or "?").name in _CONFIGS
