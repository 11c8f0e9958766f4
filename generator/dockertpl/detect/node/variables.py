"""Variables that the source reads while it is built, and secrets that installing needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from dockertpl.detect import dotenv
from dockertpl.detect.facts import Detection
from dockertpl.detect.gitignore import ignored_by
from dockertpl.detect.node.conventions import private_registry
from dockertpl.detect.node.modules import sources
from dockertpl.detect.node.package import LIFECYCLE, Package
from dockertpl.detect.node.prisma import GENERATE, config_of, schema_of
from dockertpl.detect.node.required import Required, of_prisma, once, provider, required
from dockertpl.detect.node.workspace import Workspace
from dockertpl.detect.placeholders import address
from dockertpl.detect.repository import Repository, join
from dockertpl.detect.tomlfile import line_of

_PUBLIC = r"NEXT_PUBLIC_[A-Z0-9_]+"
_READ = re.compile(rf"process\s*\??\.\s*env\s*(?:\??\.\s*({_PUBLIC})\b|(?:\?\.)?\[\s*[\"'`]({_PUBLIC})[\"'`]\s*\])")
_TAKEN_APART = re.compile(r"\{([^{}]*)\}\s*=\s*process\s*\.\s*env\b(?!\s*[.\[])")
_SKIP = r"process\s*\??\.\s*env\s*\??\.\s*SKIP_ENV_VALIDATION\b"
_TOKEN = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)(?:[?:]?-[^}]*)?\??\}")
_REGISTRY = r"^[ \t]*(?:@[\w.-]+:)?registry[ \t]*=[ \t]*[\"']?([^\s\"']+)"
_RC_FILES = (".npmrc", ".yarnrc.yml", ".yarnrc", "bunfig.toml")


def find_variables(
    package: Package,
    found: Detection,
    workspace: Workspace,
    loaded: Sequence[Required],
    let_through: Sequence[str] = (),
) -> None:
    """Answer `public_variables` and `build_env`, and say what `.env` files hold that the build does not see.

    Args:
        package: The application's folder.
        found: Where answers and warnings go.
        workspace: The workspace, of whose packages the application is made too.
        loaded: What its sources need when they are loaded.
        let_through: Files of variables that the build has.
    """
    repository = package.repository
    where: dict[str, tuple[str, int | None]] = {}
    skipped: tuple[str, int | None] | None = None
    for path in sources(repository, [package.folder, *workspace.packages]):
        text = repository.text(path) or ""
        if "NEXT_PUBLIC_" in text:
            for name in _public(text):
                where.setdefault(name, (path, line_of(text, rf"\b{name}\b")))
        if skipped is None and "SKIP_ENV_VALIDATION" in text and re.search(_SKIP, text):
            skipped = path, line_of(text, _SKIP)
    if where:
        first = min(where)
        others = len(where) - 1
        note = f"and {others} more" if others else ""
        found.answer("public_variables", sorted(where), *where[first], note)
    if skipped:
        add_variables(
            found,
            "build_env",
            {"SKIP_ENV_VALIDATION": "1"},
            skipped,
            "the build does not have the variables of the run",
        )
    _required(package, found, loaded, skipped[0] if skipped else "")
    _dotenv(package, found, workspace, let_through)


def add_variables(
    found: Detection, key: str, values: Mapping[str, str], place: tuple[str, int | None], note: str
) -> None:
    """Add to the variables that installing or building reads.

    Args:
        found: Where the answer goes.
        key: The question, `build_env` or `install_env`.
        values: The variables.
        place: The file and the line that read them.
        note: Why they are set.
    """
    before = found.answers.get(key, {})
    if before:
        evidence = found.evidence[key]
        place, note = (evidence.path, evidence.line), evidence.note
    found.answer(key, {**before, **values}, *place, note)


def _required(package: Package, found: Detection, loaded: Sequence[Required], validated: str) -> None:
    """Answer `build_env` with placeholders, and say which variables have none.

    Args:
        package: The application's folder.
        found: Where answer and warnings go.
        loaded: What its sources need when they are loaded.
        validated: The file whose validation the build skips.
    """
    repository = package.repository
    database = provider(repository.text(schema_of(package)) or "")
    others: list[Required] = []
    for one in once(one for one in loaded if one.path != validated):
        if value := address(one.name, database):
            note = "a module throws without it; this is a placeholder that connects to nothing"
            add_variables(found, "build_env", {one.name: value}, (one.path, one.line), note)
        else:
            others.append(one)
    known = {*package.given.get("build_env", {}), *package.given.get("build_secrets", [])}
    others = [one for one in others if one.name not in known]
    if others:
        values = {**found.answers.get("build_env", {}), **{one.name: one.value or "placeholder" for one in others}}
        setting = ", ".join(f"{name}: {json.dumps(value)}" for name, value in values.items())
        places = ", ".join(f"{one.name} ({one.path}:{one.line})" for one in others[:5])
        found.warn(
            f"Modules throw without these variables, in the build, too: {places}. If the build only loads them, set "
            f"placeholders: -d 'build_env={{{setting}}}'. Use build_secrets for secret values that it uses."
        )


def find_prisma_variables(package: Package, found: Detection, workspace: Workspace, build_script: str) -> None:
    """Answer `install_env` or `build_env` with placeholders for what Prisma's configuration reads, whichever generates.

    Args:
        package: The application's folder.
        found: Where the answer goes.
        workspace: The workspace. Its packages may have their own client.
        build_script: The script that builds.
    """
    repository = package.repository
    for folder in dict.fromkeys([package.folder, *workspace.packages]):
        one = Package(repository, folder)
        path = config_of(one)
        text = repository.text(path) or ""
        installs = [Package(repository, each) for each in dict.fromkeys([folder, workspace.root])]
        at_install = any(each.runs(script, GENERATE) for each in installs for script in LIFECYCLE)
        at_build = "prisma_schema" in found.answers or any(each.runs(build_script, GENERATE) for each in (one, package))
        database = provider(repository.text(schema_of(one)) or "")
        needed = dict.fromkeys([*of_prisma(text), *(each.name for each in required(repository, [path]))])
        for name in needed if at_install or at_build else ():
            value = address(name, database) or "placeholder"
            place = path, line_of(text, rf"\b{name}\b")
            key = "install_env" if at_install else "build_env"
            add_variables(found, key, {name: value}, place, "a placeholder, since generating the client needs it")


def _public(text: str) -> Iterator[str]:
    for match in _READ.finditer(text):
        yield match[1] or match[2]
    if "process" in text:
        for match in _TAKEN_APART.finditer(text):
            yield from re.findall(rf"\b{_PUBLIC}\b", match[1])
    # T3's createEnv lists them as keys, and may be given the whole of process.env.
    if "createEnv" in text:
        yield from re.findall(rf"\b({_PUBLIC})\s*:", text)


def _dotenv(package: Package, found: Detection, workspace: Workspace, let_through: Sequence[str]) -> None:
    """Say which variables `.env` files set, since none of these files is in the image."""
    repository = package.repository
    for folder in dict.fromkeys([package.folder, workspace.root]):
        for name in (".env.production", ".env", ".env.production.local", ".env.local"):
            path = join(folder, name)
            if path in let_through:
                continue
            names = dotenv.parse(repository.text(path) or "")
            public = [one for one in names if re.fullmatch(_PUBLIC, one)]
            # A file that Git ignores exists on this machine only.
            private = [] if ignored_by(repository, path) else [one for one in names if one not in public]
            if public or private:
                ways = []
                if public:
                    ways.append(f"{_some(public)} as build arguments")
                if private:
                    ways.append(f"{_some(private)} when the container runs")
                found.warn(
                    f"{path} is not in the image, because .env files may have secrets. Pass {', and '.join(ways)}."
                )
                return


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (" and more" if len(names) > 5 else "")


def find_secrets(package: Package, found: Detection, root: str) -> None:
    """Answer `build_secrets` and `private_index`, by the settings of the manager.

    Args:
        package: The application's folder.
        found: Where answers and warnings go.
        root: The folder that dependencies are installed in.
    """
    repository = package.repository
    names: dict[str, tuple[str, int | None]] = {}
    for path in dict.fromkeys(join(folder, name) for folder in (root, package.folder) for name in _RC_FILES):
        text = repository.text(path) or ""
        for number, line in enumerate(text.splitlines()[:1000], 1):
            if line.lstrip().startswith(("#", ";")):
                continue
            for name in _TOKEN.findall(line[:1000]):
                names.setdefault(name, (path, number))
    if names:
        first = min(names)
        found.answer("build_secrets", sorted(names), *names[first], "")
    _index(repository, found, dict.fromkeys([join(root, ".npmrc"), package.at(".npmrc")]), bool(names))


def _index(repository: Repository, found: Detection, paths: dict[str, None], has_secrets: bool) -> None:
    for path in paths:
        text = repository.text(path) or ""
        if line := line_of(text, r"^[ \t]*[^#;\n]*:?(?:_authToken|_auth|_password)[ \t]*=[ \t]*[^$\s]"):
            found.warn(
                f"{path}:{line} has a password. Remove it, create a new one, and write ${{NPM_TOKEN}} instead, which "
                "becomes a build secret."
            )
        for match in re.finditer(_REGISTRY, text, re.MULTILINE):
            if not has_secrets and private_registry().search(match[1]) and "_auth" not in text:
                host = re.sub(r"^\w+://(?:[^/@]*@)?", "", match[1]).partition("/")[0]
                line = text.count("\n", 0, match.start()) + 1
                found.answer("private_index", True, path, line, f"a registry at {host} without a token")
                return
