"""What a build refuses, which steps it runs again after a change, and what its image must not contain."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import re
import stat
import tarfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.samples import sample

from dockertpl.engine import hints, probe

from . import host, service
from .bases import CA_BUNDLE, BaseImage

pytestmark = pytest.mark.engine

CANARY = "canary-7c1e5f0a"
FLAVORS = ("slim", "minimal", "distroless")
Images = dict[str, str]


@pytest.fixture(scope="module", autouse=True)
def _bases(base_images: Callable[..., dict[str, BaseImage]]) -> None:
    base_images(*service.BASES)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packaged application with secrets in its folder. Its build also needs the readme."""
    folder = sample.write_sample(
        tmp_path_factory.mktemp("bad") / "orders", manager="uv", layout="package-src", server="uvicorn"
    )
    for name in (".env", ".env.production", "src/orders/.env", "deploy.key", ".netrc"):
        path = folder / name
        path.write_text(f"PASSWORD={CANARY}\n")
    return folder


@pytest.fixture(scope="module")
def images(docker: host.Engine, project: Path) -> Iterator[Images]:
    """The project and its stage "dev" in each flavor, built with a netrc and a bundle as secrets."""
    netrc, bundle = project.parent / "netrc", project.parent / "bundle.pem"
    netrc.write_text(f"machine index.example.invalid login orders password {CANARY}\n")
    bundle.write_text(f"# {CANARY}\n{CA_BUNDLE.read_text()}")
    secrets = [f"--secret=id=netrc,src={netrc}", f"--secret=id=ca,src={bundle}"]
    result = {}
    for flavor in FLAVORS:
        _scaffold(project, "-d", f"flavor={flavor}", "-d", "private_index=true", "-d", "behind_proxy=true")
        result[flavor] = f"dockertpl-test:{flavor}"
        done = service.build(docker, project, tag=result[flavor], options=secrets)
        assert done.code == 0, done.log
    result["dev"] = "dockertpl-test:dev"
    done = service.build(docker, project, tag=result["dev"], target="dev", options=secrets)
    assert done.code == 0, done.log
    yield result
    docker.run("image", "rm", *result.values())


def _scaffold(folder: Path, *options: str) -> None:
    """Render again, over the earlier files."""
    for name in ("Dockerfile", ".dockerignore", ".copier-answers.yml", ".github/workflows/orders-image.yml"):
        (folder / name).unlink(missing_ok=True)
    service.new(folder, *options)


# --- conventions that do not hold ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("pyproject.toml", r"change the answer `manager` \(uv\)(.|\n)*\"/pyproject\.toml\": not found"),
        ("uv.lock", r"change the answer `manager` \(uv\)(.|\n)*\"/uv\.lock\": not found"),
        ("app/main.py", r"the answer `app` \(app\.main:app\)(.|\n)*\"/app/main\.py\": not found"),
    ],
)
def test_a_convention_that_does_not_hold_is_named_with_the_answer_to_change(
    missing: str, message: str, docker: host.Engine, tmp_path: Path
) -> None:
    folder = tmp_path / "orders"
    sample.write_sample(folder, manager="uv", layout="flat", server="uvicorn", package="app")
    (folder / missing).unlink()
    service.new(folder, "--no-detect")
    done = service.build(docker, folder)
    assert done.code != 0
    assert re.search(message, done.log), done.log
    assert max(map(len, done.log.splitlines())) <= 200


def test_a_server_that_is_not_a_dependency_is_named(docker: host.Engine, tmp_path: Path) -> None:
    folder = tmp_path / "orders"
    sample.write_sample(folder, manager="uv", layout="flat", server="uvicorn", package="app")
    service.new(folder, "--no-detect", "-d", "server=hypercorn")
    code, facts = service.dockertpl("verify", str(folder))
    assert (code, facts["built"], facts["healthy"]) == (1, True, False)
    assert "hypercorn" in facts["error"]["message"]
    assert "dockertpl update -d server=" in facts["error"]["remedy"]


