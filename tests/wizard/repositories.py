"""A small repository for each kind of image, as it would be before `dockertpl new`."""

from __future__ import annotations

import subprocess
from pathlib import Path

_FASTAPI = {
    "pyproject.toml": """\
[project]
name = "orders"
version = "1.0"
requires-python = ">=3.12"
dependencies = ["fastapi>=0.115", "uvicorn>=0.30"]
""",
    "uv.lock": "version = 1\n",
    "app/main.py": """\
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health() -> str:
    return "ok"
""",
    "renovate.json": '{"extends": ["config:recommended"]}\n',
}
_NEXT = {
    "package.json": """\
{
  "name": "shop",
  "scripts": {"build": "next build", "start": "next start -p 3100"},
  "dependencies": {"next": "15.5.0", "react": "19.1.0", "react-dom": "19.1.0"},
  "engines": {"node": ">=22"}
}
""",
    "package-lock.json": '{"lockfileVersion": 3, "packages": {"node_modules/next": {"version": "15.5.0"}}}\n',
    "next.config.mjs": "export default {\n  reactStrictMode: true,\n};\n",
    "app/page.jsx": "export default function Page() {\n  return 'hello';\n}\n",
}
_DOCKERFILE = """\
FROM python:3.13
WORKDIR /app
RUN apt-get update && apt-get install -y gcc curl libpq5
ENV PYTHONUNBUFFERED=1 LOG_LEVEL=info
COPY . .
RUN pip install uv && uv sync
EXPOSE 8080
HEALTHCHECK CMD curl -f http://localhost:8080/health
CMD ["uv", "run", "uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8080", "--reload"]
"""
_EMPTY = {"notes.txt": "nothing that is an application\n"}

#: The files by kind. One repository already has a Dockerfile.
FILES = {
    "python-fastapi": _FASTAPI,
    "old-dockerfile": {**_FASTAPI, "Dockerfile": _DOCKERFILE},
    "nextjs-standalone": _NEXT,
    "sandbox-multi-runtime": _EMPTY,
    "shared-base": _EMPTY,
}


def make(kind: str, folder: Path) -> Path:
    """Write the repository of a kind.

    Args:
        kind: One of `FILES`.
        folder: The parent of its folder, which is `shop`.
    """
    root = folder / "shop"
    root.mkdir()
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", root], check=True)
    for path, text in FILES[kind].items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return root
