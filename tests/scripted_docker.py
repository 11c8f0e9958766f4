"""The program of tests/scripted.py: `scripted_docker.py FOLDER COMMAND …`. It uses only the standard library."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])
KNOWN = json.loads((FOLDER / "scenario.json").read_text())
WORDS = sys.argv[2:]
VERSION = {"Client": {"Version": "28.0.0"}, "Server": {"Version": "28.0.0"}}


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def stamp() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def write(name: str, text: str) -> None:
    (FOLDER / name).write_text(text)


def read(name: str) -> str:
    path = FOLDER / name
    return path.read_text() if path.exists() else ""


def log(*lines: str) -> None:
    with (FOLDER / "log").open("a") as file:
        file.writelines(f"{stamp()} {line}\n" for line in lines)


def serve() -> None:
    # Imported by the one process that serves: every other command is over in a moment.
    from http.server import BaseHTTPRequestHandler, HTTPServer

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = KNOWN.get("answers", {}).get(self.path, [200, "{}"])
            log(*KNOWN.get("said", {}).get(self.path, []))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    write("port", str(server.server_port))
    server.serve_forever()


def start() -> None:
    write("started", stamp())
    write("log", "")
    log(*KNOWN.get("log", []))
    if KNOWN.get("exit") is not None:
        write("ended", stamp())
        return
    if KNOWN.get("deaf"):
        write("port", "1")
        return
    import subprocess

    process = subprocess.Popen(
        [KNOWN["python"], "-S", "-E", __file__, str(FOLDER), "serve"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    write("pid", str(process.pid))
    while not read("port"):
        time.sleep(0.005)


def end() -> None:
    if pid := read("pid"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
        (FOLDER / "pid").unlink()
    if not read("ended"):
        write("ended", stamp())


def container() -> dict[str, Any]:
    ended = read("ended")
    healthy = not KNOWN.get("deaf") and not ended
    port = read("port")
    probe = {"End": stamp(), "ExitCode": 0 if healthy else 1, "Output": "" if healthy else "connection refused"}
    return {
        "State": {
            "Running": not ended,
            "ExitCode": KNOWN.get("exit") or 0,
            "StartedAt": read("started"),
            "FinishedAt": ended or "0001-01-01T00:00:00Z",
            "Health": {"Status": "healthy" if healthy else "starting", "Log": [probe] if port else []},
        },
        "NetworkSettings": {"Ports": {"8000/tcp": [{"HostPort": port}]} if port else {}},
        "HostConfig": {"ReadonlyRootfs": True},
    }


def follow() -> None:
    with (FOLDER / "log").open() as file:
        while True:
            line = file.readline()
            if line:
                say(line.rstrip("\n"))
            elif read("ended") or not FOLDER.exists():
                return
            else:
                time.sleep(0.01)


def build() -> int:
    for line in KNOWN.get("build", []):
        complain(line)
        time.sleep(KNOWN.get("step_seconds", 0))
    return int(KNOWN.get("build_code", 0))


IMAGE: dict[str, Any] = {
    "Id": "sha256:image",
    "Config": {
        "User": "10001:10001",
        "ExposedPorts": {"8000/tcp": {}},
        "WorkingDir": "/app",
        "Healthcheck": {"Test": ["CMD", "probe"]},
        "Labels": {"org.dockertpl.health": "/health 2xx"},
    },
}


def image() -> None:
    form = WORDS[WORDS.index("--format") + 1] if "--format" in WORDS else ""
    if WORDS[1] == "history":
        say(KNOWN["history"])
    elif "RootFS" in form:
        say(json.dumps(KNOWN["layers"]))
    elif form == "{{json .}}":
        say(json.dumps(IMAGE))
    elif WORDS[1] == "inspect":
        say(IMAGE["Id"])


def fail(how: str) -> int:
    """Act as a failing engine."""
    if how == "hang":
        time.sleep(3600)
    if how == "garbage":
        say("\x00\x01 not json")
    if how == "truncated":
        say('{"State": {"Running": tr')
    if how == "full":
        complain("Error response from daemon: write /var/lib/docker/x: no space left on device")
        return 1
    if how == "die":
        complain("Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?")
        return 1
    return 0


def main() -> int:
    command = " ".join(WORDS)
    for words, how in KNOWN.get("faults", {}).items():
        if command.startswith(words):
            return fail(how)
    two = " ".join(WORDS[:2])
    if two == "buildx version":
        say("github.com/docker/buildx v0.29.1 abc")
    elif two == "buildx build":
        return build()
    elif WORDS[0] == "version":
        say(json.dumps(VERSION))
    elif WORDS[0] == "image":
        image()
    elif two == "container start":
        start()
    elif two == "container inspect":
        say(json.dumps(container()))
    elif two == "container logs":
        follow()
    elif two in ("container stop", "container rm"):
        end()
    elif two == "container exec":
        return 1 if read("ended") or KNOWN.get("deaf") else 0
    elif two == "container top":
        say("PID UID\n7 10001")
    elif two == "context inspect":
        say("unix:///var/run/docker.sock")
    elif WORDS[0] == "info":
        say("[]")
    elif WORDS == ["serve"]:
        serve()
    return 0


sys.exit(main())
