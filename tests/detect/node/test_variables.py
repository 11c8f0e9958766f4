from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    "text",
    [
        "process.env.NEXT_PUBLIC_A",
        "process.env?.NEXT_PUBLIC_A",
        "process.env['NEXT_PUBLIC_A']",
        "const { X, NEXT_PUBLIC_A: a } = process.env",
        "createEnv({ client: { NEXT_PUBLIC_A: z.string() }, runtimeEnv: process.env })",
    ],
)
def test_public_variables_are_found_in_every_form(look_at: Any, text: str) -> None:
    found, _ = look_at({"src/env/client.ts": f"\n{text}\n"})
    assert found.answers["public_variables"] == ["NEXT_PUBLIC_A"]
    assert found.evidence["public_variables"].where == "src/env/client.ts:2"


def test_they_are_sorted_and_each_is_there_once(look_at: Any) -> None:
    text = "process.env.NEXT_PUBLIC_B; process.env.NEXT_PUBLIC_A; process.env.NEXT_PUBLIC_B"
    assert look_at({"a.js": text})[0].answers["public_variables"] == ["NEXT_PUBLIC_A", "NEXT_PUBLIC_B"]


@pytest.mark.parametrize(
    "path", ["a.test.ts", "tests/a.ts", "node_modules/x/a.js", "e2e/a.ts", "a.d.ts", "README.md", "a.stories.tsx"]
)
def test_what_no_build_reads_counts_nothing(look_at: Any, path: str) -> None:
    assert "public_variables" not in look_at({path: "process.env.NEXT_PUBLIC_A"})[0].answers


def test_a_validation_that_can_be_skipped_is_skipped_in_the_build(look_at: Any) -> None:
    found, _ = look_at({"env.mjs": "x\nskipValidation: !!process.env.SKIP_ENV_VALIDATION"})
    assert found.answers["build_env"] == {"SKIP_ENV_VALIDATION": "1"}
    assert found.evidence["build_env"].where == "env.mjs:2"


def test_values_of_dotenv_files_are_reported_as_missing(look_at: Any) -> None:
    found, _ = look_at({".env.production": "SECRET=1\nNEXT_PUBLIC_URL=x\n"})
    said = "Pass NEXT_PUBLIC_URL as build arguments, and SECRET when the container runs."
    (text,) = (text for text in found.warnings if text.startswith(".env.production is not in the image"))
    assert text.endswith(said)


def test_only_variables_that_pages_need_are_reported_from_an_ignored_dotenv_file(look_at: Any) -> None:
    assert not look_at({".env": "SECRET=1\n", ".gitignore": ".env*\n"})[0].warnings
    found, _ = look_at({".env": "SECRET=1\nNEXT_PUBLIC_URL=x\n", ".gitignore": ".env*\n"})
    assert any(text.endswith("Pass NEXT_PUBLIC_URL as build arguments.") for text in found.warnings)


DATABASE = "postgresql://app:placeholder@localhost:5432/app"


@pytest.mark.parametrize(
    "text",
    [
        "const url = process.env.DATABASE_URL\nif (!url) throw new Error('not set')\n",
        "const url: string | undefined = process.env['DATABASE_URL'];\nif (url === undefined) { throw Error() }\n",
        "if (!process.env.DATABASE_URL) {\n  throw new Error('x')\n}\n",
        "const { A, DATABASE_URL } = process.env\nif (A || !DATABASE_URL) throw 1\n",
        "const sql = neon(process.env.DATABASE_URL!)\n",
        "export const url = assertValue(process.env.DATABASE_URL, 'missing')\n",
    ],
)
def test_a_database_without_which_a_module_throws_gets_a_placeholder_in_the_build(look_at: Any, text: str) -> None:
    found, problem = look_at({"lib/db.ts": f"\n{text}"})
    assert problem is None
    assert found.answers["build_env"] == {"DATABASE_URL": DATABASE}
    assert found.evidence["build_env"].path == "lib/db.ts"


ZOD = "import { z } from 'zod'\n"
T3 = "import { createEnv } from '@t3-oss/env-nextjs'\n"


