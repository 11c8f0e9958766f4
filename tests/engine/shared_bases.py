"""Base images and their dependents in one repository, built and pushed by one `docker buildx bake`.

`python -m tests.engine.shared_bases` prints what is pushed after a change of code and after a moved base, and how long
each takes. The times are those of this machine. Without a registry, the public base images are stand-ins.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.samples import next_sample, sample
from tests.workflow.registry import Contents, Registry

from . import bases, host, service

NAME = "base"
PACKAGE = "libpq5"
#: The packages of the base images in these tests, and one more, which changes every base.
MORE_PACKAGES = f"{PACKAGE} tree"
BASES = (*service.BASES, *service.NEXT_BASES)
FLAVORS = ("python", "node", "python-node", "sandbox")
BUILD_SECONDS = 1800


@dataclass(frozen=True, kw_only=True)
class Dependent:
    """A dependent image of the shared base images.

    Attributes:
        directory: Its folder.
        base: The flavor of its base image.
        write: Writes the application into an empty folder, as a git repository.
        code: The file that `change` edits, a regular expression, and its replacement.
        uid: The user that it runs as.
        code_layers: The number of layers that a code change replaces.
        installs: Whether it installs packages on its base, in a layer that a new base rebuilds.
        answers: More answers, as `new -d` takes them.
    """

    directory: str
    base: str
    write: Callable[[Path], object]
    code: str
    change: tuple[str, str]
    uid: int = 10001
    code_layers: int = 1
    installs: bool = False
    answers: Mapping[str, str] = field(default_factory=dict)


def _write_sandbox(folder: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    (folder / "agent.py").write_text("print('at work')\n")


#: By name. Add every kind that can be a dependent: the tests cover each entry.
DEPENDENTS: dict[str, Dependent] = {
    "api": Dependent(
        directory="services/api",
        base="python",
        write=lambda folder: sample.write_sample(folder, manager="uv", layout="src", server="uvicorn"),
        code="src/orders/main.py",
        change=(r"\Z", "\nCHANGED = '{}'\n"),
    ),
    "web": Dependent(
        directory="web",
        base="node",
        write=lambda folder: next_sample.write_next_sample(folder, manager="npm", router="app", layout="single"),
        code="components/home.tsx",
        change=(r"</main>", "<p>Closed on Mondays ({})</p></main>"),
        code_layers=2,  # one for the server, one for the browser
    ),
    "sandbox": Dependent(
        directory="agent",
        base="sandbox",
        write=_write_sandbox,
        code="agent.py",
        change=(r"\Z", "\nCHANGED = '{}'\n"),
        uid=1000,
        installs=True,
        answers={
            "kind": "sandbox-multi-runtime",
            "tools": "[]",
            "browser": "none",
            "fonts": "none",
            "app_files": "[agent.py]",
        },
    ),
}


@dataclass(frozen=True, kw_only=True)
class Baked:
    """A finished bake.

    Attributes:
        ok: Whether it succeeded.
        log: What it printed.
        seconds: How long it took.
    """

    ok: bool
    log: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class SharedBases:
    """A repository with base images and their dependents.

    Attributes:
        root: Its folder.
        docker: The engine for the builds.
        registry: The registry for the pushes.
        namespace: The prefix of each image name there.
    """

    root: Path
    docker: host.Engine
    registry: Registry
    namespace: str

    def repository(self, name: str) -> str:
        """Return the registry name of a dependent or of a base ("base-python")."""
        return f"{self.namespace}/{name}"

    def image(self, name: str) -> str:
        """Return the tagged image of a dependent or a base."""
        return f"{self.registry.address}/{self.repository(name)}:main"

    def bake(self, *words: str, **environment: str) -> Baked:
        """Run `docker buildx bake` at the repository's root."""
        started = time.monotonic()
        done = subprocess.run(
            [self.docker.docker, "buildx", "bake", *words],
            cwd=self.root,
            env={**self.docker.environ(), **environment},
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
        return Baked(ok=done.returncode == 0, log=done.stdout + done.stderr, seconds=time.monotonic() - started)

    def push(self, *words: str, **environment: str) -> Baked:
        """Build and push all images. This must succeed."""
        baked = self.bake("--push", *words, **environment)
        assert baked.ok, baked.log[-5000:]
        return baked

    def plan(self, **environment: str) -> dict[str, Any]:
        """Return what bake would build, by target name."""
        baked = self.bake("--print", "--progress=quiet", **environment)
        assert baked.ok, baked.log
        targets: dict[str, Any] = json.loads(baked.log)["target"]
        return targets

    def contents(self, name: str) -> Contents:
        """Return the registry's content for a dependent or a base."""
        return self.registry.contents(self.repository(name))

    def layers(self, name: str) -> list[str]:
        """Return the digests of an image's layers, the lowest first."""
        return [layer["digest"] for layer in self._manifest(name)["layers"]]

    def copied(self, name: str) -> list[str]:
        """Return the digests of the layers that COPY made, the lowest first."""
        config = self.registry.blob(self.repository(name), self._manifest(name)["config"]["digest"])
        made = [step.get("created_by", "") for step in config["history"] if not step.get("empty_layer")]
        return [layer for layer, by in zip(self.layers(name), made, strict=True) if by.startswith("COPY ")]

    def config(self, name: str) -> dict[str, Any]:
        """Return the configuration of an image."""
        found = self.registry.blob(self.repository(name), self._manifest(name)["config"]["digest"])
        config: dict[str, Any] = found["config"]
        return config

    def digest(self, name: str) -> str:
        """Return the digest of an image's tag."""
        return self.registry.tags(self.repository(name))["main"]

    def change_code(self, name: str) -> None:
        """Change a line of a dependent's code in a way that no earlier test has."""
        dependent = DEPENDENTS[name]
        pattern, replacement = dependent.change
        _edit([self.root / dependent.directory / dependent.code], pattern, replacement.format(uuid.uuid4().hex))

    def change_bases(self) -> None:
        """Make every base install one more package, as the answer `runtime_packages` would."""
        files = [self.root / flavor / "Dockerfile" for flavor in FLAVORS]
        _edit([file for file in files if file.exists()], rf"\b{PACKAGE}\b", MORE_PACKAGES)

    def forget(self) -> None:
        """Remove the images from the engine. The registry keeps them."""
        listed = self.docker.output("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
        if mine := [name for name in listed if f"/{self.namespace}/" in name and "<none>" not in name]:
            self.docker.run("image", "rm", *mine)

    def _manifest(self, name: str) -> dict[str, Any]:
        repository = self.repository(name)
        found = self.registry.manifest(repository, "main")
        if "manifests" not in found:
            return found
        return self.registry.manifest(repository, self.registry.platforms(repository, "main")["linux/amd64"])


def _edit(files: Iterable[Path], pattern: str, replacement: str) -> None:
    for file in files:
        text = file.read_text()
        changed = re.sub(pattern, replacement, text, count=1)
        assert changed != text, f"{file} has no {pattern}"
        file.write_text(changed)


def write_shared_bases(
    root: Path,
    *,
    docker: host.Engine,
    registry: Registry,
    bases: Iterable[str] = FLAVORS,
    dependents: Iterable[str] = tuple(DEPENDENTS),
    answers: Mapping[str, str] | None = None,
) -> SharedBases:
    """Write a repository with base images and dependents, each with its own answers.

    Args:
        root: The folder to create.
        docker: The engine for the builds.
        registry: The registry for the pushes.
        bases: The flavors of the base images.
        dependents: Keys of `DEPENDENTS`.
        answers: More answers of the base images, as `new -d` takes them.
    """
    made = SharedBases(root=root, docker=docker, registry=registry, namespace=f"acme-{uuid.uuid4().hex[:12]}")
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(root)], check=True)
    chosen = {name: DEPENDENTS[name] for name in dependents}
    for dependent in chosen.values():
        dependent.write(root / dependent.directory)
        # The applications share the repository around them.
        shutil.rmtree(root / dependent.directory / ".git")
    listed = {name: {"dir": dependent.directory, "base": dependent.base} for name, dependent in chosen.items()}
    own = {
        "bases": json.dumps(list(bases)),
        "dependents": json.dumps(listed),
        "runtime_packages": json.dumps([PACKAGE]),
        **({"tools": "[jq]", "browser": "none", "fonts": "none"} if "sandbox" in bases else {}),
    }
    _new(made, root, NAME, {**own, **(answers or {})}, "--kind", "shared-base")
    for name, dependent in chosen.items():
        own = {"base_image": made.image(f"{NAME}-{dependent.base}"), **dependent.answers}
        _new(made, root / dependent.directory, name, own)
    return made


