"""Which services an application needs, and which variables hold their addresses."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockertpl.detect.services import Application, look
from dockertpl.engine.services import known

Repo = Callable[[Mapping[str, str]], Path]
SERVICES = known()
POETRY = '[tool.poetry.dependencies]\npsycopg2 = "^2.9"\n'
SCHEMA = 'generator x {\n  provider = "js"\n}\ndatasource db {\n  provider = "mysql"\n}\n'


def found(repo: Repo, files: Mapping[str, str], app_dir: str = ".", **given: str) -> Application:
    return look(repo(files), app_dir, given)


def manifest(*dependencies: str, name: str = "shop") -> str:
    return f'[project]\nname = "{name}"\nversion = "1"\ndependencies = [\n' + "".join(
        f'    "{one}",\n' for one in dependencies
    ) + "]\n"  # fmt: skip


def package(*dependencies: str, name: str = "shop") -> str:
    return json.dumps({"name": name, "dependencies": dict.fromkeys(dependencies, "1")}, indent=2)


def needed(application: Application) -> dict[str, str]:
    return {
        name: str(source)
        for name, entry in SERVICES.items()
        if "like" not in entry and (source := application.needs(entry))
    }


@pytest.mark.parametrize(
    ("files", "service", "source"),
    [
        ({"pyproject.toml": manifest("fastapi", "asyncpg>=0.30")}, "postgres", "asyncpg (pyproject.toml:6)"),
        ({"requirements.txt": "fastapi\npsycopg[binary]==3.2\n"}, "postgres", "psycopg (requirements.txt:2)"),
        ({"pyproject.toml": manifest("SQLAlchemy[asyncpg]")}, "postgres", "sqlalchemy (pyproject.toml:5)"),
        ({"requirements.txt": "aiomysql\n"}, "mysql", "aiomysql (requirements.txt:1)"),
        ({"requirements.txt": "beanie\n"}, "mongo", "beanie (requirements.txt:1)"),
        ({"Pipfile": '[packages]\nredis = "*"\n'}, "redis", "redis (Pipfile:2)"),
        ({"pyproject.toml": POETRY}, "postgres", "psycopg2 (pyproject.toml:2)"),
        ({"package.json": package("next", "pg")}, "postgres", "pg (package.json:5)"),
        ({"package.json": package("bullmq")}, "redis", "bullmq (package.json:4)"),
        ({"package.json": package("mongoose")}, "mongo", "mongoose (package.json:4)"),
        (
            {
                "package.json": package("@prisma/client"),
                "prisma/schema.prisma": SCHEMA,
            },
            "mysql",
            "Prisma (prisma/schema.prisma:5)",
        ),
    ],
)  # fmt: skip
def test_a_dependency_asks_for_a_server_with_file_and_line(
    repo: Repo, files: dict[str, str], service: str, source: str
) -> None:
    assert needed(found(repo, files)) == {service: source}


def test_development_asks_for_nothing(repo: Repo) -> None:
    text = manifest("fastapi") + '[dependency-groups]\ndev = ["psycopg"]\n'
    other = json.dumps({"devDependencies": {"pg": "1"}})
    assert needed(found(repo, {"pyproject.toml": text, "package.json": other})) == {}


def test_a_package_of_the_workspace_asks_for_the_application(repo: Repo) -> None:
    files = {
        "apps/api/pyproject.toml": manifest("shop-db", name="api"),
        "libs/db/pyproject.toml": manifest("asyncpg", name="shop_db"),
        "libs/other/pyproject.toml": manifest("redis", name="other"),
        "apps/web/package.json": package("@shop/db", name="web"),
        "packages/db/package.json": package("mysql2", name="@shop/db"),
    }
    assert needed(found(repo, files, "apps/api")) == {"postgres": "asyncpg (libs/db/pyproject.toml:5)"}
    assert needed(found(repo, files, "apps/web")) == {"mysql": "mysql2 (packages/db/package.json:4)"}


@pytest.mark.parametrize(
    ("dependencies", "code", "scheme"),
    [
        (("sqlalchemy", "asyncpg"), "create_async_engine(x)", "postgresql+asyncpg"),
        (("sqlalchemy", "asyncpg", "psycopg2-binary"), "create_async_engine(x)", "postgresql+asyncpg"),
        (("sqlalchemy", "asyncpg", "psycopg2-binary"), "create_engine(x)", "postgresql+psycopg2"),
        (("sqlmodel", "psycopg[binary]"), "create_engine(x)", "postgresql+psycopg"),
        (("asyncpg",), "asyncpg.connect(x)", "postgresql"),
        (("sqlalchemy",), "create_engine(x)", "postgresql"),
        (("tortoise-orm[asyncpg]",), "Tortoise.init(x)", "postgres"),
    ],
)
def test_an_address_has_the_driver_that_is_installed(
    repo: Repo, dependencies: tuple[str, ...], code: str, scheme: str
) -> None:
    application = found(repo, {"pyproject.toml": manifest(*dependencies), "app/db.py": f"{code}\n"})
    assert application.scheme(SERVICES["postgres"]) == scheme


@pytest.mark.parametrize(
    ("value", "service", "template"),
    [
        ("postgresql+asyncpg://me:x@db:5432/shop?ssl=require", "postgres", "postgresql+asyncpg://{authority}/{database}"),
        ("postgresql://me@localhost/shop?schema=public&sslmode=require", "postgres",
         "postgresql://{authority}/{database}?schema=public"),
        ("postgres://localhost/shop", "postgres", "postgres://{authority}/{database}"),
        ("redis://localhost:6379/2", "redis", "redis://{authority}/2"),
        ("rediss://:pw@far.example:6380", "redis", "redis://{authority}/{database}"),
        ("mongodb+srv://a:b@cluster.example/shop?retryWrites=true", "mongo", "mongodb://{authority}/shop?retryWrites=true"),
        ("mysql+pymysql://u:p@h/d", "mysql", "mysql+pymysql://{authority}/{database}"),
        ("postgresql://app:placeholder@localhost:5432/app", "postgres", "{url}"),
    ],
)  # fmt: skip
def test_an_address_keeps_its_form_whatever_its_name_and_leads_to_the_service(
    repo: Repo, value: str, service: str, template: str
) -> None:
    application = found(repo, {".env.example": f"SHOP_STORE={value}\n"})
    for name, entry in SERVICES.items():
        if "like" not in entry:
            assert application.reads(entry) == ({"SHOP_STORE": template} if name == service else {})


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("app/a.py", 'import os\nX = os.getenv("STORE", "redis://localhost:6379/3")\n'),
        ("app/a.py", 'import os\nX = os.environ.get("STORE") or "redis://localhost:6379/3"\n'),
        ("app/a.py", "X = config('STORE', default='redis://localhost:6379/3')\n"),
        ("app/a.py", 'X = env.str("STORE", "redis://localhost:6379/3")\n'),
        ("app/a.py", "from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n"
         '    store: str = "redis://localhost:6379/3"\n'),
        ("app/a.py", "from pydantic import Field\nfrom pydantic_settings import BaseSettings\n"
         'class S(BaseSettings):\n    x: str = Field(default="redis://localhost:6379/3", alias="STORE")\n'),
        ("src/a.ts", 'const x = process.env.STORE ?? "redis://localhost:6379/3"\n'),
        ("src/a.js", "const x = process.env['STORE'] || 'redis://localhost:6379/3'\n"),
    ],
)  # fmt: skip
def test_a_name_that_only_the_code_knows_is_found_by_its_default(repo: Repo, path: str, code: str) -> None:
    files = {"pyproject.toml": manifest("redis"), path: code}
    assert found(repo, files).reads(SERVICES["redis"]) == {"STORE": "redis://{authority}/3"}


@pytest.mark.parametrize(
    ("name", "template"),
    [
        ("POSTGRES_SERVER", "{host}"),
        ("APP_DB__HOST", "{host}"),
        ("DB_PORT", "{port}"),
        ("DATABASE_USERNAME", "{user}"),
        ("db_password", "{password}"),
        ("PGDATABASE", "{database}"),
        ("DIRECT_URL", "{url}"),
        ("SQLALCHEMY_DATABASE_URI", "{url}"),
        ("MYSQL_HOST", None),
        ("REDIS_URL", None),
        ("SMTP_HOST", None),
        ("MYSQL_ROOT_PASSWORD", None),
    ],
)
def test_a_name_says_which_part_of_the_address_it_holds(repo: Repo, name: str, template: str | None) -> None:
    application = found(repo, {"app/a.py": f'import os\nX = os.environ["{name}"]\n'})
    assert application.reads(SERVICES["postgres"]).get(name) == template


def test_an_address_of_another_server_is_left_alone_and_a_file_is_not(repo: Repo) -> None:
    application = found(repo, {}, DATABASE_URL="mysql://app@localhost/app", DB_URL="sqlite:///app.db")
    assert application.reads(SERVICES["postgres"]) == {"DB_URL": "{url}"}
    assert application.reads(SERVICES["mongo"]) == {}


def test_the_version_is_the_compose_files(repo: Repo) -> None:
    text = "services:\n  db:\n    image: {}\n  api:\n    build: .\n"
    for image, asked in (
        ("postgres:16-alpine", "postgres:16-alpine"),
        ("docker.io/library/postgres:15@sha256:00", "postgres:15"),
        ("${DB_IMAGE:-postgres:14}", "postgres:14"),
        ("pgvector/pgvector:pg17", "postgres=pgvector/pgvector:pg17"),
        ("postgres", "postgres"),
        ("redis:7", "postgres"),
    ):
        application = found(repo, {"compose.yaml": text.format(image)})
        assert application.asks_for("postgres", SERVICES["postgres"]) == asked


@pytest.mark.parametrize(
    ("dependencies", "files", "command"),
    [
        (("alembic",), {"alembic.ini": ""}, "alembic upgrade head"),
        (("alembic",), {}, ""),
        ((), {"alembic.ini": ""}, ""),
        (("aerich",), {}, "aerich upgrade"),
    ],
)
def test_migrations_are_known_where_their_tool_is_installed(
    repo: Repo, dependencies: tuple[str, ...], files: dict[str, str], command: str
) -> None:
    assert found(repo, {"pyproject.toml": manifest(*dependencies), **files}).migration == command


def test_files_that_cannot_be_read_are_left_out(repo: Repo) -> None:
    files = {
        "pyproject.toml": "[",
        "package.json": "{",
        "compose.yaml": ":",
        "app/a.py": "(",
        "requirements.txt": "redis\n",
    }
    assert list(needed(found(repo, files))) in ([], ["redis"])
