from __future__ import annotations

from typing import Any

import pytest

from dockertpl.detect.node.package import Package, applications
from dockertpl.detect.repository import Repository

NEXT = '{"scripts": {"dev": "next"}, "dependencies": {"next": "16.0.0"}}'


def test_an_application_is_a_folder_that_runs_next(repo: Any) -> None:
    root = repo(
        {
            "a/package.json": NEXT,
            "docs/package.json": NEXT,
            "examples/x/package.json": NEXT,
            "lib/package.json": '{"devDependencies": {"next": "16"}}',
            "peer/package.json": '{"peerDependencies": {"next": "16"}, "scripts": {"x": "next"}}',
            "node_modules/next/package.json": NEXT,
        }
    )
    assert list(applications(Repository(root))) == ["a"]


def test_a_dependency_has_its_place(repo: Any) -> None:
    root = repo({"package.json": '{\n"dependencies": {\n"a": "1"},\n"devDependencies": {"b": "2"}}'})
    package = Package(Repository(root), ".")
    assert package.place("a") == ("package.json", 3)
    assert package.place("b") == ("package.json", 4)
    assert package.wants() == {"a": "1", "b": "2"}


@pytest.mark.parametrize(
    ("scripts", "expected"),
    [
        ({"build": "x"}, True),
        ({"build": "npm run y", "y": "x"}, True),
        ({"prebuild": "x", "build": "z"}, True),
        ({"build": "echo y", "y": "x"}, False),
        ({"build": "npm run build", "prebuild": "npm run build"}, False),
    ],
)
def test_a_script_runs_what_it_calls(repo: Any, scripts: dict[str, str], expected: bool) -> None:
    import json

    package = Package(Repository(repo({"package.json": json.dumps({"scripts": scripts})})), ".")
    assert bool(package.runs("build", r"^x$")) is expected