STALE = {
    "uv": r"lockfile .*needs to be updated",
    "poetry": r"changed significantly since poetry\.lock was last generated",
    "pdm": r"[Ll]ock ?file.* (hash|content).*(doesn't match|not match|outdated)|outdated",
    "pipenv": r"Pipfile\.lock.*out\s+of\s+date",
    "pip-compiled": r"requirements\.txt is stale: compile it again from requirements\.in",
}

RELOCKS = {"uv": "uv lock", "poetry": "poetry lock", "pdm": "pdm lock --update-reuse", "pipenv": "pipenv lock"}


@pytest.mark.parametrize("manager", STALE)
def test_a_stale_lock_fails_the_build_and_is_called_stale(manager: str, docker: host.Engine, tmp_path: Path) -> None:
    folder = sample.write_sample(tmp_path / "orders", manager=manager, layout="flat", server="uvicorn")
    manifest = next(
        path for name in ("Pipfile", "requirements.in", "pyproject.toml") if (path := folder / name).exists()
    )
    text = manifest.read_text()
    line = next(line for line in text.splitlines() if "orjson" in line)
    added = line.replace("orjson", "tabulate").replace("3.10", "0.9")
    manifest.write_text(text.replace(line, f"{line}\n{added}"))
    service.new(folder)
    if manager == "pip-compiled":
        # The package that the lock lacks is then in the build cache, and must not come from there.
        stale = (folder / "requirements.txt").read_text()
        sample.relock(folder, manager)
        assert service.build(docker, folder, target="build").code == 0
        (folder / "requirements.txt").write_text(stale)
    done = service.build(docker, folder, target="build")
    assert done.code != 0
    assert re.search(STALE[manager], " ".join(done.log.split())), done.log
    if manager != "pip-compiled":
        hint = hints.find(done.log.splitlines(), "build")
        assert hint and hint.text.endswith(f"\n  {RELOCKS[manager]}"), done.log


# --- what a change runs again ----------------------------------------------------------------------------------------


def _change(file: Path) -> None:
    """Make a change that is new to every build."""
    file.write_text(f"{file.read_text()}\n# {uuid.uuid4()}\n")


def test_a_change_of_the_readme_misses_no_step(docker: host.Engine, project: Path, images: Images) -> None:
    (project / "README.md").write_text("# Orders\n\nNow with crêpes.\n")
    assert service.build(docker, project, tag=images["distroless"]).ran == ()


def test_a_change_of_the_code_runs_the_code_s_steps_alone(docker: host.Engine, project: Path, images: Images) -> None:
    _change(project / "src" / "orders" / "main.py")
    done = service.build(docker, project, tag=images["distroless"])
    assert done.code == 0, done.log
    stages = [name.partition("]")[0].split()[0].strip("[") for name in done.ran]
    assert {stage for stage in stages if stage != "prod"} == {"code"}, done.ran
    copies = {name.partition("--link ")[2] for name in done.ran if name.startswith("[prod")}
    # At most, the metadata has the date of another file. Dependencies are not copied or pushed.
    code, metadata = "--from=code /app /app", "--from=code /project /opt/venv"
    assert {code} <= copies <= {code, metadata}


@pytest.mark.parametrize(("options", "copies"), [((), 1), (("-d", "check_app=true"), 2)])
def test_a_change_of_code_that_is_not_packaged_runs_its_copies_alone(
    options: tuple[str, ...], copies: int, docker: host.Engine, tmp_path: Path
) -> None:
    folder = sample.write_sample(tmp_path / "orders", manager="uv", layout="flat", server="uvicorn")
    service.new(folder, *options)
    assert service.build(docker, folder).code == 0
    (folder / "README.md").write_text("# Orders\n\nNow with crêpes.\n")
    (folder / "tests" / "test_prices.py").unlink()
    assert service.build(docker, folder).ran == ()
    _change(folder / "orders" / "main.py")
    ran = service.build(docker, folder).ran
    assert len(ran) == copies, ran
    copy = r"^\[prod \d+/\d+\] COPY (--chmod=u=rwX,go=rX \. \.|--link orders/main\.py orders/main\.py)$"
    assert all(re.search(copy, name) for name in ran), ran


