"""Imports run one way: from the command line down to the ground floor, also those inside a function."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "generator" / "dockertpl"
# From the top down. A module imports from floors below its own, and within its folder.
FLOORS = (
    ("__main__",),
    ("cli",),
    ("commands",),
    ("fleet", "wizard"),
    ("scaffold",),
    ("actions", "adopt", "engine"),
    ("merge",),
    ("detect", "registry", "template"),
    ("git", "interrupts", "screen"),
    ("errors", "kinds", "dockertpl"),
)
FLOOR = {name: floor for floor, names in enumerate(FLOORS) for name in names}


@cache
def _modules() -> Mapping[str, Path]:
    """Return each module's file by its name after `dockertpl.`; the package itself is "dockertpl"."""
    result = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        result[".".join(parts) or "dockertpl"] = path
    return result


def _imported(tree: ast.AST) -> Iterator[str]:
    """Yield the full name of what is imported anywhere, also by `import_module`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not read here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module":
            (name,) = node.args
            text = name.values[0] if isinstance(name, ast.JoinedStr) else name
            assert isinstance(text, ast.Constant), "a module is imported whose name starts with a variable"
            yield str(text.value)


def _of(text: str) -> set[str]:
    """Return the modules of dockertpl that a module with this text imports."""
    result = set()
    for full in _imported(ast.parse(text)):
        name, _, rest = full.partition(".")
        if name == "dockertpl":
            # What is not a module is a name in the one before it.
            rest = rest.rstrip(".")
            while rest and rest not in _modules():
                rest = rest.rpartition(".")[0]
            result.add(rest or "dockertpl")
    return result


@cache
def _arrows() -> Mapping[str, set[str]]:
    return {name: _of(path.read_text(encoding="utf-8")) - {name} for name, path in _modules().items()}


def _room(module: str, depth: int) -> str:
    return ".".join(module.split(".")[:depth])


def _is_up(module: str, other: str) -> bool:
    mine, theirs = _room(module, 1), _room(other, 1)
    return mine != theirs and FLOOR[mine] >= FLOOR[theirs]


def test_every_folder_and_module_at_the_top_has_a_floor() -> None:
    assert {_room(module, 1) for module in _modules()} == FLOOR.keys()


def test_no_import_leads_up_or_to_a_neighbor() -> None:
    up = [
        f"{module} imports {other}" for module, others in _arrows().items() for other in others if _is_up(module, other)
    ]
    assert up == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graphlib.TopologicalSorter(_arrows()).prepare()


def test_no_folders_import_each_other_in_a_circle() -> None:
    for depth in (1, 2, 3):
        rooms: dict[str, set[str]] = {}
        for module, others in _arrows().items():
            rooms.setdefault(_room(module, depth), set()).update(_room(other, depth) for other in others)
        graphlib.TopologicalSorter({room: others - {room} for room, others in rooms.items()}).prepare()


def test_an_import_is_seen_wherever_it_is() -> None:
    assert _of("def f():\n    from dockertpl.commands import new, run as other\n") == {"commands.new", "commands.run"}
    assert _of("import dockertpl.detect.facts\nfrom dockertpl.errors import BadInputError") == {
        "detect.facts",
        "errors",
    }
    assert _of('run = import_module(f"dockertpl.commands.{name}").run') == {"commands"}
    assert _of("from dockertpl import __version__\nimport click") == {"dockertpl"}
    assert _is_up("merge.write", "scaffold.session") and _is_up("scaffold.session", "wizard.flow")
    assert not _is_up("commands.new", "detect.facts") and not _is_up("merge.write", "merge.text")
