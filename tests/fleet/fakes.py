"""A fleet for tests: repositories made from the small template, and a forge in memory."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.releases import commit, scaffold

from dockertpl.fleet.apply import ApplyOptions, apply
from dockertpl.fleet.assess import Target
from dockertpl.fleet.forges.base import Issue, Proposal, Query
from dockertpl.fleet.git_objects import Scratch
from dockertpl.fleet.model import Discovered, ItemResult, Repository
from dockertpl.fleet.plan import PlanItem
from dockertpl.fleet.scan import Context, items
from dockertpl.template.versions import Versions


@dataclass
class FakeForge:
    """A forge in memory.

    Attributes:
        bare: The folder of its repositories.
        proposals: Its pull requests, with repository and branch.
        issues: Its issues, with repository and state.
        calls: The names of the writing calls.
    """

    bare: Path
    proposals: dict[int, tuple[str, str, Proposal]] = field(default_factory=dict)
    issues: dict[int, tuple[str, bool, Issue]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def find(self, query: Query) -> Iterator[Discovered]:
        for path in sorted(self.bare.glob("*.git")):
            yield Discovered(repository=remote(path))

    def git_settings(self, slug: str) -> Mapping[str, str]:
        return {}

    def proposal(self, slug: str, branch: str) -> Proposal | None:
        found = [each for where, name, each in self.proposals.values() if (where, name) == (slug, branch)]
        found.sort(key=lambda each: (each.state == "open", each.number))
        return found[-1] if found else None

    def propose(self, slug: str, *, branch: str, base: str, title: str, body: str, draft: bool) -> Proposal:
        there = self.proposal(slug, branch)
        if there and there.state == "open":
            self.calls.append("amend")
            self.change(there.number, base=base, title=title, body=body, draft=draft or there.draft)
            return self.proposals[there.number][2]
        self.calls.append("propose")
        number = len(self.proposals) + 1
        made = Proposal(
            number=number, url=f"{slug}#{number}", state="open", draft=draft, base=base, title=title, body=body
        )
        self.proposals[number] = (slug, branch, made)
        return made

    def amend(self, slug: str, number: int, *, base: str, title: str, body: str) -> Proposal:
        self.calls.append("amend")
        self.change(number, base=base, title=title, body=body)
        return self.proposals[number][2]

    def change(self, number: int, **fields: Any) -> None:
        """Change a pull request by hand."""
        slug, branch, proposal = self.proposals[number]
        self.proposals[number] = (slug, branch, replace(proposal, **fields))

    def issue(self, slug: str, marker: str) -> Issue | None:
        found = [
            each for where, is_open, each in self.issues.values() if where == slug and is_open and marker in each.body
        ]
        return found[-1] if found else None

    def report(self, slug: str, marker: str, *, title: str, body: str) -> Issue:
        there = self.issue(slug, marker)
        number = there.number if there else len(self.issues) + 1
        if there is None or (there.title, there.body) != (title, body):
            self.calls.append("report")
        self.issues[number] = (slug, True, Issue(number=number, url=f"{slug}#i{number}", title=title, body=body))
        return self.issues[number][2]

    def close(self, slug: str, number: int, comment: str) -> None:
        self.calls.append("close")
        where, _, issue = self.issues[number]
        self.issues[number] = (where, False, issue)


def remote(path: Path, forge: Any = "github") -> Repository:
    """Return a bare repository as a repository of a forge."""
    name = path.name.removesuffix(".git")
    return Repository(key=f"forge/org/{name}", location=f"file://{path}", forge=forge, slug=f"org/{name}")


def local(path: Path) -> Repository:
    return Repository(key=path.name, location=str(path))


def push_bare(root: Path, bare: Path) -> Path:
    """Make a bare clone, as a forge has it."""
    path = bare / f"{root.name}.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(root), str(path)], check=True)
    subprocess.run(["git", "config", "uploadpack.allowFilter", "true"], cwd=path, check=True)
    return path


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The inputs of `apply` in a test.

    Attributes:
        folder: A folder of the test.
        template: The template, with the versions v1.0.0 to v3.0.0.
        versions: Its versions.
        forge: A forge.
    """

    folder: Path
    template: Path
    versions: Versions
    forge: FakeForge

    def context(self, to: str = "v2.0.0", jobs: int = 2) -> Context:
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        return Context(
            target=Target(template=str(self.template), to=to),
            versions=self.versions,
            scratch=Scratch(folder=scratch),
            settings=lambda repository: {},
            jobs=jobs,
        )

    def scaffold(self, name: str = "app", tag: str = "v1.0.0", **answers: str) -> Path:
        """Return a repository with an image of a template version."""
        return scaffold(self.folder / name, self.template, tag, {"name": name, **answers})

    def remote(self, name: str = "app", edit: Callable[[Path], object] | None = None) -> Repository:
        """Return a repository of the forge, with optional edits."""
        root = self.scaffold(name)
        if edit:
            edit(root)
            commit(root)
        return remote(push_bare(root, self.forge.bare))

    def plan(self, *repositories: Repository, to: str = "v2.0.0") -> list[PlanItem]:
        found = [Discovered(repository=repository) for repository in repositories]
        return [item for pairs in items(found, self.context(to)) for item, _ in pairs]

    def apply(self, planned: Sequence[PlanItem], *, to: str = "v2.0.0", **options: Any) -> list[ItemResult]:
        return list(apply(planned, self.context(to), ApplyOptions(forge=self.of, **options)))

    def run(self, repository: Repository, *, to: str = "v2.0.0", **options: Any) -> ItemResult:
        """Plan and apply the update of a repository with one image."""
        (outcome,) = self.apply(self.plan(repository, to=to), to=to, **options)
        return outcome

    def of(self, repository: Repository) -> FakeForge | None:
        return self.forge if repository.forge else None