# --- what the image does not hold ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FLAVORS, "dev"])
def test_no_secret_and_no_env_file_is_in_a_layer(
    name: str, docker: host.Engine, images: Images, tmp_path: Path
) -> None:
    archive = tmp_path / "image.tar"
    docker.run("save", "--output", str(archive), images[name])
    found = [path for path, content in _blobs(archive) if CANARY.encode() in content]
    assert found == []


def _blobs(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Yield each blob of a saved image, with its configuration and history, and unpack layers."""
    with tarfile.open(archive) as outer:
        for member in outer:
            file = outer.extractfile(member)
            if file:
                content = file.read()
                yield member.name, gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


@pytest.fixture(scope="module", params=FLAVORS)
def files(
    request: pytest.FixtureRequest, docker: host.Engine, images: Images, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, dict[str, tarfile.TarInfo]]:
    """A flavor, and the files of its image by path."""
    archive = tmp_path_factory.mktemp("files") / "root.tar"
    container = docker.output("create", images[request.param])
    docker.run("export", "--output", str(archive), container)
    docker.run("rm", container)
    with tarfile.open(archive) as root:
        return request.param, {f"/{member.name}": member for member in root}


Files = tuple[str, dict[str, tarfile.TarInfo]]


def _named(files: Files, pattern: str) -> list[str]:
    return [path for path, member in files[1].items() if not member.isdir() and re.fullmatch(pattern, path)]


def test_no_build_tool_is_in_the_image(files: Files) -> None:
    tools = r"uv|uvx|poetry|pdm|pipenv|(.*-)?(gcc|cc|g\+\+|c\+\+|ld|as|strip|objdump|make)(-[0-9.]+)?"
    assert _named(files, rf".*/s?bin/({tools})") == []


def test_pip_is_in_the_image_only_where_the_official_python_brings_it(files: Files) -> None:
    pip = _named(files, r".*/bin/pip[0-9.]*|.*/(site|dist)-packages/(pip|setuptools)/.*|.*/ensurepip/.*")
    assert bool(pip) == (files[0] == "slim")
    assert [path for path in pip if not path.startswith("/usr/local/")] == []


def test_no_shell_is_in_the_distroless_image(files: Files) -> None:
    shells = _named(files, r".*/bin/(sh|bash|dash|ash|busybox|perl)")
    assert bool(shells) == (files[0] != "distroless")


def test_the_application_belongs_to_root_and_no_other_user_may_write(files: Files) -> None:
    ours = {path: member for path, member in files[1].items() if re.match(r"/(app|opt/venv)(/|$)", path)}
    assert "/app/src/orders/data/menu.json" in ours
    assert [path for path, member in ours.items() if (member.uid, member.gid) != (0, 0)] == []
    writable = stat.S_IWGRP | stat.S_IWOTH
    assert [path for path, member in ours.items() if not member.issym() and member.mode & writable] == []


def test_the_dependencies_and_the_standard_library_are_compiled(files: Files) -> None:
    library = "/opt/venv/lib/python3.13/site-packages/fastapi"
    assert len(_named(files, rf"{library}/.*\.pyc")) == len(_named(files, rf"{library}/.*\.py")) > 20
    library = "/usr/local/lib/python3.13"
    sources = set(_named(files, rf"{library}/(?!test/|idlelib/|tkinter/|site-packages/).*\.py"))
    cached = _named(files, rf"{library}/.*\.pyc")
    compiled = {re.sub(r"/__pycache__/(.*)\.cpython-313\.pyc$", r"/\1.py", path) for path in cached}
    assert len(sources) > 400
    assert compiled - {path for path in compiled if "/site-packages/" in path} == sources


def test_tests_and_development_s_files_stay_outside(files: Files) -> None:
    assert _named(files, r"/app/(tests/.*|\.git/.*|Dockerfile|README\.md|\.copier-answers\.yml)") == []


@pytest.mark.parametrize("layout", ["flat", "package-flat"])
def test_modes_of_the_checkout_do_not_matter(layout: str, docker: host.Engine, tmp_path: Path) -> None:
    """One was made under a strict umask, one on a file system that knows no modes."""
    folder = sample.write_sample(tmp_path / "orders", manager="uv", layout=layout, server="uvicorn")
    service.new(folder)
    for path in (folder / "orders").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    main, data = folder / "orders" / "main.py", folder / "orders" / "data"
    main.chmod(0o666)
    data.chmod(0o777)
    done = service.build(docker, folder, tag="dockertpl-test:modes")
    assert done.code == 0, done.log
    with service.running("dockertpl-test:modes") as running:
        assert len(running.json("/menu")) == 2
        writable = docker.output("exec", running.name, "find", "/app", "-not", "-type", "l", "-perm", "/022")
    assert writable == ""
    docker.run("image", "rm", "dockertpl-test:modes")


# --- twice the same --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flavor", ["slim", *(pytest.param(flavor, marks=pytest.mark.full) for flavor in ("minimal", "distroless"))]
)
def test_two_builds_of_one_source_give_one_digest(flavor: str, docker: host.Engine, tmp_path: Path) -> None:
    # Not for a package: uv writes the installation time into its metadata.
    folder = sample.write_sample(tmp_path / "orders", manager="uv", layout="flat", server="uvicorn")
    _scaffold(folder, "-d", f"flavor={flavor}")
    archives = [tmp_path / f"{number}.tar" for number in (1, 2)]
    for archive in archives:
        output = f"--output=type=oci,dest={archive},rewrite-timestamp=true"
        options = ["--no-cache", "--provenance=false", "--build-arg=SOURCE_DATE_EPOCH=1700000000", output]
        done = service.build(docker, folder, options=options)
        assert done.code == 0, done.log
    assert _digest(archives[0]) == _digest(archives[1]), _differences(*archives)


def _digest(archive: Path) -> str:
    with tarfile.open(archive) as outer:
        file = outer.extractfile("index.json")
        assert file
        return str(json.load(file)["manifests"][0]["digest"])


def _differences(one: Path, other: Path) -> list[str]:
    """Return the files that differ between the layers of two images, to debug a failure."""
    first, second = (
        {content for path, content in _blobs(archive) if path.startswith("blobs/")} for archive in (one, other)
    )
    texts = [sorted(_members(content) for content in blobs) for blobs in (first - second, second - first)]
    left, right = ({entry for blob in blobs for entry in blob} for blobs in texts)
    return sorted({path for path, _ in left ^ right})


def _members(layer: bytes) -> list[tuple[str, str]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(layer)) as members:
            return [
                (member.name, f"{hashlib.sha256(file.read()).hexdigest()[:12] if file else '-'} {member.get_info()}")
                for member in members
                for file in [members.extractfile(member) if member.isreg() else None]
            ]
    except tarfile.TarError:
        return []  # the manifest and the configuration differ when a layer does


# --- the probe -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "code"), [(200, 0), (204, 0), (302, 1), (404, 1), (500, 1), (503, 1)])
def test_the_probe_fails_on_a_bad_status(status: int, code: int, docker: host.Engine, images: Images) -> None:
    command = json.loads(
        docker.output("image", "inspect", "--format", "{{json .Config.Healthcheck.Test}}", images["slim"])
    )
    assert command[0] == "CMD"
    environment = {"ORDERS_HEALTH_STATUS": str(status)}
    with service.running(images["slim"], environment, healthy=code == 0) as running:
        done = docker.run("exec", running.name, *command[1:], check=False)
    assert done.returncode == code, done.stdout + done.stderr


def test_without_a_health_route_any_answer_below_500_is_healthy(docker: host.Engine, project: Path) -> None:
    tag = f"dockertpl-test:{os.getpid()}"
    _scaffold(project, "-d", "health_path=")
    assert service.build(docker, project, tag=tag).code == 0
    with service.running(tag) as running:
        assert probe.ask(running.port, "/").status == 404
    docker.run("image", "rm", tag)
