"""What `dockertpl verify` says when it cannot continue, without an engine."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dockertpl.commands import variables, verify
from dockertpl.commands.dockerfile_to_build import Subject, locate
from dockertpl.commands.questions import Questions
from dockertpl.engine.strict import RunOptions
from dockertpl.errors import BadInputError, NoEngineError

KEYS = ["built", "healthy", "uid", "read_only", "ready_seconds", "healthy_seconds", "stop_seconds", "image_bytes"]
KEYS += ["layers", "build_seconds", "steps", "cached_steps", "services", "paths", "findings", "baseline"]
KEYS += ["tag", "error"]


def run(destination: Path, **options: Any) -> Any:
    given: dict[str, Any] = {
        "dockerfile": None,
        "target": None,
        "build_args": {},
        "secrets": (),
        "environment": {},
        "env_files": (),
        "tmpfs": (),
        "network": None,
        "timeout": 60.0,
        "quiet": True,
    }
    return verify.run(destination=destination, **{**given, **options})


def test_without_an_engine_the_facts_are_there_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.delenv("DOCKERTPL_DOCKER", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoEngineError) as caught:
        run(tmp_path)
    assert list(caught.value.data) == KEYS
    assert caught.value.data["built"] is False


def test_bad_input_is_reported_before_the_search_for_an_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadInputError, match="has no Dockerfile"):
        run(tmp_path)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"secrets": ["id=a,src=/no/such/file"]}, "--secret a"),
        ({"ssh": ["default=/no/such/socket"]}, "--ssh default: /no/such/socket"),
        ({"env_files": [Path("/no/such/file")]}, "--env-file"),
        ({"tmpfs": ["cache"]}, "--tmpfs"),
        ({"paths": ["items"]}, "--path 'items'"),
        ({"paths": ["/a b"]}, "--path"),
    ],
)
def test_invalid_options_build_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], says: str
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadInputError, match=says):
        run(tmp_path, **options)


def test_a_kind_that_is_not_a_service_is_refused_with_an_alternative(tmp_path: Path) -> None:
    (tmp_path / ".copier-answers.yml").write_text("kind: shared-base\nname: base\napp_dir: .\n")
    with pytest.raises(BadInputError, match="shared-base") as caught:
        run(tmp_path)
    assert "docker buildx bake" in caught.value.remedy


def test_json_is_one_object_with_every_key_and_exit_code_3(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    environment = {**os.environ, "DOCKERTPL_DOCKER": "/no/docker"}
    words = [sys.executable, "-m", "dockertpl", "verify", str(tmp_path), "--json"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False)
    told = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (3, "")
    assert list(told) == ["schema", *KEYS]
    assert told["error"]["code"] == "no-engine"


def test_the_variables_of_the_smoke_test_are_given_but_for_those_that_the_caller_gives(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    values = "kind: python-fastapi\nname: shop\napp_dir: .\nsmoke_test_env: {A: a, B: b, C: 3}\n"
    (tmp_path / ".copier-answers.yml").write_text(values)
    (tmp_path / "mine.env").write_text("B=mine\n")
    options = RunOptions(environment={"A": "mine"}, env_files=[tmp_path / "mine.env"])
    assert variables.with_smoke_test(locate(tmp_path), options, quiet=True).environment == {"A": "mine", "C": "3"}


@pytest.mark.parametrize(
    ("files", "given", "added"),
    [
        ({".env.example": "A=1\nB=\n"}, {}, {"A": "1"}),
        ({".env.sample": "A=1\nB=2\n"}, {"A": "mine"}, {"A": "mine", "B": "2"}),
        ({".env.example": "A=1\n"}, {"A": "mine"}, None),
        ({".env": "A=1\n"}, {}, None),
    ],
)
def test_an_example_file_gives_what_is_not_given(
    files: dict[str, str], given: dict[str, str], added: dict[str, str] | None, tmp_path: Path
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    subject = Subject("shop", tmp_path / "Dockerfile", tmp_path, None)
    again = variables.from_example(subject, RunOptions(environment=given), quiet=True)
    assert (again.environment if again else None) == added


def test_the_paths_of_the_workflows_smoke_test_are_asked_for_unless_only_others_are(tmp_path: Path) -> None:
    answers = {"smoke_test_paths": ["/docs", "no path", 3]}
    subject = Subject("shop", tmp_path / "Dockerfile", tmp_path, None, answers=answers)
    assert [one.path for one in Questions(subject, ["/menu"], paths_only=False)._given] == ["/menu", "/docs"]
    assert [one.path for one in Questions(subject, ["/menu"], paths_only=True)._given] == ["/menu"]
