"""Which answers shared bases and dependent images accept, and how they refuse others."""

from __future__ import annotations

from typing import Any

import pytest

from dockertpl.errors import BadAnswerError
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.source import bundled

API = {"dir": "services/api", "base": "python"}


def _resolve(**data: Any) -> dict[str, Any]:
    return dict(resolve(Template(bundled()), folder_name="orders", data=data).values)


def _refusal(**data: Any) -> str:
    with pytest.raises(BadAnswerError) as caught:
        _resolve(**data)
    return str(caught.value)


@pytest.mark.parametrize(
    "dependent",
    [
        API,
        {"dir": ".", "base": "node"},
        {"dir": "web", "base": "node", "context": "."},
        {"dir": "web", "base": "node", "context": "web", "image": "localhost:5000/acme/web"},
    ],
)
def test_a_dependent_is_a_folder_and_a_base(dependent: dict[str, str]) -> None:
    answers = _resolve(kind="shared-base", bases=["python", "node"], dependents={"api": dependent})
    assert answers["dependents"] == {"api": dependent}


@pytest.mark.parametrize(
    ("dependents", "said"),
    [
        (["api"], "is not a mapping: write it like {api:"),
        ({"Api": API}, '"Api" is not an image name'),
        ({1: API}, "1 is not an image name"),
        ({"bases": API}, "already has a target or a group with that name"),
        ({"base-python": API}, "already has a target or a group with that name"),
        ({"a.b": API, "a-b": API}, "already has a target or a group with that name"),
        ({"api": "services/api"}, "is not valid: write it like {dir:"),
        ({"api": {**API, "args": {}}}, "is not valid: write it like {dir:"),
        ({"api": {"dir": "services/api"}}, 'base is "": use one of the answer bases (python).'),
        ({"api": {**API, "base": "node"}}, 'base is "node": use one of the answer bases (python).'),
        ({"api": {**API, "base": ["python"]}}, "use one of the answer bases (python)."),
        ({"api": {"base": "python"}}, 'dir is "": write its app_dir'),
        ({"api": {**API, "dir": "../api"}}, "a plain relative path like services/api"),
        ({"api": {**API, "dir": 'a" }'}}, "a plain relative path like services/api"),
        ({"api": {**API, "context": "services"}}, 'use dir (services/api), or "."'),
        ({"api": {**API, "image": "ghcr.io/acme/api:main"}}, "without a tag"),
        ({"api": {**API, "image": '${REGISTRY}"'}}, "without a tag"),
    ],
)
def test_a_bad_dependent_is_refused_in_one_sentence(dependents: Any, said: str) -> None:
    message = _refusal(kind="shared-base", dependents=dependents)
    assert said in message
    assert message.count("dependents") == 1


@pytest.mark.parametrize(
    ("bases", "said"),
    [
        ([], "at least one base"),
        (["python", "python"], "each only once"),
        (["ruby"], '"ruby" is not a base'),
        ("python", "is not a list"),
        ({"python": 1}, "is not a list"),
    ],
)
def test_bases_are_known_and_named_once(bases: Any, said: str) -> None:
    assert said in _refusal(kind="shared-base", bases=bases)


@pytest.mark.parametrize(
    "image",
    ["ghcr.io/acme/base-python:main", "localhost:5000/base:1.2", "127.0.0.1:5000/a/b:x", "base-python:main"],
)
def test_a_base_image_has_a_tag(image: str) -> None:
    assert _resolve(base_image=image)["base_image"] == image


@pytest.mark.parametrize(
    "image",
    [
        "ghcr.io/acme/base-python",
        "ghcr.io/Acme/base:main",
        f"ghcr.io/acme/base:main@sha256:{'0' * 64}",
        "ghcr.io/acme/base:main\nRUN id",
        "$(id):main",
        "-base:main",
    ],
)
def test_a_bad_base_image_is_refused(image: str) -> None:
    assert "is not an image with a tag" in _refusal(base_image=image)


@pytest.mark.parametrize("flavor", ["minimal", "distroless"])
@pytest.mark.parametrize("kind", ["python-fastapi", "nextjs-standalone"])
def test_a_flavor_that_copies_from_its_base_is_refused_with_one(kind: str, flavor: str) -> None:
    message = _refusal(kind=kind, flavor=flavor, base_image="ghcr.io/acme/base-python:main")
    assert "choose the flavor slim" in message


@pytest.mark.parametrize("question", ["cleanup", "prewarm"])
def test_what_belongs_to_dependents_is_refused_with_the_reason(question: str) -> None:
    message = _refusal(kind="shared-base", image="ghcr.io/acme/base", **{question: True})
    assert "Dependent images refer to their base" in message or "set prewarm for the dependent" in message
