"""Copier's own updates keep the lines in user regions, whatever changes beside them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import copier
import pytest
from plumbum import local
from tests.parity import by_copier, copy_template, read_tree

from dockertpl.merge import regions
from dockertpl.template.tree import Tree

pytestmark = pytest.mark.slow

Git = Callable[..., str]

_ABOVE, _BELOW = "# >>> custom: {{ name }}", "# <<< custom: {{ name }}\n"
#: The lines that a version renders directly above and below each region, by tag.
BESIDE = {
    "v1.0.0": ("", ""),
    "v2.0.0": ("# New above.\n", "# New below.\n"),
    "v3.0.0": ("# Rewritten above.\nEXPOSE 1\n", "# Rewritten below.\n"),
    "v4.0.0": ("", ""),
}
KINDS: dict[str, dict[str, Any]] = {
    kind: {"kind": kind, "more_regions": True, **more}
    for kind, more in {
        "python-fastapi": {"base_image": "registry.example.com/base:1", "app_dir": "services/api"},
        "nextjs-standalone": {"manager": "npm"},
        "sandbox-multi-runtime": {},
        "shared-base": {},
    }.items()
}
#: Some of these lines are also around the regions in the template.
LINES = {
    "Dockerfile": "RUN make \\\n    && make install\n\n# why\nUSER 10001:10001\nWORKDIR /app\n# New below.\n",
    "ignore": "data\n\n!data/kept\ntests\n",
    "yml": "      - name: Test it\n        run: |\n          make test\n\n",
}


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the template's repository, written once."""
    return tmp_path_factory.mktemp("template")


@pytest.fixture
def template(templates: Path, git: Git) -> Iterator[Path]:
    """The template's repository with a tag for each entry of BESIDE."""
    root = templates / "repository"
    if not root.exists():
        copy_template(root)
        git(root, "init", "--quiet")
        macros = root / "templates" / "lib" / "custom.jinja"
        plain = macros.read_text()
        assert plain.count(_ABOVE) == plain.count(_BELOW) == 1
        for tag, (above, below) in BESIDE.items():
            # The caller adds the last line end.
            ended = _BELOW + below if below else _BELOW
            macros.write_text(plain.replace(_ABOVE, above + _ABOVE).replace(_BELOW, ended))
            git(root, "add", "--all")
            git(root, "commit", "--quiet", "--allow-empty", "--message", tag)
            git(root, "tag", tag)
    with local.env(**os.environ):
        yield root


def _filled(path: str, text: str) -> str:
    lines = next(lines for end, lines in LINES.items() if path.endswith(end))
    return regions.fill(text, {name: f"{lines}# in {name}\n" for name in regions.find(text)})


def _updated(root: Path, tag: str, **options: Any) -> Tree:
    """Return the repository's files after an update."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (answers,) = root.glob(".copier-answers*.yml")
        copier.run_update(
            root, answers_file=answers.name, vcs_ref=tag, defaults=True, overwrite=True, quiet=True, **options
        )
    return read_tree(root)


@pytest.mark.parametrize("kind", KINDS)
def test_no_update_changes_the_content_of_a_region(kind: str, template: Path, tmp_path: Path, git: Git) -> None:
    root = tmp_path / "app"
    by_copier(template, root, KINDS[kind], vcs_ref="v1.0.0")
    git(root, "init", "--quiet")
    with_regions = {path: text for path, file in read_tree(root).items() if regions.find(text := file.content.decode())}
    assert {end for end in LINES if any(path.endswith(end) for path in with_regions)} == set(LINES)
    for path, text in with_regions.items():
        (root / path).write_text(_filled(path, text))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "mine")

    for tag in list(BESIDE)[1:]:
        found = _updated(root, tag)
        fresh = by_copier(template, tmp_path / tag / "app", KINDS[kind], vcs_ref=tag)
        assert found.keys() == fresh.keys()  # no .rej among them
        for path, file in fresh.items():
            text = file.content.decode()
            wanted = _filled(path, text) if path in with_regions else text
            assert found[path].content.decode() == wanted, (tag, path)
        assert git(root, "ls-files", "--unmerged") == ""
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", tag)


def test_the_same_lines_beside_a_region_are_a_conflict(template: Path, tmp_path: Path, git: Git) -> None:
    """Without regions, the updates above conflict."""
    root = tmp_path / "app"
    by_copier(template, root, vcs_ref="v2.0.0")
    git(root, "init", "--quiet")
    dockerfile = root / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("# New above.\n", "# New above.\nRUN make\n"))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "mine")
    assert b"<<<<<<< " in _updated(root, "v3.0.0")["Dockerfile"].content


def test_rejected_parts_need_one_line_of_context(template: Path, tmp_path: Path, git: Git) -> None:
    """With conflicts in separate files, Copier looks for three unchanged lines, and a region has one."""
    for lines, rejected in ((3, True), (1, False)):
        root = tmp_path / str(lines)
        by_copier(template, root, vcs_ref="v2.0.0")
        git(root, "init", "--quiet")
        text = (root / "Dockerfile").read_text()
        (root / "Dockerfile").write_text(_filled("Dockerfile", text))
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", "mine")
        found = _updated(root, "v3.0.0", conflict="rej", context_lines=lines)
        assert ("Dockerfile.rej" in found) == rejected
