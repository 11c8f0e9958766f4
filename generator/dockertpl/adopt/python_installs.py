"""pip, uv pip, and the extras and groups of other managers. Installs that the lock does not cover are kept."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from dockertpl.adopt.tables import commands
from dockertpl.adopt.translation import Draft
from dockertpl.adopt.verdict import Verdict

_FOR_DEVELOPMENT = re.compile(
    r"(?:.*[-_.])?(?:dev|develop|development|test|tests|testing|lint|docs?|ci)(?:[-_.].*)?", re.I
)
# Options of pip with a value. uv has those in the second list, too.
# fmt: off
_WITH_VALUE = frozenset([
    "--target", "-t", "--prefix", "--root", "--platform", "--python-version", "--implementation", "--abi", "--log",
    "--proxy", "--retries", "--timeout", "--cache-dir", "--src", "--progress-bar", "--trusted-host", "--cert",
    "--client-cert", "--report", "--config-settings", "-C", "--python", "-p", "--wheel-dir", "-w",
    "--root-user-action", "--exists-action", "--build-option", "--global-option",
])
# fmt: on
# fmt: off
_PASSED_ON = frozenset([
    "--index-url", "-i", "--extra-index-url", "--find-links", "-f", "--constraint", "-c", "--no-binary",
    "--only-binary", "--index", "--default-index", "--index-strategy", "--prerelease", "--torch-backend",
])
# fmt: on
_SWITCHES_PASSED_ON = frozenset(["--pre", "--no-deps", "--no-index", "-U", "--upgrade", "--force-reinstall"])
_WITHOUT_UV = (
    "ARG UV_DEFAULT_INDEX\n"
    "# uv is only mounted for this step.\n"
    "RUN --mount=type=bind,from=uv,source=/uv,target=/uv \\\n"
    "    /uv pip install --no-cache --python /opt/venv/bin/python {words}"
)


def pip_words(words: Sequence[str]) -> list[str] | None:
    """Return the arguments of `pip install` (or `wheel`, `download`), or None for other commands."""
    rest = list(words)
    program = rest[0].rpartition("/")[2] if rest else ""
    if re.fullmatch(r"python3?[\d.]*", program) and rest[1:3] == ["-m", "pip"]:
        rest = rest[3:]
    elif program == "uv" and rest[1:2] == ["pip"]:
        rest = rest[2:]
    elif re.fullmatch(r"pip3?[\d.]*|pipx", program):
        rest = rest[1:]
    else:
        return None
    while rest and rest[0].startswith("-"):
        rest = rest[1:]
    return rest[1:] if rest and rest[0] in ("install", "wheel", "download") else None


def read_pip(words: Sequence[str], draft: Draft, folder: str) -> Verdict | None:
    """Read a `pip install`. Return None for other commands."""
    verdict = Verdict()
    if list(words[:2]) == ["pipx", "ensurepath"]:
        verdict.items.append(("pipx ensurepath", "template", "the tools that need it"))
        return verdict
    rest = pip_words(words)
    if rest is None:
        return None
    passed: list[str] = []
    wanted: list[str] = []
    at = 0
    while at < len(rest):
        word = rest[at]
        at += 1
        option, equals, value = word.partition("=")
        if option in ("-r", "--requirement", "-e", "--editable") or (word[:2] in ("-r", "-e") and word[:2] != "--"):
            if not equals and len(word) > 2 and not word.startswith("--"):
                option, value = word[:2], word[2:]
            elif not equals:
                value = rest[at] if at < len(rest) else ""
                at += 1
            if option in ("-r", "--requirement"):
                _file(verdict, draft, folder, value)
            else:
                _project(verdict, draft, value)
        elif option in _PASSED_ON:
            value = value if equals else (rest[at] if at < len(rest) else "")
            at += 0 if equals else 1
            passed += [option, value]
            verdict.items.append((f"{option} {value}", "template", _index(verdict, option)))
        elif option in _WITH_VALUE:
            at += 0 if equals else 1
        elif word in _SWITCHES_PASSED_ON:
            passed.append("--upgrade" if word == "-U" else word)
        elif re.match(r"\d?[<>|&]", word):
            at += 1 if re.fullmatch(r"\d?[<>]+", word) else 0
        elif not word.startswith("-"):
            wanted.append(word)
    _packages(verdict, draft, wanted, passed)
    return verdict


def _index(verdict: Verdict, option: str) -> str:
    if "index" in option or option == "-i":
        verdict.doubts.append(
            "packages come from another index: set it in the lock, or with the build argument UV_DEFAULT_INDEX."
        )
        return "the build argument UV_DEFAULT_INDEX, and the indexes in the lock"
    return "the lock"


def _file(verdict: Verdict, draft: Draft, folder: str, path: str) -> None:
    name = path.rpartition("/")[2]
    what = f"pip install -r {path}"
    known = {
        str(draft.known.get("requirements_file", "requirements.txt")).rpartition("/")[2],
        *(str(one).rpartition("/")[2] for one in draft.known.get("requirements_includes", [])),
    }
    if name in known or draft.known.get("manager", "pip") != "pip":
        where = "the stage venv installs from the lock"
        if _FOR_DEVELOPMENT.fullmatch(name.rpartition(".")[0]) and name not in known:
            verdict.facts.add("dev-dependencies")
            where = "the stage dev has the development dependencies"
        verdict.items.append((what, "template", where))
        verdict.installed = True
    elif _FOR_DEVELOPMENT.fullmatch(name.rpartition(".")[0]):
        verdict.items.append((what, "dropped", "only the stage dev has the development dependencies"))
        verdict.facts.add("dev-dependencies")
        verdict.installed = True
    else:
        place = draft.moved(path if path.startswith("/") else f"{folder.rstrip('/')}/{path}")
        verdict.items.append((what, "kept", "image"))
        verdict.kept.append(("image", _WITHOUT_UV.format(words=f"-r {shlex.quote(place)}")))
        verdict.installed = True


def _project(verdict: Verdict, draft: Draft, value: str) -> None:
    """Read `pip install .[extra]`, an install of the project."""
    verdict.installed = True
    verdict.items.append((f"pip install {value}", "template", "the stage venv installs from the lock"))
    if match := re.search(r"\[([^\]]*)\]", value):
        read_extras(verdict, draft, re.split(r"[\s,]+", match[1].strip()))


def read_extras(verdict: Verdict, draft: Draft, extras: Sequence[str]) -> None:
    """Record the extras of an install. Extras for development are only in the stage dev."""
    for extra in filter(None, extras):
        if _FOR_DEVELOPMENT.fullmatch(extra):
            verdict.items.append((f"the extra {extra}", "dropped", "it is for development, so it is not in the image"))
            verdict.facts.add("dev-dependencies")
        elif draft.known.get("manager") in ("pip", "pipenv") or not re.fullmatch(r"[A-Za-z0-9][\w.-]*", extra):
            verdict.items.append((f"the extra {extra}", "dropped", "the manager has no extras"))
            verdict.doubts.append(f"the extra {extra} must be in the requirements.")
        else:
            verdict.answers.append((f"the extra {extra}", "extras", [extra], ""))


def _packages(verdict: Verdict, draft: Draft, wanted: Sequence[str], passed: Sequence[str]) -> None:
    kept: list[str] = []
    tools = set(commands()["tools"]["pip"])
    for word in wanted:
        name = re.split(r"[\[=<>!~;@ ]", word)[0].lower().replace("_", "-")
        if name in tools:
            verdict.items.append((f"pip install {word}", "template", "the stage build has the pinned installer"))
        elif word in (".", "./") or word.startswith((".[", "./[")) or (word.startswith("/") and "." not in word[1:]):
            if word.rstrip("/*").endswith("wheels"):
                verdict.items.append((f"pip install {word}", "template", "the stage venv installs from the lock"))
                verdict.installed = True
            else:
                _project(verdict, draft, word)
        elif "*" in word or word.endswith((".whl", ".tar.gz")):
            verdict.items.append((f"pip install {word}", "template", "the stage venv installs from the lock"))
            verdict.installed = True
        else:
            kept.append(word)
            verdict.items.append((f"pip install {word}", "kept", "image"))
    if kept:
        words = " ".join(word if "$" in word else shlex.quote(word) for word in [*passed, *kept])
        verdict.kept.append(("image", _WITHOUT_UV.format(words=words)))
        verdict.facts.add("unlocked-packages")


def read_manager(words: Sequence[str], draft: Draft) -> Verdict:
    """Read the extras and groups of `poetry install`, `uv sync` and `pdm sync`."""
    verdict = Verdict(installed=True)
    text = " ".join(words)
    verdict.items.append((text, "template", "the stage venv installs from the lock"))
    with_dev = not re.search(
        r"--no-dev|--only[= ]main|--without|--no-default-groups|--prod|--production|--no-group", text
    )
    if re.search(r"\b(?:install|sync)\b", text) and with_dev:
        verdict.facts.add("dev-dependencies")
    for name in _named(text, "--extras?|-E"):
        read_extras(verdict, draft, [name])
    _groups(verdict, draft, text)
    if "--all-extras" in text:
        verdict.items.append(("--all-extras", "dropped", "the answer extras lists each of them"))
        verdict.doubts.append("all extras are installed: list those for production in the answer extras.")
    if "--all-groups" in text:
        verdict.items.append(("--all-groups", "dropped", "the answer groups lists each of them"))
        verdict.doubts.append("all groups are installed: list those for production in the answer groups.")
    return verdict


def _named(text: str, options: str) -> list[str]:
    """Return the names in options such as `--without dev,docs`."""
    found = re.findall(rf"(?:^|\s)(?:{options})[= ][\"']?([^-\s\"'][^\s\"']*)", text)
    return [name for one in found for name in re.split(r"[\s,]+", one) if name]


def _groups(verdict: Verdict, draft: Draft, text: str) -> None:
    """Answer `groups`: the default groups, plus or minus those of the command."""
    before = [str(name) for name in draft.known.get("groups") or []]
    only = _named(text, "--only|--only-group")
    bare = bool(only) or re.search(r"--no-default-groups|--no-default\b", text) is not None
    wanted = [name for name in only if name != "main"] if bare else list(before)
    for name in _named(text, "--with|-G|--group|--with-group"):
        wanted += [] if name in wanted else [name]
    without = _named(text, "--without|--no-group")
    for name in dict.fromkeys([*without, *wanted]):
        if name in without:
            verdict.items.append((f"the group {name}", "template", "the image does not have it"))
        elif _FOR_DEVELOPMENT.fullmatch(name):
            verdict.items.append((f"the group {name}", "dropped", "it is for development"))
            verdict.facts.add("dev-dependencies")
    kept = [name for name in wanted if name not in without and not _FOR_DEVELOPMENT.fullmatch(name)]
    if kept or before:
        named = ", ".join(kept)
        verdict.exact.append((f"the groups {named}" if kept else "no group", "groups", kept, named))
