"""`dockertpl status`: each answers file in one word, and the edits since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests import releases
from tests.releases import commit, scaffold

Run = Callable[..., Any]


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return releases.make(tmp_path / "template")


def _image(done: Any) -> Any:
    (image,) = done.json["images"]
    return image


@pytest.mark.parametrize(("tag", "state", "code"), [("v1.0.0", "outdated", 1), ("v3.0.0", "up-to-date", 0)])
def test_the_state_is_the_exit_code(
    tag: str, state: str, code: int, tmp_path: Path, template: Path, dockertpl: Run
) -> None:
    root = scaffold(tmp_path / "app", template, tag)
    done = dockertpl("status", root, "--json")
    assert (done.code, _image(done)["state"], _image(done)["latest"]) == (code, state, "v3.0.0")
    assert state in dockertpl("status", root).out


def test_what_was_edited_is_listed_and_what_is_not_committed(tmp_path: Path, template: Path, dockertpl: Run) -> None:
    root = scaffold(tmp_path / "app", template)
    (root / "Dockerfile").write_text("mine\n")
    commit(root)
    (root / "gone.txt").write_text("not committed\n")
    image = _image(dockertpl("status", root, "--json"))
    assert (image["diverged"], image["edited"], image["uncommitted"]) == (
        True,
        ["Dockerfile", "gone.txt"],
        ["gone.txt"],
    )
    (root / "gone.txt").unlink()
    assert _image(dockertpl("status", root, "--json"))["missing"] == ["gone.txt"]


def test_where_git_cannot_read_the_repository_that_is_said_and_nothing_is_called_uncommitted(
    tmp_path: Path, template: Path, dockertpl: Run
) -> None:
    root = scaffold(tmp_path / "app", template)
    (root / ".git" / "index").write_bytes(b"broken")
    done = dockertpl("status", root, "--json")
    image = _image(done)
    assert (done.code, image["state"], image["uncommitted"]) == (1, "outdated", [])
    assert "git ls-files failed" in image["note"]
    update = dockertpl("update", root)
    assert (update.code, "git ls-files failed" in update.err) == (3, True)


def test_the_content_of_a_region_is_not_an_edit(tmp_path: Path, template: Path, dockertpl: Run) -> None:
    marks = ("# >>> custom: image - lines\n", "# <<< custom: image\n")
    releases.release(template, "v4.0.0", None, "FROM x\n" + "".join(marks))
    root = scaffold(tmp_path / "app", template, "v4.0.0")
    (root / "Dockerfile").write_text("FROM x\n" + "RUN mine\n".join(marks))
    assert _image(dockertpl("status", root, "--json"))["edited"] == []


def test_another_template_s_and_one_without_a_version_have_words_of_their_own(
    tmp_path: Path, template: Path, dockertpl: Run
) -> None:
    root = scaffold(tmp_path / "app", template)
    (root / ".copier-answers.other.yml").write_text("_src_path: gh:a/b\n_commit: v1\n")
    path = root / ".copier-answers.yml"
    path.write_text(path.read_text().replace("_commit: v1.0.0\n", ""))
    done = dockertpl("status", root, "--json")
    assert [image["state"] for image in done.json["images"]] == ["foreign", "unmanaged"]


def test_an_answers_file_that_cannot_be_read_is_an_error_and_no_other_template_s(
    tmp_path: Path, template: Path, dockertpl: Run
) -> None:
    root = scaffold(tmp_path / "app", template, "v3.0.0")
    (root / ".copier-answers.web.yml").write_text("<<<<<<< HEAD\n_commit: v1.0.0\n")
    done = dockertpl("status", root, "--json")
    assert (done.code, [image["state"] for image in done.json["images"]]) == (1, ["error", "up-to-date"])
    assert "is not valid YAML" in done.json["images"][0]["note"]
    lines = dockertpl("status", root).out.splitlines()
    assert "line 2" in " ".join(" ".join(lines).split()), "a note is said to its end"


def test_a_template_that_cannot_be_reached_hides_nothing_else(tmp_path: Path, template: Path, dockertpl: Run) -> None:
    root = scaffold(tmp_path / "app", template)
    template.rename(tmp_path / "moved")
    done = dockertpl("status", root, "--json")
    assert (done.code, _image(done)["state"], _image(done)["version"]) == (3, "unknown", "v1.0.0")
    # The table shows every reason.
    shown = dockertpl("status", root).out
    assert " ".join(_image(done)["note"].split()) in " ".join(shown.split())


def test_lines_fit_a_narrow_terminal(tmp_path: Path, template: Path, dockertpl: Run) -> None:
    folder = "/".join(["a-long-name"] * 9)
    root = scaffold(tmp_path / "app", template, answers={"app_dir": folder, "name": "deep"})
    (root / folder / "Dockerfile").write_text("mine\n")
    assert max(map(len, dockertpl("status", root).out.splitlines())) <= 80


def test_a_repository_without_images_shows_how_to_add_one(tmp_path: Path, dockertpl: Run) -> None:
    done = dockertpl("status", tmp_path)
    assert done.code == 2
    assert "dockertpl new" in done.err
