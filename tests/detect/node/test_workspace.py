from __future__ import annotations

from typing import Any

import pytest

WEB = {"name": "@acme/web", "scripts": {"build": "next build"}, "dependencies": {"next": "16.0.0"}}
ROOT = {"name": "acme", "workspaces": ["apps/*", "packages/*", "!packages/old"], "scripts": {}, "dependencies": {}}


def _workspace(**web: Any) -> dict[str, Any]:
    return {
        "package.json": ROOT,
        "app/page.tsx": None,
        "apps/web/package.json": {**WEB, **web},
        "packages/ui/package.json": {"name": "@acme/ui", "version": "1.2.0", "dependencies": {"@acme/core": "*"}},
        "packages/core/package.json": {"name": "@acme/core", "devDependencies": {"@acme/ui": "*"}},
        "packages/env/package.json": {"name": "@acme/env"},
        "packages/old/package.json": {"name": "@acme/old"},
        "tools/package.json": {"name": "tools"},
    }


def _pnpm(**web: Any) -> dict[str, Any]:
    globs = "packages:\n  - apps/*\n  - 'packages/**'\n  - '!packages/old'\n"
    return {
        **_workspace(**web),
        "package.json": {"name": "acme"},
        "package-lock.json": None,
        "pnpm-lock.yaml": "lockfileVersion: '9.0'\n",
        "pnpm-workspace.yaml": globs,
    }


def test_a_member_is_built_from_the_root_with_what_it_depends_on(look_at: Any) -> None:
    found, problem = look_at(_workspace(dependencies={"next": "16.0.0", "@acme/ui": "^1.0.0"}))
    assert problem is None
    answers = found.answers
    assert (answers["app_dir"], answers["context"]) == ("apps/web", ".")
    assert answers["workspace_members"] == ["packages/core", "packages/env", "packages/ui"]
    assert answers["workspace_packages"] == ["packages/core", "packages/ui"]
    assert answers["workspace_tool"] == "none"
    assert found.evidence["context"].where == "package.json:3"


def test_a_published_version_is_not_a_workspace_member(look_at: Any) -> None:
    found, _ = look_at(_workspace(dependencies={"next": "16.0.0", "@acme/ui": "^2.0.0", "@acme/core": "npm:x@1"}))
    assert found.answers["workspace_packages"] == []


def test_pnpm_means_a_member_by_its_protocol_alone(look_at: Any) -> None:
    wanted = {"next": "16.0.0", "@acme/ui": "^1.0.0", "alias": "workspace:@acme/env@*"}
    found, problem = look_at(_pnpm(dependencies=wanted))
    assert problem is None
    assert found.answers["workspace_members"] == ["packages/core", "packages/env", "packages/ui"]
    assert found.answers["workspace_packages"] == ["packages/env"]
    assert found.evidence["context"].where == "pnpm-workspace.yaml:1"


def test_turborepo_is_found_by_its_file_and_its_dependency(look_at: Any) -> None:
    files = _workspace()
    files["package.json"] = {**ROOT, "devDependencies": {"turbo": "2.0.0"}}
    found, _ = look_at({**files, "turbo.json": "{}", "tsconfig.base.json": "{}"})
    assert (found.answers["workspace_tool"], found.answers["workspace_name"]) == ("turborepo", "@acme/web")
    assert found.answers["workspace_files"] == ["tsconfig.base.json", "turbo.json"]
    assert look_at({**_workspace(), "turbo.json": "{}"})[0].answers["workspace_tool"] == "none"


def test_nx_without_a_package_json_takes_what_is_imported(look_at: Any) -> None:
    root = {"name": "acme", "scripts": {}, "dependencies": {"next": "16.0.0"}, "devDependencies": {"nx": "22"}}
    found, problem = look_at(
        {
            "package.json": root,
            "app/page.tsx": None,
            "nx.json": "{}",
            "tsconfig.base.json": '{"compilerOptions": {"paths": {"@acme/ui": ["libs/ui/src/index.ts"],\n'
            '"@acme/core/*": ["libs/core/src/*"], "@acme/unused": ["libs/unused/src/index.ts"]}}}',
            "apps/web/next.config.js": "module.exports = {}",
            "apps/web/project.json": {"name": "shop-web"},
            "apps/web/app/page.tsx": "import { A } from '@acme/ui'",
            "libs/ui/project.json": {"name": "ui"},
            "libs/ui/src/index.ts": "export * from '@acme/core/x'",
            "libs/core/project.json": {"name": "core"},
            "libs/unused/project.json": {"name": "unused"},
        },
        app_dir="apps/web",
    )
    assert problem is None
    answers = found.answers
    assert (answers["workspace_tool"], answers["workspace_name"]) == ("nx", "shop-web")
    assert answers["workspace_packages"] == ["libs/core", "libs/ui"]
    assert answers["workspace_members"] == []
    assert "build_script" not in answers


@pytest.mark.parametrize(
    ("asked", "locked", "is_old"), [("^1.8.0", "1.9.9", True), ("^1.8.0", "1.13.4", False), ("2", "2.1.0", False)]
)
def test_a_turborepo_that_does_not_know_env_mode_is_not_given_it(
    look_at: Any, asked: str, locked: str, is_old: bool
) -> None:
    files = _workspace() | {"package.json": {**ROOT, "devDependencies": {"turbo": asked}}, "turbo.json": "{}"}
    files["package-lock.json"] = {"packages": {"node_modules/turbo": {"version": locked}}}
    assert look_at(files)[0].answers.get("old_turbo", False) is is_old


