"""Base images under the names of users' Dockerfiles: pulled if possible, else built here.

`python -m tests.engine.bases [NAME…]` pulls or builds them. A built one is a *stand-in*. It has the label
`org.dockertpl.standin=true`, and so does every image that is based on it.
"""

import argparse
import functools
import hashlib
import json
import logging
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from . import apt, emulation, host

HERE = Path(__file__).parent
STANDINS = HERE / "standins"
VERSIONS = HERE.parents[1] / "templates" / "lib" / "versions.yml"
LABEL = "org.dockertpl.standin"
RECIPE_LABEL = f"{LABEL}.recipe"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
PRIVATE_CAS = Path("/usr/local/share/ca-certificates")
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr"
BUILD_SECONDS = 3600

log = logging.getLogger(__name__)


class BaseImageError(Exception):
    """A base image cannot be pulled or built."""


class BaseImage(NamedTuple):
    """A base image in the engine."""

    name: str
    standin: bool
    id: str


@dataclass(frozen=True, kw_only=True)
class Spec:
    """How to build a stand-in.

    Attributes:
        joins: The stand-in to add a platform to, if this one is not used under its own name.
        platform: The emulated platform to add.
    """

    name: str
    recipe: str
    args: dict[str, str | bool]
    joins: str = ""
    platform: str = ""
    aliases: tuple[str, ...] = ()
    target: str = ""
    needs: tuple[str, ...] = ()
    on_request: bool = False


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """The available stand-ins, and the files of the host that they contain."""

    specs: dict[str, Spec]
    ca_variables: tuple[str, ...]
    index_variables: tuple[str, ...]

    def find(self, name: str) -> Spec | None:
        """Return the stand-in with this name or alias."""
        return next((spec for spec in self.specs.values() if name in (spec.name, *spec.aliases)), None)

    def joining(self, name: str, platform: str) -> Spec | None:
        """Return the stand-in that adds a platform to the one of this name."""
        return next((s for s in self.specs.values() if (s.joins, s.platform) == (name, platform)), None)


@functools.cache
def catalog() -> Catalogue:
    """Return the content of bases.toml. Each `{tool}` becomes the version that the templates use."""
    # Strings: as a number, version 0.10 would be 0.1.
    versions: dict[str, str] = yaml.load(VERSIONS.read_text(), Loader=yaml.BaseLoader)
    text = (HERE / "bases.toml").read_text()
    for tool, version in versions.items():
        text = text.replace(f"{{{tool}}}", version)
    data = tomllib.loads(text)
    specs = {name: _spec(name, entry) for name, entry in data["images"].items()}
    return Catalogue(
        specs=specs,
        ca_variables=tuple(data["host"]["ca_variables"]),
        index_variables=tuple(data["host"]["index_variables"]),
    )


def _spec(name: str, entry: dict[str, Any]) -> Spec:
    lists = {key: tuple(entry.get(key, ())) for key in ("aliases", "needs")}
    return Spec(name=name, **{**entry, **lists})


def ensure(names: Iterable[str] | None = None, *, engine: host.Engine | None = None) -> dict[str, BaseImage]:
    """Make sure that the engine has these images. Without names, take all but those built only on request."""
    wanted = list(names) if names is not None else [s.name for s in catalog().specs.values() if not s.on_request]
    engine = engine or host.up()[0]
    return {name: _get(engine, name) for name in wanted}


def ensure_platform(platform: str, names: Iterable[str], *, engine: host.Engine) -> None:
    """Make sure that a build for a platform finds these images under their usual names.

    A pulled image stays as it is: its registry has the other platforms.

    Args:
        platform: Such as "linux/arm64"; its programs run here afterwards.
        names: The images.
        engine: The engine to load them into.

    Raises:
        BaseImageError: A stand-in cannot be made for this platform.
    """
    emulation.ensure(platform)
    for image in ensure(names, engine=engine).values():
        if image.standin and not emulation.is_native(platform):
            spec = catalog().joining(image.name, platform)
            if spec is None:
                raise BaseImageError(f"bases.toml has no stand-in of {image.name} for {platform}")
            _get(engine, spec.name)


def _get(engine: host.Engine, name: str) -> BaseImage:
    image, spec = _present(engine, name), catalog().find(name)
    if image is None:
        with host.lock(f"image-{_slug(spec.name if spec else name)}"):
            # Another process may have built it while we waited.
            image = _present(engine, name) or _make(engine, name)
    if spec and spec.joins:
        _join(engine, spec)
    return image


def _join(engine: host.Engine, spec: Spec) -> None:
    """Put two stand-ins under one name, one for each platform, with their layers and settings unchanged."""
    _get(engine, spec.joins)
    with host.lock(f"image-{_slug(spec.joins)}"):
        there = _facts(engine, spec.joins, spec.platform)
        if there and _labels_of(there).get(RECIPE_LABEL) == _recipe_hash(spec):
            return
        own = _facts(engine, spec.joins) or {}
        native = f"{own['Os']}/{own['Architecture']}"
        stages = [(native, spec.joins), (spec.platform, spec.name)]
        lines = [f"FROM --platform={on} {name} AS {on.split('/')[1]}" for on, name in stages]
        engine.run(
            *("build", "--provenance=false", f"--platform={native},{spec.platform}", f"--tag={spec.joins}", "-"),
            input="\n".join([*lines, "FROM ${TARGETARCH}", ""]),
        )


