"""Run the rendered workflow of a Next.js application on machines without earlier builds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.engine import bases, service
from tests.samples import next_sample

from . import harness
from .registry import PROVENANCE, SBOM, Registry

pytestmark = pytest.mark.engine


def _image_layers(registry: Registry, repository: str) -> list[str]:
    manifest = registry.manifest(repository, registry.platforms(repository, "main")["linux/amd64"])
    return [layer["digest"] for layer in manifest["layers"]]


def test_a_changed_page_builds_the_pages_and_brings_their_layers_alone(
    machine: harness.Machine, registry: Registry, tmp_path: Path
) -> None:
    bases.ensure(service.NEXT_BASES, engine=machine.engine)
    machine.engine.forget()
    repository = harness.new_repository()
    root = next_sample.write_next_sample(tmp_path / "shop", manager="npm", router="app", layout="single")
    harness.published(root, image=f"{registry.address}/{repository}")
    first = harness.push(root, machine)
    assert first.ok, first.log[-5000:]
    assert first.jobs == {"lint": True, "image": True}
    assert registry.predicates(repository, "main") == {"linux/amd64": {PROVENANCE, SBOM}}
    before = _image_layers(registry, repository)

    machine.engine.forget()
    page = root / "components" / "home.tsx"
    page.write_text(page.read_text().replace("</main>", "<p>Closed on Mondays</p></main>"))
    harness.commit(root, "Say when it is closed")
    second = harness.push(root, machine)
    assert second.ok, second.log[-5000:]
    built = second.builds("image")[0]
    # No step installs packages, and no step of the final image runs.
    assert not [step for step in built.ran if "npm ci" in step or re.match(r"\[prod [^]]+\] RUN", step)], built.ran
    after = _image_layers(registry, repository)
    assert len(after) == len(before)
    # The code of the server and of the browser.
    assert 1 <= len(set(after) - set(before)) <= 2
    assert set(after) - set(before) <= set(after[-2:])
