"""The errors of failed builds, and the checks before a build."""

import base64
import json
from pathlib import Path

import pytest

from dockertpl.engine.build import BuildResult, build, check_secret, check_ssh
from dockertpl.engine.client import Client
from dockertpl.errors import BadInputError, BuildFailedError, MachineError, NoEngineError


def engine(tmp_path: Path, *said: str, code: int = 1, metadata: str = "{}", known: str = "") -> Client:
    """A docker with this build output on stderr. It has the images of `known` without a pull."""
    (tmp_path / "said").write_text("\n".join(said))
    (tmp_path / "metadata").write_text(metadata)
    script = tmp_path / "docker"
    script.write_text(
        f"""#!/bin/sh
if [ "$1" = image ]; then
  for last; do :; done
  case " {known} " in *" $last "*) echo "id-of-$last"; exit 0;; esac
  echo 'Error response from daemon: No such image' >&2; exit 1
fi
printf '%s\\n' "$@" > {tmp_path}/arguments
for word; do case "$word" in --metadata-file=*) cp {tmp_path}/metadata "${{word#*=}}";; esac; done
cat {tmp_path}/said >&2
exit {code}
"""
    )
    script.chmod(0o755)
    return Client(executable=str(script), engine_version="28", buildx_version="0.29")


def run(tmp_path: Path, client: Client, **options: object) -> BuildResult:
    context = tmp_path / "context"
    context.mkdir(exist_ok=True)
    if not (context / "Dockerfile").exists():
        (context / "Dockerfile").write_text("FROM scratch AS one\nfrom a as two\n")
    return build(client, context=context, dockerfile=context / "Dockerfile", tag="t:x", **options)  # type: ignore[arg-type]


def failed_step(name: str, error: str, text: str) -> tuple[str, str]:
    data = base64.b64encode(text.encode()).decode()
    return (
        json.dumps({"vertexes": [{"digest": "d", "name": name, "started": "x", "error": error}]}),
        json.dumps({"logs": [{"vertex": "d", "data": data}]}),
    )


def test_the_error_has_file_line_stage_instruction_exit_code_and_the_last_20_lines(tmp_path: Path) -> None:
    lines = "".join(f"line {number}\n" for number in range(30))
    said = failed_step("[venv 5/7] RUN uv sync --locked", 'process "x" did not complete: exit code: 2', lines)
    client = engine(tmp_path, *said, "Dockerfile:12", "---", "  12 | >>> RUN uv sync", "ERROR: failed to solve: x")
    with pytest.raises(BuildFailedError) as caught:
        run(tmp_path, client)
    first, *log = caught.value.message.splitlines()
    assert first.endswith(
        "context/Dockerfile, line 12: the build failed (stage venv) at RUN uv sync --locked: exit code 2"
    )
    assert log == [f"  | line {number}" for number in range(10, 30)]
    assert caught.value.exit_code == 1 and caught.value.remedy


def test_a_dockerfile_that_cannot_be_read_is_a_failed_build(tmp_path: Path) -> None:
    client = engine(tmp_path, "ERROR: failed to build: failed to solve: dockerfile parse error on line 3: unknown: FOO")
    with pytest.raises(BuildFailedError, match="the build failed: dockerfile parse error on line 3: unknown: FOO"):
        run(tmp_path, client)


def test_a_missing_stage_is_bad_input_with_the_stages_there_are(tmp_path: Path) -> None:
    client = engine(tmp_path, 'ERROR: failed to solve: target stage "x" could not be found')
    with pytest.raises(BadInputError, match="has no stage x") as caught:
        run(tmp_path, client, target="x")
    assert "one, two" in caught.value.remedy


@pytest.mark.parametrize(
    ("error", "kind", "remedy"),
    [
        ("write /x: no space left on device", MachineError, "disk is full"),
        (
            "docker.io/library/a:1: failed to resolve source metadata for docker.io/library/a:1: failed to do request: "
            'Head "https://r/v2/": dial tcp: lookup r: no such host',
            MachineError,
            "docker.io/library/a:1 cannot be reached",
        ),
        ("Cannot connect to the Docker daemon at unix:///x. Is it running?", NoEngineError, "Start it"),
        ("docker.io/library/a:1: failed to resolve source metadata: pull access denied", BuildFailedError, "login"),
    ],
)
def test_what_the_machine_lacks_is_told_from_what_the_dockerfile_lacks(
    tmp_path: Path, error: str, kind: type[Exception], remedy: str
) -> None:
    with pytest.raises(kind) as caught:
        run(tmp_path, engine(tmp_path, f"ERROR: failed to build: failed to solve: {error}"))
    assert type(caught.value) is kind
    assert remedy in caught.value.remedy  # type: ignore[attr-defined]


