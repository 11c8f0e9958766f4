"""`dockertpl verify --all`: it verifies each image, even after one fails."""

from pathlib import Path
from typing import Any

import pytest

from dockertpl.commands import verify, verify_all
from dockertpl.errors import BadInputError, BrokenError, NoEngineError


def repository(root: Path, *names: str) -> Path:
    (root / ".git").mkdir()
    for name in names:
        (root / name).mkdir()
        (root / name / "Dockerfile").write_text("FROM scratch\n")
        (root / f".copier-answers.{name}.yml").write_text(f"kind: python-fastapi\nname: {name}\napp_dir: {name}\n")
    return root


def run(root: Path, dockerfile: Path | None = None) -> Any:
    return verify_all.run(destination=root, dockerfile=dockerfile, target=None, quiet=True, build_args={})


def test_one_that_fails_does_not_stop_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def one(*, dockerfile: Path, **_: Any) -> Any:
        if dockerfile.parent.name == "api":
            raise BrokenError("a path fails", "mend it", healthy=True)
        return 0, {"healthy": True, "error": None}

    monkeypatch.setattr(verify, "run", one)
    code, told = run(repository(tmp_path, "web", "api"))
    assert code == 1
    assert [(image["name"], image["dockerfile"]) for image in told["images"]] == [
        ("api", "api/Dockerfile"),
        ("web", "web/Dockerfile"),
    ]
    assert told["images"][0]["error"]["code"] == "broken" and told["images"][1]["error"] is None


def test_a_base_image_is_left_out_and_nothing_at_all_is_bad_input(tmp_path: Path) -> None:
    repository(tmp_path)
    (tmp_path / ".copier-answers.base.yml").write_text("kind: shared-base\nname: base\napp_dir: .\n")
    with pytest.raises(BadInputError, match="no answers file"):
        run(tmp_path)


def test_it_takes_no_option_that_names_one_image(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="--all"):
        run(repository(tmp_path, "web"), tmp_path / "web/Dockerfile")


def test_a_missing_engine_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKERTPL_DOCKER", "/no/docker")
    with pytest.raises(NoEngineError):
        verify_all.run(destination=repository(tmp_path, "web", "api"), dockerfile=None, target=None, quiet=True)
