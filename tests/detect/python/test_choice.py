from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect import detect
from dockertpl.errors import NotDetectedError

Repo = Callable[[dict[str, str]], Path]
APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def test_the_root_is_taken_if_it_is_an_application_itself(repo: Repo) -> None:
    root = repo({"requirements.txt": "", "main.py": APP, "tools/x/requirements.txt": "", "tools/x/main.py": APP})
    assert detect(root).answers["app_dir"] == "."


def test_the_one_application_below_is_found(repo: Repo) -> None:
    root = repo({"backend/pyproject.toml": "", "backend/app/main.py": APP, "frontend/package.json": "{}"})
    found = detect(root)
    assert (found.answers["app_dir"], found.answers["app"]) == ("backend", "app.main:app")
    assert found.evidence["app_dir"].path == "backend"


def test_code_below_the_root_belongs_to_the_roots_manifest(repo: Repo) -> None:
    found = detect(repo({"requirements.txt": "", "server/main.py": APP}))
    assert (found.answers["app_dir"], found.answers["app"]) == (".", "server.main:app")


def test_several_folders_are_listed_each_with_its_flag(repo: Repo) -> None:
    root = repo(
        {
            f"services/{name}/{path}": text
            for name in "ab"
            for path, text in (("requirements.txt", ""), ("main.py", APP))
        }
    )
    with pytest.raises(NotDetectedError, match="several applications: services/a, services/b") as caught:
        detect(root)
    assert "-d app_dir=services/a  (services/a/main.py:2)" in caught.value.remedy
    assert caught.value.data["candidates"] == ["services/a", "services/b"]
    assert detect(root, "services/b").answers["app_dir"] == "services/b"
    assert detect(root, given={"app_dir": "services/b"}).answers["app_dir"] == "services/b"


def test_a_given_application_chooses_the_folder_that_holds_it(repo: Repo) -> None:
    root = repo({"a/requirements.txt": "", "a/one.py": APP, "b/requirements.txt": "", "b/two.py": APP})
    found = detect(root, given={"app": "two:app"})
    assert found.answers["app_dir"] == "b"
    assert "app" not in found.answers


def test_two_equally_good_ones_are_listed_each_with_its_flag(repo: Repo) -> None:
    root = repo({"a/main.py": APP, "src/b/main.py": APP})
    with pytest.raises(NotDetectedError, match="has 2 applications") as caught:
        detect(root)
    assert "-d app=a.main:app  (a/main.py:2)" in caught.value.remedy
    assert "-d app=b.main:app  (src/b/main.py:2)" in caught.value.remedy
    assert "health_path" in detect(root, given={"app": "a.main:app"}).answers


def test_two_factories_are_listed_with_both_flags(repo: Repo) -> None:
    text = "from fastapi import FastAPI\ndef create_app() -> FastAPI: ...\n"
    with pytest.raises(NotDetectedError) as caught:
        detect(repo({"a/main.py": text, "b/main.py": text}))
    assert "-d app=a.main:create_app -d app_factory=true" in caught.value.remedy


def test_an_existing_dockerfile_decides_between_two(repo: Repo) -> None:
    root = repo({"a/main.py": APP, "b/main.py": APP, "Dockerfile": "FROM python\nCMD uvicorn b.main:app\n"})
    found = detect(root)
    assert found.answers["app"] == "b.main:app"
    assert "Dockerfile:2" in found.evidence["app"].note
    assert [fact.value for fact in found.facts["other_application"]] == ["a/main.py:2"]


def test_none_says_what_was_looked_for_and_how_to_name_it(repo: Repo) -> None:
    with pytest.raises(NotDetectedError, match="No FastAPI or Next") as caught:
        detect(repo({"main.py": "print()"}))
    assert "FastAPI(...)" in caught.value.remedy
    assert "in 1 Python file;" in caught.value.remedy
    assert "-d app=" in caught.value.remedy


def test_none_names_examples_and_files_that_could_not_be_read(repo: Repo) -> None:
    root = repo({"examples/x/main.py": APP, "main.py": "from fastapi import FastAPI\napp = FastAPI(\n"})
    with pytest.raises(NotDetectedError) as caught:
        detect(root)
    assert "examples/x/main.py:2" in caught.value.remedy
    assert "main.py:2: a syntax error, or syntax newer" in caught.value.remedy


def test_a_missing_folder_is_reported(repo: Repo) -> None:
    with pytest.raises(NotDetectedError, match="absent is not a folder"):
        detect(repo({"main.py": APP}), "absent")


def test_a_missing_application_in_the_options_is_not_an_error(repo: Repo) -> None:
    found = detect(repo({"pyproject.toml": "[project]\nname = 'x'\n"}), given={"app": "later.main:app"})
    assert found.answers["app_dir"] == "."
    assert "later.main:app was not found" in found.warnings[0]