@pytest.mark.parametrize(
    "text",
    [
        ZOD + "export const env = z.object({ DATABASE_URL: z.string().url() }).parse(process.env)\n",
        ZOD
        + "const schema = z.object({\n  DATABASE_URL: z.string(),\n})\nexport default schema.safeParse(process.env)\n",
        T3
        + "export const env = createEnv({ server: { DATABASE_URL: z.url() }, client: {}, runtimeEnv: process.env })\n",
        "export default cleanEnv(process.env, { DATABASE_URL: url() })\n",
        "function get(name: string): string {\n  const value = process.env[name]\n  if (!value) throw Error()\n"
        "  return value\n}\nexport const url = get('DATABASE_URL')\n",
        "const get = (key) => { if (!process.env[key]) { throw 1 } return process.env[key] }\n"
        "export const config = { url: get('DATABASE_URL') }\n",
        "export const url = process.env.DATABASE_URL ?? (() => { throw new Error('x') })()\n",
    ],
)
def test_a_database_that_a_schema_or_a_function_asks_for_gets_a_placeholder(look_at: Any, text: str) -> None:
    found, _ = look_at({"lib/db.ts": text})
    assert list(found.answers["build_env"]) == ["DATABASE_URL"]
    assert list(found.answers["smoke_test_env"]) == ["DATABASE_URL"]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("z.string().min(40)", "placeholder-placeholder-placeholder-plac"),
        ("z.enum(['live', 'test'])", "live"),
        ("z.coerce.number()", "1"),
        ("z.string().email()", "user@example.com"),
        ("z.string().startsWith('sk_')", "sk_placeholder-placeholder-placeholder"),
    ],
)
def test_a_placeholder_passes_the_schema(look_at: Any, schema: str, value: str) -> None:
    found, _ = look_at({"lib/env.ts": f"{ZOD}export default z.object({{ PAYMENT: {schema} }}).parse(process.env)\n"})
    assert found.answers["smoke_test_env"]["PAYMENT"][: len(value)] == value
    assert f'PAYMENT: "{value}' in found.warnings[0]


@pytest.mark.parametrize(
    "text",
    [
        ZOD + "export default z.object({ DATABASE_URL: z.string().optional() }).parse(process.env)\n",
        ZOD + "export default z.object({ DATABASE_URL: z.string().default('x') }).parse(process.env)\n",
        # A schema of something else.
        ZOD + "export const Form = z.object({ DATABASE_URL: z.string() })\nexport const e = process.env.HOME\n",
        "export default cleanEnv(process.env, { DATABASE_URL: str({ default: 'x' }) })\n",
        "const get = (key) => process.env[key] ?? ''\nexport const url = get('DATABASE_URL')\n",
    ],
)
def test_what_a_schema_lets_be_missing_needs_none(look_at: Any, text: str) -> None:
    assert "build_env" not in look_at({"lib/db.ts": text})[0].answers


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (
            "export default new OpenAI({ baseURL: process.env.OPENAI_URL, apiKey: process.env.OPENAI_API_KEY })\n",
            "OPENAI_API_KEY",
        ),
        ("export default createClient(process.env.SUPABASE_URL!, process.env.SUPABASE_KEY!)\n", "SUPABASE_KEY"),
    ],
)
def test_a_client_that_throws_without_its_key_is_warned_of(look_at: Any, text: str, name: str) -> None:
    assert name in " ".join(look_at({"lib/db.ts": text})[0].warnings)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("lib/db.ts", "export function url() {\n  if (!process.env.DATABASE_URL) throw new Error()\n}\n"),
        ("lib/db.ts", "export const url = () => { if (!process.env.DATABASE_URL) throw new Error() }\n"),
        ("lib/db.ts", "if (process.env.DATABASE_URL) { connect() }\nthrow new Error('x')\n"),
        ("lib/db.ts", "if (!process.env.DATABASE_URL) console.warn('none')\n"),
        ("scripts/seed.ts", "if (!process.env.DATABASE_URL) throw new Error()\n"),
        ("drizzle.config.ts", "if (!process.env.DATABASE_URL) throw new Error()\n"),
        ("lib/db.test.ts", "if (!process.env.DATABASE_URL) throw new Error()\n"),
        ("lib/db.ts", "if (!process.env.NODE_ENV) throw new Error()\n"),
    ],
)
def test_what_does_not_throw_when_it_is_loaded_needs_none(look_at: Any, path: str, text: str) -> None:
    found, _ = look_at({path: text})
    assert "build_env" not in found.answers
    assert not found.warnings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONGODB_URI", "mongodb://localhost:27017/app"),
        ("REDIS_URL", "redis://localhost:6379/0"),
        ("POSTGRES_URL", DATABASE),
        ("DIRECT_URL", DATABASE),
    ],
)
def test_a_placeholder_has_the_form_of_its_database(look_at: Any, name: str, value: str) -> None:
    found, _ = look_at({"lib/db.ts": f"if (!process.env.{name}) throw new Error()\n"})
    assert found.answers["build_env"] == {name: value}


