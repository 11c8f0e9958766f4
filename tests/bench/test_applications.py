"""The bench measures what the documentation says: a real application, and sides that differ only in their files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.samples import next_sample

from . import next_app
from .applications import APPLICATIONS, BASELINE, Application, NextJs, Side


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Next.js application without its lock, which would need the network."""
    monkeypatch.setattr(next_sample, "relock", lambda folder, manager: None)
    next_app.write(tmp_path / "office")
    return tmp_path / "office"


def test_the_next_js_application_has_pages_and_components_enough(office: Path) -> None:
    assert len(list((office / "app").rglob("page.tsx"))) > 150
    components = {path.stem: path.read_text() for path in (office / "components").iterdir()}
    assert len(components) > 60
    assert len([name for name, text in components.items() if text.startswith('"use client"')]) > 20
    assert not [name for name, text in components.items() if re.search(r"[$](?![{])", text)]


def test_every_page_imports_components_that_are_there_and_draws_them(office: Path) -> None:
    pages = list((office / "app").glob("*/*/page.tsx"))
    assert pages
    for page in pages:
        text = page.read_text()
        imported = re.findall(r'import [{] (\w+) [}] from "@/components/([\w-]+)"', text)
        assert len(imported) >= 4 or "api" in page.parts
        for name, file in imported:
            assert f"<{name} title=" in text
            assert f"export function {name}(" in (office / "components" / f"{file}.tsx").read_text()


def test_the_next_js_application_is_the_same_every_time(office: Path, tmp_path: Path) -> None:
    next_app.write(tmp_path / "again")
    for path in office.rglob("*"):
        assert path.is_dir() or path.read_bytes() == (tmp_path / "again" / path.relative_to(office)).read_bytes()


def test_a_change_of_code_changes_what_a_page_shows_and_never_back(office: Path) -> None:
    side, files = Side("slim", office), {"page": next_app.PAGE, "component": next_app.COMPONENT}
    for what, change in NextJs().code_changes().items():
        file = office / files[what.split()[-1]]
        seen = {file.read_text()}
        for name in ("code 0", "code 1"):
            change(side, name)
            seen.add(file.read_text())
            assert f"[{name} " in file.read_text()
        assert len(seen) == 3
        assert file.read_text().count("[code ") == 1
    assert next_app.COMPONENT.stem in (office / next_app.PAGE).read_text()


@pytest.mark.parametrize("app", APPLICATIONS.values(), ids=list(APPLICATIONS))
def test_every_other_side_stands_on_the_bases_of_all_after_its_repair(
    app: Application, office: Path, tmp_path: Path
) -> None:
    assert app.others[0] == BASELINE
    for name in app.others:
        side = Side(name, office if app.name == "nextjs" else tmp_path / name)
        side.folder.mkdir(exist_ok=True)
        before = next_app.CONFIG.lstrip("\n")
        (side.folder / "next.config.ts").write_text(before)
        app.equip(side)
        text = (side.folder / "Dockerfile").read_text()
        stages = re.findall(r"^FROM .* AS (\S+)", text, re.MULTILINE)
        images = set(re.findall(r"^FROM (\S+)|^COPY --from=(\S+:\S+) ", text, re.MULTILINE))
        assert {one or other for one, other in images} - set(stages) <= set(app.bases)
        assert (side.folder / ".dockerignore").exists()
