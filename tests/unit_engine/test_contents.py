"""The files of an image's layers, with a scripted docker that serves a saved image."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from dockertpl.engine.client import Client
from dockertpl.engine.contents import layer_files
from dockertpl.errors import MachineError

DIFF_IDS = ["sha256:1", "sha256:2", "sha256:3"]


def archive(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def engine(tmp_path: Path, saved: bytes, code: int = 0) -> Client:
    (tmp_path / "saved").write_bytes(saved)
    (tmp_path / "diff_ids").write_text(json.dumps(DIFF_IDS))
    script = tmp_path / "docker"
    save = f"cat {tmp_path}/saved; echo no room >&2; exit {code}"
    script.write_text(f"#!/bin/sh\ncase $2 in save) {save};; inspect) cat {tmp_path}/diff_ids;; esac\n")
    script.chmod(0o755)
    return Client(executable=str(script), engine_version="28", buildx_version="0.29")


def test_each_layer_has_its_files_and_one_that_cannot_be_read_has_none(tmp_path: Path) -> None:
    plain = archive({"./app/main.py": b"x" * 7, "app/menu.bin": b"y" * 5000})
    strange = b"\x28\xb5\x2f\xfd" + bytes(range(256)) * 8
    layers = {"a": plain, "b": gzip.compress(archive({"etc/passwd": b"z" * 20})), "c": strange}
    manifest = [
        {"Config": "other", "Layers": ["c"]},
        {"Config": "config", "Layers": ["a", "b", "c"]},
    ]
    documents = {
        "other": b'{"rootfs": {"diff_ids": ["sha256:9"]}}',
        "config": json.dumps({"rootfs": {"diff_ids": DIFF_IDS}}).encode(),
        "manifest.json": json.dumps(manifest).encode(),
    }
    found = layer_files(engine(tmp_path, archive({**layers, **documents})), "x")
    assert found == [{"app/main.py": 7, "app/menu.bin": 5000}, {"etc/passwd": 20}, {}]


def test_an_image_that_cannot_be_saved_says_why(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="cannot save x: no room"):
        layer_files(engine(tmp_path, b"cut off", code=1), "x")
