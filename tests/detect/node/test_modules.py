"""Detection reads the modules that the application loads, and skips scripts that you run beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dockertpl.detect.node.modules import loaded
from dockertpl.detect.node.package import Package
from dockertpl.detect.repository import Repository

Write = Callable[[Mapping[str, str]], Path]
PAGE = "app/page.tsx"


def modules(repo: Write, files: Mapping[str, str], members: tuple[str, ...] = (), folder: str = ".") -> list[str]:
    return loaded(Package(Repository(repo(files)), folder), members)


@pytest.mark.parametrize(
    "text",
    [
        'import { db } from "../lib/db"',
        'import { db } from "../lib/db.js"',
        'import "@/lib/db"',
        'const { db } = await import("~/lib/db")',
        "const db = require('../lib/db')",
        'export * from "../lib/other"',
    ],
)
def test_an_import_is_followed(repo: Write, text: str) -> None:
    files = {PAGE: text, "lib/db.ts": "", "lib/other/index.ts": 'import "../db"'}
    assert "lib/db.ts" in modules(repo, files)


@pytest.mark.parametrize(
    ("tsconfig", "name"),
    [
        ('{"compilerOptions": {"paths": {"#db": ["./server/db.ts"], "@db/*": ["./server/*"]}}}', "@db/db"),
        ('{"compilerOptions": {"baseUrl": "."}}', "server/db"),
        ('{"compilerOptions": {"baseUrl": "./server", "paths": {"@/*": ["./*"]}}} // said twice', "@/db"),
    ],
)
def test_the_paths_of_tsconfig_are_followed(repo: Write, tsconfig: str, name: str) -> None:
    files = {PAGE: f'import "{name}"', "server/db.ts": "", "tsconfig.json": tsconfig}
    assert "server/db.ts" in modules(repo, files)


@pytest.mark.parametrize(
    "path", ["src/middleware.ts", "proxy.ts", "instrumentation.ts", "src/pages/a.jsx", "next.config.ts"]
)
def test_what_next_js_loads_by_its_name_is_loaded(repo: Write, path: str) -> None:
    assert modules(repo, {path: ""}) == [path]


@pytest.mark.parametrize("path", ["scripts/seed.ts", "lib/setup.ts", "playwright.config.ts", "app/page.test.tsx"])
def test_what_people_run_beside_it_is_not(repo: Write, path: str) -> None:
    assert modules(repo, {PAGE: "", path: ""}) == [PAGE]


def test_a_package_of_the_workspace_is_loaded_when_it_is_imported(repo: Write) -> None:
    files = {
        f"web/{PAGE}": 'import { db } from "@acme/db/client"',
        "packages/db/package.json": '{"name": "@acme/db"}',
        "packages/db/src/client.ts": "",
        "packages/db/scripts/seed.ts": "",
        "packages/ui/package.json": '{"name": "@acme/ui"}',
        "packages/ui/index.ts": "",
    }
    found = modules(repo, files, ("packages/db", "packages/ui"), "web")
    assert found == ["packages/db/src/client.ts", f"web/{PAGE}"]


@pytest.mark.parametrize("target", ["/", "/src/*", "../../*", "./*"])
def test_an_alias_that_leads_elsewhere_ends(repo: Write, target: str, look_at: Any) -> None:
    tsconfig = f'{{"compilerOptions": {{"paths": {{"@/*": ["{target}"]}}}}}}'
    assert modules(repo, {PAGE: 'import "@/x"', "tsconfig.json": tsconfig}) == [PAGE]
    found, _ = look_at({"nx.json": "{}", "tsconfig.base.json": tsconfig, PAGE: 'import "@/x"'})
    assert found.answers["kind"] == "nextjs-standalone"