def _new(made: SharedBases, folder: Path, name: str, answers: Mapping[str, str], *options: str) -> None:
    image = f"{made.registry.address}/{made.repository(name)}"
    wanted = {"name": name, "registry": "other", "image": image, **answers}
    service.new(folder, *options, *(word for key, value in wanted.items() for word in ("-d", f"{key}={value}")))


def main() -> None:
    """Print a table."""
    for role in ("AUTHOR", "COMMITTER"):
        os.environ |= {f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.invalid"}
    docker, where = host.up()
    found = bases.ensure(BASES, engine=docker)
    sys.stdout.write(f"Base images: {'stand-in' if any(one.standin for one in found.values()) else 'real'}\n\n")
    sys.stdout.write("| change | dependent | bake with push, s | new layers | of them the base's |\n")
    sys.stdout.write("|---|---|---|---|---|\n")
    with tempfile.TemporaryDirectory() as folder:
        made = write_shared_bases(Path(folder, "shared"), docker=docker, registry=Registry(address=where.address))
        made.push()
        for name in DEPENDENTS:
            _row(made, f"a line of code in {name}", [name], lambda name=name: made.change_code(name))  # type: ignore[misc]
        _row(made, "a package more in every base", list(DEPENDENTS), made.change_bases)


def _row(made: SharedBases, what: str, names: list[str], change: Callable[[], None]) -> None:
    before = {name: made.contents(name) for name in names}
    change()
    baked = made.push()
    for name in names:
        new = made.contents(name).since(before[name])
        own = set(made.layers(f"{NAME}-{DEPENDENTS[name].base}"))
        of_base = sum(blob.size for digest, blob in new.blobs.items() if digest in own)
        layers = sum(new.sizes("layer"))
        sys.stdout.write(f"| {what} | {name} | {baked.seconds:.1f} | {layers:,} B | {of_base:,} B |\n")


if __name__ == "__main__":
    main()