def _present(engine: host.Engine, name: str) -> BaseImage | None:
    """Return the engine's image, unless it is an outdated stand-in."""
    spec = catalog().find(name)
    image, recipe = _inspect(engine, name)
    current = image and (not image.standin or spec is None or recipe == _recipe_hash(spec))
    return image if current else None


def _make(engine: host.Engine, name: str) -> BaseImage:
    spec, started = catalog().find(name), time.monotonic()
    private = spec is not None and spec.joins
    if not private and not _inspect(engine, name)[0] and _pull(engine, name):
        log.info("%s: pulled in %.0f s", name, time.monotonic() - started)
    elif spec is None:
        raise BaseImageError(f"{name} cannot be pulled, and bases.toml has no stand-in of that name")
    else:
        how = "loaded" if _load(engine, spec) else "built"
        if how == "built":
            for need in spec.needs:
                _get(engine, need)
            log.info("%s: building a stand-in", name)
            _build(engine, spec)
            _save(engine, spec)
        log.info("%s: stand-in %s in %.0f s", name, how, time.monotonic() - started)
    image, _ = _inspect(engine, name)
    if not image:
        raise BaseImageError(f"{name} is not in the engine although docker said it would be")
    return image


def _inspect(engine: host.Engine, name: str) -> tuple[BaseImage | None, str]:
    found = _facts(engine, name)
    if found is None:
        return None, ""
    labels = _labels_of(found)
    return BaseImage(name, labels.get(LABEL) == "true", found["Id"]), labels.get(RECIPE_LABEL, "")


