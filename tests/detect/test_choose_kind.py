from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect import detect
from dockertpl.errors import NotDetectedError

Repo = Callable[[dict[str, str]], Path]
APP = "from fastapi import FastAPI\napp = FastAPI()\n"
FASTAPI = {"api/requirements.txt": "fastapi==1\nuvicorn==1\n", "api/main.py": APP}
NEXT = {
    "web/package.json": '{"scripts": {"build": "next build"},\n"dependencies": {"next": "16.0.0"}}',
    "web/package-lock.json": '{"lockfileVersion": 3}',
}
BOTH = {**FASTAPI, **NEXT}


def test_a_repository_with_fastapi_alone_is_a_python_service(repo: Repo) -> None:
    found = detect(repo(FASTAPI))
    assert (found.answers["kind"], found.evidence["kind"].where) == ("python-fastapi", "api/main.py:2")


def test_a_repository_with_next_alone_is_a_next_service(repo: Repo) -> None:
    found = detect(repo({**NEXT, "tools/requirements.txt": "", "tools/x.py": ""}))
    assert (found.answers["kind"], found.evidence["kind"].where) == ("nextjs-standalone", "web/package.json:2")


def test_with_both_each_is_listed_with_the_flags_that_choose_it(repo: Repo) -> None:
    with pytest.raises(NotDetectedError, match="several kinds") as caught:
        detect(repo(BOTH))
    assert "-d kind=python-fastapi -d app_dir=api  (api/main.py:2)" in caught.value.remedy
    assert "-d kind=nextjs-standalone -d app_dir=web  (web/package.json:2)" in caught.value.remedy


@pytest.mark.parametrize(
    ("given", "folder"),
    [
        ({"kind": "python-fastapi"}, "api"),
        ({"kind": "nextjs-standalone"}, "web"),
        ({"app_dir": "api"}, "api"),
        ({"app_dir": "web"}, "web"),
        ({"app": "main:app"}, "api"),
        ({"standalone": "true"}, "web"),
    ],
)
def test_what_is_given_decides(repo: Repo, given: dict[str, str], folder: str) -> None:
    found = detect(repo(BOTH), given=given)
    assert found.answers["app_dir"] == folder
    assert ("manager" in found.answers) is True


def test_only_the_ecosystem_of_a_given_kind_is_looked_at(repo: Repo) -> None:
    root = repo({**BOTH, "web/package.json": '{"next": nonsense', "api/pyproject.toml": ""})
    assert detect(root, given={"kind": "python-fastapi"}).answers["app_dir"] == "api"


def test_with_neither_both_are_named(repo: Repo) -> None:
    with pytest.raises(NotDetectedError, match=r"No FastAPI or Next\.js application") as caught:
        detect(repo({"README.md": ""}))
    assert "FastAPI(...)" in caught.value.remedy
    assert "package.json" in caught.value.remedy


def test_an_unknown_kind_is_left_to_the_question(repo: Repo) -> None:
    assert detect(repo(BOTH), given={"kind": "php"}).answers == {}


@pytest.mark.parametrize("kind", ["shared-base", "sandbox-multi-runtime"])
def test_a_kind_without_an_application_gets_its_forge_detected(repo: Repo, kind: str) -> None:
    root = repo({**BOTH, ".gitlab-ci.yml": ""})
    assert detect(root, given={"kind": kind}).answers == {"ci": "gitlab"}
    assert detect(root, given={"kind": kind, "ci": "none"}).answers == {}
