#!/usr/bin/python3 -IS
"""Check that each runtime of the sandbox works.

By default it is quick: each runtime starts, and each tool exists. With --deep it uses them: programs run,
files are written.
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
    for command in COMMANDS:
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


def main():
    """Run the checks that the command line asks for."""
    if sys.argv[1:] not in ([], ["--deep"]):
        sys.exit("usage: healthcheck [--deep]")
    quick()
    if not sys.argv[1:]:
        return
    programs()
    print("ok")


if __name__ == "__main__":
    main()
