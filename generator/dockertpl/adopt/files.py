"""Commands that create folders, set modes and owners, and remove files."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockertpl.adopt.stages import joined
from dockertpl.adopt.tables import pattern
from dockertpl.adopt.translation import Draft, StageState
from dockertpl.adopt.verdict import Verdict, dropped, template
from dockertpl.detect.dockerfile import expand

_OWN = re.compile(r"(?:\./)?\.next(?:/.*)?|node_modules(?:/.*)?")
_READ_ONLY = "root owns the application's files: use a volume or --tmpfs for files that are written at run time"


def read_files(words: Sequence[str], draft: Draft, state: StageState, text: str) -> Verdict | None:
    """Read `mkdir`, `chmod`, `chown`, `rm` and `cd`. Return None for other commands or unknown paths."""
    program = words[0].rpartition("/")[2]
    paths = [expand(word, state.values) for word in words[1:] if not word.startswith("-")]
    match program:
        case "cd" | "pushd" | "popd" | "export" | "source" | "." | "umask" | "alias" | "shopt" | "unset":
            return template(text, "the template's steps set their own folders", state=True)
        case "rm":
            return _removed(paths, text)
        case "mkdir" | "install" if program == "mkdir" or "-d" in words:
            return _made(_without_values(words, state), draft, state, text)
        case "chown" | "chgrp" if len(paths) > 1:
            return _owned(paths[1:], draft, state, text)
        case "chmod" if len(paths) > 1:
            return _modes(paths, draft, state, text)
    return None


def _without_values(words: Sequence[str], state: StageState) -> list[str]:
    found, at = [], 1
    while at < len(words):
        if words[at] in ("-m", "-o", "-g", "--mode"):
            at += 1
        elif not words[at].startswith("-"):
            found.append(expand(words[at], state.values))
        at += 1
    return found


def _removed(paths: Sequence[str], text: str) -> Verdict | None:
    caches = pattern("caches", "remove")
    if paths and all(caches.fullmatch(path) for path in paths):
        return template(text, "caches are in mounts, and builds are in other stages", passing=True)
    return None


def _is_code(path: str, draft: Draft) -> bool:
    return path == draft.root or any(path == copy.target for copy in draft.copies if copy.folder)


def _inside(path: str, draft: Draft) -> bool:
    return path == draft.root or path.startswith(draft.root.rstrip("/") + "/")


def _made(paths: Sequence[str], draft: Draft, state: StageState, text: str) -> Verdict | None:
    places = [joined(state.folder, path) for path in paths]
    if not paths or any("$" in path or "{" in path or "~" in path for path in paths):
        return None
    verdict = Verdict(soft=True)
    for path, place in zip(paths, places, strict=True):
        if place.startswith("/usr/share/man"):
            verdict.items.append((f"mkdir {path}", "template", "the step that installs packages"))
        elif _is_code(place, draft) or _OWN.fullmatch(path) or place.endswith("/.next"):
            verdict.items.append((f"mkdir {path}", "template", "WORKDIR /app and the template's folders there"))
        elif not state.stage.final:
            verdict.items.append((f"mkdir {path}", "template", "the build stages create their own folders"))
        else:
            verdict.made.append(place)
    return verdict


def _owned(paths: Sequence[str], draft: Draft, state: StageState, text: str) -> Verdict | None:
    if not state.stage.final:
        return dropped(text, "root owns the files of build stages", soft=True)
    verdict = Verdict(soft=True)
    for path in paths:
        if "$" in path or "~" in path:
            return None
        bare = path.removesuffix("/*").removesuffix("/.")
        place = joined(state.folder, bare)
        if _is_code(place, draft) or place in ("/home", "/root", "/") or place.startswith("/home/"):
            verdict.items.append((f"chown {path}", "dropped", _READ_ONLY))
        elif place.endswith(("/.next", "/.next/cache")):
            verdict.items.append((f"chown {path}", "template", "the user 10001 owns the folder that Next.js writes to"))
        elif re.fullmatch(r"/(?:opt/)?\.?venv|/usr/local/.*|/opt/poetry.*", place):
            verdict.items.append((f"chown {path}", "dropped", "root owns the dependencies"))
        elif _inside(place, draft) and place not in state.made and "." in place.rpartition("/")[2]:
            verdict.items.append((f"chown {path}", "dropped", _READ_ONLY))
        else:
            verdict.owned.append(place)
    return verdict


def _modes(paths: Sequence[str], draft: Draft, state: StageState, text: str) -> Verdict | None:
    if any("$" in path or "~" in path for path in paths):
        return None
    mode, targets = paths[0], [joined(state.folder, path) for path in paths[1:]]
    if (
        draft.is_python
        and all(_inside(place, draft) for place in targets)
        and re.fullmatch(r"[ugoa]*\+[rx]+|0?755|0?555", mode)
    ):
        places = [copy.target for copy in draft.copies if not copy.folder]
        if not any(place in places for place in targets):
            return template(text, "all copied files have the mode 755", soft=True)
    if not state.stage.final:
        return dropped(text, "it only changes a build stage", soft=True)
    if any("*" in place for place in targets):
        return None
    moved = [draft.moved(place) for place in targets]
    return Verdict(
        items=[(f"chmod {mode} {path}", "kept", "image") for path in paths[1:]],
        kept=[("image", f"RUN chmod {mode} {' '.join(moved)}")],
        soft=True,
    )
