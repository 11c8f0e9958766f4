"""What next.config and the version of Next.js mean for the image."""

from __future__ import annotations

import re

from dockertpl.detect.facts import Detection
from dockertpl.detect.node.conventions import BRINGS_SHARP, CONFIGS, FIRST_STANDALONE, OLD_NEXT
from dockertpl.detect.node.next_config import NextConfig, Value, folder_of, read
from dockertpl.detect.node.package import Package
from dockertpl.detect.node.ranges import version
from dockertpl.detect.node.workspace import resolved
from dockertpl.errors import NotDetectedError

#: The first 16.3 that writes the standalone output with an adapter (vercel/next.js issue 96646); 16.2 does, too.
ADAPTERS_FIXED = (16, 3, 5)
_FOLDER = re.compile(r"(?:\./)?[A-Za-z0-9_.@+-]+(?:/[A-Za-z0-9_.@+-]+)*/?")


def config_path(package: Package) -> str:
    """Return the path of an application's next.config, empty if it has none."""
    return next((package.at(name) for name in CONFIGS if package.has(name)), "")


def find_configuration(package: Package, found: Detection, root: str, installed: str) -> NextConfig | None:
    """Answer `standalone` and `dist_dir`, and return what next.config says; None if there is none.

    Args:
        package: The application's folder.
        found: Where answers and warnings go.
        root: The build context.
        installed: The version of Next.js, or the range that is asked for.

    Raises:
        NotDetectedError: The application is exported to files and has no server, or this Next.js writes none with an
            adapter.
    """
    path = config_path(package)
    if not path:
        found.answer("standalone", False, "", None, "there is no next.config")
        return None
    config = read(package.repository.text(path) or "")
    output = config.get("output")
    if output and output.text == "export":
        raise NotDetectedError(
            f"{path}:{output.line} sets output: 'export': the application becomes files, without a server.",
            "Serve the folder `out` with a web server or from a bucket. For an image with a server, take that line "
            "out.",
        )
    adapter = config.get("adapterPath") or config.get("experimental.adapterPath")
    if adapter and (16, 3, 0) <= (version(installed) or (0, 0, 0)) < ADAPTERS_FIXED:
        raise NotDetectedError(
            f"{path}:{adapter.line} sets an adapter, with which Next.js {installed} writes no standalone output.",
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
        note = "what it exports cannot be followed" if not config.alternatives else "sets no output"
        found.answer("standalone", False, path, None, note)
    elif output.text == "standalone":
        found.answer("standalone", True, path, output.line, "")
    elif output.text is not None:
        found.cannot_tell(
            "standalone",
            f"{path}:{output.line} sets output: {output.text!r}, which is not known here.",
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
        "Give the folder that it has in the build, seen from the application's, with -d dist_dir=….",
    )


def _tracing_root(package: Package, found: Detection, path: str, value: Value, folder: str | None, root: str) -> None:
    target = resolved(package.folder, folder) if folder is not None else None
    found.fact("output_tracing_root", target or "computed", path, value.line)
    if target is not None and target != root:
        found.warn(
            f"{path}:{value.line} sets outputFileTracingRoot to {target}, but the build context is {root}: the "
            "standalone server is then at another path. Point it there, or take the line out."
        )


def find_next(package: Package, found: Detection, declared: str, installed: str, home: Package) -> None:
    """Note the version of Next.js, and what it means for the image.

    Args:
        package: The application's folder.
        found: Where facts and warnings go.
        declared: The range that package.json asks for.
        installed: The version that the lock holds, empty if it cannot be told.
        home: The package.json that asks for Next.js.

    Raises:
        NotDetectedError: It is too old for a standalone output.
    """
    path, line = home.place("next")
    found.fact("next", installed or declared or "unknown", path, line, f"{declared} is asked for" if declared else "")
    known = version(installed or declared)
    if known is None:
        return
    if known < (version(FIRST_STANDALONE) or (0, 0, 0)):
        raise NotDetectedError(
            f"{path}:{line} has Next.js {installed or declared}; the standalone output came with {FIRST_STANDALONE}.",
            "Upgrade Next.js.",
        )
    if known[0] < OLD_NEXT:
        found.warn(
            f"{path}:{line} has Next.js {known[0]}, which gets no fixes any more and which these images were not tried "
            "with. Upgrade it."
        )
    sharp = "sharp" in {**package.wants(), **home.wants()}
    if sharp:
        found.fact("sharp", True, *(package if "sharp" in package.wants() else home).place("sharp"))
    elif known[0] < BRINGS_SHARP:
        found.warn(
            f"{path}: Next.js {known[0]} resizes images slowly, in memory, without sharp. Add it to the "
            "dependencies if next/image is used."
        )
