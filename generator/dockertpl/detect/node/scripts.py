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
            f"{package.path}:{line} does not seem to run `next build`, which the image needs. If another "
            "script does, set it with -d build_script=…."
        )
        return "build"
    if ending:
        raise NotDetectedError(
            f"{package.path} has several scripts that run `next build`, but none is named build.",
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
            found.answer("build_script", name, "nx.json", line, "the target of the Nx plugin")
            return name
    return "build"


def _beside_build(package: Package, found: Detection, free: list[str]) -> str:
    """Answer a script that builds where `build` needs what no build has.

    Raises:
        NotDetectedError: No script is suitable.
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
            "fails. Choose a script that only builds with -d build_script=…."
        )
        return "build"
    way = (
        'Add a script that only builds, such as "build:next": "next build": dockertpl then uses it. '
        "{}To build with this script anyway: -d build_script=build"
    )
    if problem.what == "database":
        raise NotDetectedError(
            f"{where}: the script {problem.script} runs `{problem.detail}`, but a build has no database.",
            way.format("Migrate when you deploy. "),
        )
    raise NotDetectedError(
        f"{where}: the script {problem.script} opens {problem.detail}. The build context does not include it, since it "
        "may have secrets.",
        way.format("Set its variables with public_variables, build_env or build_secrets. "),
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
            f"{package.path}:{line} starts {server[1]}, a custom server. The standalone output has another "
            "server.js, so its other functions (WebSockets, jobs) are not in the image."
        )
    for port, path, at, note in (*_script_ports(package), *_exposed(package, dockerfiles)):
        if 1024 <= port <= 65535:
            found.answer("port", port, path, at, note)
        else:
            found.warn(
                f"{path}:{at} listens on port {port}, which not every platform allows for a user other than root. The "
                "image listens on another port: change the port that forwards to it."
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
