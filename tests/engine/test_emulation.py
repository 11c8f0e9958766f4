"""Promises of running programs of another processor."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from . import apt, emulation, host

REGISTERED = "enabled\ninterpreter /usr/bin/qemu-aarch64\nflags: {flags}\noffset 0\n"
LINE = ":qemu-aarch64:M::magic:mask:/usr/bin/qemu-aarch64:OPF\n"


@pytest.fixture(autouse=True)
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An amd64 machine without QEMU and without an emulator in its kernel."""
    kernel = tmp_path / "kernel"
    kernel.mkdir()
    (kernel / "register").touch()
    monkeypatch.setattr(emulation, "BINFMT", kernel)
    monkeypatch.setattr(emulation, "REGISTRATIONS", tmp_path)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(apt, "usable", lambda: True)
    return kernel


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """The packages installed so far."""
    packages: list[str] = []

    def install(_: object, *, newer: list[str], cache: Path) -> None:
        packages.extend(newer)
        (tmp_path / "qemu-aarch64.conf").write_text(LINE)

    monkeypatch.setattr(apt, "install", install)
    return packages


def test_what_is_missing_is_installed_and_registered(kernel: Path, installed: list[str]) -> None:
    emulation.ensure("linux/arm64")
    assert installed == ["qemu-user"]
    assert (kernel / "register").read_text() == LINE


def test_the_machine_s_own_platform_needs_nothing(kernel: Path, installed: list[str]) -> None:
    emulation.ensure("linux/amd64")
    assert (installed, (kernel / "register").read_text()) == ([], "")


@pytest.mark.parametrize(("flags", "asked"), [("POF", []), ("PO", ["qemu-user"])])
def test_an_emulator_counts_that_is_found_in_a_container(
    flags: str, asked: list[str], kernel: Path, installed: list[str]
) -> None:
    (kernel / "qemu-aarch64").write_text(REGISTERED.format(flags=flags))
    emulation.ensure("linux/arm64")
    assert installed == asked


def test_an_emulator_that_cannot_be_installed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "usable", lambda: False)
    with pytest.raises(host.EngineUnavailableError, match=r"linux/arm64 do not run .* root on Debian"):
        emulation.ensure("linux/arm64")


def test_a_refusal_by_the_kernel_is_reported(kernel: Path, installed: list[str]) -> None:
    (kernel / "register").unlink()
    (kernel / "register").mkdir()
    with pytest.raises(host.EngineUnavailableError, match=r"takes no emulator from .*qemu-aarch64\.conf"):
        emulation.ensure("linux/arm64")
