"""Every link within the repository leads to a file and, if it names one, to a heading."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]


def _pages() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.md"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return sorted(path for path in listed.stdout.split("\0") if path and (ROOT / path).is_file())


def prose(text: str) -> str:
    """Return Markdown without its code blocks and comments."""
    text = re.sub(r"^( *)(`{3,}|~{3,}).*?^ *\2`*~* *$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def links(text: str) -> Iterator[str]:
    """Yield the targets of links and images within this repository, except in backticks."""
    text = re.sub(r"`[^`\n]*`", "x", prose(text))
    targets = re.findall(r"\]\(\s*<?([^)\s>]+)>?[^)]*\)", text)
    targets += re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, flags=re.MULTILINE)
    targets += re.findall(r"(?:src|srcset|href)=\"([^\"]+)\"", text)
    yield from (target for target in targets if not re.match(r"[a-z][a-z0-9+.-]*:|//", target))


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to headings, and the explicit anchors of a page."""
    seen = Counter[str]()
    found = set(re.findall(r"(?:id|name)=\"([^\"]+)\"", text))
    for heading in re.findall(r"^#{1,6}\s+(.*?)\s*#*$", prose(text), flags=re.MULTILINE):
        plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


@cache
def _anchors_of(path: Path) -> set[str]:
    return anchors(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", _pages())
def test_every_link_within_the_repository_leads_somewhere(page: str) -> None:
    for target in links((ROOT / page).read_text(encoding="utf-8")):
        path, _, anchor = unquote(target).partition("#")
        file = ((ROOT / page).parent / path).resolve() if path else ROOT / page
        assert file.exists(), f"{page} links to {target}"
        assert file.is_relative_to(ROOT), f"{page} links out of the repository: {target}"
        if anchor and file.suffix == ".md":
            assert anchor in _anchors_of(file), f"{page} links to {target}, but that page has no such heading"


def test_links_and_anchors_are_read_as_github_reads_them() -> None:
    page = (
        "# A `code` & more!\n## Twice\n## Twice\n[a](b.md#c) ![i](d.svg) [w](https://x.org/y) `[no](no.md)`\n"
        '```md\n[no](no.md)\n# no\n```\n<img src="e.svg">\n[ref]: f.md\n'
    )
    assert list(links(page)) == ["b.md#c", "d.svg", "f.md", "e.svg"]
    assert anchors(page) == {"a-code--more", "twice", "twice-1"}
