"""Read a repository on its base branch, without a work tree."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from dockertpl import git
from dockertpl.errors import BadInputError, NoGitError
from dockertpl.fleet.git_objects import Commit, Objects, Scratch
from dockertpl.fleet.model import Repository
from dockertpl.merge.read_checkout import LARGEST
from dockertpl.merge.update import Obstacle
from dockertpl.template.tree import File

#: The prefix of branches for updates.
BRANCHES = "dockertpl/"
#: The refs in a clone for a remote repository's `dockertpl/` branches, and for its base branch.
_OURS, _BASE = "refs/ours/", "refs/base"
#: Returns git settings for a repository. They hold a token, which may expire between a fetch and a push.
Settings = Callable[[], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class View:
    """An open repository.

    Attributes:
        repository: The repository.
        git_dir: Its git folder, or the clone's.
        objects: Its objects.
        branch: The base branch. Empty for a detached HEAD.
        base: The base branch's commit.
        settings: Returns git settings to fetch and push, with a valid token.
        known: The commits of a remote repository's `dockertpl/` branches by name.
    """

    repository: Repository
    git_dir: Path
    objects: Objects
    branch: str
    base: Commit
    settings: Settings = dict
    known: Mapping[str, str] = field(default_factory=dict)

    def read(self, paths: Iterable[str]) -> dict[str, File | Obstacle]:
        """Return the files of the base branch by path. Missing paths are left out.

        Args:
            paths: Clean POSIX paths relative to the root.

        Raises:
            BadInputError: An object is missing.
        """
        return self.objects.read(self.base.tree, paths)

    def answers_files(self) -> Iterator[str]:
        """Yield the names of the answers files at its root, in order.

        Raises:
            BadInputError: An object is missing.
        """
        for name in sorted(self.objects.folder(self.base.tree)):
            if name.startswith(".copier-answers") and name.endswith(".yml"):
                yield name

    def ours(self, branch: str) -> Commit | None:
        """Return the commit of a `dockertpl/` branch, or None if the branch does not exist.

        Raises:
            BadInputError: The branch's commit is missing or invalid.
        """
        if not self.repository.is_local:
            name = self.known.get(branch)
            return self.objects.commit(name) if name else None
        try:
            name = git.run("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", cwd=self.git_dir)
        except NoGitError:
            return None
        return self.objects.commit(name)

    @contextmanager
    def checked_out(self, commit: str, scratch: Scratch) -> Iterator[Path]:
        """Check out a commit into a temporary folder for a `with` block. No filter or hook runs.

        Raises:
            NoGitError: Git failed.
        """
        with TemporaryDirectory(dir=scratch.folder) as folder:
            # Use the repository's name: a template may ask for the folder's name.
            tree = Path(folder) / PurePosixPath(self.repository.key).name
            tree.mkdir()
            self.objects.check_out(commit, tree, index=Path(folder) / "index")
            yield tree


@contextmanager
def opened(repository: Repository, scratch: Scratch, settings: Settings, *, whole: bool = False) -> Iterator[View]:
    """Open a repository for a `with` block. A clone is removed afterwards.

    Args:
        repository: The repository.
        scratch: The folder for clones.
        settings: Returns git settings to fetch and push.
        whole: Whether to fetch large files, too, which a build needs.

    Raises:
        BadInputError: It is not a repository, or has no commit.
        NoGitError: It cannot be fetched, or git is missing.
    """
    if repository.is_local:
        with _local(repository, scratch) as view:
            yield view
        return
    name = hashlib.sha256(repository.location.encode()).hexdigest()
    clone = scratch.folder / f"clone-{name}.git"
    try:
        with _remote(repository, scratch, clone, settings, whole=whole) as view:
            yield view
    finally:
        shutil.rmtree(clone, ignore_errors=True)


@contextmanager
def _local(repository: Repository, scratch: Scratch) -> Iterator[View]:
    folder = Path(repository.location)
    wanted = f"refs/heads/{repository.base}" if repository.base else "HEAD"
    places = ("--path-format=absolute", "--show-object-format", "--git-dir", "--git-path", "objects")
    try:
        found = git.run(
            "rev-parse",
            *places,
            wanted,
            "--symbolic-full-name",
            wanted,
            cwd=folder,
            # Only the folder itself, not a repository around it.
            variables={"GIT_CEILING_DIRECTORIES": str(folder.absolute().parent)},
        )
    except NoGitError as error:
        if "dubious ownership" in error.message:
            raise
        what = f"no branch {repository.base}" if repository.base else "no commit"
        raise BadInputError(
            f"{repository.key} is not a git repository, or has {what}.", "Commit its files first, or exclude it."
        ) from error
    object_format, git_dir, objects, commit, name = found.splitlines()
    with Objects(scratch.git_dir(object_format), Path(objects), object_format=object_format) as store:
        yield View(
            repository=repository,
            git_dir=Path(git_dir),
            objects=store,
            branch=name.removeprefix("refs/heads/") if name.startswith("refs/heads/") else "",
            base=store.commit(commit),
        )


@contextmanager
def _remote(
    repository: Repository, scratch: Scratch, clone: Path, settings: Settings, *, whole: bool
) -> Iterator[View]:
    shutil.rmtree(clone, ignore_errors=True)
    git.run("init", "--quiet", "--bare", "--", str(clone))
    git.run("config", "remote.origin.url", repository.location, cwd=clone)
    branch = repository.base or _default_branch(repository, clone, settings)
    try:
        git.run(
            "fetch",
            "--quiet",
            "--depth=1",
            *(() if whole else (f"--filter=blob:limit={LARGEST + 1}",)),
            "--no-tags",
            "--no-auto-maintenance",
            "--recurse-submodules=no",
            "origin",
            f"+refs/heads/{branch}:{_BASE}",
            f"+refs/heads/{BRANCHES}*:{_OURS}{BRANCHES}*",
            cwd=clone,
            settings=settings(),
        )
    except NoGitError as error:
        if "couldn't find remote ref" not in error.message:
            raise
        raise BadInputError(
            f"{repository.key} has no branch {branch}.",
            "If the branch was renamed, create a new plan with: dockertpl fleet plan",
        ) from error
    listed = git.run("for-each-ref", "--format=%(refname) %(objectname)", cwd=clone)
    refs = dict(line.split(" ") for line in listed.splitlines())
    with Objects(scratch.git_dir("sha1"), clone / "objects") as store:
        yield View(
            repository=repository,
            git_dir=clone,
            objects=store,
            branch=branch,
            base=store.commit(refs[_BASE]),
            settings=settings,
            known={name.removeprefix(_OURS): commit for name, commit in refs.items() if name.startswith(_OURS)},
        )


def _default_branch(repository: Repository, clone: Path, settings: Settings) -> str:
    listed = git.run("ls-remote", "--symref", "origin", "HEAD", cwd=clone, settings=settings())
    for line in listed.splitlines():
        if line.startswith("ref: refs/heads/"):
            return line.removeprefix("ref: refs/heads/").partition("\t")[0]
    raise BadInputError(f"{repository.key} has no commit.", "Push its files first, or exclude it.")
