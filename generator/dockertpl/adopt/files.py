"""Commands that make folders, set modes and owners, and remove things."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockertpl.adopt.stages import joined
from dockertpl.adopt.tables import pattern
from dockertpl.adopt.translation import Draft, StageState
from dockertpl.adopt.verdict import Verdict, dropped, template
from dockertpl.detect.dockerfile import expand

_OWN = re.compile(r"(?:\./)?\.next(?:/.*)?|node_modules(?:/.*)?")
_READ_ONLY = "the application's files stay root's: what is written at run time needs a volume or --tmpfs"


def read_files(words: Sequence[str], draft: Draft, state: StageState, text: str) -> Verdict | None:
    """Read `mkdir`, `chmod`, `chown`, `rm` and `cd`.

    Returns:
        What becomes of it, or None if it is another command or its paths cannot be told.
    """
    program = words[0].rpartition("/")[2]
    paths = [expand(word, state.values) for word in words[1:] if not word.startswith("-")]
    match program:
        case "cd" | "pushd" | "popd" | "export" | "source" | "." | "umask" | "alias" | "shopt" | "unset":
            return template(text, "each step of the template runs where it has to", state=True)
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
        return template(text, "caches are mounts, and what builds is in other stages", passing=True)
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
            verdict.items.append((f"mkdir {path}", "template", "WORKDIR /app and what the template makes there"))
        elif not state.stage.final:
            verdict.items.append((f"mkdir {path}", "template", "the stages that build make their own folders"))
        else:
            verdict.made.append(place)
    return verdict


def _owned(paths: Sequence[str], draft: Draft, state: StageState, text: str) -> Verdict | None:
    if not state.stage.final:
        return dropped(text, "what only builds is root's", soft=True)
    verdict = Verdict(soft=True)
    for path in paths:
        if "$" in path or "~" in path:
            return None
        bare = path.removesuffix("/*").removesuffix("/.")
        place = joined(state.folder, bare)
        if _is_code(place, draft) or place in ("/home", "/root", "/") or place.startswith("/home/"):
            verdict.items.append((f"chown {path}", "dropped", _READ_ONLY))
        elif place.endswith(("/.next", "/.next/cache")):
            verdict.items.append((f"chown {path}", "template", "the folder that Next.js writes to is 10001's"))
        elif re.fullmatch(r"/(?:opt/)?\.?venv|/usr/local/.*|/opt/poetry.*", place):
            verdict.items.append((f"chown {path}", "dropped", "the dependencies stay root's"))
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
            return template(text, "everything that is copied has the mode 755", soft=True)
    if not state.stage.final:
        return dropped(text, "it changes what only builds", soft=True)
    if any("*" in place for place in targets):
        return None
    moved = [draft.moved(place) for place in targets]
    return Verdict(
        items=[(f"chmod {mode} {path}", "kept", "image") for path in paths[1:]],
        kept=[("image", f"RUN chmod {mode} {' '.join(moved)}")],
        soft=True,
    )
