"""Faults planted in a small application: `verify` finds each, and gives the right advice."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.samples import next_sample, sample

from . import host, service
from .bases import BaseImage

pytestmark = pytest.mark.engine

NAME = "planted"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A planted fault, and what `verify` must say.

    Attributes:
        code: Lines at the end of the application's main module.
        files: Other files, by their path.
        dockerfile: Texts of the Dockerfile, and their replacements.
        ignored: Lines at the end of the ignore file.
        options: Options of `verify`.
        error: The error's code.
        says: Parts of its message.
        remedy: Parts of its remedy.
        never: Texts that the remedy must not contain.
    """

    error: str
    says: tuple[str, ...]
    remedy: tuple[str, ...] = ()
    never: tuple[str, ...] = ("--tmpfs /app ",)
    code: str = ""
    files: dict[str, str] = field(default_factory=dict)
    dockerfile: dict[str, str] = field(default_factory=dict)
    ignored: str = ""
    options: tuple[str, ...] = ()


def route(body: str, path: str = "/planted") -> str:
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    return f'\n\n@app.get("{path}")\ndef planted():\n{lines}\n'


FAULTS = {
    "a template is kept out of the image": Fault(
        code=route('from pathlib import Path\nreturn Path("pages/index.html").read_text()'),
        files={"pages/index.html": "<p>"},
        ignored="pages",
        error="broken",
        says=("GET /planted: status 500: FileNotFoundError", "pages/index.html", "orders/main.py:"),
        remedy=("excludes it from the image", "pages/index.html"),
    ),
    "a template is not in the repository": Fault(
        code=route('from pathlib import Path\nreturn Path("pages/index.html").read_text()'),
        error="broken",
        says=("GET /planted: status 500: FileNotFoundError",),
        remedy=("pages/index.html is not in the repository",),
    ),
    "an import that comes late": Fault(
        code=route("import numpy\nreturn numpy.pi"),
        error="broken",
        says=("ModuleNotFoundError: No module named 'numpy'", "orders/main.py:", "in planted"),
        remedy=("numpy is not in the image",),
    ),
    "an import that fails at start": Fault(
        code="\nimport numpy",
        error="unhealthy",
        says=("exited with code", "ModuleNotFoundError"),
        remedy=("numpy is not in the image",),
    ),
    "a file beside the code": Fault(
        code=route('from pathlib import Path\nPath(__file__).with_name("last.txt").write_text("x")\nreturn "x"'),
        error="broken",
        says=("GET /planted: status 500: OSError", "Read-only file system"),
        remedy=("writable_files='[orders/last.txt]'",),
        never=("--tmpfs",),
    ),
    "a folder of its own": Fault(
        code=route('import os\nos.makedirs("uploads/new")\nreturn "x"'),
        error="broken",
        says=("Read-only file system",),
        remedy=("writable='[uploads",),
    ),
    "a database in a file": Fault(
        code=route('import sqlite3\nsqlite3.connect("shop.db").execute("create table a (b)")\nreturn "x"'),
        error="broken",
        says=("sqlite3.OperationalError: unable to open database file",),
        remedy=("SQLite cannot write its file", "writable_files"),
    ),
    "a write that only the log tells of": Fault(
        code=(
            "\nimport logging\ntry:\n    open('cache.bin', 'w')\nexcept OSError:\n"
            "    logging.getLogger('uvicorn.error').exception('no cache')"
        ),
        error="broken",
        says=("The log says: OSError: [Errno 30] Read-only file system: 'cache.bin'",),
        remedy=("cache.bin",),
    ),
    "a database that is away": Fault(
        code=route('import socket\nsocket.create_connection(("127.0.0.1", 5432))\nreturn "x"'),
        error="broken",
        says=("ConnectionRefusedError",),
        remedy=("It needs another service",),
    ),
    "a database that is away at start": Fault(
        code='\nimport socket\nsocket.create_connection(("127.0.0.1", 5432))',
        error="unhealthy",
        says=("exited with code", "ConnectionRefusedError"),
        remedy=("It needs another service",),
    ),
    "a file that a page loads": Fault(
        code=route(
            'from fastapi.responses import HTMLResponse\nreturn HTMLResponse("<script src=/assets/app.js></script>'
            "<script src='/assets/app.js'></script>\")"
        ),
        error="broken",
        says=("GET /assets/app.js: status 404, and a page loads it",),
    ),
    "an answer that never comes": Fault(
        code=route("import time\ntime.sleep(3600)"),
        error="broken",
        says=("GET /planted: no answer in 10 s",),
    ),
    "an end while it answers": Fault(
        code=route("import os\nos._exit(3)"),
        error="broken",
        says=("GET /planted: the connection was closed without an answer",),
    ),
    "another port": Fault(
        dockerfile={'"--port", "8000"': '"--port", "9000"'},
        error="unhealthy",
        says=("connection", "the same bad answer for 5 s"),
        remedy=("listens on port 9000, but the image has EXPOSE 8000", "dockertpl update -d port=9000"),
    ),
    "listening to itself": Fault(
        dockerfile={'"--host", "0.0.0.0"': '"--host", "127.0.0.1"'},
        error="unhealthy",
        says=("port 8000 gives no good answer from outside",),
        remedy=("127.0.0.1, which only the container can reach", "--host 0.0.0.0 in its command"),
    ),
    "a slow start": Fault(
        code="\nimport time\ntime.sleep(300)",
        options=("--timeout", "6"),
        error="unhealthy",
        says=("did not become healthy in 6 s",),
        remedy=("dockertpl verify --timeout 60", "dockertpl update -d health_start_period=60"),
    ),
    "a check of the host name": Fault(
        code=(
            "\nfrom starlette.middleware.trustedhost import TrustedHostMiddleware\n"
            "app.add_middleware(TrustedHostMiddleware, allowed_hosts=['shop.example'])"
        ),
        error="unhealthy",
        says=(
            "gave the same bad answer for 5 s",
            "status 400",
        ),
        remedy=("checks the host name",),
    ),
    "a login before health": Fault(
        code=(
            "\nfrom fastapi.responses import PlainTextResponse\n\n\n@app.middleware('http')\n"
            "async def login(request, call_next):\n    return PlainTextResponse('who are you', 401)"
        ),
        error="unhealthy",
        says=(
            "gave the same bad answer for 5 s",
            "status 401",
        ),
        remedy=("asks for a login",),
    ),
    "a redirect to HTTPS": Fault(
        code=(
            "\nfrom starlette.middleware.httpsredirect import HTTPSRedirectMiddleware\n"
            "app.add_middleware(HTTPSRedirectMiddleware)"
        ),
        error="unhealthy",
        says=(
            "gave the same bad answer for 5 s",
            "a redirect to https://",
        ),
        remedy=("redirects HTTP to HTTPS",),
    ),
    "health that always fails in the same way": Fault(
        code=(
            "\nfrom fastapi.responses import PlainTextResponse\n\n\n@app.middleware('http')\n"
            "async def broken(request, call_next):\n    raise LookupError('no tenant')"
        ),
        error="unhealthy",
        says=("repeats the same error: LookupError: no tenant",),
    ),
    "a variable that is not set": Fault(
        code="\nimport os\nos.environ['SHOP_TOKEN']",
        error="unhealthy",
        says=("KeyError: 'SHOP_TOKEN'",),
        remedy=("SHOP_TOKEN",),
    ),
    "a command that is not there": Fault(
        dockerfile={'CMD ["uvicorn", "orders.main:app", "--host", "0.0.0.0", "--port", "8000"]': 'CMD ["gunicorn"]'},
        error="unhealthy",
        says=("gunicorn",),
        remedy=("The image does not have its command",),
    ),
    "a signal that is not heeded": Fault(
        code="\nimport signal\nsignal.signal = lambda *_: None",
        dockerfile={"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=8": "PYTHONUTF8=1"},
        error="unhealthy",
        says=("did not end on SIGTERM",),
        remedy=("exec form",),
    ),
    "a file that its user may not read": Fault(
        code=route('return open("/etc/shadow").read()'),
        error="broken",
        says=("PermissionError",),
        remedy=("has no permission for /",),
    ),
}


