"""The script that writes versions and checksums of downloads trusts nothing before it has verified the signature."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import pysequoia
import pytest
import yaml

SCRIPT = Path(__file__).parents[2] / "generator" / "bin" / "refresh_downloads.py"
ARCHIVE = b"an archive"


@pytest.fixture
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refresh_downloads", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def item(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An artifact signed with its own key, and the function that fetches it."""
    if not shutil.which("gpg"):
        pytest.skip("no gpg, which only who refreshes the checksums needs")
    key = pysequoia.Tsk.generate("Maker <maker@example.com>")
    signature = pysequoia.sign(key.signer(), ARCHIVE, mode=pysequoia.SignatureMode.DETACHED)
    monkeypatch.setattr(script, "fetch", lambda url: signature if url.endswith(".sig") else ARCHIVE)
    public = key.extract_certificate()
    return {
        "mirror": {"url": "https://maker.example.com"},
        "path": "{version}/tool-{arch}.zip",
        "arch": {"amd64": "x86_64"},
        "signature": ".sig",
        "fingerprints": [public.fingerprint.upper()],
        "key": str(public),
    }


def test_a_checksum_matches_the_file_that_the_vendor_signed(script: ModuleType, item: dict[str, Any]) -> None:
    assert script.checksum("tool", item, "1.2", "amd64") == hashlib.sha256(ARCHIVE).hexdigest()


def test_what_another_key_signed_has_none(script: ModuleType, item: dict[str, Any]) -> None:
    stranger = pysequoia.Tsk.generate("Stranger <stranger@example.com>").extract_certificate()
    for keys in ({"fingerprints": [stranger.fingerprint.upper()]}, {"key": str(stranger)}):
        with pytest.raises(SystemExit, match=r"tool 1\.2 for amd64: no known key"):
            script.checksum("tool", {**item, **keys}, "1.2", "amd64")


def test_only_the_lines_of_one_artifact_change(script: ModuleType) -> None:
    text = script.DATA.read_text()
    changed = script.rewritten(text, "mountpoint", "9.9.9", {"amd64": "a" * 64, "arm64": "b" * 64})
    lines = [(old, new) for old, new in zip(text.splitlines(), changed.splitlines(), strict=True) if old != new]
    assert [new for _, new in lines] == ["  version: 9.9.9", f"    amd64: {'a' * 64}", f"    arm64: {'b' * 64}"]
    assert yaml.safe_load(changed)["aws-cli"] == yaml.safe_load(text)["aws-cli"]