def _facts(engine: host.Engine, name: str, platform: str = "") -> dict[str, Any] | None:
    """Return the engine's data of an image or of one of its platforms, or nothing if it is missing."""
    options = [f"--platform={platform}"] if platform else []
    done = engine.run("image", "inspect", "--format", "{{json .}}", *options, name, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def _labels_of(facts: dict[str, Any]) -> dict[str, str]:
    return facts["Config"].get("Labels") or {}


def _pull(engine: host.Engine, name: str) -> bool:
    first = name.split("/")[0]
    registry = first if "/" in name and ("." in first or ":" in first) else ""
    return _reachable(engine, registry, name) and engine.run("pull", "--quiet", name, check=False).returncode == 0


@functools.cache
def _registries() -> dict[str, bool]:
    """The registries that answered during this run."""
    return {}


def _reachable(engine: host.Engine, registry: str, name: str) -> bool:
    """Return whether the registry knows one of its own images. Ask once a run, since a refusal can take long."""
    if registry not in _registries():
        try:
            done = engine.run("buildx", "imagetools", "inspect", name, check=False, timeout=15)
            _registries()[registry] = done.returncode == 0
        except subprocess.TimeoutExpired:
            _registries()[registry] = False
    return _registries()[registry]


def _build(engine: host.Engine, spec: Spec) -> None:
    if spec.platform:
        emulation.ensure(spec.platform)
    if spec.recipe == "debian":
        _bootstrap(engine, spec)
    else:
        _docker_build(engine, spec)
    for alias in spec.aliases:
        engine.run("tag", spec.name, alias)


def _labels(spec: Spec) -> list[str]:
    return [f"{LABEL}=true", f"{RECIPE_LABEL}={_recipe_hash(spec)}"]


def _docker_build(engine: host.Engine, spec: Spec) -> None:
    options = [f"--label={label}" for label in _labels(spec)]
    options += [f"--build-arg={key}={value}" for key, value in spec.args.items()]
    if spec.target:
        options.append(f"--target={spec.target}")
    if spec.platform:
        options.append(f"--platform={spec.platform}")
    # Without an attestation, the image is a single manifest. No test reads the provenance of a stand-in.
    command = ["build", "--progress=plain", "--provenance=false", *options, f"--tag={spec.name}"]
    engine.run(*command, str(STANDINS / spec.recipe), timeout=BUILD_SECONDS)


def _bootstrap(engine: host.Engine, spec: Spec) -> None:
    """Build Debian's minimal system, with the settings of the official image and of the host's network."""
    cache = host.cache_dir()
    # The second checks that programs of another processor run here. Not every machine with the first has it.
    wanted = ["mmdebstrap", *(["arch-test"] if spec.platform else [])]
    if missing := [name for name in wanted if not shutil.which(name)]:
        apt.install(missing, cache=cache)
    suite, mirrors = str(spec.args["suite"]), apt.mirrors(cache)
    stanzas = [apt.stanza(mirrors.debian, suite, f"{suite}-updates")]
    if mirrors.security:
        stanzas.append(apt.stanza(mirrors.security, f"{suite}-security"))
    with tempfile.TemporaryDirectory(prefix="debian-", dir=cache) as folder:
        sources, system = Path(folder, "debian.sources"), Path(folder, "system.tar")
        sources.write_text("\n".join(stanzas))
        options = [f"--aptopt={option}" for option in apt.acquire_options()]
        if spec.platform:
            options.append(f"--architectures={spec.platform.split('/')[1]}")
        if spec.args["slim"]:
            options.append(f"--dpkgopt={STANDINS / 'debian' / 'slim.dpkg.cfg'}")
        if spec.args.get("merge_usr"):
            # Otherwise apt installs the package that merges /usr afterward, with all of perl.
            options += [f"--hook-dir={MERGED_USR}", "--include=usr-is-merged"]
        # The official image has this name for its sources. The content of both is the host's.
        tidy = 'cd "$1" && mv etc/apt/sources.list.d/*.sources etc/apt/sources.list.d/debian.sources && '
        tidy += "rm -f etc/hostname etc/resolv.conf"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", f"--customize-hook={tidy}", *options]
        apt.run(*command, suite, str(system), str(sources))
        with tarfile.open(system, "a") as archive:
            for file, path in _added_files():
                archive.add(file, path, filter=_owned_by_root)
        changes = ['CMD ["bash"]', *(f"LABEL {label}" for label in _labels(spec))]
        changes += [f"ENV {key}={value}" for key, value in _environ().items()]
        on = [f"--platform={spec.platform}"] if spec.platform else []
        engine.run("import", *on, *(f"--change={change}" for change in changes), str(system), spec.name)


def _added_files() -> Iterator[tuple[Path, str]]:
    root = STANDINS / "debian" / "rootfs"
    for file in sorted(root.rglob("*")):
        if file.is_file():
            yield file, str(file.relative_to(root))
    # A proxy may re-sign TLS. The bundle works before the package ca-certificates is installed. The
    # private certificates are for when that package writes the bundle again.
    for file in _private_cas():
        yield file, str(file).lstrip("/")
    if _private_cas():
        yield CA_BUNDLE, str(CA_BUNDLE).lstrip("/")


def _owned_by_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    entry.mode = 0o755 if entry.mode & 0o100 else 0o644
    return entry


def _private_cas() -> list[Path]:
    return sorted(PRIVATE_CAS.glob("*.crt"))


@functools.cache
def _environ() -> dict[str, str]:
    """Return the PATH of the official image, and the variables for the host's certificates and package indexes."""
    known = catalog()
    environ = {name: value for name in known.index_variables if (value := os.environ.get(name))}
    if index := _pip_index():
        environ = {"PIP_INDEX_URL": index, "UV_DEFAULT_INDEX": index, **environ}
    # A folder of this machine does not exist inside.
    environ = {name: value for name, value in environ.items() if not value.startswith(("file:", "/"))}
    if _private_cas():
        environ |= dict.fromkeys(known.ca_variables, str(CA_BUNDLE))
    return {"PATH": DEFAULT_PATH, **environ}


def _pip_index() -> str:
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _recipe_hash(spec: Spec) -> str:
    """Return a digest of the inputs of a stand-in. A new digest means a new build."""
    digest = hashlib.sha256()
    of = [spec.platform] if spec.platform else []
    digest.update(json.dumps([spec.name, spec.recipe, spec.args, spec.target, platform.machine(), *of]).encode())
    for file in sorted(path for path in (STANDINS / spec.recipe).rglob("*") if path.is_file()):
        digest.update(file.read_bytes())
    if spec.recipe == "debian":
        digest.update(json.dumps([_environ(), apt.acquire_options()]).encode())
        for file in [*apt.source_files(), *_private_cas()]:
            digest.update(file.read_bytes())
    for need in spec.needs:
        digest.update(_recipe_hash(catalog().specs[need]).encode())
    return digest.hexdigest()[:16]


def _saved(spec: Spec) -> Path:
    """Return where a stand-in is saved for an engine that lost its data."""
    return host.cache_dir() / "images" / _slug(spec.name) / f"{_recipe_hash(spec)}.tar"


def _slug(name: str) -> str:
    return name.replace("/", "_").replace(":", "_")


def _save(engine: host.Engine, spec: Spec) -> None:
    file = _saved(spec)
    shutil.rmtree(file.parent, ignore_errors=True)
    file.parent.mkdir(parents=True)
    # The layers are already compressed.
    part = file.with_suffix(".part")
    engine.run("save", "--output", str(part), spec.name, *spec.aliases)
    part.replace(file)


def _load(engine: host.Engine, spec: Spec) -> bool:
    return _saved(spec).exists() and engine.run("load", "--input", str(_saved(spec)), check=False).returncode == 0


def main(argv: list[str] | None = None) -> int:
    """Pull or build base images, and list them."""
    parser = argparse.ArgumentParser(prog="python -m tests.engine.bases", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all that are not made on request only")
    names = parser.parse_args(argv).names
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        images = ensure(names or None)
    except (BaseImageError, host.EngineUnavailableError, host.DockerError, apt.AptError) as error:
        log.error("%s", error)
        return 3
    for image in images.values():
        sys.stdout.write(f"{image.name}\t{'stand-in' if image.standin else 'pulled'}\t{image.id}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
