"""The scripts that build and start the application: which one builds, on which port it listens."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dockertpl.detect import dockerfile
from dockertpl.detect.facts import Detection
from dockertpl.detect.node.obstacles import obstacle
from dockertpl.detect.node.package import Package
from dockertpl.detect.tables import table
from dockertpl.detect.tomlfile import line_of
from dockertpl.errors import NotDetectedError

_BUILD = r"\bnext\s+build\b"
# Scripts that build something else than what is deployed.
_SPECIAL = re.compile(r"analy[sz]e|debug|profile|test|e2e|static|export|local|dev|watch|storybook|preview|staging")
_PORT = re.compile(r"\bnext\s+start\b[^&|;]*?(?:\s-p|\s--port)[ =]?(\d{2,5})\b|\bPORT=(\d{2,5})\b")
_SERVER = re.compile(
    r"\b(?:node|tsx|ts-node|bun|nodemon)\s+(?:-\S+\s+)*(\.?/?(?:dist/|src/|build/)?server(?:/index)?\.[cm]?[jt]s)\b"
)


def find_build_script(package: Package, found: Detection) -> str:
    """Answer `build_script` and return it.

    Args:
        package: The application's folder.
        found: Where answer and warnings go.

    Raises:
        NotDetectedError: No script builds the application.
    """
    if "build_script" in package.given:
        return str(package.given["build_script"])
    if found.answers.get("workspace_tool") == "nx" and not any(package.runs(name, _BUILD) for name in package.scripts):
        return _nx_target(package, found)
    building = [name for name in package.scripts if package.runs(name, _BUILD)]
    free = [name for name in building if obstacle(package, name) is None]
    if "build" in free:
        found.answer("build_script", "build", package.path, package.line("scripts", "build"), "")
        return "build"
    if "build" in building:
        return _beside_build(package, found, free)
    others = free or building
    ending = [name for name in others if re.search(r"\bnext\s+build\b[^&|;]*$", package.scripts[name])] or others
    if len(ending) == 1:
        found.answer("build_script", ending[0], package.path, package.line("scripts", ending[0]), "ends in next build")
        return ending[0]
    if "build" in package.scripts:
        line = package.line("scripts", "build")
        found.answer("build_script", "build", package.path, line, "")
        found.warn(
            f"{package.path}:{line} does not show that it runs `next build`, which the image is made from. If another "
            "script does, name it with -d build_script=…."
        )
        return "build"
    if ending:
        raise NotDetectedError(
            f"{package.path} has several scripts that run `next build`, and none is called build.",
            "Choose one:\n" + "\n".join(f"-d build_script={name}" for name in ending),
            candidates=ending,
        )
    raise NotDetectedError(
        f"{package.path} has no script that runs `next build`.", 'Add "build": "next build" to its scripts.'
    )


def _nx_target(package: Package, found: Detection) -> str:
    """Answer the target that builds a project of Nx: its own, or the one that the plugin for Next.js infers."""
    repository, own = package.repository, package.at("project.json")
    if "build" in table(repository.json(own), "targets"):
        return "build"
    plugins = (repository.json("nx.json") or {}).get("plugins")
    for plugin in plugins if isinstance(plugins, list) else []:
        name = table(plugin, "options").get("buildTargetName")
        if table(plugin).get("plugin") == "@nx/next/plugin" and isinstance(name, str):
            line = line_of(repository.text("nx.json") or "", r'"buildTargetName"\s*:\s*"' + re.escape(name))
            found.answer("build_script", name, "nx.json", line, "the target that the plugin infers")
            return name
    return "build"


def _beside_build(package: Package, found: Detection, free: list[str]) -> str:
    """Answer a script that builds where `build` needs what no build has.

    Raises:
        NotDetectedError: There is none.
    """
    problem = obstacle(package, "build")
    assert problem is not None  # noqa: S101
    why = f"opens {problem.detail}" if problem.what == "file" else f"runs `{problem.detail}`"
    for name in sorted(
        free, key=lambda one: (package.scripts[one].strip() != "next build", not one.startswith("build"))
    ):
        if not _SPECIAL.search(name):
            found.answer("build_script", name, package.path, package.line("scripts", name), f"build {why}")
            return name
    where = f"{package.path}:{problem.line}"
    if problem.what == "migration":
        found.answer("build_script", "build", package.path, package.line("scripts", "build"), "")
        found.warn(
            f"{where}: the script {problem.script} runs `{problem.detail}`. If that migrates a database, the build "
            "fails, since it has none: name a script that only builds with -d build_script=…."
        )
        return "build"
    way = (
        'Add a script that only builds, such as "build:next": "next build": it is then taken for the image. '
        "{}To build with this script after all: -d build_script=build"
    )
    if problem.what == "database":
        raise NotDetectedError(
            f"{where}: the script {problem.script} runs `{problem.detail}`, and a build has no database.",
            way.format("Migrate when you deploy. "),
        )
    raise NotDetectedError(
        f"{where}: the script {problem.script} opens {problem.detail}, which is in no build context, since it may hold "
        "secrets.",
        way.format("What it sets goes into public_variables, build_env or build_secrets. "),
    )


def find_start(package: Package, found: Detection, dockerfiles: Sequence[str]) -> None:
    """Answer `port`, and say what a start script does that the image does not.

    Args:
        package: The application's folder.
        found: Where answer and warnings go.
        dockerfiles: Existing Dockerfiles, the likeliest first.
    """
    start = package.scripts.get("start", "")
    line = package.line("scripts", "start") if start else None
    if server := _SERVER.search(start[:4096]):
        found.warn(
            f"{package.path}:{line} starts {server[1]}, a server of its own. The standalone output has another "
            "server.js in its place: what yours does besides (WebSockets, jobs) is not in the image."
        )
    for port, path, at, note in (*_script_ports(package), *_exposed(package, dockerfiles)):
        if 1024 <= port <= 65535:
            found.answer("port", port, path, at, note)
        else:
            found.warn(
                f"{path}:{at} listens on port {port}, which a user other than root may not bind everywhere. The image "
                "listens on another one: change what forwards to it."
            )
        return


def _script_ports(package: Package) -> Iterator[tuple[int, str, int | None, str]]:
    for name in ("start", "start:prod", "serve"):
        if match := _PORT.search(package.scripts.get(name, "")[:4096]):
            yield int(match[1] or match[2]), package.path, package.line("scripts", name), f"the script {name}"


def _exposed(package: Package, dockerfiles: Sequence[str]) -> Iterator[tuple[int, str, int | None, str]]:
    for path in dockerfiles[:1]:
        stages = dockerfile.stages(package.repository.text(path) or "")
        if stages and (exposed := dockerfile.exposed(stages)):
            yield exposed[0], path, exposed[1], exposed[2]
