"""The promises of every image, in the terms of each kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Answers = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind.

    Attributes:
        base: The base image of the final stage.
        secret: The secret that the answer `private_index` mounts.
        stages: The stages that users build, which are the last ones.
        runs: Whether its image runs a program by default. If not, the fields below do not apply.
        probe: The command of the probe.
        asks: The lines of the probe with the route and the port of the answers.
        starts: Whether a command starts the application of the answers, by stage.
        reloads: Whether a command reloads on a change.
        kept: The files that are never ignored.
        ports: The published ports of a development container.
    """

    base: Callable[[Answers], str]
    secret: str
    stages: tuple[str, ...] = ("dev", "prod")
    runs: bool = True
    probe: Callable[[Answers], list[str]] = lambda _: []
    asks: Callable[[Answers], Sequence[str]] = lambda _: ()
    starts: Callable[[Answers, str, list[str]], bool] = lambda *_: False
    reloads: Callable[[Sequence[str]], bool] = lambda _: False
    kept: tuple[str, ...] = ()
    ports: Callable[[Answers], list[int]] = lambda _: []


def _fastapi_starts(answers: Answers, stage: str, words: list[str]) -> bool:
    if answers["debugger"] and stage == "dev":
        if words[:3] != ["python", "-m", "debugpy"]:
            return False
        words = words[words.index("-m", 3) + 1 :]
    # Gunicorn cannot reload its uvicorn workers.
    server = "uvicorn" if stage == "dev" and answers["server"] == "gunicorn" else answers["server"]
    named = words[0] == server and words[1].removesuffix("()") == answers["app"]
    return named and any(str(answers["port"]) in word for word in words)


def _fastapi_base(answers: Answers) -> str:
    if answers["base_image"]:
        return str(answers["base_image"])
    if answers["flavor"] == "minimal":
        return f"debian:{answers['debian_release']}-slim"
    return f"python:{answers['python_version']}-slim-{answers['debian_release']}"


def _nextjs_starts(answers: Answers, stage: str, words: list[str]) -> bool:
    if stage == "dev":
        return words == ["next", "dev", "--hostname", "0.0.0.0", "--port", str(answers["port"])]
    server = "server.js" if answers["context"] == answers["app_dir"] else f"{answers['app_dir']}/server.js"
    # A platform may set HOSTNAME, and only the command can correct it.
    return words == ["env", "HOSTNAME=0.0.0.0", "node", server]


def _nextjs_base(answers: Answers) -> str:
    if answers["base_image"]:
        return str(answers["base_image"])
    if answers["flavor"] == "minimal":
        return f"debian:{answers['debian_release']}-slim"
    system = "alpine" if answers["flavor"] == "alpine" else f"{answers['debian_release']}-slim"
    return f"node:{answers['node_version']}-{system}"


def _root_of_a_family(answers: Answers) -> str:
    if answers["flavor"] == "node":
        return f"node:{answers['node_version']}-{answers['debian_release']}-slim"
    return f"python:{answers['python_version']}-slim-{answers['debian_release']}"


def _program(name: str, answers: Answers) -> str:
    """Return the name that the image uses for a program. Without a shell, the engine does not search for it."""
    return f"/usr/local/bin/{name}" if answers["flavor"] == "distroless" else name


KINDS = {
    "python-fastapi": Kind(
        probe=lambda answers: [_program("python3", answers), "-I", "/opt/healthcheck.py"],
        asks=lambda answers: [
            f'HTTPConnection("127.0.0.1", {answers["port"]}, timeout=4)',
            f'request("GET", "{answers["health_path"] or "/"}")',
        ],
        starts=_fastapi_starts,
        reloads=lambda words: "--reload" in words,
        base=_fastapi_base,
        secret="netrc",
        kept=("pyproject.toml", "uv.lock", "requirements.txt", "app/main.py", "app/environment.py",
              "app/data/menu.json"),
        ports=lambda answers: [answers["port"]] + ([5678] if answers["debugger"] else []),
    ),
    "nextjs-standalone": Kind(
        probe=lambda answers: [_program("node", answers), "/opt/healthcheck.mjs"],
        asks=lambda answers: [f'fetch("http://127.0.0.1:{answers["port"]}{answers["health_path"] or "/"}"'],
        starts=_nextjs_starts,
        reloads=lambda words: bool(re.match("next dev ", " ".join(words))),
        base=_nextjs_base,
        secret="npmrc",
        kept=(
            "package.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", ".yarnrc.yml", ".npmrc",
            "next.config.ts",
            "app/page.tsx", "app/docs/page.tsx", "app/out/page.tsx", "app/coverage/page.tsx", "public/logo.svg",
        ),
        ports=lambda answers: [answers["port"]],
    ),
    "sandbox-multi-runtime": Kind(
        probe=lambda _: ["/usr/local/bin/healthcheck"],
        starts=lambda answers, _, words: words == answers["command"],
        reloads=lambda _: False,
        base=lambda answers: str(answers["base_image"] or answers["distribution"]),
        secret="netrc",
        kept=("healthcheck.py", "agent.py", "requirements.txt", "tools/search.py", "data/menu.json"),
        ports=lambda _: [],
        stages=("prod",),
    ),
    "shared-base": Kind(base=_root_of_a_family, secret="netrc", stages=("base",), runs=False),
}  # fmt: skip


def kind_of(answers: Answers) -> Kind:
    """Return the kind of the answers."""
    return KINDS[answers["kind"]]
