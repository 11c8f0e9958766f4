"""A service that behaves as the environment variable MODE says. Tests look for the last lines of its log."""

import http.server
import os
import pathlib
import signal
import sys
import threading

MODE = os.environ.get("MODE", "well")


def status_of(word: str) -> str:
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{word}:"))


def is_writable(path: str) -> bool:
    try:
        pathlib.Path(path, "written").write_text("x")
    except OSError:
        return False
    return True


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        sick = MODE == "sick" or self.path != "/health"
        self.send_response(503 if sick else 200)
        self.end_headers()
        self.wfile.write(b"the queue is away" if sick else b"well")


if MODE == "strict":
    assert int(status_of("CapEff"), 16) == int(status_of("CapBnd"), 16) == 0, "it has capabilities"
    assert status_of("NoNewPrivs") == "1", "it may gain privileges"
    assert not any(map(is_writable, ("/srv", "/var/tmp", "/"))), "its root is writable"
    assert is_writable("/tmp"), "/tmp is not writable"
elif MODE == "crash":
    sys.stdout.write("line one\n")
    sys.exit("the configuration is wrong")
elif MODE == "write":
    pathlib.Path("/srv/cache/index").write_text("x")
elif MODE == "eat":
    kept = []
    while True:
        kept.append(b"x" * 8_000_000)
elif MODE == "ask":
    sys.stdout.write(f"asked for {os.environ['FIRST']} and {os.environ['SECOND']}\n")

server = http.server.ThreadingHTTPServer(("127.0.0.1" if MODE == "inward" else "0.0.0.0", 8000), Handler)
if MODE == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
