from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockertpl.actions import dependabot, renovate
from dockertpl.actions.edit import LARGEST
from dockertpl.actions.update_bot import PRESET, propose
from dockertpl.errors import DestinationError
from dockertpl.merge import plan

Write = Callable[[Path, Mapping[str, str]], Path]

DEPENDABOT = "version: 2\nupdates:\n  - package-ecosystem: npm\n    directory: /\n"


def test_the_preset_is_the_published_repository_s() -> None:
    assert PRESET == "github>org/dockertpl"


@pytest.mark.parametrize("path", renovate.PATHS)
def test_renovate_is_found_wherever_it_looks_itself(tmp_path: Path, write_files: Write, path: str) -> None:
    write_files(tmp_path, {path: '{"extends": ["a"]}'})
    proposal = propose(tmp_path, ".", None)
    assert proposal and proposal.new
    assert (proposal.bot, proposal.path, proposal.is_change) == ("renovate", path, True)
    assert json.loads(proposal.new.content) == {"extends": ["a", PRESET]}
    assert (tmp_path / path).read_text() == '{"extends": ["a"]}'


@pytest.mark.parametrize("path", dependabot.PATHS)
def test_dependabot_is_found(tmp_path: Path, write_files: Write, path: str) -> None:
    write_files(tmp_path, {path: DEPENDABOT})
    proposal = propose(tmp_path, "services/api", None)
    assert proposal and proposal.new
    assert (proposal.bot, proposal.path) == ("dependabot", path)
    assert b"directory: /services/api\n" in proposal.new.content
    assert proposal.by_hand.startswith(f'Add to "updates" in {path}:\n  - package-ecosystem: docker\n')


def test_renovate_comes_first_and_the_other_can_be_asked_for(tmp_path: Path, write_files: Write) -> None:
    write_files(tmp_path, {"renovate.json": "{}", ".github/renovate.json": "{}", ".github/dependabot.yml": DEPENDABOT})
    for choice, path in ((None, "renovate.json"), ("dependabot", ".github/dependabot.yml")):
        proposal = propose(tmp_path, ".", choice)  # type: ignore[arg-type]
        assert proposal and proposal.path == path
    assert propose(tmp_path, ".", "none") is None


def test_where_no_bot_is_at_work_nothing_is_proposed_unless_asked_for(tmp_path: Path) -> None:
    assert propose(tmp_path / "not" / "yet", ".", None) is None
    for choice, path in (("renovate", "renovate.json"), ("dependabot", ".github/dependabot.yml")):
        proposal = propose(tmp_path / "not" / "yet", ".", choice)  # type: ignore[arg-type]
        assert proposal and proposal.is_change
        assert (proposal.path, proposal.old) == (path, None)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_preset_is_recognized(tmp_path: Path, write_files: Write) -> None:
    write_files(tmp_path, {"renovate.json5": f"{{extends: ['{PRESET}#v1']}}"})
    proposal = propose(tmp_path, ".", None)
    assert proposal
    assert (proposal.is_there, proposal.is_change) == (True, False)


def _refusal(root: Path, choice: str) -> tuple[str, str]:
    """Return the reason and the remedy of the error. It is the same whether you asked for the bot or not."""
    proposal = propose(root, ".", None)
    assert proposal
    assert (proposal.new, proposal.is_change, proposal.is_there) == (None, False, False)
    with pytest.raises(DestinationError) as caught:
        propose(root, ".", choice)  # type: ignore[arg-type]
    assert caught.value.exit_code == 2
    assert caught.value.message == proposal.summary
    assert caught.value.remedy == f"{proposal.by_hand}\nThen run this again with --update-bot none."
    return proposal.summary, proposal.by_hand


def test_a_file_that_cannot_be_read_must_be_edited_by_hand(tmp_path: Path, write_files: Write) -> None:
    write_files(tmp_path, {"renovate.json": "{"})
    summary, by_hand = _refusal(tmp_path, "renovate")
    assert summary.startswith("renovate.json is not valid JSON or JSON5: ")
    assert by_hand == f'Add "{PRESET}" to "extends" in renovate.json.'
    (tmp_path / "renovate.json").unlink()
    write_files(tmp_path, {".github/dependabot.yml": "a: ["})
    summary, by_hand = _refusal(tmp_path, "dependabot")
    assert summary.startswith(".github/dependabot.yml is not valid YAML: ")
    assert "package-ecosystem: github-actions" in by_hand


def test_package_json_is_read_and_never_edited(tmp_path: Path, write_files: Write) -> None:
    write_files(tmp_path, {"package.json": '{"renovate": {"extends": ["a"]}}'})
    summary, by_hand = _refusal(tmp_path, "renovate")
    assert summary.startswith("package.json has Renovate's configuration")
    assert by_hand == f'Add "{PRESET}" to "extends" of "renovate" in package.json.'


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"x": "renovate"}', "[" * 9000, "\xff"])
def test_another_package_json_is_not_a_configuration(tmp_path: Path, write_files: Write, text: str) -> None:
    write_files(tmp_path, {"package.json": text})
    assert propose(tmp_path, ".", None) is None


def test_links_folders_and_pipes_are_never_followed(tmp_path: Path, write_files: Write) -> None:
    outside = write_files(tmp_path / "outside", {"renovate.json": "{}"})
    root = tmp_path / "root"
    root.mkdir()
    (root / "renovate.json").symlink_to(outside / "renovate.json")
    assert "is a link that leads out of the repository" in _refusal(root, "renovate")[0]
    (root / "renovate.json").unlink()
    (root / ".github").symlink_to(outside)
    assert ".github is a link that leads out of the repository" in _refusal(root, "renovate")[0]
    (root / ".github").unlink()
    (root / "renovate.json").symlink_to("nowhere")
    assert "is a link" in _refusal(root, "renovate")[0]
    (root / "renovate.json").unlink()
    os.mkfifo(root / "renovate.json")
    assert "is not a regular file" in _refusal(root, "renovate")[0]
    (root / "renovate.json").unlink()
    (root / "renovate.json").mkdir()
    assert "is a folder" in _refusal(root, "renovate")[0]
    (root / "renovate.json").rmdir()
    (root / "package.json").symlink_to(write_files(outside, {"p": '{"renovate": {}}'}) / "p")
    assert propose(root, ".", None) is None


def test_a_huge_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "renovate.json").open("wb") as file:
        file.truncate(LARGEST + 1)
    monkeypatch.setattr(plan, "make", lambda *_: pytest.fail("it was read"))
    assert _refusal(tmp_path, "renovate")[0] == "renovate.json is larger than 64 KiB."
