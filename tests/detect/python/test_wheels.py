from __future__ import annotations

import pytest
from packaging.version import Version

from dockertpl.detect.python.conventions import PYTHONS
from dockertpl.detect.python.lock import Locked
from dockertpl.detect.python.wheels import first_releases, has_linux_wheel, lacks_wheel


@pytest.mark.parametrize(
    ("wheels", "lacks"),
    [
        ((), False),
        (("x-1-py3-none-any.whl",), False),
        (("x-1-cp312-cp312-manylinux_2_17_x86_64.whl",), True),
        (("x-1-cp313-cp313-manylinux_2_17_x86_64.whl",), False),
        (("x-1-cp39-abi3-manylinux_2_17_x86_64.whl",), False),
        (("x-1-cp314-abi3-manylinux_2_17_x86_64.whl",), True),
        (("x-1-cp312-cp312-win_amd64.whl",), False),
        (("x-1-py2.py3-none-manylinux1_x86_64.whl",), False),
        (("x-1-cp313-cp313t-manylinux_2_17_x86_64.whl",), True),
        (("x-1-py38-none-any.whl",), False),
        (("x-1-cp313-cp313-musllinux_1_2_x86_64.whl", "x-1-cp312-cp312-manylinux1_x86_64.whl"), True),
    ],
)
def test_whether_there_is_a_wheel_for_python_3_13(wheels: tuple[str, ...], lacks: bool) -> None:
    assert lacks_wheel(Locked(name="x", wheels=wheels), "3.13") is lacks


def test_binary_wheels_for_linux_with_glibc() -> None:
    assert has_linux_wheel(Locked(name="x", wheels=("x-1-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",)))
    assert not has_linux_wheel(Locked(name="x", wheels=("x-1-py3-none-any.whl", "x-1-cp312-cp312-win_amd64.whl")))
    assert not has_linux_wheel(Locked(name="x", wheels=("x-1-cp312-cp312-musllinux_1_2_x86_64.whl",)))


@pytest.mark.parametrize(
    ("name", "version", "python", "lacks"),
    [
        ("psycopg2-binary", "2.9.5", "3.13", True),
        ("psycopg2-binary", "2.9.5", "3.11", False),
        ("psycopg2-binary", "2.9.11", "3.13", False),
        ("psycopg2-binary", "", "3.13", False),
        ("psycopg2-binary", "git", "3.13", False),
        ("pydantic", "1.10.13", "3.13", False),
        ("pydantic", "2.5.3", "3.13", True),
        ("fastapi", "0.100.0", "3.15", False),
    ],
)
def test_what_a_bare_pin_has_wheels_for(name: str, version: str, python: str, lacks: bool) -> None:
    assert lacks_wheel(Locked(name=name, version=version), python) is lacks


def test_a_newer_python_never_has_wheels_earlier() -> None:
    for name, releases in first_releases().items():
        assert set(releases) <= {"since", *PYTHONS}, name
        versions = [Version(releases[python]) for python in sorted(releases.keys() - {"since"})]
        assert versions == sorted(versions), name
