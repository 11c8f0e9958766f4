"""The Next.js samples are real: valid manifests, the same application everywhere, and no lock in a commit."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import yaml
from tests.samples import next_sample

KNOWN = next_sample.catalog()
POSSIBLE = [
    (manager, layout)
    for manager in KNOWN["managers"]
    for layout in KNOWN["layouts"]
    if next_sample.is_possible(manager, layout)
]


def _written(
    folder: Path, manager: str = "npm", layout: str = "single", router: str = "app", **options: bool | str
) -> Path:
    return next_sample.write_next_sample(
        folder,
        manager=manager,
        router=router,
        layout=layout,
        lock=False,
        **options,  # type: ignore[arg-type]
    )


@pytest.mark.slow
@pytest.mark.parametrize("router", KNOWN["routers"])
@pytest.mark.parametrize(("manager", "layout"), POSSIBLE)
def test_a_sample_has_its_pages_where_its_layout_says(manager: str, layout: str, router: str, tmp_path: Path) -> None:
    app_dir, place = _written(tmp_path, manager, layout, router), KNOWN["layouts"][layout]
    assert app_dir == tmp_path / place["app_dir"]
    assert [folder for folder in ("app", "pages") if (app_dir / place["source"] / folder).exists()] == [router]
    assert (app_dir / place["source"] / KNOWN["routers"][router]["health"]).exists()
    paths = json.loads((app_dir / "tsconfig.json").read_text())["compilerOptions"]["paths"]
    assert (app_dir / paths["@/*"][0].removesuffix("*") / "lib" / "menu.ts").exists()
    assert (tmp_path / ".git").is_dir()


@pytest.mark.parametrize(("manager", "layout"), POSSIBLE)
def test_a_sample_s_manifests_say_which_workspace_it_is_in(manager: str, layout: str, tmp_path: Path) -> None:
    app_dir, workspace = _written(tmp_path, manager, layout), "workspace" in KNOWN["layouts"][layout]
    manifest, root = (json.loads((folder / "package.json").read_text()) for folder in (app_dir, tmp_path))
    assert manifest["name"] == KNOWN["layouts"][layout]["name"]
    assert ("@acme/ui" in manifest["dependencies"]) == workspace == (manifest != root)
    list_of_members = tmp_path / "pnpm-workspace.yaml"
    members = yaml.safe_load(list_of_members.read_text()) if list_of_members.exists() else {}
    assert members.get("packages", root.get("workspaces", [])) == (["apps/*", "packages/*"] if workspace else [])
    assert (tmp_path / "turbo.json").exists() == ("turbo" in root.get("devDependencies", {})) == (layout == "turborepo")
    configuration = (app_dir / "next.config.ts").read_text()
    assert ('transpilePackages: ["@acme/ui"],' in configuration) == workspace
    assert "//" not in configuration


def test_a_workspace_has_a_package_that_the_application_does_not_use(tmp_path: Path) -> None:
    app_dir = _written(tmp_path, layout="workspace")
    assert sorted(folder.name for folder in (tmp_path / "packages").iterdir()) == ["ui", "unused"]
    assert "@acme/unused" not in (app_dir / "package.json").read_text()


def test_public_and_the_health_route_can_be_left_out(tmp_path: Path) -> None:
    for router, known in KNOWN["routers"].items():
        for name, there in (("with", True), ("without", False)):
            folder = _written(tmp_path / f"{router}-{name}", router=router, public=there, health=there)
            assert (folder / "public" / "logo.png").exists() == there
            assert (folder / known["health"]).exists() == there


def test_yarn_4_has_plug_n_play_where_nothing_says_otherwise(tmp_path: Path) -> None:
    assert (_written(tmp_path / "modules", "yarn-berry") / ".yarnrc.yml").exists()
    assert not (_written(tmp_path / "pnp", "yarn-pnp") / ".yarnrc.yml").exists()


@pytest.mark.parametrize(("config", "known"), KNOWN["configs"].items())
def test_a_configuration_is_in_the_file_that_is_its_own(
    config: str, known: dict[str, str | bool], tmp_path: Path
) -> None:
    app_dir = _written(tmp_path, config=config)
    assert [path.name for path in app_dir.glob("next.config.*")] == [known["file"]]
    text = (app_dir / str(known["file"])).read_text()
    assert ('output: "standalone"' in text) == known["standalone"]
    assert ("basePath" in text) == ("base_path" in known)


def test_turborepo_is_pnpm_s_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="yarn has no layout turborepo"):
        _written(tmp_path, "yarn", "turborepo")


def test_the_photo_is_a_png_of_real_size_and_the_same_every_time(tmp_path: Path) -> None:
    first, second = ((_written(tmp_path / name) / "assets" / "photo.png").read_bytes() for name in ("1", "2"))
    assert first == second
    assert first[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">2I", first[16:24]) == next_sample.PHOTO
    assert len(first) > 100_000


def test_no_lock_is_kept_among_the_sources() -> None:
    locks = {known["lock_file"] for known in KNOWN["managers"].values()}
    assert [path for path in next_sample.HERE.rglob("*") if path.name in locks] == []
