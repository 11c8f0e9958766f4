"""Stages of another kind: Python keeps them whole, Next.js names them."""

from __future__ import annotations

from tests.adopt.adopting import found, read, render_adopted

TEXT = """\
ARG API=https://example.com
# The front end
FROM node:24-slim AS build
ARG API
WORKDIR /web
COPY web .
RUN npm ci && npm run build

FROM python:3.13
WORKDIR /app
COPY . .
COPY --from=build /web/dist ./static
CMD uvicorn orders.main:app
"""


def test_a_front_end_stays_a_stage_under_a_name_of_its_own() -> None:
    adoption = read(TEXT)
    assert adoption.regions["stages"] == (
        '# The front end\nFROM node:24-slim AS old-build\nARG API="https://example.com"\nWORKDIR /web\nCOPY web .\n'
        "RUN npm ci && npm run build\n"
    )
    assert adoption.regions["image"] == "COPY --from=old-build /web/dist /app/static\n"
    assert adoption.doubts == ()


def test_the_stage_after_it_is_the_template_s_own() -> None:
    lines = render_adopted(read(TEXT), "python-fastapi", {}).dockerfile.splitlines()
    after = lines[lines.index("RUN npm ci && npm run build") + 1 :]
    assert next(line for line in after if line and not line.startswith("#")).startswith("FROM ")


def test_the_template_of_next_js_has_no_place_for_it() -> None:
    text = "FROM golang:1.24 AS tool\nRUN go build\nFROM node:24-slim\nCOPY --from=tool /x /usr/bin/x\nCMD npm start\n"
    adoption = read(text, kind="nextjs-standalone")
    assert adoption.regions == {}
    assert adoption.doubts
    assert found(adoption)["COPY --from=tool /x"][0] == "dropped"
