"""Which folder the build of a front end makes, according to the settings of its bundler."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dockertpl.detect.node.front_ends import front_end, front_ends
from dockertpl.detect.repository import Repository

Repo = Callable[[Mapping[str, str]], Path]


def package(script: str = "", *packages: str) -> str:
    """Return a package.json with dependencies and, if given, a script `build`."""
    content: dict[str, Any] = {"devDependencies": dict.fromkeys(packages, "1.0.0")}
    return json.dumps(content | ({"scripts": {"build": script}} if script else {}))


def made(repo: Repo, path: str, files: Mapping[str, str]) -> str:
    """Return the output folder of the front end in web/ that holds a path."""
    found = front_end(Repository(repo({f"web/{name}": text for name, text in files.items()})), "web")
    return found.makes(path) if found else ""


WEBPACK = "module.exports = { output: { path: path.resolve(__dirname, '%s') } }"
VUE = "module.exports = { outputDir: '../api/ui' }"
SVELTE = "export default { kit: { adapter: adapter({ pages: 'public_html' }) } }"


@pytest.mark.parametrize(
    ("path", "script", "packages", "files"),
    [
        ("web/dist", "tsc -b && vite build", ["vite"], {}),
        ("web/dist", "vite build", ["vite", "typescript"], {"vite.config.ts": "export default defineConfig({})"}),
        ("web/build", "react-scripts build", ["react-scripts"], {}),
        ("api/static", "BUILD_PATH=../api/static react-scripts build", ["react-scripts"], {}),
        ("web/dist", "vue-cli-service build", ["@vue/cli-service"], {}),
        ("api/ui", "vue-cli-service build", ["@vue/cli-service"], {"vue.config.js": VUE}),
        ("web/dist", "astro build", ["astro", "vite"], {}),
        ("web/build", "vite build", ["@sveltejs/kit", "vite"], {}),
        ("web/public_html", "vite build", ["@sveltejs/kit"], {"svelte.config.js": SVELTE}),
        ("web/dist", "webpack", ["webpack"], {"webpack.config.js": WEBPACK % "dist"}),
        ("web/lib", "webpack", ["webpack"], {"webpack.prod.js": WEBPACK % "lib"}),
        ("web/dist", "parcel build index.html", ["parcel"], {}),
        ("api/static", "parcel build index.html --dist-dir ../api/static", ["parcel"], {}),
        ("api/static", "vite build --outDir=../api/static", ["vite"], {}),
        ("web/pages", "node build.mjs -o pages", [], {}),
        ("web/dist", "node build.mjs", [], {}),
        ("web/site", "mkdir -p site && cp index.html site/", [], {}),
    ],
)
def test_the_output_of_a_build_is_known(
    path: str, script: str, packages: list[str], files: dict[str, str], repo: Repo
) -> None:
    everything = {**files, "package.json": package(script, *packages)}
    assert made(repo, path, everything) == path
    assert made(repo, f"{path}/assets/x.js", everything) == path


@pytest.mark.parametrize(
    "setting",
    [
        "outDir: '../app/static'",
        "outDir: path.resolve(__dirname, '../app/static')",
        "outDir: path.resolve(__dirname, '..', 'app', 'static')",
        "outDir: fileURLToPath(new URL('../app/static', import.meta.url))",
        "outDir: process.env.OUT || '../app/static'",
        "outDir: mode === 'pages' ? 'docs' : '../app/static'",
        "outDir: '../../app/static' }, root: 'src', x: {",
    ],
)
@pytest.mark.parametrize(
    "shape", ["defineConfig({ build: { %s } })", "defineConfig(({ mode }) => ({ build: { %s } }))"]
)
def test_a_setting_of_vite_is_read_in_each_of_its_usual_forms(setting: str, shape: str, repo: Repo) -> None:
    files = {"package.json": package("vite build", "vite"), "vite.config.ts": f"export default {shape % setting}\n"}
    assert made(repo, "app/static", files) == "app/static"


@pytest.mark.parametrize("setting", ["outDir", "outDir: target"])
def test_a_setting_of_vite_may_be_a_constant(setting: str, repo: Repo) -> None:
    constants = "const target = resolve(root, '../app/static')\nconst outDir = '../app/static'\n"
    config = f"{constants}export default defineConfig({{ build: {{ {setting} }} }})\n"
    files = {"package.json": package("vite build", "vite"), "vite.config.js": config}
    assert made(repo, "app/static", files) == "app/static"
    assert made(repo, "web/dist", files) == ""


def test_the_output_of_angular_is_the_project_s(repo: Repo) -> None:
    def built(options: Any) -> str:
        project = {"architect": {"build": {"options": options}}}
        workspace = json.dumps({"projects": {"shop": project}})
        files = {"package.json": package("ng build", "@angular/core"), "angular.json": workspace}
        paths = ["web/dist/shop/browser", "api/static/browser"]
        return next((found for path in paths if (found := made(repo, path, files)) not in ("", "web/dist")), "")

    assert built({"browser": "src/main.ts"}) == "web/dist/shop"
    assert built({"outputPath": "../api/static"}) == "api/static"
    assert built({"outputPath": {"base": "../api/static"}}) == "api/static"


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("web/dist", {"package.json": package("", "vite")}),
        ("web/dist", {"package.json": "{"}),
        ("web/dist", {"package.json": package("vite build", "vite"), "vite.config.js": "x = { outDir: '../static' }"}),
        ("web/uploads", {"package.json": package("node build.mjs")}),
        ("web/ui", {"package.json": package("cd ui && npm run build"), "ui/package.json": "{}"}),
        ("api/dist", {"package.json": package("vite build", "vite")}),
        ("dist", {"package.json": package("vite build --outDir ../../dist", "vite")}),
    ],
)
def test_another_folder_is_not_taken_for_an_output(path: str, files: dict[str, str], repo: Repo) -> None:
    assert made(repo, path, files) == ""


def test_a_computed_setting_leaves_the_usual_names(repo: Repo) -> None:
    config = "export default { build: { outDir: target } }"
    files = {"package.json": package("vite build", "vite"), "vite.config.js": config}
    assert made(repo, "web/build", files) == "web/build"


def test_the_deepest_folders_come_first_and_examples_never(repo: Repo) -> None:
    folders = [".", "web", "services/web", "examples/web"]
    root = repo({f"{folder}/package.json": package("vite build", "vite") for folder in folders})
    assert [one.folder for one in front_ends(Repository(root))] == ["services/web", "web", "."]
