"""The script that takes symbols out of libraries, run on a real library outside any image."""

from __future__ import annotations

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

SCRIPT = Path(__file__).parents[2] / "templates" / "kinds" / "python-fastapi" / "strip.py.jinja"
LOAD = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("yaml._yaml", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(module.get_version_string())
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A copy of PyYAML's extension, whose wheel carries its symbols."""
    return Path(shutil.copy(next(Path(yaml.__file__).parent.glob("_yaml*.so")), tmp_path))


def strip(folder: Path) -> None:
    script = SCRIPT.read_text().replace('"/opt/venv"', repr(str(folder)))
    subprocess.run([sys.executable, "-c", script], check=True)


def sections(path: Path) -> set[str]:
    """The names in an ELF file's section table, read as every tool reads it."""
    data = path.read_bytes()
    (table,) = struct.unpack_from("<Q", data, 40)
    count, names = struct.unpack_from("<HH", data, 60)
    start = struct.unpack_from("<Q", data, table + 64 * names + 24)[0]
    offsets = [struct.unpack_from("<I", data, table + 64 * i)[0] for i in range(count)]
    return {data[start + offset :].split(b"\0", 1)[0].decode() for offset in offsets}


def test_symbols_go_and_the_library_still_loads(library: Path) -> None:
    before, size = sections(library), library.stat().st_size
    assert ".symtab" in before
    strip(library.parent)
    after = sections(library)
    assert ".symtab" not in after
    assert {".dynsym", ".text", ".shstrtab"} <= after < before
    assert library.stat().st_size < size
    done = subprocess.run([sys.executable, "-c", LOAD, str(library)], capture_output=True, text=True, check=True)
    assert done.stdout.strip()


def test_a_second_time_changes_nothing(library: Path) -> None:
    strip(library.parent)
    once = library.read_bytes()
    strip(library.parent)
    assert library.read_bytes() == once


@pytest.mark.parametrize(
    "content", [b"INPUT(libc.so.6)\n", b"", b"\x7fELF\x01\x01" + bytes(60), b"\x7fELF\x02\x02" + bytes(60)]
)
def test_what_is_no_64_bit_library_is_left_alone(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "odd.so"
    file.write_bytes(content)
    (tmp_path / "link.so").symlink_to(file)
    (tmp_path / "folder.so").mkdir()
    strip(tmp_path)
    assert file.read_bytes() == content
    assert (tmp_path / "link.so").is_symlink()
