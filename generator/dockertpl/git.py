"""The one place that calls git, because git has traps.

- A hook that runs us exports GIT_DIR and friends; with them git works on another repository than the one it is told.
- Messages follow the language of the machine.
- Hooks, file-system monitors, `ext::` remotes, submodules and what a partial clone fetches later run what an untrusted
  repository says.
- A ref that starts with a dash is read as an option.
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

# What a person sets on purpose to reach a repository. Everything else that starts with GIT_ points at some repository.
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
    """Return an environment in which git works on the repository that it is told to, in English, asking nothing.

    Args:
        environ: What to start from; the process's own environment by default.
        settings: Settings of git that no list of processes shall show, such as a token in a header.
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
    """Run git without hooks and return what it printed, as text without the last line's end.

    Ctrl-C reaches git, too. A git that it ended has not failed: in whichever thread, that is the same interrupt.

    Args:
        arguments: What follows `git`. A value that comes from outside belongs behind `--` or `--end-of-options`.
        cwd: Where to run it.
        stdin: What it reads.
        variables: Environment variables, such as GIT_DIR.
        settings: Settings of git that no list of processes shall show.

    Raises:
        NoGitError: Git is missing or ended with an error; the message holds git's own words.
        KeyboardInterrupt: Git was ended by SIGINT, as Ctrl-C does to all that we started, or by SIGTERM.
    """
    done = _call(arguments, cwd, stdin, {**environment(settings=settings), **(variables or {})})
    out, err = (stream.decode(errors="replace") for stream in (done.stdout, done.stderr))
    if done.returncode:
        raise NoGitError(f"git {arguments[0]} failed: {err.strip() or out.strip() or f'exit code {done.returncode}'}")
    return out.rstrip("\n")


def check_interrupt(code: int) -> None:
    """Interrupt the thread that waited for a process which was interrupted: it did not fail.

    Args:
        code: What the process ended with, as `subprocess` says it.

    Raises:
        KeyboardInterrupt: It was interrupted.
    """
    if -code in (signal.SIGINT, signal.SIGTERM):
        raise KeyboardInterrupt


def merge_file(mine: str, old: str, new: str, *, labels: tuple[str, str, str], marker_size: int) -> tuple[int, str]:
    """Merge three texts by `git merge-file`, whatever git's settings say about conflicts.

    Args:
        mine: The text that changes go into.
        old: The text that both sides started from.
        new: The other side.
        labels: What markers call mine, old and new.
        marker_size: How many characters a marker has.

    Returns:
        How many conflicts there are (git counts to 127), and the merged text.

    Raises:
        NoGitError: Git is missing, or refuses the texts, as it does where one holds a NUL.
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
        # Of its own: a repository above the folder for temporary files has no say.
        done = _call(["-c", "merge.conflictStyle=merge", "merge-file", *options, "mine", "old", "new"], Path(folder))
    if not 0 <= done.returncode <= 127:
        raise NoGitError(f"git merge-file failed: {done.stderr.decode(errors='replace').strip() or 'no reason given'}")
    return done.returncode, done.stdout.decode(errors="surrogateescape")


def started(*arguments: str, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start git without hooks, to talk to it over its standard streams; what it says of errors is not read.

    Args:
        arguments: What follows `git`.
        variables: Environment variables, such as GIT_DIR.

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
        # Such as a version that an answers file names by a NUL: no process can be told of it.
        raise NoGitError(f"git {arguments[0]} failed: {error}") from error
    check_interrupt(done.returncode)
    return done


def _options() -> list[str]:
    return [part for setting in _CONTAINED for part in ("-c", setting)]


def _missing() -> NoGitError:
    return NoGitError("git is not installed.", "Install git, then run this again.")


def clone(url: str, directory: Path) -> None:
    """Clone all of a repository into an empty directory, checking nothing out yet.

    Args:
        url: What git can clone: a URL or a path.
        directory: Where to; it is created.

    Raises:
        NoGitError: The repository cannot be cloned.
    """
    run("clone", "--quiet", "--no-checkout", "--no-recurse-submodules", "--", url, str(directory))


def checkout(repository: Path, ref: str) -> None:
    """Check a commit out, without its submodules.

    Args:
        repository: A clone of ours.
        ref: A tag, branch or commit.

    Raises:
        BadInputError: There is no such ref.
        NoGitError: Git failed.
    """
    run("checkout", "--quiet", "--force", "--detach", commit_of(repository, ref), cwd=repository)


def commit_of(repository: Path, ref: str) -> str:
    """Return the full name of a commit.

    Args:
        repository: A clone of ours.
        ref: A tag, a branch of ours or of where the clone is from, or a commit.

    Raises:
        BadInputError: There is no such ref.
    """
    for name in (ref, f"refs/remotes/origin/{ref}"):
        try:
            return run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", cwd=repository)
        except NoGitError as error:
            cause = error
    tags = run("tag", "--list", "--sort=-version:refname", cwd=repository).splitlines()
    remedy = f"Its newest are {', '.join(tags[:5])}." if tags else "It has no tags: name a branch or a commit."
    raise BadInputError(f"The template has no version {ref!r}.", remedy) from cause


def committed(repository: Path, contents: Mapping[str, bytes]) -> dict[str, bool | None]:
    """Tell of files whether the checked out commit holds them with these very bytes.

    Args:
        repository: A repository's root, which may be none.
        contents: The bytes by path from there.

    Returns:
        By path: True, or False where the commit has others, or None where it has no such file.
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
        # Git's own name for the bytes: nothing of the repository runs, as a filter would for `git status`.
        digest = hashlib.sha1 if len(words[2]) == 40 else hashlib.sha256
        content = contents[path]
        # With core.autocrlf a file is committed with other line ends than it has here.
        alike = {content, content.replace(b"\r\n", b"\n")}
        names = {digest(b"blob %d\0" % len(each) + each).hexdigest() for each in alike}
        result[path] = words[1] == "blob" and words[2] in names
    return result


