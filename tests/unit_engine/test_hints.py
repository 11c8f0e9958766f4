"""Hints for known errors. A real program wrote each line here."""

import re
from typing import Any

import pytest

from dockertpl.engine import hints


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("OSError: [Errno 30] Read-only file system: '/app/cache/x.db'", "--tmpfs /app/cache "),
        ("mkdir: cannot create directory '/data': Read-only file system", "--tmpfs /data "),
        ("OSError: [Errno 30] Read-only file system: 'uploads/x.png'", "-d writable='[uploads]'"),
        ("OSError: [Errno 30] Read-only file system: '/srv/x/y.json'", "-d writable='[/srv/x]'"),
        ("Error: EROFS: read-only file system, open '/app/cache/x.json'", "-d writable='[cache]'"),
        ("Error: EROFS: read-only file system, mkdir '/app/cache'", "-d writable='[cache]'"),
        ("sqlite3.OperationalError: unable to open database file", "-d writable_files='[app.db]'"),
        ("touch: /data/x: Read-only file system", "--tmpfs /data "),
        ("sqlite3.OperationalError: attempt to write a readonly database", "-d writable_files='[app.db]'"),
        ("ImportError: libpq.so.5: cannot open shared object file: No such file or directory", "package is libpq5"),
        (
            "ImportError: libgthread-2.0.so.0: cannot open shared object file: No such file",
            "libglib2.0-0 in bookworm, libglib2.0-0t64 in trixie",
        ),
        ("ImportError: libnever.so.9: cannot open shared object file: No such file", "apt-file search"),
        ('ERROR:    Error loading ASGI app. Could not import module "main".', "answer `app`"),
        ('ERROR:    Error loading ASGI app. Attribute "app" not found in module "main".', "answer `app`"),
        ("pydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings", "--env NAME=VALUE"),
        ("KeyError: 'DATABASE_URL'", "--env DATABASE_URL=VALUE"),
        ("ConnectionRefusedError: [Errno 111] Connection refused", "--network"),
        ("psycopg2.OperationalError: could not connect to server: No such file", "--network"),
        ("socket.gaierror: [Errno -2] Name or service not known", "--network"),
        ("ModuleNotFoundError: No module named 'pkg_resources'", "`setuptools<82`"),
        ("ModuleNotFoundError: No module named 'redis'", "redis is not in the image"),
        ("PermissionError: [Errno 13] Permission denied: '/app/x'", "has no permission for /app/x"),
        ("[Errno 98] Address already in use", "same port"),
        ('exec: "uvicorn": executable file not found in $PATH', "does not have its command"),
        ("exec /usr/local/bin/python: exec format error", "another processor"),
    ],
)
def test_what_a_container_says_at_its_end(line: str, says: str) -> None:
    hint = hints.find(["before", line, "after"], "run")
    assert hint and says in hint.text
    assert not hint.lacks_machine


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("error: invalid peer certificate: UnknownIssuer", "--secret id=ca,src="),
        (
            "SSLCertVerificationError: certificate verify failed: self-signed certificate in chain",
            "--secret id=ca,src=",
        ),
        ("HTTP status client error (401 Unauthorized) for url", "--secret id=netrc,src="),
        ("Temporary failure resolving 'mirror'", "no network"),
        ("Error: pg_config executable not found.", "libpq-dev"),
        ("error: command 'gcc' failed: No such file or directory", "build_packages='[gcc, libc6-dev]'"),
        ("error: [Errno 2] No such file or directory: 'gcc'", "build_packages='[gcc, libc6-dev]'"),
        (
            "subprocess.CalledProcessError: Command '['gcc', '-E']' returned non-zero",
            "build_packages='[gcc, libc6-dev]'",
        ),
        ("Exception: you need a C compiler to build uWSGI", "build_packages='[gcc, libc6-dev]'"),
        ("src/x.c:4:10: fatal error: libxml/tree.h: No such file or directory", "apt-file search libxml/tree.h"),
        ("LookupError: setuptools-scm was unable to detect version for /app.", "version_from_git"),
    ],
)
def test_what_a_build_says_at_its_end(line: str, says: str) -> None:
    hint = hints.find([line], "build")
    assert hint and says in hint.text


@pytest.mark.parametrize(
    ("package", "line", "says"),
    [
        ("cffi==1.15.0", "error: [Errno 2] No such file or directory: 'gcc'", "build_packages='[gcc, libc6-dev]'"),
        ("pydantic-core==2.14.6", "the configured Python is newer than PyO3's maximum supported version", "Rust"),
        ("psycopg2-binary==2.9.5", "Error: pg_config executable not found.", "libpq-dev"),
        ("pandas==2.0.0", "ModuleNotFoundError: No module named 'pkg_resources'", "-d python_version="),
    ],
)
def test_a_package_without_a_wheel_is_named_with_its_version_and_the_python(package: str, line: str, says: str) -> None:
    log = [f"error: Failed to build `{package}`", "  cause: The build backend returned an error", line]
    hint = hints.find(log, "build", {"python": "Python 3.13"})
    assert hint
    assert hint.text.startswith(f"{package.replace('==', ' ')} has no wheel for Python 3.13")
    assert says in hint.text


