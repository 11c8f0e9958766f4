"""Build a sandbox with every component, and run its deep check as its user with strict options.

Debian, its Chromium, s3fs, FUSE, Python and Node are real. The AWS CLI and Mountpoint are stand-ins, since they cannot
be downloaded here. Their archives have the same form and are signed with test keys (tests/engine/vendors.py).
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from . import bases, host
from .service import SANDBOX_BASES, Build, build, dockertpl
from .vendors import Vendors, serving

pytestmark = pytest.mark.engine

STRICT = ["--read-only", "--tmpfs=/tmp:exec", "--cap-drop=ALL", "--memory=2g", "--pids-limit=512"]
UNPRIVILEGED = "--security-opt=no-new-privileges"
FUSE = ["--cap-add=SYS_ADMIN", "--security-opt=apparmor=unconfined"]
KEYS = ["--env=AWS_ACCESS_KEY_ID=test", "--env=AWS_SECRET_ACCESS_KEY=test", "--env=AWS_REGION=us-east-1"]
# The guide's sandbox, and common additions.
EVERYTHING = {
    "distribution": "debian:trixie-slim",
    "aws_cli": True,
    "s3_mount": "mountpoint",
    # The stand-in of Mountpoint mounts with it.
    "runtime_packages": ["s3fs"],
    "sudo": True,
    "app_files": ["."],
}


@pytest.fixture(scope="module")
def vendors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vendors]:
    with serving(tmp_path_factory.mktemp("vendors")) as served:
        yield served


def _build(docker: host.Engine, folder: Path, vendors: Vendors, tag: str = "", target: str = "") -> Build:
    options = ["--network=host", *(f"--build-arg={argument}" for argument in vendors.arguments)]
    # Build the stage without the cache, since the engine may have fetched its downloads before.
    options += [f"--no-cache-filter={target}"] if target else []
    return build(docker, folder, tag=tag, target=target, options=options)


@pytest.fixture(scope="module")
def everything(
    docker: host.Engine,
    base_images: Callable[..., dict[str, bases.BaseImage]],
    vendors: Vendors,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, Path]]:
    """An image with every component, and the folder of its build."""
    base_images(*SANDBOX_BASES)
    folder = tmp_path_factory.mktemp("sandbox")
    vendors.scaffold(folder, **EVERYTHING)
    (folder / "agent.py").write_text("print('at work')\n")
    tag = "dockertpl-test/sandbox:everything"
    done = _build(docker, folder, vendors, tag)
    assert done.code == 0, done.log
    yield tag, folder
    docker.run("rmi", "--force", tag)


def _run(
    docker: host.Engine, image: str, *words: str, options: list[str], uid: int = 1000
) -> subprocess.CompletedProcess[str]:
    """Run a command in a container, and remove the container."""
    home = f"--tmpfs=/home/sandbox:exec,uid={uid},gid={uid}"
    return docker.run("run", "--rm", *STRICT, home, *options, image, *words, check=False, timeout=240)


@pytest.fixture(scope="module")
def fuse(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the option that gives a container /dev/fuse with udev's mode. Not every machine runs udev."""
    device = tmp_path_factory.mktemp("devices") / "fuse"
    os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(10, 229))
    device.chmod(0o666)
    return f"--device={device}:/dev/fuse"


@pytest.fixture(scope="module")
def bucket() -> Iterator[str]:
    """The address of an S3 server on loopback with the bucket "things"."""
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout
        line = next(line for line in server.stdout if "Running on http" in line)
        address = line.split("Running on ")[1].split()[0]
        with urllib.request.urlopen(urllib.request.Request(f"{address}/things", method="PUT"), timeout=20):
            pass
        yield address
        server.terminate()


def test_everything_works_inside_as_the_user(
    docker: host.Engine, everything: tuple[str, Path], bucket: str, fuse: str
) -> None:
    told = [
        fuse,
        *FUSE,
        *KEYS,
        "--network=host",
        "--env=HEALTHCHECK_BUCKET=things",
        f"--env=HEALTHCHECK_ENDPOINT={bucket}",
    ]
    seccomp = f"--security-opt=seccomp={next((everything[1] / 'deploy').glob('*/seccomp.json'))}"
    done = _run(docker, everything[0], "healthcheck", "--deep", options=[*told, seccomp])
    assert done.returncode == 0, done.stdout + done.stderr
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": " in line)
    assert said["python"] == "[3, 45]"
    assert said["node"] == "1,4,9"
    assert said["aws"].startswith("aws-cli/2")
    assert "in its own sandbox" in said["browser"]
    assert len(said["bucket"]) == 16
    assert _run(docker, everything[0], "id", "-u", options=[]).stdout.strip() == "1000"


