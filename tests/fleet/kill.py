"""Kill `apply` with SIGKILL at random moments, resume it, and check the result: `python -m tests.fleet.kill`.

Each round starts with forty repositories, some with manual edits, at a forge that checks every request and answer.
Rounds repeat until the given number of kills has hit a living process.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests import releases
from tests.forge.server import GitHub, serving
from tests.releases import commit, scaffold

_ROOT = Path(__file__).resolve().parents[2]
BRANCH = "dockertpl/app"


@dataclass
class Seen:
    """The results.

    Attributes:
        kills: The kills that hit a living process.
        rounds: The plans that were applied to the end.
        faults: The broken promises.
    """

    kills: int = 0
    rounds: int = 0
    faults: list[str] = field(default_factory=list)


def environment(github: GitHub) -> dict[str, str]:
    """Return the environment for a run against the forge."""
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    paths = os.pathsep.join([str(_ROOT / "generator"), str(_ROOT)])
    return {**kept, "PYTHONPATH": paths, "GITHUB_TOKEN": "not-secret", "GITHUB_API_URL": github.url}


def dockertpl(github: GitHub, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start dockertpl."""
    return subprocess.Popen(
        [sys.executable, "-m", "dockertpl", *arguments],
        cwd=folder,
        env=environment(github),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Return the exit code and the output of a process."""
    out, _ = process.communicate()
    return process.returncode, out


def make_fleet(github: GitHub, folder: Path, count: int) -> Path:
    """Fill a forge with repositories, with manual edits in every third, and return the list of them."""
    template = releases.make(folder / "template")
    shutil.rmtree(github.root / "org", ignore_errors=True)
    names = [f"app-{number:02}" for number in range(count)]
    first = scaffold(folder / "sources" / "app", template, "v1.0.0", {"name": "app"})
    edited = folder / "sources" / "edited"
    shutil.copytree(first, edited)
    (edited / "Dockerfile").write_text((edited / "Dockerfile").read_text().replace("line 11\n", "line 11\nmine\n"))
    commit(edited)
    for number, name in enumerate(names):
        github.add(f"org/{name}", edited if number % 3 == 0 else first)
    for state in (github.pulls, github.issues, github.comments):
        state.clear()
    path = folder / "fleet.txt"
    path.write_text("".join(f"{github.url}/org/{name}.git\n" for name in names))
    return path


def one_round(github: GitHub, folder: Path, seen: Seen, chance: random.Random, *, count: int, kills: int) -> None:
    """Plan, apply, kill, resume to the end, and check."""
    fleet = make_fleet(github, folder, count)
    plan, journal = folder / "plan.jsonl", folder / "journal.jsonl"
    plan.unlink(missing_ok=True)
    journal.unlink(missing_ok=True)
    options = ("--template", str(folder / "template"), "--to", "v2.0.0", "--output", str(plan))
    code, said = finished(dockertpl(github, folder, "fleet", "plan", str(fleet), *options))
    if code:
        seen.faults.append(f"plan ended with {code}: {said}")
        return
    arguments: Sequence[str] = ("fleet", "apply", str(plan), "--journal", str(journal))
    while seen.kills < kills:
        process = dockertpl(github, folder, *arguments)
        try:
            # From before it reads the plan to after the last pull request.
            process.communicate(timeout=chance.uniform(0.2, 6))
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            seen.kills += 1
        if journal.exists() and journal.stat().st_size:
            arguments = ("fleet", "resume", str(journal))
    if journal.exists() and journal.stat().st_size:
        arguments = ("fleet", "resume", str(journal))
    code, said = finished(dockertpl(github, folder, *arguments))
    if code:
        seen.faults.append(f"the last run ended with {code}: {said}")
    seen.faults += faults(github, journal, count)
    seen.rounds += 1


def faults(github: GitHub, journal: Path, count: int) -> list[str]:
    """Return the broken promises after a finished `apply`."""
    found = []
    for number in range(count):
        slug = f"org/app-{number:02}"
        bare = github.root / f"{slug}.git"
        heads = _git(bare, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()
        if sorted(heads) != [BRANCH, "main"] and sorted(heads) != [BRANCH, "master"]:
            found.append(f"{slug} has the branches {heads}")
            continue
        pulls = github.pulls.get(slug, [])
        if [pull["state"] for pull in pulls] != ["open"]:
            found.append(f"{slug} has {len(pulls)} pull requests")
        if _git(bare, "rev-list", "--count", f"HEAD..{BRANCH}") != "1":
            found.append(f"{slug}'s branch has other commits than ours")
        text = _git(bare, "show", f"{BRANCH}:Dockerfile")
        if "line three" not in text or ("mine" in text) != (number % 3 == 0):
            found.append(f"{slug} has lost an edit or the template's change")
    lines = journal.read_text().splitlines()
    outcomes = [json.loads(line) for line in lines[1:] if _whole(line)]
    keys = {outcome["repository"] for outcome in outcomes}
    if len(keys) != count:
        found.append(f"the journal has {len(keys)} of {count} repositories")
    wrong = {outcome["result"] for outcome in outcomes} - {"proposed", "unchanged", "updated"}
    if wrong:
        found.append(f"the journal says {wrong}")
    return found + github.violations


def _whole(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def run(folder: Path, *, kills: int, count: int, seed: int) -> Seen:
    """Kill the given number of times, and return the results."""
    seen, chance = Seen(), random.Random(seed)
    (folder / "root").mkdir()
    (folder / "prism").mkdir()
    with serving(folder / "root", folder / "prism") as github:
        while seen.kills < kills and not seen.faults:
            work = folder / f"round-{seen.rounds}"
            work.mkdir()
            one_round(github, work, seen, chance, count=count, kills=kills)
            print(f"round {seen.rounds}: {seen.kills} kills, {len(seen.faults)} faults", flush=True)  # noqa: T201
    return seen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--repositories", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for role in ("AUTHOR", "COMMITTER"):
        os.environ |= {f"GIT_{role}_NAME": "Test", f"GIT_{role}_EMAIL": "test@example.invalid"}
    with tempfile.TemporaryDirectory() as folder:
        seen = run(Path(folder), kills=options.kills, count=options.repositories, seed=options.seed)
    for fault in seen.faults:
        print(fault)  # noqa: T201
    print(f"{seen.kills} kills in {seen.rounds} rounds: {len(seen.faults)} faults")  # noqa: T201
    return int(bool(seen.faults))


if __name__ == "__main__":
    sys.exit(main())