MKDIR = """\
  File "/app/app/main.py", line 3, in <module>
    UPLOADS.mkdir(exist_ok=True)
  File "/usr/local/lib/python3.13/pathlib/_local.py", line 722, in mkdir
    os.mkdir(self, mode)
OSError: [Errno 30] Read-only file system: '{0}'"""
OPEN = """\
  File "/app/app/main.py", line 3, in <module>
    open(PATH, "w")
OSError: [Errno 30] Read-only file system: '{0}'"""


@pytest.mark.parametrize(
    ("log", "path", "says"),
    [
        (MKDIR, "uploads", "-d writable='[uploads]'"),
        (MKDIR, "/app/static/uploads", "-d writable='[static/uploads]'"),
        (MKDIR, "/app/app/uploads", "-d writable='[app/uploads]'"),
        (MKDIR, "/data", "-d writable='[/data]'"),
        (OPEN, "uploads/x.png", "-d writable='[uploads]'"),
        # Their folder belongs to the application.
        (OPEN, "users.json", "-d writable_files='[users.json]'"),
        (OPEN, "/app/users.json", "-d writable_files='[users.json]'"),
        (OPEN, "/app/app/users.json", "-d writable_files='[app/users.json]'"),
        (OPEN, "/users.json", "separate writable folder"),
    ],
)
def test_a_failed_write_names_what_may_be_covered_and_never_the_code(log: str, path: str, says: str) -> None:
    hint = hints.find(log.format(path).splitlines(), "run")
    assert hint and says in hint.text
    for hidden in ("--tmpfs /app ", "--tmpfs /app/app ", "--tmpfs / ", "'[.]'"):
        assert hidden not in hint.text


def test_the_folder_that_relative_paths_start_from_is_the_image_s() -> None:
    log = OPEN.format("/app/services/api/x.db").splitlines()
    hint = hints.find(log, "run", workdir="/app/services/api")
    assert hint and "-d writable_files='[x.db]'" in hint.text


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("FileNotFoundError: [Errno 2] No such file or directory: '/app/README.md'", "/app/README.md"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'data/menu.json'", "data/menu.json"),
        ("RuntimeError: Directory 'app/dist' does not exist", "app/dist"),
        ("Error: ENOENT: no such file or directory, scandir '/app/docs'", "/app/docs"),
    ],
)
def test_what_was_not_found_is_named(line: str, path: str) -> None:
    # A traceback also quotes the line that made the message.
    hint = hints.find(["    raise RuntimeError(f\"Directory '{directory}' does not exist\")", line], "run")
    assert hint and hint.missing == path


def test_a_missing_program_is_not_reported_as_a_file_of_the_application() -> None:
    hint = hints.find(["FileNotFoundError: [Errno 2] No such file or directory: 'gcc'"], "build")
    assert hint and not hint.missing and "build_packages" in hint.text


def test_a_program_that_a_step_lacks_is_not_taken_for_an_image() -> None:
    hint = hints.find(["/bin/sh: 1: pipx: not found"], "build")
    assert hint and hint.text.startswith("pipx is not installed")
    image = hints.find(["ERROR: docker.io/library/nothing:1: not found"], "build")
    assert image and "image does not exist" in image.text


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379.", "REDIS_URL"),
        ("sqlalchemy.exc.ArgumentError: Expected string or URL object, got None", "DATABASE_URL"),
    ],
)
def test_the_variable_of_a_service_is_named(line: str, says: str) -> None:
    hint = hints.find([line], "run")
    assert hint and f"--env {says}=" in hint.text


@pytest.mark.parametrize("line", ["1 validation error for Settings", "KeyError: 'DATABASE_URL'"])
def test_a_missing_setting_is_known_as_one(line: str) -> None:
    hint = hints.find([line], "run")
    assert hint and hint.lacks_setting


def test_what_is_not_known_has_no_hint_and_a_log_is_no_template() -> None:
    assert hints.find(["all is well", "{dir} {0}"], "run") is None
    hint = hints.find(["OSError: Read-only file system: '/app/{package}/x'"], "run")
    assert hint and "/app/{package}" in hint.text


def test_a_builds_hint_is_not_a_runs() -> None:
    assert hints.find(["Error: pg_config executable not found."], "run") is None


def _entries() -> list[dict[str, Any]]:
    return hints._hints()


