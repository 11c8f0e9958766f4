"""Commands that run first in the image, with a scripted docker."""

from pathlib import Path

import pytest

from dockertpl.engine import first
from dockertpl.engine.client import Client
from dockertpl.engine.image import ImageFacts
from dockertpl.engine.strict import RunOptions
from dockertpl.errors import BadInputError, UnhealthyError

IMAGE = ImageFacts(image="sha256:1", user="10001", port=8000, labels={}, probe=("probe",), workdir="/app")
COMMAND = ["alembic", "upgrade", "head"]


def engine(tmp_path: Path, *, code: int = 0, running: str = "false", log: str = "", refuses: str = "") -> Client:
    script = tmp_path / "docker"
    state = f'{{"State":{{"Running":{running},"ExitCode":{code}}},"HostConfig":{{}}}}'
    (tmp_path / "log").write_text("".join(f"2026-01-01T00:00:00Z {line}\n" for line in log.splitlines()))
    script.write_text(
        f"""#!/bin/sh
echo "$*" >> {tmp_path}/calls
case "$2" in
    inspect) echo '{state}';;
    logs) cat {tmp_path}/log;;
    wait) [ {running} = false ] || exec sleep 60;;
    start) [ -z '{refuses}' ] || {{ echo '{refuses}' >&2; exit 1; }};;
esac
"""
    )
    script.chmod(0o755)
    return Client(executable=str(script), engine_version="28", buildx_version="0.29")


def run(client: Client, seconds: float = 60) -> float:
    options = RunOptions(environment={"DATABASE_URL": "x"}, network="n")
    return first.run_first(client, IMAGE, COMMAND, name="shop", options=options, seconds=seconds)


def calls(tmp_path: Path, word: str) -> list[str]:
    return [line for line in (tmp_path / "calls").read_text().splitlines() if line.startswith(f"container {word} ")]


def test_a_command_runs_as_strictly_as_the_image_on_the_same_network_and_is_removed(tmp_path: Path) -> None:
    assert run(engine(tmp_path)) >= 0
    (created,) = calls(tmp_path, "create")
    for word in ("--read-only", "--cap-drop=ALL", "--env=DATABASE_URL=x", "--network=n", "--no-healthcheck"):
        assert f" {word} " in created
    assert "--publish" not in created and created.endswith("-- sha256:1 alembic upgrade head")
    assert len(calls(tmp_path, "rm")) == 1


def test_a_failed_command_is_reported_with_its_last_lines_and_their_meaning(tmp_path: Path) -> None:
    client = engine(tmp_path, code=255, log="FAILED: no config\nModuleNotFoundError: No module named 'psycopg'")
    with pytest.raises(UnhealthyError, match="`alembic upgrade head` ended with code 255") as caught:
        run(client)
    assert "  | FAILED: no config" in caught.value.message
    assert caught.value.remedy.startswith("psycopg is not in the image.")
    assert len(calls(tmp_path, "rm")) == 1


def test_a_command_that_does_not_end_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(UnhealthyError, match=r"did not end in 0 s[\s\S]*the log is empty") as caught:
        run(engine(tmp_path, running="true"), seconds=0.2)
    assert "a command that ends" in caught.value.remedy and len(calls(tmp_path, "rm")) == 1


def test_a_command_that_is_not_in_the_image_is_named(tmp_path: Path) -> None:
    refusal = 'runc create failed: exec: "alembic": executable file not found in $PATH: unknown'
    with pytest.raises(UnhealthyError, match="the image has no command alembic") as caught:
        run(engine(tmp_path, refuses=refusal))
    assert "dependencies for production" in caught.value.remedy and len(calls(tmp_path, "rm")) == 1


def test_quotes_are_read_as_in_a_shell() -> None:
    assert first.parse("python -c 'print(1); print(2)'") == ["python", "-c", "print(1); print(2)"]
    assert first.parse("sh -c 'a && b'") == ["sh", "-c", "a && b"]


@pytest.mark.parametrize("text", ["", "  ", "a 'b", "a && b", "a; b", "a | b", "a > b"])
def test_what_needs_a_shell_or_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="--run"):
        first.parse(text)


def test_a_line_for_a_shell_is_shown_with_one() -> None:
    with pytest.raises(BadInputError) as caught:
        first.parse("alembic upgrade head && python seed.py")
    assert "--run 'sh -c '" in caught.value.remedy
