"""Promises of the base images of the tests, above all of the stand-ins for official images."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from . import bases, emulation, host

BaseImages = Callable[..., dict[str, bases.BaseImage]]
engine = pytest.mark.engine

SLIM = "debian:trixie-slim"
PYTHON = "python:3.13-slim-trixie"
PYTHONS = {PYTHON: "3.13", "python:3.11-slim-bookworm": "3.11"}
NODE = "node:26-trixie-slim"


class EngineWith(host.Engine):
    """An engine with some images. It records commands instead of running them."""

    def __init__(self, **labels: dict[str, str]) -> None:
        super().__init__(docker="docker")
        object.__setattr__(self, "labels", {name.replace("__", ":"): value for name, value in labels.items()})
        object.__setattr__(self, "asked", [])

    labels: dict[str, dict[str, str]]
    asked: list[str]

    def run(self, *args: str, **_: object) -> subprocess.CompletedProcess[str]:
        self.asked.append(" ".join(args[:2]))
        if args[:2] == ("image", "inspect"):
            known = args[-1] in self.labels
            found = json.dumps({"Id": "sha256:1", "Config": {"Labels": self.labels.get(args[-1])}})
            return subprocess.CompletedProcess(args, 0 if known else 1, found, "")
        return subprocess.CompletedProcess(args, 1, "", "no such host")


@pytest.fixture(autouse=True)
def _no_registry_was_asked_yet() -> None:
    bases._registries().clear()


def test_every_stand_in_is_based_on_another() -> None:
    specs = bases.catalog().specs
    assert all(need in specs for spec in specs.values() for need in spec.needs)


def test_what_joins_a_stand_in_is_of_a_platform_and_made_on_request() -> None:
    specs = bases.catalog().specs
    joining = [spec for spec in specs.values() if spec.joins]
    assert joining
    for spec in joining:
        assert spec.joins in specs
        assert spec.platform
        assert spec.on_request
        assert bases.catalog().joining(spec.joins, spec.platform) == spec


def test_an_image_that_is_there_is_used_as_it_is() -> None:
    fake = EngineWith(python__3={})
    assert bases.ensure(["python:3"], engine=fake) == {"python:3": bases.BaseImage("python:3", False, "sha256:1")}
    assert fake.asked == ["image inspect"]


def test_an_outdated_stand_in_is_built_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = EngineWith(**{SLIM: {bases.LABEL: "true", bases.RECIPE_LABEL: "old"}})
    made: list[str] = []
    monkeypatch.setattr(bases, "_load", lambda engine, spec: False)
    monkeypatch.setattr(bases, "_build", lambda engine, spec: made.append(spec.name))
    monkeypatch.setattr(bases, "_save", lambda engine, spec: None)
    assert bases.ensure([SLIM], engine=fake)[SLIM].standin
    assert made == [SLIM]


def test_a_registry_that_does_not_answer_is_asked_once() -> None:
    fake = EngineWith()
    for name in ("nothing:1", "nothing:2"):
        with pytest.raises(bases.BaseImageError, match=name):
            bases.ensure([name], engine=fake)
    assert fake.asked.count("buildx imagetools") == 1


@pytest.fixture
def _emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulation, "ensure", lambda wanted: None)
    monkeypatch.setattr(emulation, "is_native", lambda wanted: False)


@pytest.mark.usefixtures("_emulated")
def test_another_platform_of_an_image_that_was_pulled_is_its_registry_s() -> None:
    fake = EngineWith(**{PYTHON: {}})
    bases.ensure_platform("linux/arm64", [PYTHON], engine=fake)
    assert set(fake.asked) == {"image inspect"}


@pytest.mark.usefixtures("_emulated")
def test_a_stand_in_that_has_no_other_platform_is_named() -> None:
    recipe = bases._recipe_hash(bases.catalog().specs[PYTHON])
    fake = EngineWith(**{PYTHON: {bases.LABEL: "true", bases.RECIPE_LABEL: recipe}})
    with pytest.raises(bases.BaseImageError, match=rf"{PYTHON} for linux/riscv64"):
        bases.ensure_platform("linux/riscv64", [PYTHON], engine=fake)


@engine
def test_a_slim_debian_has_no_manuals_and_its_sources_in_the_usual_file(
    docker: host.Engine, base_images: BaseImages
) -> None:
    base_images(SLIM)
    script = "find /usr/share/man /usr/share/locale -type f -name '*.gz' -o -name '*.mo'; ls /etc/apt/sources.list.d"
    assert docker.output("run", "--rm", SLIM, "sh", "-c", script) == "debian.sources"


FACTS = """
import json, os, pathlib, pip, ssl, sqlite3, sys, sysconfig
standard = pathlib.Path(sysconfig.get_path("stdlib"))
print(json.dumps({
    "version": sysconfig.get_python_version(),
    "executable": sys.executable,
    "standard": str(standard),
    "packages": sysconfig.get_path("purelib"),
    "compiled": sum(1 for _ in standard.rglob("*.pyc")),
    "tests": [str(path) for name in ("test", "*/test", "*/tests") for path in standard.glob(name)],
    "shared": bool(sysconfig.get_config_var("Py_ENABLE_SHARED")),
    "managed": (standard / "EXTERNALLY-MANAGED").exists(),
    "header": os.path.exists(sysconfig.get_path("include") + "/Python.h"),
    "locale": os.environ.get("LANG"),
}))
"""


@engine
@pytest.mark.parametrize(("name", "version"), PYTHONS.items())
def test_a_slim_python_is_laid_out_as_the_official_one(
    docker: host.Engine, base_images: BaseImages, name: str, version: str
) -> None:
    base_images(name)
    # Read-only: counting must not write the files that it counts.
    facts = json.loads(docker.output("run", "--rm", "--read-only", name, "python", "-c", FACTS))
    assert facts == {
        "version": version,
        "executable": "/usr/local/bin/python",
        "standard": f"/usr/local/lib/python{version}",
        "packages": f"/usr/local/lib/python{version}/site-packages",
        "compiled": 0,
        "tests": [],
        "shared": True,
        "managed": False,
        "header": True,
        "locale": "C.UTF-8" if version == "3.11" else None,
    }


@engine
@pytest.mark.parametrize("name", PYTHONS)
def test_every_extension_module_finds_its_libraries(docker: host.Engine, base_images: BaseImages, name: str) -> None:
    base_images(name)
    script = "find /usr/local -name '*.so*' ! -name '_tkinter*' -exec ldd {} + | grep 'not found'; which gcc make"
    assert docker.run("run", "--rm", name, "sh", "-c", script, check=False).stdout == ""


NODE_FACTS = """
const { existsSync, lstatSync, readlinkSync, readdirSync } = require("node:fs")
const folders = process.env.PATH.split(":")
const found = (name) => folders.map((folder) => `${folder}/${name}`).find((file) => existsSync(file))
console.log(JSON.stringify({
  version: process.version,
  said: process.env.NODE_VERSION,
  executable: process.execPath,
  npm: readlinkSync(found("npm")),
  modules: readdirSync("/usr/local/lib/node_modules"),
  architectures: readdirSync("/usr/local/include/node/openssl/archs").length,
  yarn: existsSync("/usr/local/bin/yarn"),
  home: lstatSync("/home/node").uid,
  argument: process.argv[1],
}))
"""


@engine
def test_a_slim_node_is_laid_out_as_the_official_one(docker: host.Engine, base_images: BaseImages) -> None:
    base_images(NODE)
    # The entrypoint passes an option, or a file that is not executable, to node.
    facts = json.loads(docker.output("run", "--rm", "--read-only", NODE, "-e", NODE_FACTS, "--", "file"))
    assert facts.pop("version") == f"v{facts.pop('said')}"
    assert facts == {
        "executable": "/usr/local/bin/node",
        "npm": "../lib/node_modules/npm/bin/npm-cli.js",
        "modules": ["npm"],
        "architectures": 1,
        "yarn": False,
        "home": 1000,
        "argument": "file",
    }
    assert docker.output("run", "--rm", NODE, "sh", "-c", "echo a command") == "a command"
    configured = docker.output("image", "inspect", "--format", "{{json .Config.Entrypoint}} {{json .Config.Cmd}}", NODE)
    assert configured == '["docker-entrypoint.sh"] ["node"]'


@engine
def test_a_slim_node_keeps_the_packages_of_its_binary_alone(docker: host.Engine, base_images: BaseImages) -> None:
    base_images(NODE)
    kept = docker.output(
        "run", "--rm", NODE, "sh", "-c", "apt-mark showmanual; ldd /usr/local/bin/node | grep 'not found'; :"
    )
    assert kept.split() == ["libatomic1", "libc6", "libgcc-s1", "libstdc++6"]


@engine
def test_build_steps_reach_the_package_indexes(docker: host.Engine, base_images: BaseImages, tmp_path: Path) -> None:
    uv = next(name for name in bases.catalog().specs if "/uv:" in name)
    images = base_images(PYTHON, uv)
    (tmp_path / "Dockerfile").write_text(
        f"FROM {PYTHON}\n"
        f"COPY --from={uv} /uv /uvx /usr/local/bin/\n"
        "RUN apt-get update && apt-get install -y --no-install-recommends tree && rm -rf /var/lib/apt/lists/*\n"
        "RUN pip install --no-cache-dir iniconfig && uv pip install --system --no-cache idna\n"
        "RUN python -c 'import idna, iniconfig'\n"
    )
    tag = "dockertpl-tests/reach"
    docker.run("build", "--no-cache", f"--tag={tag}", str(tmp_path), timeout=300)
    label = docker.output("image", "inspect", "--format", f'{{{{index .Config.Labels "{bases.LABEL}"}}}}', tag)
    docker.run("rmi", tag)
    assert (label == "true") == images[PYTHON].standin
