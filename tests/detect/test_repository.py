from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect import repository
from dockertpl.detect.repository import Repository, join, parent
from dockertpl.errors import BadInputError

Repo = Callable[[dict[str, str]], Path]


def test_paths_are_joined_from_the_root() -> None:
    assert join(".", "a.py") == "a.py"
    assert join("b", "", "a.py") == "b/a.py"
    assert parent("a.py") == "."


def test_files_leave_out_environments_hidden_folders_and_dependencies(repo: Repo) -> None:
    root = repo(
        {
            "a.py": "",
            ".git/hooks/x.py": "",
            "node_modules/x.py": "",
            "my-env/pyvenv.cfg": "",
            "my-env/lib/x.py": "",
            ".cache/x.py": "",
            "b/c.py": "",
        }
    )
    assert Repository(root).files == ("a.py", "b/c.py")


def test_nothing_is_read_through_a_link_that_leads_out(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    root = repo({})
    (root / "pyproject.toml").symlink_to(tmp_path / "secret")
    (root / "folder").symlink_to(tmp_path)
    found = Repository(root)
    assert found.text("pyproject.toml") is None
    assert found.text("folder/secret") is None
    assert found.text("../secret") is None
    assert found.files == ()
    assert "leads out of the repository" in found.skipped["pyproject.toml"]


def test_a_link_inside_the_repository_is_read(repo: Repo) -> None:
    root = repo({"real.toml": "a = 1"})
    (root / "pyproject.toml").symlink_to("real.toml")
    assert Repository(root).toml("pyproject.toml") == {"a": 1}


def test_loops_of_links_end(repo: Repo) -> None:
    root = repo({"a.py": ""})
    (root / "loop").symlink_to(".")
    (root / "self").symlink_to("self")
    found = Repository(root)
    assert found.files == ("a.py",)
    assert found.text("self") is None
    assert not found.is_dir("self/x")


def test_a_pipe_is_not_waited_for(repo: Repo) -> None:
    root = repo({})
    os.mkfifo(root / "pyproject.toml")
    assert Repository(root).text("pyproject.toml") is None


def test_a_huge_file_is_not_read(repo: Repo) -> None:
    root = repo({})
    with (root / "main.py").open("wb") as stream:
        stream.truncate(100 << 20)
    found = Repository(root)
    assert found.text("main.py") is None
    assert "bigger than 1 MiB" in found.skipped["main.py"]


def test_a_lock_may_be_bigger(repo: Repo) -> None:
    root = repo({"uv.lock": "#" * (2 << 20)})
    assert Repository(root).toml("uv.lock") == {}


def test_deep_folders_are_left_out_and_reported(repo: Repo) -> None:
    root = repo({"/".join(["d"] * 30) + "/main.py": ""})
    found = Repository(root)
    assert found.files == ()
    assert any("folders deep" in text for text in found.skipped.values())


def test_too_many_files_are_left_out_and_reported(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "MAX_FILES", 2)
    found = Repository(repo({"a": "", "b": "", "c": ""}))
    assert len(found.files) == 2
    assert "more than 2 files" in found.skipped["."]


def test_names_that_cannot_be_shown_are_left_out(repo: Repo) -> None:
    root = repo({"a.py": ""})
    (root / "line\nbreak.py").touch()
    Path(os.fsdecode(os.fsencode(root) + b"/\xff.py")).touch()
    assert Repository(root).files == ("a.py",)


def test_broken_encodings_are_read_as_far_as_possible(repo: Repo) -> None:
    root = repo({})
    (root / "a.txt").write_bytes(b"\xef\xbb\xbfname\xff\r\nx")
    assert Repository(root).text("a.txt") == "name\ufffd\nx"


@pytest.mark.parametrize(
    "content", [b"\x00\x01\x02", b"def (:\n", b"(" * 100_000, b"-" * 200_000 + b"1", b"'\\d'\nx ="]
)
def test_a_file_that_is_not_python_has_no_syntax_tree(repo: Repo, content: bytes) -> None:
    root = repo({})
    (root / "a.py").write_bytes(content)
    found = Repository(root)
    assert found.tree("a.py") is None
    assert found.unreadable[0].startswith("a.py")


def test_an_odd_escape_is_not_an_error(repo: Repo) -> None:
    assert Repository(repo({"a.py": "'\\d'"})).tree("a.py") is not None


def test_invalid_toml_names_file_and_line(repo: Repo) -> None:
    root = repo({"api/pyproject.toml": "[project]\nname = \n"})
    with pytest.raises(BadInputError, match=r"^api/pyproject\.toml:2 is not valid TOML: Invalid value\.$"):
        Repository(root).toml("api/pyproject.toml")


def test_invalid_json_names_file_and_line(repo: Repo) -> None:
    root = repo({"web/package.json": '{\n  "a": nothing\n}', "list.json": "[1]", "good.json": '{"a": 1}'})
    with pytest.raises(BadInputError, match=r"^web/package\.json:2 is not valid JSON: Expecting value\.$"):
        Repository(root).json("web/package.json")
    assert Repository(root).json("list.json") == {}
    assert Repository(root).json("good.json") == {"a": 1}
    assert Repository(root).json("absent.json") is None


def test_other_folders_may_be_ignored(repo: Repo) -> None:
    root = repo({"env/a.ts": "", "out/b.ts": ""})
    assert Repository(root).files == ("out/b.ts",)
    assert Repository(root, frozenset({"out"})).files == ("env/a.ts",)


def test_an_unreadable_folder_is_reported(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repo({"a.py": "", "closed/b.py": ""})
    real = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = Repository(root)
    assert found.files == ("a.py",)
    assert found.skipped["closed"] == "closed was not read: Permission denied."
