"""The one module that calls git, because git has traps.

- A hook that runs dockertpl exports GIT_DIR and similar variables, and these send git to another repository.
- Messages follow the language of the machine.
- An untrusted repository can run code: through hooks, file-system monitors, `ext::` remotes, submodules, and what a
  partial clone fetches later.
- Git reads a ref that starts with a dash as an option.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from dockertpl.errors import BadInputError, NoGitError

# Variables that users set to reach a repository. Every other variable that starts with GIT_ points at a repository.
_KEPT = frozenset(
    {
        "GIT_ASKPASS",
        "GIT_CONFIG_COUNT",
        "GIT_EXEC_PATH",
        "GIT_HTTP_PROXY_AUTHMETHOD",
        "GIT_PROXY_SSL_CAINFO",
        "GIT_SSH",
        "GIT_SSH_COMMAND",
        "GIT_SSH_VARIANT",
        "GIT_SSL_CAINFO",
        "GIT_SSL_NO_VERIFY",
    }
)
_KEPT_PREFIXES = ("GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_")

_CONTAINED = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.autocrlf=false",
    "protocol.ext.allow=never",
    "submodule.recurse=false",
    "advice.detachedHead=false",
)


def environment(
    environ: Mapping[str, str] | None = None, *, settings: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return an environment in which git works on the given repository, in English, without prompts.

    Args:
        environ: The environment to start from, by default the process's own.
        settings: Git settings that must not appear in a list of processes, such as a token in a header.
    """
    kept = {
        key: value
        for key, value in (os.environ if environ is None else environ).items()
        if not key.startswith("GIT_") or key in _KEPT or key.startswith(_KEPT_PREFIXES)
    }
    count = int(kept.get("GIT_CONFIG_COUNT") or 0)
    for number, (key, value) in enumerate((settings or {}).items(), start=count):
        kept |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        kept["GIT_CONFIG_COUNT"] = str(number + 1)
    return {**kept, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_NO_LAZY_FETCH": "1"}


def run(
    *arguments: str,
    cwd: Path | None = None,
    stdin: bytes = b"",
    variables: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
) -> str:
    """Run git without hooks and return its output, without the last line's end.

    Ctrl-C reaches git, too. If it ended git, this raises the same interrupt, in any thread.

    Args:
        arguments: What follows `git`. Put values from outside behind `--` or `--end-of-options`.
        cwd: The working directory.
        stdin: The standard input.
        variables: Environment variables, such as GIT_DIR.
        settings: Git settings that must not appear in a list of processes.

    Raises:
        NoGitError: Git is missing or failed. The message has git's own words.
        KeyboardInterrupt: SIGINT or SIGTERM ended git.
    """
    done = _call(arguments, cwd, stdin, {**environment(settings=settings), **(variables or {})})
    out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
    if done.returncode:
        raise NoGitError(f"git {arguments[0]} failed: {err.strip() or out.strip() or f'exit code {done.returncode}'}")
    return out.rstrip("\n")


def check_interrupt(code: int) -> None:
    """Raise KeyboardInterrupt if a process was interrupted. That is not a failure of the process.

    Args:
        code: The exit code, as `subprocess` gives it.
    """
    if -code in (signal.SIGINT, signal.SIGTERM):
        raise KeyboardInterrupt


def merge_file(mine: str, old: str, new: str, *, labels: tuple[str, str, str], marker_size: int) -> tuple[int, str]:
    """Merge three texts with `git merge-file`, independent of git's settings for conflicts.

    Args:
        mine: The text to merge into.
        old: The common ancestor.
        new: The other side.
        labels: The names of the three texts in markers.
        marker_size: The length of a marker.

    Returns:
        The number of conflicts (git counts to 127) and the merged text.

    Raises:
        NoGitError: Git is missing, or refuses a text, for example because of a NUL.
        KeyboardInterrupt: Git was interrupted.
    """
    with TemporaryDirectory() as folder:
        for name, text in (("mine", mine), ("old", old), ("new", new)):
            (Path(folder) / name).write_bytes(text.encode(errors="surrogateescape"))
        options = [
            "-p",
            "--quiet",
            f"--marker-size={marker_size}",
            *(part for label in labels for part in ("-L", label)),
        ]
        # In this folder, so a repository above it has no effect.
        done = _call(["-c", "merge.conflictStyle=merge", "merge-file", *options, "mine", "old", "new"], Path(folder))
    if not 0 <= done.returncode <= 127:
        raise NoGitError(f"git merge-file failed: {done.stderr.decode(errors='replace').strip() or 'no reason given'}")
    return done.returncode, done.stdout.decode(errors="surrogateescape")


def started(*arguments: str, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start git without hooks, to talk to it over its standard streams. Its stderr is discarded.

    Raises:
        NoGitError: Git is missing.
    """
    try:
        return subprocess.Popen(
            ["git", *_options(), *arguments],
            env={**environment(), **variables},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise _missing() from error


def _call(
    arguments: Sequence[str], cwd: Path | None, stdin: bytes = b"", env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    try:
        done = subprocess.run(
            ["git", *_options(), *arguments],
            cwd=cwd,
            env=environment() if env is None else env,
            input=stdin,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise _missing() from error
    except ValueError as error:
        # For example, an answers file names a version with a NUL. No process can get that as an argument.
        raise NoGitError(f"git {arguments[0]} failed: {error}") from error
    check_interrupt(done.returncode)
    return done


def _options() -> list[str]:
    return [part for setting in _CONTAINED for part in ("-c", setting)]


def _missing() -> NoGitError:
    return NoGitError("git is not installed.", "Install git, then run this again.")


def clone(url: str, directory: Path) -> None:
    """Clone a whole repository into a new directory, without a checkout.

    Args:
        url: A URL or a path that git can clone.
        directory: The directory to create.

    Raises:
        NoGitError: The repository cannot be cloned.
    """
    run("clone", "--quiet", "--no-checkout", "--no-recurse-submodules", "--", url, str(directory))


def checkout(repository: Path, ref: str) -> None:
    """Check out a commit, without its submodules.

    Args:
        repository: A clone that dockertpl made.
        ref: A tag, branch or commit.

    Raises:
        BadInputError: The ref does not exist.
        NoGitError: Git failed.
    """
    run("checkout", "--quiet", "--force", "--detach", commit_of(repository, ref), cwd=repository)


def commit_of(repository: Path, ref: str) -> str:
    """Return the full hash of a commit.

    Args:
        repository: A clone that dockertpl made.
        ref: A tag, a local or remote branch, or a commit.

    Raises:
        BadInputError: The ref does not exist.
    """
    for name in (ref, f"refs/remotes/origin/{ref}"):
        try:
            return run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", cwd=repository)
        except NoGitError as error:
            cause = error
    tags = run("tag", "--list", "--sort=-version:refname", cwd=repository).splitlines()
    remedy = f"The newest are {', '.join(tags[:5])}." if tags else "It has no tags. Name a branch or a commit."
    raise BadInputError(f"The template has no version {ref!r}.", remedy) from cause


def committed(repository: Path, contents: Mapping[str, bytes]) -> dict[str, bool | None]:
    """Return for each file whether HEAD has it with exactly these bytes.

    Args:
        repository: The root of a repository, or a folder that is not one.
        contents: The bytes by path from the root.

    Returns:
        By path: True, False if HEAD has other bytes, or None if it lacks the file.
    """
    result: dict[str, bool | None] = dict.fromkeys(contents)
    if not contents:
        return result
    try:
        listed = run(
            "ls-tree",
            "-r",
            "-z",
            "--full-tree",
            "HEAD",
            "--",
            *(f":(top,literal){path}" for path in contents),
            cwd=repository,
        )
    except NoGitError:
        return result
    for entry in listed.split("\0"):
        meta, _, path = entry.partition("\t")
        words = meta.split()
        if path not in contents or len(words) != 3:
            continue
        # Hash the bytes here: `git status` could run a filter of the repository.
        digest = hashlib.sha1 if len(words[2]) == 40 else hashlib.sha256
        content = contents[path]
        # With core.autocrlf, the committed file has other line ends.
        alike = {content, content.replace(b"\r\n", b"\n")}
        names = {digest(b"blob %d\0" % len(each) + each).hexdigest() for each in alike}
        result[path] = words[1] == "blob" and words[2] in names
    return result


def left_out(repository: Path, paths: Sequence[str]) -> list[str]:
    """Return the paths that git tracks but leaves out of the folder because of a sparse checkout.

    Args:
        repository: The root of a repository, or a folder that is not one.
        paths: Clean paths from the root.

    Raises:
        NoGitError: Git is missing.
    """
    if not paths or not (repository / ".git").exists():
        return []
    try:
        listed = run("ls-files", "-t", "-z", "--", *(f":(top,literal){path}" for path in paths), cwd=repository)
    except NoGitError:
        # Not a Git repository, or not one that git can read.
        return []
    return [entry[2:] for entry in listed.split("\0") if entry.startswith("S ") and entry[2:] in paths]


def has_modes(repository: Path) -> bool:
    """Return whether executable bits mean something in a checkout. On a Windows file system they do not.

    Raises:
        NoGitError: Git is missing.
    """
    if not (repository / ".git").exists():
        return True
    try:
        return run("config", "--type=bool", "--default=true", "--get", "core.fileMode", cwd=repository) == "true"
    except NoGitError:
        return True


def executable(repository: Path, paths: Sequence[str]) -> set[str]:
    """Return the files that git tracks as executable, whatever their mode in the folder.

    Raises:
        NoGitError: Git is missing, or cannot read the repository.
    """
    listed = run("ls-files", "--stage", "-z", cwd=repository)
    found = {entry.partition("\t")[2] for entry in listed.split("\0") if entry.startswith("100755 ")}
    return found & set(paths)


def unmerged(repository: Path, paths: Iterable[str]) -> list[str]:
    """Return the files with conflicts that are not marked as resolved in git.

    Raises:
        NoGitError: Git is missing, or cannot read the repository.
    """
    if not (repository / ".git").exists():
        return []
    listed = run("ls-files", "--unmerged", "-z", cwd=repository)
    found = {entry.partition("\t")[2] for entry in listed.split("\0")}
    return [path for path in paths if path in found]


def mark_unmerged(repository: Path, stages: Mapping[str, Sequence[tuple[int, bytes, bool]]]) -> None:
    """Record conflicts in git's index, so git refuses to commit before they are marked as resolved.

    Args:
        repository: The root of a repository.
        stages: By path, one entry per side: stage (1 base, 2 ours, 3 theirs), bytes, and whether it is executable.

    Raises:
        NoGitError: Git failed.
    """
    lines = []
    for path, sides in stages.items():
        lines.append(f"0 {'0' * 40}\t{path}")
        for stage, content, executable in sides:
            name = run("hash-object", "-w", "--stdin", "--no-filters", cwd=repository, stdin=content)
            lines.append(f"{'100755' if executable else '100644'} {name} {stage}\t{path}")
    directory = run("rev-parse", "--absolute-git-dir", cwd=repository)
    with TemporaryDirectory() as empty:
        # In an empty work tree: with the files, git would run the repository's filters on them.
        places = {"GIT_DIR": directory, "GIT_WORK_TREE": empty}
        entries = "".join(f"{line}\0" for line in lines).encode()
        run("update-index", "-z", "--index-info", cwd=Path(empty), stdin=entries, variables=places)


def is_ancestor(repository: Path, one: str, other: str) -> bool:
    """Return whether a commit is the other or an ancestor of it. False if one of them is unknown."""
    try:
        run("merge-base", "--is-ancestor", "--end-of-options", one, other, cwd=repository)
    except NoGitError:
        return False
    return True


def describe(repository: Path, ref: str = "HEAD") -> str:
    """Return a commit as Copier records it: its tag, or `<tag>-<count>-g<hash>`, or the short hash.

    Raises:
        NoGitError: Git failed.
    """
    return run("describe", "--tags", "--always", ref, cwd=repository)


def name_of(repository: Path, ref: str) -> str:
    """Return the name of a commit for an answers file: its release, else what `git describe` says.

    If a commit has several tags, `git describe` picks any. That may be a release candidate, or a tag `v2` that
    moves later, and then the version of the files would be lost.

    Raises:
        BadInputError: The ref does not exist.
        NoGitError: Git failed.
    """
    commit = commit_of(repository, ref)
    return _highest(run("tag", "--points-at", commit, cwd=repository)) or describe(repository, commit)


def latest_release(repository: Path) -> str | None:
    """Return the highest tag that is a PEP 440 version and not a pre-release, or None.

    Raises:
        NoGitError: Git failed.
    """
    return _highest(run("tag", "--list", cwd=repository))


def _highest(tags: str) -> str | None:
    """Return the highest release among tags, one per line. Of two spellings, return the longer."""
    from packaging.version import InvalidVersion, Version

    releases = []
    for tag in tags.splitlines():
        try:
            version = Version(tag)
        except InvalidVersion:
            continue
        if not version.is_prerelease:
            releases.append((version, len(tag), tag))
    return max(releases)[-1] if releases else None
