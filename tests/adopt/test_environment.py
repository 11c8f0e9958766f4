"""ENV, ARG and LABEL: what the template sets, what is kept, and what is a secret."""

from __future__ import annotations

import pytest
from tests.adopt.adopting import found, read

from dockertpl import adopt

START = 'CMD ["uvicorn", "orders.main:app"]\n'
NEXT = "nextjs-standalone"


def _read(*lines: str) -> adopt.Adoption:
    return read("FROM python:3.13\n" + "\n".join(lines) + "\n" + START)


def _next(*lines: str) -> adopt.Adoption:
    text = "FROM node:24-slim AS b\nRUN npm ci\n" + "\n".join(lines) + "\nRUN npm run build\nFROM node:24-slim\n"
    return read(text + "COPY --from=b /app/.next/standalone ./\nCMD node server.js\n", kind=NEXT)


def test_an_instruction_that_is_kept_as_a_whole_stays_as_it_is() -> None:
    text = '# Read by the settings\nENV A=1 \\\n    B="two words"'
    assert _read(text).regions["environment"] == text + "\n"


def test_of_another_the_rest_is_kept() -> None:
    adoption = _read("ENV PYTHONUNBUFFERED=1 \\\n    A='x y' \\\n    PIP_NO_CACHE_DIR=1")
    assert adoption.regions["environment"] == "ENV A='x y'\n"
    assert found(adoption)["ENV PYTHONUNBUFFERED"][0] == "template"


def test_the_old_form_becomes_the_new_one() -> None:
    assert _read('ENV A some "value"').regions["environment"] == 'ENV A="some \\"value\\""\n'


def test_a_secret_is_dropped_and_its_value_never_shown() -> None:
    adoption = _read("ENV SECRET_KEY=hunter2hunter2 A=1", "ARG API_TOKEN=abcdefgh")
    assert adoption.regions == {"environment": "ENV A=1\n"}
    assert len(adoption.doubts) == 2
    assert "hunter2" not in repr(adoption)
    assert "abcdefgh" not in repr(adoption)


def test_an_argument_is_kept_where_something_that_is_kept_reads_it() -> None:
    adoption = _read("ARG COMMIT=none", "ARG UNUSED", "LABEL com.example.commit=$COMMIT")
    assert adoption.regions["environment"] == "ARG COMMIT=none\nLABEL com.example.commit=$COMMIT\n"
    assert found(adoption)["ARG UNUSED"] == ("dropped", "no kept step reads it")


def test_a_path_is_kept_as_far_as_it_is_not_the_template_s() -> None:
    assert _read('ENV PATH="/app/.venv/bin:$PATH"').regions == {}
    assert _read('ENV PATH="/opt/tool/bin:/root/.local/bin:${PATH}"').regions["environment"] == (
        "ENV PATH=/opt/tool/bin:$PATH\n"
    )


def test_a_python_path_is_kept_as_far_as_it_is_not_the_code_s() -> None:
    assert _read("WORKDIR /code", "COPY . .", "ENV PYTHONPATH=/code").regions == {}
    kept = _read("WORKDIR /code", "COPY . .", "ENV PYTHONPATH=/code:/code/libs").regions
    assert kept["environment"] == "ENV PYTHONPATH=/app:/app/libs\n"


def test_labels_of_the_template_and_its_workflow_are_theirs() -> None:
    adoption = _read("LABEL org.opencontainers.image.title=x org.opencontainers.image.vendor=acme")
    assert adoption.regions["environment"] == "LABEL org.opencontainers.image.vendor=acme\n"


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("ARG NEXT_PUBLIC_URL", "public_variables", ["NEXT_PUBLIC_URL"]),
        ("ENV NEXT_PUBLIC_URL=https://example.com", "build_env", {"NEXT_PUBLIC_URL": "https://example.com"}),
        (
            "ENV NODE_OPTIONS=--max-old-space-size=4096",
            "build_env",
            {"NODE_OPTIONS": "--use-system-ca --max-old-space-size=4096"},
        ),
        ("ARG NPM_TOKEN", "build_secrets", ["NPM_TOKEN"]),
    ],
)
def test_what_a_build_of_next_js_is_given_is_an_answer(line: str, key: str, value: object) -> None:
    assert _next(line).answers[key] == value


def test_an_argument_with_a_default_keeps_it() -> None:
    assert _next("ARG NEXT_PUBLIC_NAME=Shop", "ENV NEXT_PUBLIC_NAME=$NEXT_PUBLIC_NAME").regions["code"] == (
        "ARG NEXT_PUBLIC_NAME=Shop\n"
    )
