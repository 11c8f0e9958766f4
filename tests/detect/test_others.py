"""Detection names a project that no kind fits, once, and does not ask about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockertpl.detect import NotDetectedError, detect

FLASK = "from flask import Flask\napp = Flask(__name__)\n"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"requirements.txt": "requests\nFlask==3.0\n", "app.py": FLASK}, "Flask (requirements.txt:2)"),
        (
            {"pyproject.toml": '[project]\nname = "a"\ndependencies = ["django>=5"]\n'},
            "Django (pyproject.toml:3)",
        ),
        (
            {"pyproject.toml": '[tool.poetry.dependencies]\nlitestar = "^2"\n'},
            "Litestar (pyproject.toml:2)",
        ),
        ({"api/Pipfile": '[packages]\nflask = "*"\n'}, "Flask (api/Pipfile:2)"),
        ({"package.json": '{"dependencies": {"express": "^5"}}'}, "Express (package.json)"),
        ({"package.json": '{"dependencies": {"@nestjs/core": "1", "express": "1"}}'}, "uses NestJS"),
        ({"go.mod": "module a\n"}, "Go (go.mod)"),
    ],
)
def test_another_framework_is_reported_as_unsupported(tmp_path: Path, files: dict[str, str], said: str) -> None:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    with pytest.raises(NotDetectedError) as caught:
        detect(tmp_path)
    assert said in caught.value.message
    assert "not supported yet" in caught.value.message
    assert "app=" not in caught.value.remedy


@pytest.mark.parametrize("text", ["fastapi\nflask\n", "flask-like-thing\n", "# flask\n", "requests\n"])
def test_what_is_not_clear_is_not_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    with pytest.raises(NotDetectedError, match="No FastAPI"):
        detect(tmp_path)
