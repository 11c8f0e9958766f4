"""A file that Next.js sources open is in the context, is writable, or becomes a question."""

from __future__ import annotations

from typing import Any

import pytest

HEAD = 'import fs from "node:fs"\nimport path from "node:path"\n'


@pytest.mark.parametrize(
    "text",
    [
        'const dir = path.join(process.cwd(), "docs")\nfs.readdirSync(dir)',
        'const dir = path.join(process.cwd(), "docs")\nfs.readFileSync(path.join(dir, slug + ".md"), "utf8")',
        'await readdir(join(process.cwd(), "docs"))',
        'fs.readdirSync("docs")',
        'fs.readdirSync(path.resolve(process.cwd(), "./docs"))',
        "fs.readdirSync(`${process.cwd()}/docs`)",
        "fs.readFileSync(`${process.cwd()}/docs/${slug}.md`)",
    ],
)
def test_content_that_the_sources_read_is_let_through_the_ignore_file(look_at: Any, text: str) -> None:
    found, _ = look_at({"app/page.tsx": HEAD + text, "docs/intro.md": "# hello\n", "docs/other.md": ""})
    assert found.answers["context_files"] == ["docs"]
    assert found.evidence["context_files"].where.startswith("app/page.tsx:")


@pytest.mark.parametrize(
    "text",
    [
        'const root = process.cwd()\nfs.readdirSync(root + "/docs")',
        "const DOCS = `${process.cwd()}/docs`\nfs.readFile(`${DOCS}/${slug}.md`)",
        'fs.readdirSync(new URL("../docs", import.meta.url))',
        'globSync("docs/**/*.md")',
        'fg.sync(["./docs/*.{md,mdx}"])',
        # A function or another module reads them.
        'walk(path.join(process.cwd(), "docs"))',
        'export const DOCS = path.resolve(process.cwd(), "docs")',
    ],
)
def test_content_that_a_module_names_is_let_through(look_at: Any, text: str) -> None:
    found, _ = look_at({"app/page.tsx": HEAD + text, "docs/intro.md": "", "docs/other.md": ""})
    assert found.answers["context_files"] == ["docs"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("source.config.ts", 'export const docs = defineDocs({ dir: "docs" })'),
        ("contentlayer.config.js", "export default makeSource({ contentDirPath: 'docs' })"),
        ("velite.config.ts", 'export default defineConfig({ root: "./docs" })'),
    ],
)
def test_content_that_a_tool_is_configured_with_is_let_through(look_at: Any, file: str, text: str) -> None:
    found, _ = look_at({file: text, "docs/intro.md": ""})
    assert found.answers["context_files"] == ["docs"]
    assert found.evidence["context_files"].where == f"{file}:1"


def test_a_readme_that_is_read_or_imported_is_let_through(look_at: Any) -> None:
    for text in (
        f'{HEAD}fs.readFileSync("README.md")',
        'import readme from "../README.md"',
        'import x from "@/README.md"',
    ):
        found, _ = look_at({"app/page.tsx": text, "README.md": ""})
        assert found.answers["context_files"] == ["README.md"], text


def test_an_import_by_an_alias_of_the_tsconfig_is_followed(look_at: Any) -> None:
    tsconfig = '{"compilerOptions": {"paths": {"@root/*": ["./*"]}}}'
    found, _ = look_at({"app/page.tsx": 'import x from "@root/README.md"', "README.md": "", "tsconfig.json": tsconfig})
    assert found.answers["context_files"] == ["README.md"]


@pytest.mark.parametrize("text", ['import x from "react"', "fs.readFileSync(name)", 'fs.readdirSync("content")', ""])
def test_what_is_not_dropped_needs_nothing(look_at: Any, text: str) -> None:
    found, _ = look_at({"app/page.tsx": HEAD + text, "content/a.md": "", "docs/a.md": ""})
    assert "context_files" not in found.answers


@pytest.mark.parametrize(
    "text",
    [
        'fs.mkdirSync(path.join(process.cwd(), "uploads"), { recursive: true })',
        'const dir = path.join(process.cwd(), "uploads")\nawait writeFile(path.join(dir, file.name), data)',
        'fs.writeFileSync("uploads/x.json", "")',
    ],
)
def test_a_folder_that_is_written_to_is_writable(look_at: Any, text: str) -> None:
    assert look_at({"app/page.tsx": HEAD + text})[0].answers["writable"] == ["uploads"]


@pytest.mark.parametrize(
    "text",
    [
        'new Database("app.db")',
        'new Database(process.env.DB_PATH || "app.db")',
        'const file = process.env.DB_PATH ?? "./app.db"\nnew Database(file)',
        'createClient({ url: process.env.DATABASE_URL ?? "file:app.db" })',
    ],
)
def test_a_database_beside_the_code_is_a_link(look_at: Any, text: str) -> None:
    assert look_at({"lib/db.ts": text})[0].answers["writable_files"] == ["app.db"]


@pytest.mark.parametrize(
    "text",
    [
        'if (!process.env.API_KEY) throw new Error("x")',
        'if (!process.env["API_KEY"]) {\n  throw new Error("x")\n}',
        'const key = process.env.API_KEY\nif (!key) {\n  throw new Error("x")\n}',
        "const key = process.env.API_KEY ?? (() => { throw new Error() })()",
    ],
)
def test_a_variable_that_is_thrown_for_is_needed(look_at: Any, text: str) -> None:
    found, _ = look_at({"lib/env.ts": f"\n{text}\n", ".env.example": "API_KEY=abc\n"})
    assert found.answers["smoke_test_env"] == {"API_KEY": "abc"}
    assert found.evidence["smoke_test_env"].where == "lib/env.ts:2"


@pytest.mark.parametrize("text", ["const key = process.env.API_KEY", "if (!process.env.NODE_ENV) throw new Error()"])
def test_other_variables_are_not(look_at: Any, text: str) -> None:
    assert "smoke_test_env" not in look_at({"lib/env.ts": text})[0].answers
