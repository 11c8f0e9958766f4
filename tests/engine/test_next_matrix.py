"""The build matrix of Next.js: build and run each supported combination, and send it requests.

The samples differ only in these values, and detection must find every value but the flavor.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.samples import next_sample

from . import host, service
from .bases import BaseImage
from .matrix import Cell, Matrix, flavors

KNOWN = next_sample.catalog()
VARIED = ("router", "layout", "flavor", "config", "public", "health")
MATRIX = Matrix(
    file="matrix-nextjs.toml",
    values={
        **{key: list(KNOWN[f"{key}s"]) for key in ("manager", "router", "layout")},
        # Alpine's packages are not available everywhere, so that flavor is only rendered and linted.
        "flavor": [flavor for flavor in flavors("nextjs-standalone") if flavor != "alpine"],
        "config": list(KNOWN["configs"]),
        "public": [True, False],
        "health": [True, False],
    },
    groups=[("manager", "router", "layout", "flavor"), VARIED],
    named=("manager", "router", "layout", "flavor", "config"),
    possible=lambda cell: next_sample.is_possible(cell["manager"], cell["layout"]),
)
GREETING = "Grüß Gott & welcome"
#: Package folders below / that only the build needs, or that nothing uses.
ABSENT = """
const { readdirSync } = require("node:fs")
const needless = /node_modules.(typescript|@types|turbo|is-odd|@acme.unused)$/
console.log(JSON.stringify(readdirSync("/app", { recursive: true }).filter((path) => needless.test(path))))
"""


@pytest.mark.parametrize("cell", MATRIX.parameters())
def test_a_repository_becomes_a_healthy_container(
    cell: Cell, docker: host.Engine, base_images: Callable[..., dict[str, BaseImage]], tmp_path: Path
) -> None:
    base_images(*service.NEXT_BASES)
    options = {key: cell[key] for key in ("manager", "router", "layout", "config", "public", "health")}
    app_dir = next_sample.write_next_sample(tmp_path / cell["id"], **options)
    answers = service.new(app_dir, "-d", f"flavor={cell['flavor']}")
    assert _expected(cell).items() <= answers.items(), answers

    tag = service.verify(app_dir, answers, "--build-arg", f"NEXT_PUBLIC_GREETING={GREETING}")
    with service.running(tag) as running:
        below = KNOWN["configs"][cell["config"]].get("base_path", "")
        page = running.ask(below or "/").text
        assert GREETING in html.unescape(page)
        assert re.findall(r'<data value="(\d+)">([^<]*)<', page) == [("450", "4.50"), ("1095", "10.95")]
        assert "&lt;me&gt;" in running.ask(f"{below}/now", x_asked="me").text
        assert "Stew" in running.ask(f"{below}/dishes/stew").text
        assert running.json(f"{below}/api/about") == {"node": "26", "uid": 10001, "environment": "production"}
        _has_its_static_files(running, page, below)
        _has_its_pictures(running, page, below)
        if cell["public"]:
            public = app_dir / "public"
            assert running.get(f"{below}/menu.txt") == (public / "menu.txt").read_bytes()
            assert running.get(f"{below}/logo.png") == (public / "logo.png").read_bytes()
            resized = running.ask(f"{below}/_next/image?url={below}/logo.png&w=128&q=75", accept="image/webp")
            assert resized.headers["Content-Type"] == "image/webp"
        assert json.loads(docker.output("exec", running.name, "node", "-e", ABSENT)) == []
    docker.run("image", "rm", tag)


def _has_its_static_files(running: service.Service, page: str, below: str) -> None:
    """Check the links of a page: each target exists below the base path and may be cached forever."""
    linked = {html.unescape(path) for path in re.findall(r'(?:src|href)="([^"]*/_next/static/[^"]*)"', page)}
    kinds = {Path(path.partition("?")[0]).suffix for path in linked}
    assert {".js", ".css"} <= kinds
    for path in linked:
        assert path.startswith(f"{below}/_next/static/")
        assert running.ask(path).headers["Cache-Control"] == "public, max-age=31536000, immutable"


def _has_its_pictures(running: service.Service, page: str, below: str) -> None:
    """Check the picture of a page: the server makes each size in the requested format."""
    linked = {html.unescape(path) for path in re.findall(r'[" ]([^" ]*/_next/image[?][^" ]*)', page)}
    assert len(linked) > 1
    for path in linked:
        assert path.startswith(f"{below}/_next/image?url=")
        resized = running.ask(path, accept="image/webp,*/*")
        assert resized.headers["Content-Type"] == "image/webp"
        assert resized.body[8:12] == b"WEBP"


def _expected(cell: Cell) -> dict[str, Any]:
    """Return what detection must find in a cell's repository."""
    place, configuration = KNOWN["layouts"][cell["layout"]], KNOWN["configs"][cell["config"]]
    expected = {
        "kind": "nextjs-standalone",
        "manager": KNOWN["managers"][cell["manager"]]["answer"],
        "app_dir": place["app_dir"],
        "build_script": "build",
        "dist_dir": ".next",
        "standalone": configuration["standalone"],
        "health_path": f"{configuration.get('base_path', '')}/api/health" if cell["health"] else "",
        "public_variables": ["NEXT_PUBLIC_GREETING"],
        "install_files": [],
        "build_packages": [],
        "runtime_packages": [],
    }
    if "workspace" in place:
        expected |= {
            "context": ".",
            "workspace_members": ["packages/ui", "packages/unused"],
            "workspace_packages": ["packages/ui"],
            "workspace_tool": "turborepo" if "turbo" in place else "none",
        }
    if "turbo" in place:
        expected["workspace_name"] = place["name"]
    return expected
