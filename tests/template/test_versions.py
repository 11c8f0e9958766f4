"""The version of an answers file, and the latest one."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from tests import releases
from tests.merge.scenario_template import git

from dockertpl.errors import BadInputError, NoGitError
from dockertpl.template.source import PUBLISHED, bundled
from dockertpl.template.versions import CURRENT, Versions, named, number

pytestmark = pytest.mark.slow


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return releases.make(tmp_path / "template")


def _recorded(template: Path, commit: str) -> dict[str, str]:
    return {"_src_path": str(template), "_commit": commit}


@pytest.mark.parametrize(
    ("commit", "to", "new", "order"),
    [
        ("v1.0.0", None, "v3.0.0", "newer"),
        ("v1.0.0", "v2.0.0", "v2.0.0", "newer"),
        ("v3.0.0", None, "v3.0.0", "same"),
        ("v3.0.0", "v1.0.0", "v1.0.0", "older"),
        ("v2.0.0", CURRENT, "v2.0.0", "same"),
    ],
)
def test_two_versions_and_their_order(template: Path, commit: str, to: str | None, new: str, order: str) -> None:
    with Versions() as versions:
        pair = versions.pair(_recorded(template, commit), "answers", to)
        assert (pair.old.source.commit, pair.new.source.commit, pair.order) == (commit, new, order)
        assert pair.new.source.src_path == str(template)


def test_branches_and_commits_are_versions_and_history_orders_them(template: Path) -> None:
    git(template, "checkout", "--quiet", "-b", "side")
    git(template, "commit", "--quiet", "--allow-empty", "--message", "more")
    with Versions() as versions:
        pair = versions.pair(_recorded(template, "v3.0.0"), "answers", "side")
        ahead = str(pair.new.source.commit)
        assert pair.order == "newer"
        assert ahead.startswith("v3.0.0-1-g")
        # The latest release is older. Nothing goes back without an explicit version.
        assert versions.pair(_recorded(template, ahead), "answers", None).order == "same"
        assert versions.latest(_recorded(template, ahead), "answers") == ("v3.0.0", "older")


@pytest.mark.parametrize("ref", ["maintenance", "commit", "short"])
def test_whatever_an_older_version_is_called_it_is_older(template: Path, ref: str) -> None:
    git(template, "branch", "maintenance", "v1.0.0")
    commit = git(template, "rev-parse", "v1.0.0").strip()
    to = {"commit": commit, "short": commit[:12]}.get(ref, ref)
    with Versions() as versions:
        pair = versions.pair(_recorded(template, "v3.0.0"), "answers", to)
        assert (pair.new.source.commit, pair.order) == ("v1.0.0", "older")


def test_of_several_tags_on_a_commit_the_release_is_recorded(template: Path) -> None:
    # Git describes the commit by the annotated tag.
    git(template, "tag", "--annotate", "--message", "x", "v3.0.0-rc1", "v3.0.0")
    git(template, "tag", "v3", "v3.0.0")
    with Versions() as versions:
        assert versions.pair(_recorded(template, "v1.0.0"), "answers", None).new.source.commit == "v3.0.0"
        assert versions.pair(_recorded(template, "v1.0.0"), "answers", "v3").new.source.commit == "v3.0.0"
        assert versions.newest(str(template), "v3") == "v3.0.0"
        # The rendering used the version with the recorded name.
        pair = versions.pair(_recorded(template, "v3.0.0-rc1"), "answers", None)
        assert (pair.old.source.commit, pair.new.source.commit, pair.order) == ("v3.0.0-rc1", "v3.0.0", "newer")
        assert versions.pair(_recorded(template, "v3.0.0-rc1"), "answers", CURRENT).new.source.commit == "v3.0.0-rc1"


@pytest.mark.parametrize("version", ["8507c33", "1234567", "0b12345", "8507c33a0000000000000000000000000000aaaa"])
def test_the_hash_of_a_commit_is_not_read_as_a_number(version: str) -> None:
    assert number(version) is None


def test_a_template_is_cloned_once_and_nothing_stays(template: Path) -> None:
    with Versions() as versions:
        first = versions.pair(_recorded(template, "v1.0.0"), "a", None)
        # Without the repository, the clone is enough.
        template.rename(template.parent / "moved")
        second = versions.pair(_recorded(template, "v1.0.0"), "b", None)
        assert first == second
        assert first.old.source.root.exists()
    assert not first.old.source.root.exists()


def test_this_package_s_own_version_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    own = bundled()
    with Versions() as versions:
        pair = versions.pair({"_src_path": PUBLISHED, "_commit": own.commit}, "answers", CURRENT)
    assert (pair.old.source.root, pair.order) == (own.root, "same")


def test_a_wrong_path_is_not_a_network_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Versions() as versions, pytest.raises(NoGitError) as caught:
        versions.pair({"_src_path": "../template", "_commit": "v1.0.0"}, "answers", None)
    assert f"relative to {tmp_path}" in caught.value.remedy


@pytest.mark.parametrize("missing", ["_src_path", "_commit"])
def test_answers_without_a_version_say_what_is_missing(missing: str) -> None:
    recorded = {key: "x" for key in ("_src_path", "_commit") if key != missing}
    with pytest.raises(BadInputError, match=missing):
        named(recorded, "answers")


def test_what_is_not_there_is_named(template: Path, tmp_path: Path) -> None:
    with Versions() as versions:
        with pytest.raises(BadInputError, match="v9"):
            versions.pair(_recorded(template, "v1.0.0"), "answers", "v9")
        with pytest.raises(NoGitError, match=r"^The template cannot be read: .*none"):
            versions.pair(_recorded(tmp_path / "none", "v1.0.0"), "answers", None)


def test_a_missing_version_does_not_affect_other_versions(template: Path) -> None:
    with Versions() as versions:
        for _ in range(2):
            with pytest.raises(BadInputError, match="no version"):
                versions.pair(_recorded(template, "v9.9.9"), "answers", "v2.0.0")
            assert versions.pair(_recorded(template, "v1.0.0"), "answers", "v2.0.0").order == "newer"


def test_forked_processes_do_not_disturb_each_other(template: Path) -> None:
    with Versions() as versions:
        versions.newest(str(template))
        for _ in range(2):
            process = multiprocessing.get_context("fork").Process(target=versions.newest, args=(f"file://{template}",))
            process.start()
            process.join()
            assert process.exitcode == 0


def test_a_number_that_python_cannot_read_is_ignored() -> None:
    assert number("v1.0.0") < number("v1.0.0-2-gabc")
    assert number(f"v{'9' * 5000}") is None
