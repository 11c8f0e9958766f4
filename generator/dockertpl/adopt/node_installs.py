"""npm, pnpm, Yarn and Bun: builds, and packages that are installed without the lock."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockertpl.adopt.tables import commands
from dockertpl.adopt.translation import Draft, StageState
from dockertpl.adopt.verdict import Verdict, template

_RUNNERS = ("npx", "pnpx", "bunx")
_MANAGERS = ("npm", "pnpm", "yarn", "bun")
_FLAG = re.compile(r"--[a-z][a-z0-9.-]*(?:=[A-Za-z0-9_./@:-]+)?")
# What changes the result of an install, as `npm ci --legacy-peer-deps` does.
_SETTING = re.compile(
    r"config set (?:\S+ )*?(legacy-peer-deps|strict-peer-deps|force|ignore-scripts)(?:[= ](true|false))?(?= |$)"
)
_FULL_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[\w.-]+)?")


def read_node(words: Sequence[str], draft: Draft, state: StageState, text: str) -> Verdict | None:
    """Read a command of npm, pnpm, Yarn or Bun. Return None if it is not understood."""
    inner = _unwrapped(words)
    program = inner[0].rpartition("/")[2] if inner else ""
    if program == "next" and inner[1:2] == ["build"]:
        return template(text, "the stage build", built=True)
    if program in ("turbo", "nx") and ("build" in inner or any(word.endswith(":build") for word in inner)):
        return template(text, "the stage build, by the answer workspace_tool", built=True)
    if program == "prisma" and inner[1:2] == ["generate"]:
        return _prisma(inner, draft, text)
    if program == "corepack":
        return _corepack(inner, draft, text)
    if program in ("npm", "pnpm") and (setting := _SETTING.match(" ".join(inner[1:]))):
        verdict = template(text, "the answer install_flags")
        if setting[2] != "false":
            flag = f"--{setting[1]}"
            verdict.answers.append((flag, "install_flags", [flag], ""))
        return verdict
    if script := script_of(inner):
        if script == str(draft.known.get("build_script", "build")):
            return template(text, "the answer build_script", built=True)
        if re.search(r"(?:^|[:_-])build(?:$|[:_-])", script) and not state.built and "--filter" not in text:
            return Verdict(answers=[(text, "build_script", script, script)], built=True)
        return None
    return _locked_install(inner, draft, text) or _install(inner, draft, state, text)


def is_of_another_manager(words: Sequence[str], draft: Draft) -> bool:
    """Return whether a command is of another manager than the application's, as in an `if` for each lock."""
    manager = str(draft.known.get("manager", "")).partition("-")[0]
    inner = _unwrapped(words)
    return bool(inner) and bool(manager) and inner[0] in _MANAGERS and inner[0] != manager


def only_flags(verdict: Verdict) -> bool:
    """Return whether a command only answers the flags of the installation."""
    others = verdict.packages or verdict.exact or verdict.kept or verdict.doubts or verdict.soft
    return not others and all(key == "install_flags" for _, key, _, _ in verdict.answers)


def _locked_install(words: Sequence[str], draft: Draft, text: str) -> Verdict | None:
    """Read an install from the lock. Flags that change its result are kept."""
    program, rest = words[0] if words else "", list(words[1:])
    if program not in _MANAGERS:
        return None
    installs = ("ci", "clean-install", "install", "i", "install-clean")
    if rest and rest[0] in installs:
        rest = rest[1:]
    elif program != "yarn" or (rest and not rest[0].startswith("-")):
        return None
    known = commands()["install_flags"]
    flags, at = [], 0
    while at < len(rest):
        name, equals, value = rest[at].partition("=")
        at += 1
        if re.match(r"\d?[<>|&]", name):
            at += re.fullmatch(r"\d?[<>]+", name) is not None
            continue
        if not name.startswith("-"):
            return None
        takes = name in known["with_value"] and not equals and at < len(rest)
        value = rest[at] if takes else value
        at += takes
        if name not in known["idle"] and f"{name}={value}" not in known["idle"]:
            flags.append(f"{name}={value}" if value else name)
    verdict = template(text, "the stage deps installs from the lock", installed=True)
    if draft.known.get("manager") and is_of_another_manager(words, draft):
        return verdict
    for flag in flags:
        if _FLAG.fullmatch(flag):
            verdict.answers.append((flag, "install_flags", [flag], ""))
        else:
            verdict.items.append((flag, "dropped", "the installation has no such flag"))
            verdict.doubts.append(f"the installation uses {flag}: check whether the new one needs it.")
    return verdict