@pytest.fixture(scope="module")
def original(
    docker: host.Engine,
    base_images: Callable[..., dict[str, BaseImage]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return an application without faults, with the files that `new` writes."""
    base_images(*service.BASES)
    root = tmp_path_factory.mktemp("planted") / NAME
    sample.write_sample(root, manager="uv", layout="flat", server="uvicorn")
    service.new(root, "-d", f"name={NAME}")
    return root


@pytest.fixture
def app(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / NAME))


@pytest.fixture(autouse=True, scope="module")
def nothing_is_left(docker: host.Engine) -> Iterator[None]:
    yield
    assert docker.output("ps", "--all", "--quiet", "--filter", f"name=dockertpl-verify-{NAME}-") == ""
    docker.run("image", "rm", f"dockertpl/{NAME}:verify", check=False)


def planted(app: Path, fault: Fault) -> Path:
    if fault.code:
        main = app / "orders" / "main.py"
        main.write_text(main.read_text() + fault.code + "\n")
    for path, text in fault.files.items():
        (app / path).parent.mkdir(parents=True, exist_ok=True)
        (app / path).write_text(text)
    dockerfile = app / "Dockerfile"
    text = dockerfile.read_text()
    for old, new in fault.dockerfile.items():
        assert old in text
        text = text.replace(old, new)
    dockerfile.write_text(text)
    with (app / ".dockerignore").open("a") as file:
        file.write(f"{fault.ignored}\n")
    subprocess.run(["git", "add", "-A"], cwd=app, check=True)
    return app


NEXT_FAULTS = {
    "chunks": Fault(
        dockerfile={"COPY --link --from=build /app/.next/static ./.next/static\n": ""},
        error="broken",
        says=("GET /_next/static/", "status 404, and a page loads it"),
        remedy=("Copy .next/static",),
    ),
    "public": Fault(
        dockerfile={"COPY --link --from=build /app/public ./public\n": ""},
        error="broken",
        says=("GET /logo.png: status 404, and it is in the repository (public/logo.png)",),
        remedy=("Copy public/",),
    ),
}


def test_an_application_without_a_fault_has_no_finding(app: Path) -> None:
    code, facts = service.dockertpl("verify", str(app))
    assert (code, facts["error"], facts["findings"]) == (0, None, [])
    assert {one["path"] for one in facts["paths"]} >= {"/about", "/menu"}
    assert {one["verdict"] for one in facts["paths"]} == {"ok"}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_and_the_advice_is_right(app: Path, name: str) -> None:
    fault = FAULTS[name]
    code, facts = service.dockertpl("verify", str(planted(app, fault)), *fault.options)
    error: dict[str, Any] = facts["error"]
    assert (code, error["code"]) == (1, fault.error), error
    for text in fault.says:
        assert text in error["message"]
    for text in fault.remedy:
        assert text in error["remedy"]
    for text in fault.never:
        assert text not in error["remedy"]


@pytest.fixture(scope="module")
def next_app(
    docker: host.Engine,
    base_images: Callable[..., dict[str, BaseImage]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return a Next.js application with the files that `new` writes."""
    base_images(*service.NEXT_BASES)
    root = tmp_path_factory.mktemp("planted-next") / NAME
    next_sample.write_next_sample(root, manager="npm", router="app", layout="single")
    service.new(root, "-d", f"name={NAME}")
    return root


def test_a_next_application_without_a_fault_has_no_finding(next_app: Path) -> None:
    code, facts = service.dockertpl("verify", str(next_app))
    assert (code, facts["error"], facts["findings"]) == (0, None, [])
    paths = {one["path"].partition("?")[0]: one["verdict"] for one in facts["paths"]}
    assert set(paths.values()) == {"ok"}
    assert {"/", "/logo.png"} <= set(paths) and any(path.startswith("/_next/static/") for path in paths)


@pytest.mark.parametrize("name", NEXT_FAULTS)
def test_files_that_the_standalone_output_lacks_are_found(next_app: Path, tmp_path: Path, name: str) -> None:
    app = Path(shutil.copytree(next_app, tmp_path / NAME))
    code, facts = service.dockertpl("verify", str(planted(app, NEXT_FAULTS[name])))
    error = facts["error"]
    assert (code, error["code"]) == (1, "broken"), error
    for text in NEXT_FAULTS[name].says:
        assert text in error["message"]
    for text in NEXT_FAULTS[name].remedy:
        assert text in error["remedy"]