NX = {
    "package.json": {
        "name": "acme",
        "scripts": {},
        "dependencies": {"next": "16.0.0"},
        "devDependencies": {"nx": "22"},
    },
    "app/page.tsx": None,
    "apps/web/next.config.js": "module.exports = {}",
    "apps/web/app/page.tsx": "",
}
PLUGIN = {"plugins": ["@nx/eslint/plugin", {"plugin": "@nx/next/plugin", "options": {"buildTargetName": "next:build"}}]}


@pytest.mark.parametrize(
    ("files", "target"),
    [
        ({"nx.json": PLUGIN, "apps/web/project.json": {"name": "web"}}, "next:build"),
        ({"nx.json": PLUGIN, "apps/web/package.json": {"name": "@acme/web"}}, "next:build"),
        (
            {"nx.json": PLUGIN, "apps/web/package.json": {"name": "@acme/web", "dependencies": {"next": "*"}}},
            "next:build",
        ),
        ({"nx.json": PLUGIN, "apps/web/project.json": {"targets": {"build": {}}}}, None),
        ({"nx.json": {"plugins": ["@nx/next/plugin"]}, "apps/web/package.json": {"name": "@acme/web"}}, None),
    ],
)
def test_nx_builds_by_the_target_that_its_plugin_infers(look_at: Any, files: Any, target: str | None) -> None:
    found, problem = look_at({**NX, **files})
    assert problem is None
    assert (found.answers["app_dir"], found.answers["workspace_tool"]) == ("apps/web", "nx")
    assert found.answers.get("build_script") == target


def test_a_tsconfig_s_chain_is_followed(look_at: Any) -> None:
    found, _ = look_at(
        {
            **_workspace(),
            "apps/web/tsconfig.json": '{ // why\n "extends": ["../../config/next.json", "@acme/x"] }',
            "config/next.json": '{"extends": "./base"}',
            "config/base.json": '{"extends": "../../../outside.json"}',
        }
    )
    assert found.answers["workspace_files"] == ["config/base.json", "config/next.json"]


@pytest.mark.parametrize(
    ("app_dir", "says"),
    [("apps/absent", "is not a folder"), ("packages/old", "No Next.js"), ("tools", "not a member of the workspace")],
)
def test_a_folder_that_is_not_a_member_is_refused(look_at: Any, app_dir: str, says: str) -> None:
    files = {**_workspace(), "tools/package.json": WEB, "tools/app/page.tsx": ""}
    problem = look_at(files, app_dir=app_dir, given={"kind": "nextjs-standalone"})[1]
    assert problem
    assert says in problem.message


def test_a_workspace_below_the_root_cannot_be_a_context(look_at: Any) -> None:
    files = {f"js/{path}": text for path, text in {**_workspace(), "package-lock.json": "{}"}.items() if text}
    nothing = {"package.json": None, "package-lock.json": None, "app/page.tsx": None}
    found, _ = look_at({**nothing, **files})
    assert [unknown.key for unknown in found.unknown] == ["context"]


def test_a_root_that_is_the_application_brings_its_members_manifests(look_at: Any) -> None:
    found, problem = look_at({"packages/ui/package.json": {"name": "ui"}}, {"workspaces": ["packages/*"]})
    assert problem is None
    assert found.answers["install_files"] == ["packages/ui/package.json"]


def _beside(wanted: str = "file:../../packages/shared") -> dict[str, Any]:
    return {
        "package.json": None,
        "package-lock.json": None,
        "app/page.tsx": None,
        "apps/web/package.json": {
            "name": "web",
            "scripts": {"build": "next build"},
            "dependencies": {"next": "16.0.0", "shared": wanted},
        },
        "apps/web/package-lock.json": '{"lockfileVersion": 3}',
        "packages/shared/package.json": {"name": "shared"},
    }


@pytest.mark.parametrize(
    "wanted",
    [
        "file:../../packages/shared",
        "link:../../packages/shared",
        "portal:../../packages/shared/",
        "../../packages/shared",
    ],
)
def test_a_dependency_beside_the_application_makes_the_root_the_context(look_at: Any, wanted: str) -> None:
    found, problem = look_at(_beside(wanted))
    assert problem is None
    assert (found.answers["app_dir"], found.answers["context"], found.answers["own_lock"]) == ("apps/web", ".", True)
    assert found.answers["install_files"] == ["packages/shared"]
    assert found.evidence["context"].where == "apps/web/package.json:8"


def test_what_it_depends_on_by_path_comes_too(look_at: Any) -> None:
    files = _beside() | {
        "packages/shared/package.json": {"name": "shared", "dependencies": {"core": "file:../core"}},
        "packages/core/package.json": {"name": "core"},
    }
    assert look_at(files)[0].answers["install_files"] == ["packages/core", "packages/shared"]


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("file:../../../elsewhere", "file:../../../elsewhere, outside of the repository"),
        ("file:../../packages/gone", "file:../../packages/gone, which is not in the repository"),
    ],
)
def test_a_path_without_a_folder_is_refused(look_at: Any, wanted: str, says: str) -> None:
    problem = look_at(_beside(wanted))[1]
    assert problem
    assert f"apps/web/package.json:8 depends on {says}" in problem.message


def test_a_folder_inside_the_application_changes_no_context(look_at: Any) -> None:
    found, _ = look_at(
        {"lib/ui/package.json": {"name": "ui"}}, {"dependencies": {"next": "16.0.0", "ui": "file:./lib/ui"}}
    )
    assert found.answers["install_files"] == ["lib/ui"]
    assert "own_lock" not in found.answers
