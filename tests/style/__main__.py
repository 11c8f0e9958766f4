"""Print what the style rules find: `python -m tests.style [PATH…]`."""

from __future__ import annotations

import sys
from collections import Counter

from tests.style import rules
from tests.style.texts import texts

found = list(texts(*sys.argv[1:]))
pages = sorted({text.path for text in found if text.path.endswith(".md")})
counts = Counter[str]()
for name, findings in (
    ("phrases", rules.wording(found)),
    ("long sentences", rules.long_sentences(found)),
    ("long lines", rules.long_lines(pages)),
):
    for finding in findings:
        counts[name] += 1
        print(finding)  # noqa: T201
print(f"{sum(counts.values())} findings: {dict(counts)}")  # noqa: T201
for kind in ("docs", "messages", "rendered", "comments"):
    if of_kind := [text for text in found if text.kind == kind]:
        over = sum(1 for _ in rules.long_sentences(of_kind))
        print(f"{kind}: {len(of_kind)} texts, median {rules.median(of_kind)} words, {over} over {rules.MOST_WORDS}")  # noqa: T201
