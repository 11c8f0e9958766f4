"""COPY and ADD: what the template copies anyway, and what is kept, relative to the new build context."""

from __future__ import annotations

from typing import Any

import pytest
from tests.adopt.adopting import found, read

from dockertpl import adopt

START = 'CMD ["uvicorn", "orders.main:app"]\n'


def _read(*lines: str, **known: Any) -> adopt.Adoption:
    return read("FROM python:3.13\nWORKDIR /app\n" + "\n".join(lines) + "\n" + START, **known)


@pytest.mark.parametrize(
    "line",
    [
        "COPY . .",
        "COPY ./ /app/",
        "COPY orders ./orders",
        "COPY alembic.ini pyproject.toml ./",
        "COPY --chown=app:app . /app",
        "ADD . /app",
        "COPY --from=ghcr.io/astral-sh/uv:0.9 /uv /bin/",
        "COPY requirements/ /tmp/requirements.txt",
    ],
)
def test_what_lands_where_the_template_puts_it_leaves_nothing(line: str) -> None:
    adoption = _read(line)
    assert adoption.regions == {}
    assert adoption.doubts == ()


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("COPY docker/entrypoint.sh /entrypoint.sh", "COPY docker/entrypoint.sh /entrypoint.sh"),
        ("COPY docker/start.sh .", "COPY docker/start.sh /app/start.sh"),
        ("COPY --chown=me:me conf /etc/conf", "COPY --chown=10001:10001 conf /etc/conf"),
        ("COPY --from=busybox:1 /bin/sh /bin/tool", "COPY --from=busybox:1 /bin/sh /bin/tool"),
        ("ADD https://example.com/x.bin /opt/x", "ADD https://example.com/x.bin /opt/x"),
        ("COPY <<EOF /etc/x\na\nEOF", "COPY <<EOF /etc/x\na\nEOF"),
    ],
)
def test_what_lands_elsewhere_is_kept(line: str, kept: str) -> None:
    assert kept in _read("COPY . .", line).regions["image"]


def test_code_of_another_root_is_copied_to_where_its_parts_are_now() -> None:
    text = f"FROM python:3.13\nWORKDIR /code\nCOPY . .\nCOPY docker/run.sh /code/run.sh\n{START}"
    assert read(text).regions["image"].splitlines()[-1] == "COPY docker/run.sh /app/run.sh"


def test_secrets_are_never_copied() -> None:
    for path in (".env", "conf/.env.production", "deploy.key"):
        adoption = _read(f"COPY {path} ./")
        assert adoption.regions == {}
        assert adoption.doubts


def test_a_part_of_the_repository_as_the_root_is_a_doubt_unless_it_was_found_there() -> None:
    assert _read("COPY backend /app").doubts
    assert _read("COPY backend /app", app_file="backend/main.py").doubts == ()
    assert _read("COPY backend /app", app_dir="backend", context="backend").doubts == ()


def test_paths_are_relative_to_the_new_context() -> None:
    adoption = _read("COPY backend /app", "COPY backend/x.conf /etc/x.conf", app_dir="backend", context="backend")
    assert adoption.regions["image"] == "COPY x.conf /etc/x.conf\n"
    outside = _read("COPY backend /app", "COPY shared /usr/shared", app_dir="backend", context="backend")
    assert found(outside)["COPY shared"][0] == "dropped"
    assert outside.doubts


def test_what_an_installation_reads_is_an_answer() -> None:
    text = "FROM node:24-slim AS deps\nCOPY package.json ./\nCOPY patches ./patches\nRUN npm ci\nFROM node:24-slim\n"
    text += "COPY --from=deps /app/node_modules ./node_modules\nCMD npm start\n"
    assert read(text, kind="nextjs-standalone").answers["install_files"] == ["patches"]


def test_what_the_standalone_output_lacks_is_taken_from_the_build() -> None:
    text = "FROM node:24-slim AS b\nWORKDIR /work\nCOPY . .\nRUN npm run build\nFROM node:24-slim\nWORKDIR /app\n"
    text += (
        "COPY --from=b /work/.next/standalone ./\nCOPY --from=b --chown=node:node /app/prisma ./prisma\nCMD npm start\n"
    )
    adoption = read(text, kind="nextjs-standalone")
    assert adoption.regions["image"] == "COPY --from=build --chown=10001:10001 /app/prisma /app/prisma\n"
