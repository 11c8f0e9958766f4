"""How `verify` checks its limits, with a stand-in for builds and runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.commands import limits, verify
from dockertpl.errors import UnhealthyError

from .conftest import Done
from .test_baseline import commit, git

#: For each Dockerfile, the bytes of its image and the seconds to the first answer.
LINE = "# bytes={} ready={}\n"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    git(root, "init", "--quiet", "--initial-branch=main")
    commit(root, {"Dockerfile": LINE.format(100_000_000, 1.0)})

    def stand_in(work: verify._Work) -> None:
        facts = work.facts
        told = dict(word.split("=") for word in work.subject.dockerfile.read_text().split()[1:])
        facts.update(built=True, image_bytes=int(told["bytes"]), ready_seconds=float(told["ready"]), uid=10001)
        facts["layers"] = [{"bytes": int(told["bytes"]), "instruction": "COPY . /app"}]
        if "sick" in told:
            raise UnhealthyError("It answers 500.")
        facts["healthy"] = True

    monkeypatch.setattr(verify._Work, "verify", stand_in)
    monkeypatch.setattr("dockertpl.engine.client.find", lambda: None)
    monkeypatch.setattr(limits, "untag", lambda client, tag: removed.append(tag))
    monkeypatch.setattr(limits, "layer_files", lambda client, tag: [{"app/menu.bin": 7_000_000}])
    removed.clear()
    return root


removed: list[str] = []
Run = Callable[..., Done]


def test_within_its_budgets_an_image_passes(repo: Path, dockertpl: Run) -> None:
    done = dockertpl("verify", repo, "--max-bytes", "100MB", "--max-ready", "1", "--baseline", "main", "--json")
    assert done.code == 0
    assert done.json["findings"] == []
    assert done.json["baseline"] == {"name": "main", "image_bytes": 100_000_000, "ready_seconds": 1.0, "layers": 1}
    assert [re.fullmatch(r"dockertpl/shop-baseline-[0-9a-f]{8}:verify", tag) is not None for tag in removed] == [True]


def test_growth_over_a_commit_fails_and_says_by_what(repo: Path, dockertpl: Run) -> None:
    (repo / "Dockerfile").write_text(LINE.format(120_000_000, 1.0))
    done = dockertpl("verify", repo, "--baseline", "main")
    assert done.code == 1
    assert "Building main (" in done.err
    assert "The image grew by 20.0 MB (20%): 100.0 MB in main, 120.0 MB now." in done.err
    assert "+20.0 MB  COPY . /app (100.0 MB before)" in done.err


def test_each_budget_has_its_finding_in_the_json_and_in_the_summary(repo: Path, dockertpl: Run, tmp_path: Path) -> None:
    (before := tmp_path / "before.json").write_text(dockertpl("verify", repo, "--json").out)
    (repo / "Dockerfile").write_text(LINE.format(120_000_000, 2.0))
    words = ("--max-bytes", "110MB", "--max-ready", "1.5", "--baseline", before, "--markdown", tmp_path / "summary.md")
    done = dockertpl("verify", repo, *words, "--json")
    assert done.code == 1
    found = [finding["rule"] for finding in done.json["findings"]]
    assert found == ["max-bytes", "max-ready", "baseline-bytes", "baseline-ready"]
    assert done.json["error"]["code"] == "over-budget"
    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith("### shop: over budget\n")
    assert "| size, unpacked | 100.0 MB | 120.0 MB | +20.0% |" in summary


def test_a_baseline_that_is_not_healthy_is_compared_by_size(repo: Path, dockertpl: Run) -> None:
    commit(repo, {"Dockerfile": LINE.format(100_000_000, 1.0).rstrip() + " sick=1\n"})
    (repo / "Dockerfile").write_text(LINE.format(105_000_000, 1.0))
    done = dockertpl("verify", repo, "--baseline", "main")
    assert done.code == 0
    assert "main does not pass: It answers 500." in done.err


def test_an_image_that_fails_has_a_summary_and_no_baseline_is_built(repo: Path, dockertpl: Run, tmp_path: Path) -> None:
    (repo / "Dockerfile").write_text(LINE.format(100_000_000, 1.0).rstrip() + " sick=1\n")
    done = dockertpl("verify", repo, "--baseline", "main", "--markdown", "-")
    assert done.code == 1
    assert done.out.startswith("### shop: broken: not healthy\n")
    assert "It answers 500." in done.out
    assert "Building main" not in done.err


@pytest.mark.parametrize(
    "words", [("--max-bytes", "much"), ("--baseline", "nowhere"), ("--markdown", "-", "--json"), ("--max-ready", "0")]
)
def test_unusable_input_is_reported_before_a_build(words: tuple[str, ...], repo: Path, dockertpl: Run) -> None:
    (repo / "Dockerfile").write_text("this would not be built")
    assert dockertpl("verify", repo, *words).code == 2
