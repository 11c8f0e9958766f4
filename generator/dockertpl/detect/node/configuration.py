"""Read next.config and the version of Next.js."""

from __future__ import annotations

import re

from dockertpl.detect.facts import Detection
from dockertpl.detect.node.conventions import BRINGS_SHARP, CONFIGS, FIRST_STANDALONE, OLD_NEXT
from dockertpl.detect.node.next_config import NextConfig, Value, folder_of, read
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.ranges import version
from dockertpl.detect.node.workspace import resolved
from dockertpl.errors import NotDetectedError

#: The first 16.3 that writes the standalone output with an adapter (vercel/next.js issue 96646). 16.2 does, too.
ADAPTERS_FIXED = (16, 3, 5)
_FOLDER = re.compile(r"(?:\./)?[A-Za-z0-9_.@+-]+(?:/[A-Za-z0-9_.@+-]+)*/?")


def config_path(package: Package) -> str:
    """Return the path of an application's next.config, or an empty string."""
    return next((package.at(name) for name in CONFIGS if package.has(name)), "")


def find_configuration(package: Package, found: Detection, root: str, installed: str) -> NextConfig | None:
    """Answer `standalone` and `dist_dir`, and return the settings of next.config, or None.

    Args:
        package: The application's folder.
        found: Collects answers and warnings.
        root: The build context.
        installed: The version of Next.js, or its range in package.json.

    Raises:
        NotDetectedError: The application is a static export, or Next.js writes no standalone output with its adapter.
    """
    path = config_path(package)
    if not path:
        found.answer("standalone", False, "", None, "no next.config was found")
        return None
    config = read(package.repository.text(path) or "")
    output = config.get("output")
    if output and output.text == "export":
        raise NotDetectedError(
            f"{path}:{output.line} sets output: 'export', so the application has no server.",
            "Serve the folder `out` with a web server or from a bucket. For an image with a server, take that line "
            "out.",
        )
    adapter = config.get("adapterPath") or config.get("experimental.adapterPath")
    if adapter and (16, 3, 0) <= (version(installed) or (0, 0, 0)) < ADAPTERS_FIXED:
        raise NotDetectedError(
            f"{path}:{adapter.line} sets an adapter. With it, Next.js {installed} writes no standalone output.",
            f"Upgrade Next.js to {'.'.join(map(str, ADAPTERS_FIXED))} or newer.",
        )
    _standalone(found, path, config, output)
    _dist_dir(found, path, config.get("distDir"))
    if base := config.get("basePath"):
        found.fact("base_path", base.text if base.text is not None else "computed", path, base.line)
    for key in ("outputFileTracingRoot", "experimental.outputFileTracingRoot"):
        if value := config.get(key):
            _tracing_root(package, found, path, value, folder_of(config, key), root)
    return config


def _standalone(found: Detection, path: str, config: NextConfig, output: Value | None) -> None:
    if output is None:
        note = "its export is too complex to read" if not config.alternatives else "sets no output"
        found.answer("standalone", False, path, None, note)
    elif output.text == "standalone":
        found.answer("standalone", True, path, output.line, "")
    elif output.text is not None:
        found.cannot_tell(
            "standalone",
            f"{path}:{output.line} sets output: {output.text!r}, which is unknown.",
            "Set it to 'standalone', or leave it to the build with -d standalone=false.",
        )
    else:
        found.answer("standalone", False, path, output.line, "set under a condition, or computed")
        found.warn(
            f"{path}:{output.line} sets output under a condition, or computes it. The build asks for the standalone "
            "output itself, whatever that says; set output: 'standalone' there to have it in one place."
        )


def _dist_dir(found: Detection, path: str, value: Value | None) -> None:
    if value is None:
        return
    text = value.text if value.text is not None else value.unset
    if text == "":
        return  # then it is the default
    if text and _FOLDER.fullmatch(text) and ".." not in text.split("/"):
        note = "" if value.text else "where the variable that it is taken from is not set"
        found.answer("dist_dir", text.removeprefix("./").rstrip("/"), path, value.line, note)
        return
    what = f"is {value.text}, outside of the application" if value.text else "is computed"
    found.cannot_tell(
        "dist_dir",
        f"{path}:{value.line}: distDir {what}.",
        "Set its folder in the build, relative to the application's folder, with -d dist_dir=….",
    )


def _tracing_root(package: Package, found: Detection, path: str, value: Value, folder: str | None, root: str) -> None:
    target = resolved(package.folder, folder) if folder is not None else None
    found.fact("output_tracing_root", target or "computed", path, value.line)
    if target is not None and target != root:
        found.warn(
            f"{path}:{value.line} sets outputFileTracingRoot to {target}, but the build context is {root}, so the "
            "standalone server gets another path. Set it to the build context, or remove the line."
        )


def find_next(package: Package, found: Detection, declared: str, installed: str, home: Package) -> None:
    """Record the version of Next.js, and warn about old versions.

    Args:
        package: The application's folder.
        found: Collects facts and warnings.
        declared: The range in package.json.
        installed: The version in the lock, or an empty string.
        home: The package.json with Next.js.

    Raises:
        NotDetectedError: The version is too old for a standalone output.
    """
    path, line = home.place("next")
    found.fact(
        "next", installed or declared or "unknown", path, line, f"package.json has {declared}" if declared else ""
    )
    known = version(installed or declared)
    if known is None:
        return
    if known < (version(FIRST_STANDALONE) or (0, 0, 0)):
        raise NotDetectedError(
            f"{path}:{line} has Next.js {installed or declared}, but standalone output needs {FIRST_STANDALONE}.",
            "Upgrade Next.js.",
        )
    if known[0] < OLD_NEXT:
        found.warn(
            f"{path}:{line} has Next.js {known[0]}, which no longer gets fixes. The template is not tested with it. "
            "Upgrade it."
        )
    sharp = "sharp" in {**package.wants(), **home.wants()}
    if sharp:
        found.fact("sharp", True, *(package if "sharp" in package.wants() else home).place("sharp"))
    elif known[0] < BRINGS_SHARP:
        found.warn(
            f"{path}: Next.js {known[0]} resizes images slowly without sharp. Add sharp to the "
            "dependencies if you use next/image."
        )
