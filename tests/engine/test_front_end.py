"""The image builds the front end beside a FastAPI application, and the application serves its pages."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.samples import sample

from . import host, service
from .bases import BaseImage

pytestmark = pytest.mark.engine

MAIN = """\
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

DIST = Path(__file__).resolve().parents[2] / "frontend" / "dist"
app = FastAPI()
app.mount("/", StaticFiles(directory=DIST, html=True))
"""
BUILD = """\
import { mkdirSync, writeFileSync } from "node:fs"
mkdirSync("dist", { recursive: true })
writeFileSync("dist/index.html", `<title>${process.env.VITE_TITLE}</title>`)
"""


def _front_end(folder: Path) -> None:
    """Write a front end that needs only Node.js to build."""
    folder.mkdir()
    package = {"name": "pages", "version": "1.0.0", "private": True, "scripts": {"build": "node build.mjs"}}
    (folder / "package.json").write_text(json.dumps(package))
    root = {"": {"name": "pages", "version": "1.0.0"}}
    (folder / "package-lock.json").write_text(
        json.dumps({"name": "pages", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": root})
    )
    (folder / "build.mjs").write_text(BUILD)
    (folder / ".env").write_text("VITE_TITLE=Shop\n")
    (folder / ".gitignore").write_text("node_modules\ndist\n")


def test_the_application_serves_what_the_image_built(
    docker: host.Engine, base_images: Callable[..., dict[str, BaseImage]], tmp_path: Path
) -> None:
    base_images(*service.BASES, *service.NEXT_BASES)
    root = tmp_path / "shop"
    folder = sample.write_sample(root / "backend", manager="uv", layout="flat", server="uvicorn", package="app")
    shutil.rmtree(folder / ".git")  # the repository is the root
    (folder / "app" / "main.py").write_text(MAIN)
    _front_end(root / "frontend")
    subprocess.run(["git", "init", "--quiet", root], check=True)
    answers = service.new(folder, "-d", "name=front-end")
    assert (answers["frontend"], answers["frontend_output"]) == ("frontend", "frontend/dist")
    tag = service.verify(folder, answers)
    try:
        with service.running(tag) as one:
            assert one.get("/") == b"<title>Shop</title>"
    finally:
        docker.run("image", "rm", tag)
