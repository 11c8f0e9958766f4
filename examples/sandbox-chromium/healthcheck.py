#!/usr/bin/python3 -IS
"""Check that each runtime of the sandbox works.

By default it is quick: each runtime starts, and each tool exists. With --deep it uses them: programs run,
the browser renders a page, files are written.
"""

import os
import shutil
import subprocess
import sys
import tempfile

COMMANDS = ["node", "npm", "uv", "gcc", "git", "gh", "jq", "rg", "tmux"]


def run(*words, seconds=60, **options):
    """Run a command and return its output. Exit with its output if it fails."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=seconds, **options)
    except (OSError, subprocess.TimeoutExpired) as error:
        sys.exit(f"{words[0]}: {error}")
    if done.returncode:
        sys.exit(f"{' '.join(words)[:200]}: exit code {done.returncode}\n{done.stdout[-500:]}{done.stderr[-1500:]}")
    return done.stdout


def expect(what, seen, wanted):
    """Print what was seen. Exit if it does not contain what was wanted."""
    if wanted not in seen:
        sys.exit(f"{what}: {seen.strip()[:500]!r} instead of {wanted!r}")
    print(f"{what}: {seen.strip().splitlines()[0][:100]}")


def quick():
    """Check that each runtime starts and each command is on the path."""
    for command in [*COMMANDS, os.environ["CHROME_BIN"]]:
        if not shutil.which(command):
            sys.exit(f"{command} is missing")
    run("bash", "-c", ":")
    run("node", "--eval", "0")


def programs():
    """Run a program with each runtime, and write files."""
    with tempfile.NamedTemporaryFile("w", suffix=".py", dir=os.path.expanduser("~")) as file:
        file.write("import json, ssl, sqlite3, sys; print(json.dumps([sys.version_info[0], sum(range(10))]))")
        file.flush()
        expect("python", run("python", file.name), "[3, 45]")
    script = 'require("fs").writeFileSync(process.argv[1], String([1, 2, 3].map((n) => n * n)))'
    with tempfile.NamedTemporaryFile() as file:
        run("node", "--eval", script, file.name)
        expect("node", file.read().decode(), "1,4,9")
    expect("uv", run("uv", "--version"), "uv ")
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/a.c", "w") as file:
            file.write('#include <stdio.h>\nint main(void) { return puts("compiled") < 0; }\n')
        run("gcc", "-o", f"{folder}/a", f"{folder}/a.c")
        print("gcc: compiled")
    expect("git", run("git", "--version"), "git version")


def pixels(png):
    """Return the distinct colors of a PNG with 8 bits per channel."""
    import struct
    import zlib

    width, height = struct.unpack(">II", png[16:24])
    size = {2: 3, 6: 4}[png[25]]
    data, at = b"", 8
    while at < len(png):
        length, name = struct.unpack(">I4s", png[at : at + 8])
        data += png[at + 8 : at + 8 + length] if name == b"IDAT" else b""
        at += length + 12
    data, above, colors = zlib.decompress(data), bytearray(width * size), set()
    for row in range(height):
        at = row * (width * size + 1)
        kind, line = data[at], bytearray(data[at + 1 : at + 1 + width * size])
        for i in range(len(line)):
            left, up = line[i - size] if i >= size else 0, above[i]
            corner = above[i - size] if i >= size else 0
            nearest = min((left, up, corner), key=lambda one: abs(left + up - corner - one))
            line[i] = (line[i] + (0, left, up, (left + up) // 2, nearest)[kind]) % 256
        colors.update(bytes(line[i : i + 3]) for i in range(0, len(line), size))
        above = line
    return colors


def browser():
    """Have the browser render a page of a local server, and look for the page's colors in the picture."""
    import functools
    import http.server
    import threading

    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/index.html", "w") as file:
            file.write(
                '<body style="margin:0;background:#0a7f3f"><p id="p"></p><script>'
                'document.getElementById("p").textContent = 6 * 7; document.body.style.borderTop = "40px solid #c01030"'
                "</script>"
            )
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
        handler.func.log_message = lambda *_: None
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        # Chromium's own sandbox needs user namespaces and chroot, which Docker's default profile forbids.
        inside = ["unshare", "--user", "--map-root-user", "chroot", "/", "true"]
        walled = subprocess.run(inside, capture_output=True).returncode == 0
        words = [os.environ["CHROME_BIN"], "--headless", "--disable-gpu", "--window-size=320,200"]
        words += [f"--screenshot={folder}/page.png", f"--user-data-dir={folder}/profile"]
        words += [] if walled else ["--no-sandbox"]
        shared = os.statvfs("/dev/shm")
        if shared.f_frsize * shared.f_blocks < 256 << 20:
            words.append("--disable-dev-shm-usage")
        run(*words, f"http://127.0.0.1:{server.server_port}/")
        with open(f"{folder}/page.png", "rb") as file:
            colors = pixels(file.read())
        server.shutdown()
    if not {b"\x0a\x7f\x3f", b"\xc0\x10\x30"} < colors:
        sys.exit(f"the browser's picture does not have the page's colors, but {sorted(colors)[:5]}")
    print(f"browser: a page in {len(colors)} colors, {'in its own sandbox' if walled else 'with --no-sandbox'}")


def main():
    """Run the checks that the command line asks for."""
    if sys.argv[1:] not in ([], ["--deep"]):
        sys.exit("usage: healthcheck [--deep]")
    quick()
    if not sys.argv[1:]:
        return
    programs()
    browser()
    print("ok")


if __name__ == "__main__":
    main()