def test_all_but_the_mount_works_as_strictly_as_can_be(docker: host.Engine, everything: tuple[str, Path]) -> None:
    done = _run(docker, everything[0], "healthcheck", "--deep", options=[UNPRIVILEGED, "--network=none"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "with --no-sandbox" in done.stdout
    # With the seccomp profile of the image, the browser has its sandbox, and nothing else is looser.
    seccomp = f"--security-opt=seccomp={next((everything[1] / 'deploy').glob('*/seccomp.json'))}"
    done = _run(docker, everything[0], "healthcheck", "--deep", options=[UNPRIVILEGED, "--network=none", seccomp])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "in its own sandbox" in done.stdout


def test_what_the_user_installs_goes_into_the_home(docker: host.Engine, everything: tuple[str, Path]) -> None:
    script = (
        "pip install --quiet --no-cache-dir idna && python -c 'import idna; print(idna.__file__)'"
        " && npm install --silent --global is-number && ls ~/.local/lib/node_modules"
    )
    done = _run(docker, everything[0], "bash", "-c", script, options=[UNPRIVILEGED, "--network=host"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert "/home/sandbox/.local/" in done.stdout
    assert "is-number" in done.stdout


def test_sudo_is_a_mode_of_its_own(docker: host.Engine, everything: tuple[str, Path]) -> None:
    needs = [f"--cap-add={name}" for name in ("SETUID", "SETGID", "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER")]
    assert _run(docker, everything[0], "sudo", "id", "-u", options=needs).stdout.strip() == "0"
    refused = _run(docker, everything[0], "sudo", "id", "-u", options=[*needs, UNPRIVILEGED])
    assert refused.returncode != 0
    assert "no new privileges" in refused.stderr


@pytest.mark.full
def test_what_else_can_be_chosen_works_too(
    docker: host.Engine, base_images: Callable[..., Any], vendors: Vendors, bucket: str, fuse: str, tmp_path: Path
) -> None:
    base_images(*SANDBOX_BASES)
    vendors.scaffold(
        tmp_path,
        distribution="debian:trixie-slim",
        tools=["go", "java", "r", "bun"],
        browser="chromium",
        fonts="cjk",
        s3_mount="s3fs",
        pip_packages=["idna==3.10"],
        npm_packages=["is-number"],
        user_id=10001,
        name="others",
    )
    done = _build(docker, tmp_path, vendors, tag := "dockertpl-test/sandbox:others")
    assert done.code == 0, done.log
    told = [fuse, *FUSE, *KEYS, "--network=host", "--env=HEALTHCHECK_BUCKET=things"]
    script = "healthcheck --deep; go version; javac --version; Rscript --version; bun --version; pip show idna"
    command = ["bash", "-ec", script]
    ran = _run(docker, tag, *command, options=[*told, f"--env=HEALTHCHECK_ENDPOINT={bucket}"], uid=10001)
    docker.run("rmi", "--force", tag)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_it_is_verified_like_every_image(base_images: Callable[..., Any], vendors: Vendors, tmp_path: Path) -> None:
    base_images(*SANDBOX_BASES)
    (app := tmp_path / "sandbox").mkdir()
    vendors.scaffold(app, distribution="debian:trixie-slim", tools=["git"], browser="none", name="small")
    code, facts = dockertpl("verify", str(app))
    assert code == 0, facts
    assert facts["healthy"]
    assert facts["read_only"]
    assert facts["uid"] == 1000
    assert facts["ready_seconds"] > 0
    assert facts["stop_seconds"] < 2


def test_a_change_of_the_application_makes_its_layer_alone(
    docker: host.Engine, everything: tuple[str, Path], vendors: Vendors
) -> None:
    image, folder = everything
    before = _layers(docker, image)
    (folder / "agent.py").write_text(f"print('{os.urandom(8).hex()}')\n")  # new to every engine
    (folder / "README.md").write_text("# Changed\n")
    done = _build(docker, folder, vendors, f"{image}-changed")
    after = _layers(docker, f"{image}-changed")
    docker.run("rmi", "--force", f"{image}-changed")
    ran = [step.partition("] ")[2] for step in done.ran if "COPY" in step or "RUN" in step]
    assert ran == ["COPY --chmod=u=rwX,go=rX . /app/"]
    assert [one != other for one, other in zip(before, after, strict=True)].count(True) == 1


def _layers(docker: host.Engine, image: str) -> list[str]:
    format_ = "{{range .RootFS.Layers}}{{.}} {{end}}"
    return docker.run("image", "inspect", "--format", format_, image).stdout.split()


FILES = {"aws-cli": "aws-cli.zip", "mountpoint": "mountpoint.tar.gz"}
NO_KEY = "Can't check signature: No public key"


@pytest.mark.parametrize("artifact", FILES)
@pytest.mark.parametrize(
    ("fault", "recorded", "said"),
    [
        (Vendors.tampered, True, "{file}: FAILED"),
        # Without a recorded checksum, only the signature protects the download.
        (Vendors.tampered, False, "BAD signature from"),
        (Vendors.signed_by_another, True, NO_KEY),
    ],
    ids=["one byte", "one byte, no checksum", "another's signature"],
)
def test_what_is_not_the_vendor_s_stops_the_build(
    artifact: str,
    fault: Callable[[Vendors, str], AbstractContextManager[None]],
    recorded: bool,
    said: str,
    docker: host.Engine,
    base_images: Callable[..., Any],
    vendors: Vendors,
    tmp_path: Path,
) -> None:
    base_images(*SANDBOX_BASES)
    vendors.scaffold(tmp_path, **EVERYTHING)
    if not recorded:
        dockerfile = tmp_path / "Dockerfile"
        dockerfile.write_text(re.sub(r"sha256=[0-9a-f]{64}", "sha256=", dockerfile.read_text()))
    with fault(vendors, artifact):
        done = _build(docker, tmp_path, vendors, target=artifact)
    assert done.code != 0
    assert said.format(file=FILES[artifact]) in done.log
    assert FILES[artifact] in done.log


@pytest.mark.parametrize("artifact", FILES)
def test_a_key_that_has_expired_still_proves_what_it_signed(
    artifact: str, docker: host.Engine, base_images: Callable[..., Any], vendors: Vendors, tmp_path: Path
) -> None:
    base_images(*SANDBOX_BASES)
    vendors.scaffold(tmp_path, **EVERYTHING)
    expired = vendors.expired(artifact)
    dockerfile = tmp_path / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(vendors.certificate(artifact), expired))
    with vendors.publishing(expired):
        done = _build(docker, tmp_path, vendors, target=artifact)
    assert done.code == 0, done.log


def test_a_key_that_was_revoked_proves_nothing(
    docker: host.Engine, base_images: Callable[..., Any], vendors: Vendors, tmp_path: Path
) -> None:
    base_images(*SANDBOX_BASES)
    vendors.scaffold(tmp_path, **EVERYTHING)
    with vendors.publishing(vendors.revoked("mountpoint")):
        done = _build(docker, tmp_path, vendors, target="mountpoint")
    assert done.code != 0
    assert "This key has been revoked by its owner!" in done.log


@pytest.mark.parametrize("revoked", [False, True], ids=["signed by it", "signed by a revoked one as well"])
def test_a_mirror_cannot_add_a_key(
    revoked: bool, docker: host.Engine, base_images: Callable[..., Any], vendors: Vendors, tmp_path: Path
) -> None:
    base_images(*SANDBOX_BASES)
    vendors.scaffold(tmp_path, **EVERYTHING)
    besides = [vendors.keys["mountpoint"]] if revoked else []
    right = vendors.revoked("mountpoint") if revoked else vendors.certificate("mountpoint")
    with vendors.signed_by_another("mountpoint", *besides) as another, vendors.publishing(another, right):
        done = _build(docker, tmp_path, vendors, target="mountpoint")
    assert done.code != 0
    assert NO_KEY in done.log


def test_a_mirror_that_has_nothing_is_named(
    docker: host.Engine, base_images: Callable[..., Any], vendors: Vendors, tmp_path: Path
) -> None:
    base_images(*SANDBOX_BASES)
    vendors.scaffold(tmp_path, **EVERYTHING)
    words = ["--target=aws-cli", "--network=host", f"--build-arg=AWS_CLI_MIRROR={vendors.url}/nothing", str(tmp_path)]
    done = docker.run("buildx", "build", "--progress=plain", *words, check=False)
    assert done.returncode != 0
    # The command with the whole URL, curl's message, and the comment above the step.
    assert f"-o aws-cli.zip {vendors.url}/nothing/awscli-exe-linux-x86_64-" in done.stderr
    assert "curl: (22) The requested URL returned error: 404" in done.stderr
    assert "# Not found? Name a mirror with --build-arg AWS_CLI_MIRROR=URL." in done.stderr
    assert max(map(len, done.stderr.split("ERROR: failed to build")[-1].splitlines())) < 120
