"""The lines that a front end adds to the Dockerfile of its application."""

from __future__ import annotations

from typing import Any

import pytest

from dockertpl.errors import BadAnswerError
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled

pytestmark = pytest.mark.slow

BESIDE = {"app_dir": "backend", "context": ".", "own_lock": True, "frontend": "web"}


def rendered(**answers: Any) -> dict[str, str]:
    """Return the files of a FastAPI application, by name."""
    template = Template(bundled())
    data = {"kind": "python-fastapi", "name": "shop", **answers}
    tree = render(template, resolve(template, folder_name="shop", data=data))
    return {path.rpartition("/")[2]: file.content.decode() for path, file in tree.items()}


def stage(text: str, name: str) -> str:
    """Return one stage of a Dockerfile."""
    return text.partition(f"# --- {name}: ")[2].partition("\n# --- ")[0]


def test_its_stage_is_short_and_caches_the_installation() -> None:
    text = stage(rendered(frontend="web")["Dockerfile"], "frontend")
    assert text.splitlines()[1:] == [
        "FROM --platform=$BUILDPLATFORM ${NODE_IMAGE} AS frontend",
        "WORKDIR /app/web",
        "# Not found? Commit the file, or change the answer `frontend_manager` (npm).",
        "COPY web/package.json web/package-lock.json web/.npmrc* ./",
        "RUN --mount=type=cache,target=/root/.npm \\",
        "    npm ci --no-audit --no-fund",
        "COPY --chmod=u=rwX,go=rX web .",
        "RUN npm run build",
    ]


def test_the_image_and_development_have_what_it_makes_where_the_code_opens_it() -> None:
    text = rendered(frontend="web")["Dockerfile"]
    assert "ARG NODE_IMAGE=node:26-trixie-slim\n" in text
    assert "COPY --link --from=frontend /app/web/dist /app/web/dist\n" in stage(text, "prod")
    assert "COPY --from=frontend /app/web/dist /app/web/dist\n" in stage(text, "dev")


def test_without_it_there_is_no_trace() -> None:
    files = rendered()
    assert not any(word in text for text in files.values() for word in ("frontend", "NODE_IMAGE", "svelte"))


def test_beside_the_application_both_keep_their_places() -> None:
    text = rendered(**BESIDE)["Dockerfile"]
    assert "COPY backend/pyproject.toml backend/uv.lock ./\n" in stage(text, "build")
    assert "WORKDIR /app/backend\n" in stage(text, "build")
    prod = stage(text, "prod")
    assert "COPY --chmod=u=rwX,go=rX backend .\n" in prod and "PYTHONPATH=/app/backend " in prod
    assert prod.index("WORKDIR /app/backend\n") < prod.index(" backend .\n")
    assert "COPY --link --from=frontend /app/web/dist /app/web/dist\n" in prod


@pytest.mark.parametrize(
    ("manager", "manifests"),
    [
        ("pip", "COPY backend/requirements.txt ./\n"),
        ("poetry", "COPY backend/pyproject.toml backend/poetry.lock ./\n"),
        ("pdm", "COPY backend/pyproject.toml backend/pdm.lock ./\n"),
        ("pipenv", "COPY backend/Pipfile backend/Pipfile.lock ./\n"),
        ("pyproject", "COPY backend/pyproject.toml ./\n"),
    ],
)
def test_each_manager_installs_where_its_lock_lies(manager: str, manifests: str) -> None:
    text = rendered(**BESIDE, manager=manager, local_packages=["backend/libs/common"])["Dockerfile"]
    assert manifests in stage(text, "build")
    if manager != "poetry":
        assert "COPY backend/libs/common /app/backend/libs/common\n" in stage(text, "build")


def test_a_package_and_its_local_packages_are_installed_from_their_places() -> None:
    text = rendered(**BESIDE, layout="package", local_packages=["backend/libs/common"])["Dockerfile"]
    assert "--editable . --editable /app/backend/libs/common " in stage(text, "code")


def test_an_image_that_is_not_laid_out_as_the_repository_gets_it_beside_its_code() -> None:
    answers = {"app_dir": "backend", "context": ".", "manager": "pip", "frontend": "web"}
    text = rendered(**answers, frontend_output="backend/static")["Dockerfile"]
    assert "COPY --link --from=frontend /app/backend/static /app/static\n" in text


def test_a_member_of_a_workspace_is_installed_at_its_root() -> None:
    text = rendered(**BESIDE, frontend_root=".", frontend_files=["packages/ui"], frontend_manager="pnpm@9.15.9")
    lines = stage(text["Dockerfile"], "frontend").splitlines()
    copies = [line for line in lines if line.startswith(("COPY", "WORKDIR", "    p", "RUN p", "    npm"))]
    assert copies == [
        "    npm install --global pnpm@9.15.9",
        "WORKDIR /app",
        "COPY package.json pnpm-lock.yaml pnpm-workspace.yaml* .npmrc* ./",
        "COPY web/package.json /app/web/",
        "COPY packages/ui /app/packages/ui",
        "    pnpm install --frozen-lockfile --store-dir /root/.cache/pnpm",
        "WORKDIR /app/web",
        "COPY --chmod=u=rwX,go=rX web .",
        "RUN pnpm run build",
    ]


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        ({"frontend_node": "22", "debian_release": "bookworm"}, "ARG NODE_IMAGE=node:22-bookworm-slim\n"),
        ({"frontend_env": {"VITE_API": "a$b"}}, 'ARG VITE_API="a\\$b"\nRUN npm run build\n'),
        ({"frontend_manager": "bun"}, "COPY web/package.json web/bun.lock* "),
        ({"build_secrets": ["NPM_TOKEN"]}, "--mount=type=secret,id=NPM_TOKEN,env=NPM_TOKEN \\\n    npm ci"),
        ({"digests": {"node:26-trixie-slim": f"sha256:{'a' * 64}"}}, "ARG NODE_IMAGE=node:26-trixie-slim@sha256:aaa"),
    ],
)
def test_an_answer_shows_in_its_stage(answers: dict[str, Any], line: str) -> None:
    assert line in rendered(frontend="web", **answers)["Dockerfile"]
    assert line not in rendered(frontend="web")["Dockerfile"]


def test_no_build_sees_that_it_runs_in_ci() -> None:
    text = stage(rendered(frontend="web", frontend_manager="pnpm")["Dockerfile"], "frontend")
    assert "CI=" not in text, "builds of Create React App then fail on warnings"


def test_its_output_and_packages_of_this_machine_stay_out_of_the_build_context() -> None:
    lines = rendered(frontend="web")[".dockerignore"].splitlines()
    assert "web/dist" in lines and "**/node_modules" in lines


def test_the_workflow_runs_when_it_changes() -> None:
    workflow = rendered(**BESIDE, frontend_files=["packages/ui"])["shop-image.yml"]
    for path in ("web/**", "packages/ui/**", "backend/**"):
        assert f"      - {path}\n" in workflow
    assert "      - uv.lock\n" not in workflow


@pytest.mark.parametrize(
    "answers",
    [
        {"frontend": "../web"},
        {"frontend_manager": "npm; id"},
        {"frontend_manager": "pnpm@latest"},
        {"frontend_output": "/dist"},
        {"frontend_root": "api"},
        {"frontend_env": ["VITE_API"]},
    ],
)
def test_an_answer_that_no_dockerfile_could_hold_is_refused(answers: dict[str, Any]) -> None:
    with pytest.raises(BadAnswerError):
        rendered(**{"frontend": "web", **answers})
