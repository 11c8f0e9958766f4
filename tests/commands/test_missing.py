"""A message says why a file is not in the image, with the line that excludes it, or nothing if that is unknown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.commands.dockerfile_to_build import Subject
from dockertpl.commands.missing import explain

Make = Callable[..., Subject]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def write(files: dict[str, str], folder: str = ".", kind: str | None = "python-fastapi") -> Subject:
        (tmp_path / ".git").mkdir()
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        context = tmp_path / folder
        return Subject("shop", context / "Dockerfile", context, kind)

    return write


@pytest.mark.parametrize(
    ("ignore", "path", "line"),
    [
        ("# x\n**/README*\n", "/app/README.md", 2),
        ("docs\n", "/app/docs/guide.md", 1),
        ("docs\n", "docs", 1),
        ("!README.md\n**/README*\n", "README.md", 2),
    ],
)
def test_a_file_that_the_ignore_file_drops_is_reported_with_its_line(
    make: Make, ignore: str, path: str, line: int
) -> None:
    subject = make({".dockerignore": ignore, "README.md": "", "docs/guide.md": ""})
    said = explain(subject, path)
    assert f"line {line} of .dockerignore excludes it from the image" in said and "-d context_files=" in said


def test_the_ignore_file_of_the_dockerfile_counts_before_the_context_s(make: Make) -> None:
    subject = make({".dockerignore": "x\n", "Dockerfile.dockerignore": "**/README*\n", "README.md": ""})
    assert "line 1 of Dockerfile.dockerignore" in explain(subject, "README.md")


def test_of_an_image_of_someone_else_s_the_line_to_add_is_named(make: Make) -> None:
    subject = make({".dockerignore": "*.md\n", "README.md": ""}, kind=None)
    assert "add the line !README.md" in explain(subject, "README.md")


@pytest.mark.parametrize("ignore", ["*.txt\n", "**/README*\n!README.md\n", "docs\n"])
def test_a_file_that_the_ignore_file_lets_through_is_not_mentioned(make: Make, ignore: str) -> None:
    assert explain(make({".dockerignore": ignore, "README.md": ""}), "README.md") == ""


def test_a_folder_missing_from_git_is_reported_with_the_line_and_the_front_end(make: Make) -> None:
    subject = make({"api/.dockerignore": "", ".gitignore": "*.log\ndist/\n"}, folder="api")
    said = explain(subject, "/app/app/dist")
    assert ".gitignore:2 excludes it from Git" in said and "front-end" in said and "more_regions" in said


def test_a_folder_that_a_front_end_builds_is_reported_with_the_answers(make: Make) -> None:
    files = {
        "api/.dockerignore": "",
        ".gitignore": "dist/\n",
        "api/web/package.json": '{"scripts": {"build": "vite build"}, "dependencies": {"vite": "7"}}',
        "api/web/pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
    }
    said = explain(make(files, folder="api"), "/app/web/dist/assets")
    assert "a front-end build creates it" in said
    wanted = "-d frontend=web -d frontend_output=web/dist -d frontend_manager=pnpm"
    assert said.splitlines()[-1] == f"  dockertpl update {wanted}"


def test_a_missing_file_is_reported_as_missing(make: Make) -> None:
    assert "menu.json is not in the repository" in explain(make({"x": ""}), "data/menu.json", "/app")


@pytest.mark.parametrize("path", ["/etc/shop.conf", "/app", "../x"])
def test_what_is_not_of_the_application_is_not_spoken_of(make: Make, path: str) -> None:
    assert explain(make({"x": ""}), path) == ""
