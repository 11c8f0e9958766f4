from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockertpl.errors import DestinationError
from dockertpl.merge import plan
from dockertpl.template.tree import File, Tree

Write = Callable[[Path, Mapping[str, str]], Path]

TREE: Tree = {
    ".dockerignore": File(content=b"x\n"),
    "services/api/Dockerfile": File(content=b"FROM a\n"),
    "services/api/run.sh": File(content=b"#!/bin/sh\n", executable=True),
}


def test_each_file_is_new_the_same_or_different(tmp_path: Path, write_files: Write) -> None:
    write_files(tmp_path, {".dockerignore": "x\n", "services/api/Dockerfile": "FROM b\n"})
    made = plan.make(tmp_path, TREE)
    assert {entry.path: entry.status for entry in made.entries} == {
        ".dockerignore": "identical",
        "services/api/Dockerfile": "differs",
        "services/api/run.sh": "create",
    }
    assert [entry.path for entry in made.having("create")] == ["services/api/run.sh"]


def test_a_lost_executable_bit_is_a_difference(tmp_path: Path, write_files: Write) -> None:
    write_files(tmp_path, {"services/api/run.sh": "#!/bin/sh\n"})
    assert [entry.path for entry in plan.make(tmp_path, TREE).having("differs")] == ["services/api/run.sh"]


def test_a_root_that_does_not_exist_takes_everything(tmp_path: Path) -> None:
    assert len(plan.make(tmp_path / "new" / "deep", TREE).having("create")) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_already_there_and_differs_is_refused_by_name(tmp_path: Path, write_files: Write) -> None:
    write_files(tmp_path, {".dockerignore": "other", "services/api/Dockerfile": "other"})
    with pytest.raises(
        DestinationError, match=r"^\.dockerignore and services/api/Dockerfile already exist and differ"
    ) as caught:
        plan.check_free(plan.make(tmp_path, TREE))
    assert "git mv services/api/Dockerfile services/api/Dockerfile.old" in caught.value.remedy
    assert caught.value.data["differing"] == [".dockerignore", "services/api/Dockerfile"]


def test_links_are_never_written_through(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "services").symlink_to(outside)
    (root / ".dockerignore").symlink_to("elsewhere")
    with pytest.raises(DestinationError) as caught:
        plan.make(root, TREE)
    assert f"services is a link that leads out of the repository (to {outside})." in caught.value.message
    assert ".dockerignore is a link (to elsewhere)." in caught.value.message
    assert caught.value.message.count("services is a link") == 1


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert len(plan.make(tmp_path / "link", TREE).entries) == 3


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("services", "services is a file, and services/api/Dockerfile needs a folder there."),
        ("services/api/Dockerfile/x", "services/api/Dockerfile is a folder."),
        (".DockerIgnore", ".dockerignore differs only in case from .DockerIgnore, which already exists."),
        ("Services/x", "services differs only in case from Services, which already exists."),
        ("services/api/DOCKERFILE", "services/api/Dockerfile differs only in case from DOCKERFILE"),
    ],
)
def test_existing_files_are_named(tmp_path: Path, write_files: Write, file: str, message: str) -> None:
    write_files(tmp_path, {file: "mine"})
    with pytest.raises(DestinationError) as caught:
        plan.make(tmp_path, TREE)
    assert message in caught.value.message


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".dockerignore")
    with pytest.raises(DestinationError, match=r"\.dockerignore is not a regular file"):
        plan.make(tmp_path, TREE)


def test_a_folder_that_is_not_writable_is_named(
    tmp_path: Path, write_files: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, {"services/x": ""})
    # Root may write everywhere, so permissions would prove nothing when tests run as root.
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path).name != "services")
    with pytest.raises(DestinationError, match="services is not writable"):
        plan.make(tmp_path, TREE)


def test_a_destination_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DestinationError, match="file is a file"):
        plan.make(tmp_path / "file", TREE)
