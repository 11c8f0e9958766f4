"""The choice of the docker client, and the error without a usable one. Every docker here is a script."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.engine import client
from dockertpl.errors import MachineError, NoEngineError

BUILDX = "github.com/docker/buildx v0.29.1 abc"
GOOD = '{"Client": {"Version": "20.1"}, "Server": {"Version": "28.5.2+dfsg4"}}'

Docker = Callable[..., str]


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    """Write a docker with this output into a new folder, and return the folder."""

    def write(folder: str, *, buildx: str = BUILDX, version: str = GOOD, complaint: str = "", other: str = "") -> str:
        path = tmp_path / folder / "docker"
        path.parent.mkdir()
        path.write_text(
            "#!/bin/sh\n"
            f'case "$1" in\n'
            f"  buildx) [ -n '{buildx}' ] || exit 1; echo '{buildx}';;\n"
            f"  version) echo '{version}'; echo '{complaint}' >&2; [ -z '{complaint}' ];;\n"
            f"  *) {other or 'exit 0'};;\n"
            "esac\n"
        )
        path.chmod(0o755)
        return str(path.parent)

    return write


def fails(*folders: str, **environment: str) -> NoEngineError:
    with pytest.raises(NoEngineError) as caught:
        client.find({"PATH": ":".join(folders), **environment})
    assert caught.value.exit_code == 3
    assert caught.value.remedy
    return caught.value


def test_an_old_docker_before_it_on_path_is_passed_over(docker: Docker) -> None:
    found = client.find({"PATH": f"{docker('old', buildx='')}:/nowhere:{docker('new')}"})
    assert found.executable.endswith("/new/docker")
    assert (found.engine_version, found.buildx_version) == ("28.5.2+dfsg4", "0.29.1")


def test_a_variable_names_the_one_to_use(docker: Docker) -> None:
    named = f"{docker('named')}/docker"
    assert client.find({"PATH": docker("first"), "DOCKERTPL_DOCKER": named}).executable == named
    assert "/no/docker" in fails(docker("other"), DOCKERTPL_DOCKER="/no/docker").message


def test_no_docker_at_all(tmp_path: Path) -> None:
    error = fails(str(tmp_path))
    assert "no docker command is on PATH" in error.message
    assert "Install Docker Engine 25" in error.remedy


def test_no_buildx(docker: Docker) -> None:
    assert "has no buildx" in fails(docker("a", buildx="")).message


@pytest.mark.parametrize(
    "complaint",
    [
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct",
    ],
)
def test_an_engine_that_does_not_run(docker: Docker, complaint: str) -> None:
    error = fails(docker("a", version='{"Server": null}', complaint=complaint))
    assert "cannot connect at unix:///var/run/docker.sock." in error.message
    assert "systemctl start docker" in error.remedy


@pytest.mark.parametrize(
    "complaint",
    [
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
        "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock",
    ],
)
def test_a_socket_that_is_not_ours(docker: Docker, complaint: str) -> None:
    error = fails(docker("a", version='{"Server": null}', complaint=complaint))
    assert "permission denied" in error.message
    assert "group docker" in error.remedy


def test_an_engine_that_is_too_old(docker: Docker) -> None:
    error = fails(docker("a", version='{"Server": {"Version": "24.0.9"}}'))
    assert "24.0.9, but HEALTHCHECK --start-interval needs 25.0 or newer" in error.message
    assert "start-interval" in error.message


def test_a_buildx_that_is_too_old(docker: Docker) -> None:
    assert (
        "0.12.1, but --progress=rawjson needs 0.13 or newer"
        in fails(docker("a", buildx="github.com/docker/buildx v0.12.1 x")).message
    )


def test_of_several_attempts_the_one_that_got_furthest_is_reported(docker: Docker) -> None:
    old = docker("old", version='{"Server": {"Version": "24.0.9"}}')
    assert "24.0.9" in fails(docker("bare", buildx=""), old, docker("bare2", buildx="")).message


def test_nonsense_from_docker_does_not_cause_a_traceback(docker: Docker) -> None:
    assert "reaches no engine" in fails(docker("a", version="what?")).message


def test_a_failed_call_says_what_the_engine_said(docker: Docker) -> None:
    found = client.find({"PATH": docker("a", other="echo 'Error response from daemon: no such image: x' >&2; exit 1")})
    with pytest.raises(MachineError, match=r"`docker image inspect` failed: no such image: x"):
        client.call(found, "image", "inspect", "x")
    assert client.call(found, "image", "inspect", "x", check=False).code == 1


def test_an_engine_that_stops_or_hangs_is_not_available(docker: Docker) -> None:
    gone = client.find(
        {"PATH": docker("a", other="echo 'Cannot connect to the Docker daemon at tcp://x:1.' >&2; exit 1")}
    )
    with pytest.raises(NoEngineError, match="tcp://x:1"):
        client.call(gone, "info")
    hangs = client.find({"PATH": docker("b", other="exec sleep 60")})
    with pytest.raises(NoEngineError, match="did not answer"):
        client.call(hangs, "info", timeout=0.1)


def test_output_that_is_no_utf8_is_kept(docker: Docker) -> None:
    found = client.find({"PATH": docker("a", other=r"printf 'a\377b'")})
    assert client.call(found, "logs").stdout == "a\ufffdb"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("v0.29.1+ds1", (0, 29, 1)), ("28.5.2", (28, 5, 2)), ("25.0.0-rc.1", (25, 0, 0)), ("none", ())],
)
def test_versions_are_read_as_engines_write_them(text: str, numbers: tuple[int, ...]) -> None:
    assert client.version(text) == numbers
