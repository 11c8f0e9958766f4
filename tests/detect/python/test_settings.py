"""Detection names the environment variables that an application needs, and gives each a valid value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockertpl.detect import Detection, look

Repo = Callable[[Mapping[str, str]], Path]
MANIFEST = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["fastapi", "uvicorn"]\n'
MAIN = "from fastapi import FastAPI\nfrom app.config import *\nimport app.config\napp = FastAPI()\n"


def found(repo: Repo, config: str, files: Mapping[str, str] | None = None) -> Detection:
    texts = {"pyproject.toml": MANIFEST, "uv.lock": "version = 1\n", "app/__init__.py": "", "app/main.py": MAIN}
    return look(repo({**texts, "app/config.py": config, **(files or {})}))[0]


SETTINGS = """\
from typing import Annotated, ClassVar, Literal
from pydantic import BaseModel, Field, PostgresDsn, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
class Mail(BaseModel):
    host: str
class Base(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SHOP_")
    KINDS: ClassVar[list[str]]
class Settings(Base):
    database_url: PostgresDsn
    secret_key: SecretStr = Field(...)
    pool: Annotated[int, "x"]
    mode: Literal["dev", "prod"]
    token: str = Field(alias="API_TOKEN")
    debug: bool = False
    tags: list[str] = Field(default_factory=list)
    name: str | None = None
    other: str = Field(default="x")
"""


def test_fields_of_settings_without_a_default_get_a_value_that_they_take(repo: Repo) -> None:
    known = found(repo, SETTINGS)
    values = known.answers["smoke_test_env"]
    assert list(values) == ["API_TOKEN", "DATABASE_URL", "MODE", "POOL", "SECRET_KEY"]
    assert values["DATABASE_URL"].startswith("postgresql://") and values["POOL"] == "1" and values["MODE"] == "dev"
    assert len(values["SECRET_KEY"]) >= 32
    assert known.evidence["smoke_test_env"].where == "app/config.py:10"


def test_a_prefix_counts_where_the_class_has_it(repo: Repo) -> None:
    head = "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    key: str\n"
    config = f'{head}    class Config:\n        env_prefix = "SHOP_"\n'
    assert list(found(repo, config).answers["smoke_test_env"]) == ["SHOP_KEY"]


@pytest.mark.parametrize(
    "config",
    [
        'import os\nKEY = os.environ["KEY"]\n',
        'from os import environ\nKEY = int(environ["KEY"])\n',
        'from decouple import config\nKEY = config("KEY")\n',
        'import os\nfrom sqlalchemy import create_engine\nKEY = os.getenv("KEY")\nengine = create_engine(KEY)\n',
        'from os import getenv\nimport sqlalchemy\nengine = sqlalchemy.create_engine(getenv("KEY"), echo=True)\n',
        'import os\nimport redis\ncache = redis.from_url(os.environ.get("KEY"))\n',
        'import os\nMINUTES = int(os.getenv("KEY"))\n',
        'from starlette.config import Config\nconfig = Config(".env")\nKEY = config("KEY", cast=str)\n',
    ],
)
def test_a_variable_that_is_read_on_import_without_a_default_is_needed(repo: Repo, config: str) -> None:
    assert list(found(repo, config).answers["smoke_test_env"]) == ["KEY"]


@pytest.mark.parametrize(
    "config",
    [
        'import os\nKEY = os.environ.get("KEY")\n',
        'import os\nos.environ["KEY"] = "1"\n',
        'import os\nfrom sqlalchemy import create_engine\nengine = create_engine(os.getenv("KEY", "sqlite://"))\n',
        'import os, sqlalchemy\nKEY = os.getenv("KEY") or "sqlite://"\nengine = sqlalchemy.create_engine(KEY)\n',
        'import os\nKEY = os.getenv("KEY")\n',
        'import os\ndef key():\n    return os.environ["KEY"]\n',
        'from decouple import config\nKEY = config("KEY", default="x")\n',
        "from pydantic import BaseModel\nclass Settings(BaseModel):\n    key: str\n",
    ],
)
def test_what_has_a_default_or_is_read_later_is_not_needed(repo: Repo, config: str) -> None:
    assert "smoke_test_env" not in found(repo, config).answers


def test_the_example_file_has_the_better_values(repo: Repo) -> None:
    config = 'import os\nA = os.environ["A"]\nB = os.environ["B"]\nC = os.environ["C"]\n'
    example = "# x\nexport A='one two' \nB=\nC=<your key>\n"
    values = found(repo, config, {".env.example": example}).answers["smoke_test_env"]
    assert values["A"] == "one two"
    assert values["B"] == values["C"] != ""


def test_settings_that_nothing_imports_are_not_needed(repo: Repo) -> None:
    assert "smoke_test_env" not in found(repo, "", {"scripts/seed.py": SETTINGS}).answers


@pytest.mark.parametrize("value", ["", "<your key>", "postgresql://***", "https://${HOST}/", "xxxx", "sk-..."])
def test_an_example_that_has_no_value_gives_none(repo: Repo, value: str) -> None:
    known = found(repo, 'import os\nKEY = os.environ["KEY"]\n', {".env.example": f"KEY={value}\n"})
    assert known.answers["smoke_test_env"] == {"KEY": "placeholder-placeholder-placeholder"}


@pytest.mark.parametrize(
    ("package", "function", "value"),
    [
        ("psycopg2-binary", "create_engine", "postgresql+psycopg2://app:placeholder@localhost:5432/app"),
        ("pymysql", "create_engine", "mysql+pymysql://app:placeholder@localhost:3306/app"),
        ("", "create_engine", "sqlite://"),
        ("asyncpg", "ext.asyncio.create_async_engine", "postgresql+asyncpg://app:placeholder@localhost:5432/app"),
    ],
)
def test_an_address_has_a_dialect_that_is_installed(repo: Repo, package: str, function: str, value: str) -> None:
    config = f'import os\nimport sqlalchemy\nimport sqlalchemy.ext.asyncio\nsqlalchemy.{function}(os.getenv("KEY"))\n'
    requirements = {"requirements.txt": f"fastapi\n{package}==1\n" if package else ""}
    assert found(repo, config, requirements).answers["smoke_test_env"] == {"KEY": value}


@pytest.mark.parametrize(
    ("dependencies", "engine", "value"),
    [
        ("sqlalchemy\nasyncpg\n", "create_async_engine", "postgresql+asyncpg://app:placeholder@localhost:5432/app"),
        ("sqlmodel\npsycopg[binary]\n", "create_engine", "postgresql+psycopg://app:placeholder@localhost:5432/app"),
        ("asyncpg\n", "connect", "postgresql://app:placeholder@localhost:5432/app"),
    ],
)
def test_the_address_in_a_settings_class_has_the_driver_of_the_engine_that_it_is_for(
    repo: Repo, dependencies: str, engine: str, value: str
) -> None:
    config = "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n    database_url: str\n"
    files = {"requirements.txt": f"fastapi\n{dependencies}", "app/db.py": f"{engine}(settings.database_url)\n"}
    assert found(repo, config, files).answers["smoke_test_env"] == {"DATABASE_URL": value}