def left_out(repository: Path, paths: Sequence[str]) -> list[str]:
    """Return which paths git has and, by its sparse checkout, keeps out of the folder.

    Args:
        repository: A repository's root, which may be none.
        paths: Clean paths from there.

    Raises:
        NoGitError: Git is missing.
    """
    if not paths or not (repository / ".git").exists():
        return []
    try:
        listed = run("ls-files", "-t", "-z", "--", *(f":(top,literal){path}" for path in paths), cwd=repository)
    except NoGitError:
        # No repository of git's after all, or not one that it reads.
        return []
    return [entry[2:] for entry in listed.split("\0") if entry.startswith("S ") and entry[2:] in paths]


def has_modes(repository: Path) -> bool:
    """Tell whether the executable bits of a checkout mean something, as they do not on a file system of Windows.

    Args:
        repository: A repository's root, which may be none.

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
    """Return which files git has as executable ones, whatever they are in the folder.

    Args:
        repository: A repository's root.
        paths: Clean paths from there.

    Raises:
        NoGitError: Git is missing, or cannot read the repository.
    """
    listed = run("ls-files", "--stage", "-z", cwd=repository)
    found = {entry.partition("\t")[2] for entry in listed.split("\0") if entry.startswith("100755 ")}
    return found & set(paths)


def unmerged(repository: Path, paths: Iterable[str]) -> list[str]:
    """Return which files hold conflicts of which nobody has told git that they are solved.

    Args:
        repository: A repository's root, which may be none.
        paths: Clean paths from there.

    Raises:
        NoGitError: Git is missing, or cannot read the repository.
    """
    if not (repository / ".git").exists():
        return []
    listed = run("ls-files", "--unmerged", "-z", cwd=repository)
    found = {entry.partition("\t")[2] for entry in listed.split("\0")}
    return [path for path in paths if path in found]


def mark_unmerged(repository: Path, stages: Mapping[str, Sequence[tuple[int, bytes, bool]]]) -> None:
    """Tell git that files hold conflicts, so that it commits none before somebody has said that they are solved.

    Args:
        repository: A repository's root.
        stages: By path, what the sides have: the stage (1 before, 2 here, 3 there), the bytes, and whether executable.

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
        # Without the files: of one that was just written git would ask the repository's filters whether it changed.
        places = {"GIT_DIR": directory, "GIT_WORK_TREE": empty}
        entries = "".join(f"{line}\0" for line in lines).encode()
        run("update-index", "-z", "--index-info", cwd=Path(empty), stdin=entries, variables=places)


def is_ancestor(repository: Path, one: str, other: str) -> bool:
    """Tell whether a commit is the other or among those before it; not if one of them is unknown.

    Args:
        repository: A repository.
        one: A tag, branch or commit.
        other: Another.
    """
    try:
        run("merge-base", "--is-ancestor", "--end-of-options", one, other, cwd=repository)
    except NoGitError:
        return False
    return True


def describe(repository: Path, ref: str = "HEAD") -> str:
    """Return a commit as Copier records it: its tag, or `<tag>-<count>-g<hash>`, or the short hash.

    Args:
        repository: A git checkout.
        ref: The commit; by default the one that is checked out.

    Raises:
        NoGitError: Git failed.
    """
    return run("describe", "--tags", "--always", ref, cwd=repository)


def name_of(repository: Path, ref: str) -> str:
    """Return what an answers file calls a commit: its release, else as git describes it.

    Of several tags on one commit git describes it by any, such as the candidate that became the release, or a tag
    `v2` that will be moved; then nothing could tell any more which version the files are of.

    Args:
        repository: A clone of ours.
        ref: A tag, branch or commit.

    Raises:
        BadInputError: There is no such ref.
        NoGitError: Git failed.
    """
    commit = commit_of(repository, ref)
    return _highest(run("tag", "--points-at", commit, cwd=repository)) or describe(repository, commit)


def latest_release(repository: Path) -> str | None:
    """Return the highest tag that is a version by PEP 440 and no pre-release, or None without one.

    Args:
        repository: A git checkout.

    Raises:
        NoGitError: Git failed.
    """
    return _highest(run("tag", "--list", cwd=repository))


def _highest(tags: str) -> str | None:
    """Return the highest release among tags, one a line; of two spellings of one the longer."""
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