@pytest.mark.parametrize("entry", _entries(), ids=lambda entry: entry["pattern"][:30])
def test_every_entry_is_well_formed_and_readable(entry: dict[str, Any]) -> None:
    assert entry.keys() <= {"when", "pattern", "hint", "rule", "lacks", "about", "beside", "elsewhere"}
    assert set(entry["when"]) <= {"build", "run"} and entry["when"]
    groups = set(re.compile(entry["pattern"]).groupindex)
    known = groups | ({"package"} if "library" in groups else set())
    known |= {"python"} if entry["when"] == ["build"] else set()
    known |= {"path", "dir", "name"} if entry.get("about") == "write" else set()
    for key in ("hint", "beside", "elsewhere"):
        text = entry.get(key, "")
        assert set(re.findall(r"\{(\w+)\}", text)) <= known
        assert all(len(line) <= 125 for line in text.splitlines())


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Error: DATABASE_URL is not set", "'build_env={DATABASE_URL: placeholder}'"),
        ("Error: Missing environment variable: MONGODB_URI", "'build_env={MONGODB_URI: placeholder}'"),
        (
            "Error: Please define the MONGODB_URI environment variable inside .env",
            "'build_env={MONGODB_URI: placeholder}'",
        ),
        ("error: Environment variable not found: DATABASE_URL.", "'build_env={DATABASE_URL: placeholder}'"),
        ("Error: The OPENAI_API_KEY environment variable is missing or empty", "--secret id=OPENAI_API_KEY,env="),
        ("Error: NEXT_PUBLIC_SANITY_DATASET is not defined", "--build-arg NEXT_PUBLIC_SANITY_DATASET=VALUE"),
        ("Error: Missing environment variable: NEXT_PUBLIC_SUPABASE_URL", "--build-arg NEXT_PUBLIC_SUPABASE_URL=VALUE"),
        ("PrismaConfigEnvError: Cannot resolve environment variable: DATABASE_URL.", "'install_env={DATABASE_URL: "),
        ("Error: No database connection string was provided to `neon()`.", "build_env={NAME: placeholder}"),
        ("Error: Invalid environment variables", "build_env={NAME: placeholder}"),
        ("PrismaClientInitializationError: Can't reach database server at `localhost:5432`", "force-dynamic"),
        ("Error: connect ECONNREFUSED 127.0.0.1:5432", "force-dynamic"),
        ("Error: Failed to find .env file at path: .env.production", "build_script"),
        ("npm error code ERESOLVE", "install_flags=[--legacy-peer-deps]"),
        ("npm error `npm ci` can only install packages when your package.json and", "npm install --package-lock-only"),
        (" ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with", "pnpm install --lockfile-only"),
        ("pyproject.toml changed significantly since poetry.lock was last generated. Run `poetry lock`", "poetry lock"),
        ("error: The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.", "uv lock"),
        ("WARNING: Lockfile doesn't satisfy the project requirements, packages may be outdated", "pdm lock"),
        ("Your Pipfile.lock (a1b2c3) is out of date. Expected: (d4e5f6).", "pipenv lock"),
        ("YN0028: The lockfile would have been modified by this install", "yarn.lock does not match"),
        ("error: lockfile had changes, but lockfile is frozen", "bun install --lockfile-only"),
        ('error x@1.0.0: The engine "node" is incompatible with this module.', "node_version"),
        ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "max-old-space-size"),
        ("npm error syscall spawn git", "build_packages='[git"),
        ("npm error request to https://mirror.invalid/next failed, reason: getaddrinfo ENOTFOUND mirror", "no network"),
        ("npm error code EAI_AGAIN", "no network"),
        ("Error: ENOENT: no such file or directory, open '/app/.next/next-server.js.nft.json'", "16.3.5"),
        ("mv: cannot stat '.next/standalone/node_modules': No such file or directory", "output: 'standalone'"),
    ],
)
def test_what_a_build_of_next_js_says_at_its_end(line: str, says: str) -> None:
    hint = hints.find(["> next build", line, "    at async x (.next/server/app/page.js:1:2)"], "build")
    assert hint and says in hint.text


def test_a_module_that_turbopack_left_out_is_named_as_the_application_knows_it() -> None:
    hint = hints.find(["Error: Cannot find module '@scope/pino-d2871621fb8a70db'"], "run")
    assert hint and "@scope/pino out of the standalone output" in hint.text


def test_every_field_that_the_settings_lack_is_named() -> None:
    log = """pydantic_core._pydantic_core.ValidationError: 2 validation errors for Settings
database_url
  Field required [type=missing, input_value={}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.11/v/missing
secret_key
  Field required [type=missing, input_value={}, input_type=dict]"""
    hint = hints.find(log.splitlines(), "run")
    assert hint is not None
    assert "Settings needs a value" in hint.text
    assert "dockertpl verify --env DATABASE_URL=VALUE --env SECRET_KEY=VALUE" in hint.text


def test_a_program_that_may_not_be_executed_is_named() -> None:
    hint = hints.find(['exec: "/app/start.sh": permission denied'], "run")
    assert hint and hint.text.startswith("/app/start.sh is in the image") and "--chmod=+x" in hint.text


def test_an_exec_format_error_may_be_a_script_without_its_first_line() -> None:
    hint = hints.find(["exec /app/start.sh: exec format error"], "run")
    assert hint and "#!/bin/sh" in hint.text