def _unwrapped(words: Sequence[str]) -> list[str]:
    inner = list(words)
    while inner:
        if inner[0] in _RUNNERS:
            inner = inner[1:]
            while inner and inner[0].startswith("-"):
                inner = inner[1:]
        elif inner[0] in ("pnpm", "yarn", "npm", "bun") and inner[1:2] in (["exec"], ["dlx"], ["x"]):
            inner = [word for word in inner[2:] if word != "--"]
        elif inner[0] in ("pnpm", "yarn") and inner[1:2] in (["prisma"], ["next"], ["turbo"], ["nx"]):
            inner = inner[1:]
        else:
            return inner
    return inner


def script_of(words: Sequence[str]) -> str:
    """Return the script of package.json that a command runs, or an empty string."""
    rest = list(words)
    program = rest[0] if rest else ""
    if program not in _MANAGERS:
        return ""
    rest = [word for word in rest[1:] if not word.startswith("-") or word == "--"]
    if rest[:1] in (["run"], ["run-script"]):
        return rest[1] if len(rest) > 1 else ""
    if rest[:1] == ["start"]:
        return "start"
    if program in ("pnpm", "yarn") and len(rest) >= 1 and re.match(r"(?:build|dev|start)\b", rest[0]):
        return rest[0]
    return ""


def _prisma(words: Sequence[str], draft: Draft, text: str) -> Verdict:
    schema = next((words[i + 1] for i, word in enumerate(words[:-1]) if word == "--schema"), "")
    schema = next((word.partition("=")[2] for word in words if word.startswith("--schema=")), schema)
    schema = schema.removeprefix("./") or "prisma/schema.prisma"
    if draft.known.get("prisma_schema") or not re.fullmatch(r"[A-Za-z0-9_.@+-]+(?:/[A-Za-z0-9_.@+-]+)*", schema):
        return template(text, "the answer prisma_schema")
    return Verdict(answers=[(text, "prisma_schema", schema, schema)])


def _version(verdict: Verdict, draft: Draft, name: str, version: str) -> None:
    manager = str(draft.known.get("manager", ""))
    fits = _FULL_VERSION.fullmatch(version) and name == ("yarn" if manager == "yarn-berry" else manager)
    if fits and not draft.known.get("manager_version"):
        verdict.answers.append((f"{name}@{version}", "manager_version", version, version))


def _corepack(words: Sequence[str], draft: Draft, text: str) -> Verdict:
    verdict = template(text, "the stage deps has the manager")
    for word in words[1:]:
        name, _, version = word.partition("@")
        _version(verdict, draft, name, version.partition("+")[0])
    return verdict


def _install(words: Sequence[str], draft: Draft, state: StageState, text: str) -> Verdict | None:
    """Read an install of named packages, which are not from the lock."""
    if not words or words[0] not in _MANAGERS:
        return None
    rest = [word for word in words[1:] if not word.startswith("-") and not re.match(r"\d?[<>]|\d+$", word)]
    everywhere = {"-g", "--global", "--location=global"} & set(words) or rest[:1] == ["global"]
    rest = rest[1:] if rest[:1] == ["global"] else rest
    if rest[:1] not in (["install"], ["i"], ["add"]) or len(rest) < 2:
        return None
    tools = set(commands()["tools"]["npm"])
    verdict = Verdict()
    others = []
    for word in rest[1:]:
        name, version = word.rpartition("@")[::2] if "@" in word[1:] else (word, "")
        if name in tools:
            verdict.items.append((f"{word}", "template", "the stage tools has the manager and the build tools"))
            _version(verdict, draft, name, version)
        else:
            others.append(word)
    if not others:
        return verdict
    region = _region(state, everywhere=bool(everywhere))
    if len(others) < len(rest) - 1:  # without those that the template has
        head = words[: next(i for i, word in enumerate(words) if word == rest[0]) + 1]
        flags = [word for word in words[len(head) :] if word.startswith("-")]
        text = " ".join([*head, *flags, *others])
    verdict.items += [(word, "kept", region) for word in others]
    verdict.kept.append((region, f"RUN {text}"))
    if words[0] != "npm" and region in ("runtime", "image"):
        verdict.doubts.append(f"`{words[0]} add` runs in the image, which only has npm: use npm for it.")
    return verdict


def _region(state: StageState, *, everywhere: bool) -> str:
    if state.stage.final:
        return "runtime" if everywhere else "image"
    return "build" if everywhere and not state.copied else "code"
