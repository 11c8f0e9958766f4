from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.fleet.texts.updates import template

from dockertpl.fleet.texts.changelog import changelog, of_template

TEXT = """\
# Changelog

All of it.

## [Unreleased]
### Added
- Not yet.

## [1.10.0] - 2026-03-01
### Added
- Ten.

```text
## [1.9.9] - in a block of code
```

## [1.9.0](https://example.com/1.9.0) - 2026-02-01
### Fixed
- Nine.

## v1.8.0 (2026-01-01)
- Eight.

## [1.7.0] - 2025-12-01

[Unreleased]: https://example.com/compare/v1.10.0...HEAD
[1.10.0]: https://example.com/releases/v1.10.0
"""


def test_what_is_after_the_old_version_up_to_the_new_one() -> None:
    assert changelog(TEXT, "v1.8.0", "v1.10.0") == (
        "## 1.10.0 - 2026-03-01\n### Added\n- Ten.\n\n```text\n## [1.9.9] - in a block of code\n```\n\n"
        "## 1.9.0 - 2026-02-01\n### Fixed\n- Nine."
    )
    assert changelog(TEXT.replace("\n", "\r\n"), "1.7.0", "1.8.0") == "## v1.8.0 (2026-01-01)\n- Eight."


def test_an_unreleased_version_includes_the_unreleased_entries() -> None:
    text = changelog(TEXT, "v1.10.0", "v1.10.0-3-gabcdef0")
    assert text == "## Unreleased\n### Added\n- Not yet."


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("", "v1.0.0", "v2.0.0"),
        ("No changelog at all.\n# 2.0.0\n", "v1.0.0", "v2.0.0"),
        (TEXT, "v1.10.0", "v1.9.0"),
        (TEXT, "v1.9.0", "v1.9.0"),
        (TEXT, "abcdef0", "v1.9.0"),
        (TEXT, "v1.9.0", ""),
        (TEXT, "v1.6.0", "v1.7.0"),
        ("## \n## [\n## []\n```\n## 2.0.0\n- in a block without an end", "v1.0.0", "v2.0.0"),
    ],
)
def test_without_entries_the_changelog_is_empty(text: str, old: str, new: str) -> None:
    assert changelog(text, old, new) == ""


def test_a_template_s_own_is_read_and_what_a_link_leads_to_is_not(tmp_path: Path) -> None:
    assert of_template(template("v1", root=tmp_path)) == ""
    file = tmp_path / "CHANGELOG.md"
    file.write_text(TEXT)
    assert of_template(template("v1", root=tmp_path)) == TEXT
    file.write_bytes(b"\xff\xfe")
    assert of_template(template("v1", root=tmp_path)) == ""
    file.unlink()
    (tmp_path / "secret").write_text("secret")
    file.symlink_to(tmp_path / "secret")
    assert of_template(template("v1", root=tmp_path)) == ""
    file.unlink()
    os.mkfifo(file)
    assert of_template(template("v1", root=tmp_path)) == ""
