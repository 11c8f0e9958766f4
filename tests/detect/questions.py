"""The questions of copier.yml, for tests of detection."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!include", lambda loader, node: None)


def questions() -> dict[str, dict[str, object]]:
    """Return every question by name, as written in the YAML."""
    found: dict[str, dict[str, object]] = {}
    for path in [ROOT / "copier.yml", *ROOT.glob("templates/kinds/*.yml"), *ROOT.glob("templates/*/**/questions.yml")]:
        for document in yaml.load_all(path.read_text(), Loader=_Loader):
            found |= document or {}
    return found
