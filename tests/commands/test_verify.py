"""What `dockertpl verify` says where it gets no further, and its table; no engine is needed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dockertpl.commands import verify
from dockertpl.commands.subject import Subject, locate
from dockertpl.commands.verify import ticker_line
from dockertpl.engine.layer_cache import Layer
from dockertpl.engine.progress import Progress
from dockertpl.engine.run import RunOptions
from dockertpl.errors import BadInputError, NoEngineError

KEYS = ["built", "healthy", "uid", "read_only", "ready_seconds", "healthy_seconds", "stop_seconds", "image_bytes"]
KEYS += ["layers", "build_seconds", "steps", "cached_steps", "services", "paths", "findings", "tag", "error"]


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


def test_bad_input_is_told_before_an_engine_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_nor_is_anything_built_for_options_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], says: str
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BadInputError, match=says):
        run(tmp_path, **options)


def test_a_kind_that_is_no_service_is_refused_with_another_way(tmp_path: Path) -> None:
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


def test_the_table_has_the_five_biggest_layers_and_fits_80_columns() -> None:
    layers = [Layer(number * 1_000_000, f"RUN {number} {'x' * 100}", "sha256:1") for number in range(1, 8)]
    facts = {
        "image_bytes": 28_000_000,
        "build_seconds": 1234.5,
        "steps": 17,
        "cached_steps": 12,
        "ready_seconds": 0.7512,
        "healthy_seconds": 1.2,
        "stop_seconds": None,
        "uid": 10001,
        "read_only": True,
    }
    lines = verify._table(facts, layers).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["image", "28.0", "MB", "unpacked,", "7", "layers"]
    assert [line.split()[:4] for line in lines[1:6]] == [[f"{n}.0", "MB", "RUN", f"{n}"] for n in (7, 6, 5, 4, 3)]
    rest = "\n".join(lines[6:])
    assert "12 of 17 steps cached" in rest and "0.75 s" in rest and "uid 10001" in rest
    assert "stopped in  -" in rest


def test_how_far_a_build_is_fits_on_one_line() -> None:
    progress = Progress()
    line = {"vertexes": [{"digest": "a", "name": "[venv 3/9] RUN uv  sync\n && true", "started": "x"}]}
    progress.feed(json.dumps(line))
    assert ticker_line(progress, 3.2, 60) == "  0/1 3 s  [venv 3/9] RUN uv sync && true"
    progress.feed(json.dumps({"statuses": [{"vertex": "p", "id": "l", "current": 25_000_000, "total": 100_000_000}]}))
    assert ticker_line(progress, 4, 79) == "  0/1 4 s, 25.0 MB of 100.0, 12 s left  [venv 3/9] RUN uv sync && true"
    assert len(ticker_line(progress, 4, 50)) == 50


def test_the_variables_of_the_smoke_test_are_given_but_for_those_that_the_caller_gives(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    values = "kind: python-fastapi\nname: shop\napp_dir: .\nsmoke_test_env: {A: a, B: b, C: 3}\n"
    (tmp_path / ".copier-answers.yml").write_text(values)
    (tmp_path / "mine.env").write_text("B=mine\n")
    options = RunOptions(environment={"A": "mine"}, env_files=[tmp_path / "mine.env"])
    assert verify.with_smoke_test(locate(tmp_path), options, quiet=True).environment == {"A": "mine", "C": "3"}


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
    again = verify.from_example(subject, RunOptions(environment=given), quiet=True)
    assert (again.environment if again else None) == added
