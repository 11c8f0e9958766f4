"""A scripted docker: it builds nothing, runs a small server, and fails on request. It needs no engine."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dockertpl.engine.client import Client

_SCRIPT = Path(__file__).with_name("scripted_docker.py")
#: The layers of the image: their bytes and instructions.
LAYERS = (
    (78_700_000, "RUN debian"),
    (4_600_000, "RUN apt-get install ca-certificates netbase tzdata"),
    (33_800_000, "RUN make install"),
    (10_700_000, "RUN python -m compileall -q /usr/local/lib/python3.13"),
    (41_400_000, "COPY /opt/venv /opt/venv"),
    (8_192, "WORKDIR /app"),
    (164_000, "COPY --chmod=u=rwX,go=rX . ."),
)
DOCKERFILE = """\
FROM python:3.13-slim-trixie AS build
COPY . .
FROM python:3.13-slim-trixie
RUN python -m compileall -q /usr/local/lib/python3.13
COPY --from=build /opt/venv /opt/venv
WORKDIR /app
COPY --chmod=u=rwX,go=rX . .
"""


def docker(folder: Path, scenario: Mapping[str, Any], cache: Path) -> Client:
    """Write such a docker.

    Args:
        folder: The folder for its state.
        scenario: How it behaves. `log` has the lines at the start. `answers` has the status and the body by path.
            `said` has the log lines of an answer by path. `exit` is the code with which the container ends at once.
            With `deaf`, nothing listens on the port. `build` is the log of the build, with `step_seconds` after each
            line. `build_code` is its exit code. `faults` names a fault for the first words of a command: `die`,
            `hang`, `garbage`, `truncated` or `full`.
        cache: The user's cache folder, which already has the layers.
    """
    folder.mkdir(parents=True)
    names = [f"sha256:{number}" for number, _ in enumerate(LAYERS)]
    history = "\n".join(json.dumps(instruction) for _, instruction in LAYERS)
    known = {**scenario, "layers": names, "history": history, "python": sys.executable}
    (folder / "scenario.json").write_text(json.dumps(known))
    wanted = f"{json.dumps(names)}\n"
    key = hashlib.sha256(f"{wanted}\n{history}\n".encode()).hexdigest()
    rows = [[size, text, name] for (size, text), name in zip(LAYERS, names, strict=True)]
    (cache / "dockertpl").mkdir(parents=True)
    (cache / "dockertpl" / "layers.json").write_text(json.dumps({"images": {key: rows}, "blobs": {}}))
    script = folder / "docker"
    # Imported, so that it is compiled once.
    run = f"import sys; sys.path.insert(0, {str(_SCRIPT.parent)!r}); import {_SCRIPT.stem}"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E -c "{run}" "{folder}" "$@"\n')
    script.chmod(0o755)
    return Client(executable=str(script), engine_version="28", buildx_version="0.29")


def shop(root: Path, routes: Sequence[str] = ("/about", "/menu")) -> Path:
    """Write a repository with an application and a manual Dockerfile. Return its root."""
    (root / "app").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    (root / "Dockerfile").write_text(DOCKERFILE)
    code = "from fastapi import FastAPI\n\napp = FastAPI()\n"
    code += "".join(f'\n\n@app.get("{route}")\ndef {route[1:]}():\n    return {{}}\n' for route in routes)
    (root / "app" / "main.py").write_text(code)
    (root / "app" / "__init__.py").write_text("")
    (root / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\ndependencies = ["fastapi"]\n')
    answers = "kind: python-fastapi\nname: shop\napp_dir: .\napp: app.main:app\napp_file: app/main.py\n"
    (root / ".copier-answers.yml").write_text(answers)
    return root