def test_a_name_that_only_contains_a_database_s_gets_no_address(look_at: Any) -> None:
    found, _ = look_at({"lib/db.ts": "if (!process.env.FEEDBACK_URL) throw new Error()\n"})
    assert "build_env" not in found.answers
    assert any("FEEDBACK_URL (lib/db.ts:1)" in text for text in found.warnings)


def test_other_variables_are_named_with_the_answer_that_gives_them(look_at: Any) -> None:
    files = {"lib/mail.ts": "if (!process.env.MAIL_KEY) throw new Error()\n"}
    found, _ = look_at(files)
    assert "build_env" not in found.answers
    assert any(
        "MAIL_KEY (lib/mail.ts:1)" in text and "-d 'build_env={MAIL_KEY: \"placeholder\"}'" in text
        for text in found.warnings
    )
    for given in ({"build_env": {"MAIL_KEY": "x"}}, {"build_secrets": ["MAIL_KEY"]}):
        assert not look_at(files, given=given)[0].warnings


PRISMA = {
    "prisma.config.ts": 'import { env } from "prisma/config"\nexport default { url: env("DATABASE_URL") }\n',
    "prisma/schema.prisma": 'datasource db {\n  provider = "mysql"\n}\n',
}
WANTS = {"dependencies": {"next": "16.0.0", "@prisma/client": "7.0.0"}}


@pytest.mark.parametrize(
    ("scripts", "key"),
    [
        ({"build": "next build", "postinstall": "prisma generate"}, "install_env"),
        ({"build": "prisma generate && next build"}, "build_env"),
        ({"build": "next build"}, "build_env"),
    ],
)
def test_what_prisma_s_configuration_reads_gets_a_placeholder_where_it_generates(
    look_at: Any, scripts: dict[str, str], key: str
) -> None:
    found, problem = look_at(PRISMA, {**WANTS, "scripts": scripts})
    assert problem is None
    assert found.answers[key] == {"DATABASE_URL": "mysql://app:placeholder@localhost:3306/app"}
    assert found.evidence[key].where == "prisma.config.ts:2"
    assert len({"install_env", "build_env"} & set(found.answers)) == 1


@pytest.mark.parametrize("name", ["prisma.config.mts", "prisma.config.js", ".config/prisma.ts"])
def test_prisma_is_configured_in_files_of_several_names(look_at: Any, name: str) -> None:
    schema = {"prisma/schema.prisma": PRISMA["prisma/schema.prisma"]}
    scripts = {"build": "next build", "postinstall": "prisma generate"}
    found, _ = look_at({**schema, name: PRISMA["prisma.config.ts"]}, {**WANTS, "scripts": scripts})
    assert list(found.answers["install_env"]) == ["DATABASE_URL"]
    assert name in found.answers["install_files"]


def test_a_configuration_of_prisma_that_throws_gets_a_placeholder(look_at: Any) -> None:
    text = "if (!process.env.DATABASE_URL) throw new Error()\nexport default {}\n"
    scripts = {"build": "next build", "postinstall": "prisma generate"}
    found, _ = look_at({**PRISMA, "prisma.config.ts": text}, {**WANTS, "scripts": scripts})
    assert list(found.answers["install_env"]) == ["DATABASE_URL"]


def test_tokens_of_the_manager_s_settings_are_build_secrets(look_at: Any) -> None:
    text = "# ${OLD}\n//r.example.com/:_authToken=${NPM_TOKEN}\n"
    found, _ = look_at({".npmrc": text, ".yarnrc.yml": "npmAuthToken: '${YARN_TOKEN:-}'\n"})
    assert found.answers["build_secrets"] == ["NPM_TOKEN", "YARN_TOKEN"]
    assert found.evidence["build_secrets"].where == ".npmrc:2"
    assert "private_index" not in found.answers


def test_a_private_registry_without_a_token_asks_for_an_npmrc(look_at: Any) -> None:
    found, _ = look_at({".npmrc": "@acme:registry=https://npm.acme.internal/\n"})
    assert (found.answers["private_index"], found.evidence["private_index"].where) == (True, ".npmrc:1")
    assert "private_index" not in look_at({".npmrc": "registry=https://mirror.example.com/\n"})[0].answers


def test_a_password_in_the_repository_is_warned_of_and_not_repeated(look_at: Any) -> None:
    found, _ = look_at({".npmrc": "//r.example.com/:_authToken=hunter2\n"})
    assert any(".npmrc:1 has a password" in text for text in found.warnings)
    assert "hunter2" not in str(found)
