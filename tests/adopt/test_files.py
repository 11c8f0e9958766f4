"""mkdir, chmod, chown and rm: which user owns the files."""

from __future__ import annotations

import pytest
from tests.adopt.adopting import found, read

from dockertpl import adopt


def _read(command: str) -> adopt.Adoption:
    return read(f"FROM python:3.13\nWORKDIR /app\nCOPY . .\nRUN {command}\nCMD uvicorn orders.main:app\n")


@pytest.mark.parametrize(
    "command",
    [
        "mkdir -p /app",
        "chown -R app:app /app",
        "chmod +x /app/entrypoint.sh",
        "chmod 755 start.sh",
        "rm -rf /var/lib/apt/lists/* /tmp/*",
        "useradd -m app && chown -R app /app",
        "mkdir -p /usr/share/man/man1",
    ],
)
def test_what_is_the_template_s_leaves_nothing(command: str) -> None:
    assert _read(command).regions == {}


def test_the_code_belongs_to_root_and_the_report_says_so() -> None:
    outcome, why = found(_read("chown -R app:app /app"))["chown /app"]
    assert outcome == "dropped"
    assert "--tmpfs" in why


def test_modes_elsewhere_stay() -> None:
    assert _read("chmod 600 /etc/orders.conf").regions["image"] == "RUN chmod 600 /etc/orders.conf\n"


@pytest.mark.parametrize("command", ["rm -rf /usr/lib/x", "mkdir -p $HOME/x", "chown app ~/x"])
def test_an_unclear_step_stays_as_it_is(command: str) -> None:
    assert _read(command).regions["image"] == f"RUN {command}\n"
