"""`make demo`: scaffold a sample application. With an engine, build it, run it and report on it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.samples.sample import write_sample

from dockertpl.engine.client import find
from dockertpl.errors import NoEngineError

FOLDER = Path(__file__).parents[1] / ".demo" / "orders"


def _dockertpl(*words: str) -> int:
    print("\n$ dockertpl", *words, flush=True)  # noqa: T201
    return subprocess.run([sys.executable, "-m", "dockertpl", *words], cwd=FOLDER, check=False).returncode


def main() -> int:
    """Run the demo. Return the exit code of the first failure; without an engine, return 0."""
    shutil.rmtree(FOLDER.parent, ignore_errors=True)
    FOLDER.parent.mkdir()
    print(f"A small FastAPI application, locked by uv, in {FOLDER.relative_to(Path.cwd())}:")  # noqa: T201
    write_sample(FOLDER, manager="uv", layout="flat", server="uvicorn")
    if code := _dockertpl("inspect") or _dockertpl("new", "--defaults"):
        return code
    try:
        find()
    except NoEngineError as error:
        print(f"\nNo container engine, so the image is not built here. {error.message}\n{error.remedy}")  # noqa: T201
        print("Once there is one, `make demo` also builds the image and runs it.")  # noqa: T201
        return 0
    if code := _dockertpl("verify"):
        return code
    print(f"\nTo use it:  dockertpl run {FOLDER.relative_to(Path.cwd())}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
