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


def test_values_of_dotenv_files_are_said_to_be_missing(look_at: Any) -> None:
    found, _ = look_at({".env.production": "SECRET=1\nNEXT_PUBLIC_URL=x\n"})
    assert any(".env.production sets NEXT_PUBLIC_URL" in text for text in found.warnings)
    assert not look_at({".env.production": "SECRET=1\n"})[0].warnings


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
    assert any(".npmrc:1 holds a password" in text for text in found.warnings)
    assert "hunter2" not in str(found)
