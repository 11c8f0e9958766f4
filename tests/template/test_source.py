from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockertpl import __version__
from dockertpl.errors import TemplateError
from dockertpl.template import source


@pytest.fixture
def repository(tmp_path: Path, git: Callable[..., str], write_files: Callable[[Path, Mapping[str, str]], Path]) -> Path:
    root = write_files(tmp_path / "template", {"copier.yml": "_subdirectory: project\n", "project/a": "old"})
    git(root, "init", "--quiet", "--initial-branch", "main")
    for version in ("v1.0.0", "v1.1.0", None):
        (root / "project/a").write_text(version or "unreleased")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", str(version))
        if version:
            git(root, "tag", version)
    return root


def test_the_bundled_template_names_where_it_is_published_and_its_version() -> None:
    found = source.bundled()
    assert (found.root / "copier.yml").is_file()
    assert (found.src_path, found.commit) == ("https://github.com/org/dockertpl.git", f"v{__version__}")


def test_a_wheel_s_bundle_comes_before_what_lies_beside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "generator" / "dockertpl"
    (package / "_bundle").mkdir(parents=True)
    (package / "_bundle" / "copier.yml").touch()
    (tmp_path / "copier.yml").touch()
    monkeypatch.setattr(source, "_PACKAGE", package)
    assert source.bundled().root == package / "_bundle"
    (package / "_bundle" / "copier.yml").unlink()
    assert source.bundled().root == tmp_path
    (tmp_path / "copier.yml").unlink()
    with pytest.raises(TemplateError, match="has no template"):
        source.bundled()


def test_a_repository_gives_its_latest_release(repository: Path) -> None:
    with source.opened(f"file://{repository}") as found:
        assert found.commit == "v1.1.0"
        assert found.src_path == f"file://{repository}"
        assert (found.root / "project/a").read_text() == "v1.1.0"
    assert not found.root.exists()


def test_a_ref_makes_a_path_a_repository(repository: Path) -> None:
    with source.opened(str(repository), "v1.0.0") as found:
        assert (found.root / "project/a").read_text() == "v1.0.0"
    with source.opened(str(repository), "main") as found:
        assert (found.commit or "").startswith("v1.1.0-1-g")


def test_a_directory_is_taken_as_it_is(repository: Path) -> None:
    (repository / "project/a").write_text("edited")
    with source.opened(str(repository)) as found:
        assert found == source.TemplateSource(root=repository, src_path=str(repository), commit=None)
    assert repository.exists()


def test_without_a_name_it_is_the_bundled_one() -> None:
    with source.opened() as found:
        assert found == source.bundled()


def test_a_folder_that_is_not_a_template_is_reported(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"no copier\.yml"), source.opened(str(tmp_path)):
        pass


def test_submodules_are_left_alone(repository: Path, tmp_path: Path, git: Callable[..., str]) -> None:
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "module")
    git(repository, "commit", "--quiet", "--message", "module")
    with source.opened(str(repository), "main") as found:
        assert list((found.root / "module").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("gh:org/dockertpl", "https://github.com/org/dockertpl.git"),
        ("gh:/org/dockertpl.git", "https://github.com/org/dockertpl.git"),
        ("gl:org/sub/dockertpl", "https://gitlab.com/org/sub/dockertpl.git"),
        ("git+ssh://git@host/x", "ssh://git@host/x"),
        ("./gh:x", "./gh:x"),
    ],
)
def test_copier_s_short_forms_are_known(name: str, url: str) -> None:
    assert source.expand(name) == url
