from __future__ import annotations

import dataclasses

import pytest

from dockertpl.template.tree import File


def test_a_file_is_its_bytes_and_its_executable_bit_and_does_not_change() -> None:
    file = File(content=b"x")
    assert file == File(content=b"x", executable=False)
    assert file != File(content=b"x", executable=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        file.content = b"y"  # type: ignore[misc]
