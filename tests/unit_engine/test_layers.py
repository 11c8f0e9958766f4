"""The sizes of an image's layers, with a scripted docker that serves a saved image."""

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from dockertpl.engine.client import Client
from dockertpl.engine.layers import _instruction, layers
from dockertpl.errors import MachineError


def archive(*files: tuple[str, bytes | str]) -> bytes:
    """Return a tar archive of these files. A text instead of bytes makes a hard link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.LNKTYPE, content
                tar.addfile(entry)
            else:
                entry.size = len(content)
                tar.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def engine(tmp_path: Path, saved: bytes, diff_ids: list[str], history: str = "") -> Client:
    (tmp_path / "saved").write_bytes(saved)
    (tmp_path / "diff_ids").write_text(json.dumps(diff_ids))
    (tmp_path / "history").write_text(history)
    script = tmp_path / "docker"
    script.write_text(
        f"#!/bin/sh\ncase $2 in save) cat {tmp_path}/saved;; inspect) cat {tmp_path}/diff_ids;; "
        f"history) cat {tmp_path}/history;; esac\n"
    )
    script.chmod(0o755)
    return Client(executable=str(script), engine_version="28", buildx_version="0.29")


def saved(*blobs: bytes, other_platform: bool = False) -> bytes:
    history = [
        {"created_by": "COPY a / # buildkit"},
        {"created_by": "ENV A=b", "empty_layer": True},
        {"created_by": "RUN |1 PASSWORD=hush /bin/sh -c make # buildkit"},
        {"created_by": "WORKDIR /x"},
    ]
    config = {"history": history, "rootfs": {"diff_ids": ["sha256:1", "sha256:2", "sha256:3"]}}
    names = [f"blobs/sha256/{number}" for number in range(len(blobs))]
    manifest: list[dict[str, Any]] = [{"Config": "blobs/sha256/c", "Layers": names}]
    if other_platform:
        manifest.insert(0, {"Config": "blobs/sha256/d", "Layers": names})
    return archive(
        *zip(names, blobs, strict=True),
        ("blobs/sha256/c", json.dumps(config).encode()),
        ("blobs/sha256/d", b'{"rootfs": {"diff_ids": ["sha256:9"]}}'),
        ("manifest.json", json.dumps(manifest).encode()),
    )


FIRST = archive(("a", b"x" * 5000), ("b", b"y" * 7), ("c", "a"))
DIFF_IDS = ["sha256:1", "sha256:2", "sha256:3"]


@pytest.mark.parametrize("other_platform", [False, True])
def test_bytes_are_of_unpacked_files_and_a_hard_link_counts_nothing(tmp_path: Path, other_platform: bool) -> None:
    text = saved(FIRST, gzip.compress(archive(("d", b"z" * 20_000))), archive(), other_platform=other_platform)
    found = layers(engine(tmp_path, text, DIFF_IDS), "x")
    assert [layer.bytes for layer in found] == [5007, 20_000, 0]
    assert [layer.instruction for layer in found] == ["COPY a /", "RUN make", "WORKDIR /x"]
    assert [layer.digest for layer in found] == DIFF_IDS


def test_a_layer_that_cannot_be_unpacked_here_has_the_engines_figure(tmp_path: Path) -> None:
    strange = b"\x28\xb5\x2f\xfd" + bytes(range(256)) * 8
    client = engine(tmp_path, saved(FIRST, strange, archive()), DIFF_IDS, history="0\n4096\n0\n9999\n")
    # A Python with zstd finds that this is not zstd.
    assert [layer.bytes for layer in layers(client, "x")] == [5007, 4096, 0]


def test_an_image_that_is_saved_in_another_form_is_an_error_and_no_figure(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="unknown format"):
        layers(engine(tmp_path, archive(("x", b"y")), DIFF_IDS), "x")


@pytest.mark.parametrize(
    ("created_by", "instruction"),
    [
        ("RUN |2 TOKEN=a b C=d /bin/sh -c pip install x # buildkit", "RUN pip install x"),
        ("RUN /bin/sh -c a   &&\n b # buildkit", "RUN a && b"),
        ('/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'),
        ("/bin/sh -c apt-get update", "RUN apt-get update"),
        ("COPY /bin/sh -c / # buildkit", "COPY /bin/sh -c /"),
        ("# debian.sh --arch 'amd64'", "# debian.sh --arch 'amd64'"),
        ("", "(unknown)"),
    ],
)
def test_instructions_read_as_written_without_the_arguments_values(created_by: str, instruction: str) -> None:
    assert _instruction({"created_by": created_by}) == instruction


def _saves_nothing(tmp_path: Path) -> None:
    (tmp_path / "saved").unlink()


def test_an_image_that_was_counted_is_not_saved_again(tmp_path: Path) -> None:
    client = engine(tmp_path, saved(FIRST, archive(), archive()), DIFF_IDS, history="made by")
    found = layers(client, "x")
    _saves_nothing(tmp_path)
    assert layers(client, "x") == found


def test_another_image_with_the_same_archives_is_saved_and_its_archives_are_not_counted_again(tmp_path: Path) -> None:
    blob = f"blobs/sha256/{'a' * 64}"
    config = {"history": [], "rootfs": {"diff_ids": ["sha256:1"]}}
    parts: list[tuple[str, bytes | str]] = [
        ("blobs/sha256/c", json.dumps(config).encode()),
        ("manifest.json", json.dumps([{"Config": "blobs/sha256/c", "Layers": [blob]}]).encode()),
    ]
    first = engine(tmp_path, archive((blob, FIRST), *parts), ["sha256:1"], history="one")
    assert [layer.bytes for layer in layers(first, "x")] == [5007]
    # The cache knows the size by the digest, so the layer is not read.
    second = engine(tmp_path, archive((blob, b"not an archive"), *parts), ["sha256:1"], history="two")
    assert [layer.bytes for layer in layers(second, "x")] == [5007]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": {"k": [1]}, "blobs": {}}', '{"images": 1, "blobs": 2}'])
def test_a_damaged_cache_is_computed_again(tmp_path: Path, text: str) -> None:
    file = tmp_path / "cache" / "dockertpl" / "layers.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    client = engine(tmp_path, saved(FIRST, archive(), archive()), DIFF_IDS)
    assert [layer.bytes for layer in layers(client, "x")] == [5007, 0, 0]


def test_where_nothing_can_be_remembered_the_figures_come_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    client = engine(tmp_path, saved(FIRST, archive(), archive()), DIFF_IDS)
    assert [layer.bytes for layer in layers(client, "x")] == [5007, 0, 0]