def test_options_reach_the_engine_as_words_that_no_shell_reads(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("")
    client = engine(tmp_path, code=0, known="t:x")
    run(
        tmp_path,
        client,
        target="two",
        build_args={"A": "$(touch /x) 'b"},
        secrets=[f"id=k,src={tmp_path}/key"],
        ssh=[f"default={tmp_path}/key"],
        no_cache=True,
        extra=["--provenance=false"],
    )
    words = (tmp_path / "arguments").read_text().splitlines()
    assert words[:2] == ["buildx", "build"]
    assert words[-2:] == ["--", str(tmp_path / "context")]
    for word in (
        "--build-arg=A=$(touch /x) 'b",
        f"--secret=id=k,src={tmp_path}/key",
        f"--ssh=default={tmp_path}/key",
        "--no-cache",
        "--provenance=false",
    ):
        assert word in words
    assert words[words.index("--target") + 1] == "two"


@pytest.mark.parametrize(
    ("metadata", "known", "image"),
    [
        ('{"containerimage.digest": "sha256:index"}', "sha256:index t:x", "id-of-sha256:index"),
        (
            '{"containerimage.digest": "sha256:m", "containerimage.config.digest": "sha256:config"}',
            "sha256:config t:x",
            "id-of-sha256:config",
        ),
        ("", "t:x", "id-of-t:x"),
    ],
)
def test_the_image_is_known_by_its_digest_with_every_store_and_driver(
    tmp_path: Path, metadata: str, known: str, image: str
) -> None:
    assert run(tmp_path, engine(tmp_path, code=0, metadata=metadata, known=known)).image == image


@pytest.mark.parametrize(
    "secret", ["src=/etc/hostname", "id=a,src=/no/such/file", "id=a,env=NO_SUCH_VARIABLE", "id=NONE_SUCH"]
)
def test_a_secret_that_is_not_there_is_refused(secret: str) -> None:
    with pytest.raises(BadInputError, match="secret"):
        check_secret(secret)


def test_a_secret_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "netrc").write_text("")
    monkeypatch.setenv("TOKEN", "x")
    for secret in (
        f"id=netrc,src={tmp_path}/netrc",
        f"type=file,id=a,source={tmp_path}/netrc",
        "id=a,env=TOKEN",
        "id=TOKEN",
    ):
        check_secret(secret)


def test_an_agent_that_does_not_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with pytest.raises(BadInputError, match="no SSH agent") as caught:
        check_ssh("default")
    assert "ssh-add" in caught.value.remedy
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    check_ssh("default")


STEP = "[build 5/7] RUN --mount=type=cache,target=/c {} uv sync"
NOT_FOUND = "cause: Because core was not found in the package registry"


@pytest.mark.parametrize(
    ("mounts", "log", "options"),
    [
        ("--mount=type=secret,id=TOKEN,env=TOKEN", NOT_FOUND, "--secret id=TOKEN,env=TOKEN"),
        ("--mount=type=secret,id=netrc,target=/root/.netrc", "401 Unauthorized", "--secret id=netrc,src=$HOME/.netrc"),
        ("--mount=type=ssh", "git@github.com: Permission denied (publickey).", "--ssh default"),
    ],
)
def test_a_step_without_its_secret_or_agent_says_what_to_give(
    tmp_path: Path, mounts: str, log: str, options: str
) -> None:
    said = failed_step(STEP.format(mounts), "exit code: 1", log)
    with pytest.raises(BuildFailedError) as caught:
        run(tmp_path, engine(tmp_path, *said, "ERROR: failed to solve: x"))
    assert caught.value.remedy.endswith(f"dockertpl verify {options}")


def test_a_given_secret_gets_no_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "x")
    said = failed_step(STEP.format("--mount=type=secret,id=TOKEN,env=TOKEN"), "exit code: 1", NOT_FOUND)
    with pytest.raises(BuildFailedError) as caught:
        run(tmp_path, engine(tmp_path, *said, "ERROR: failed to solve: x"), secrets=["id=TOKEN,env=TOKEN"])
    assert "--secret" not in caught.value.remedy
