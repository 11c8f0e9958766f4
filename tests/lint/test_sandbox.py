"""The downloads of a sandbox, and the files beside its Dockerfile."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml
from tests.lint.rendering import Rendering

KIND = "sandbox-multi-runtime"


@pytest.fixture(scope="module")
def sandboxes(renderings: list[Rendering]) -> list[Rendering]:
    found = [rendering for rendering in renderings if rendering.answers["kind"] == KIND]
    assert found
    return found


def _text(rendering: Rendering, name: str) -> str:
    (text,) = [text for path, text in rendering.texts.items() if path.endswith(f"/{name}") or path == name]
    return text


def test_the_probe_is_tidy_python(sandboxes: list[Rendering], tmp_path: Path) -> None:
    for text in {_text(rendering, "healthcheck.py") for rendering in sandboxes}:
        (tmp_path / f"{len(list(tmp_path.iterdir()))}.py").write_text(text)
    ruff = [sys.executable, "-m", "ruff", "--isolated"]
    rules = ["--line-length=120", "--target-version=py310", "--select=E,F,W,I,B,UP"]
    done = subprocess.run([*ruff, "check", *rules, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    done = subprocess.run(
        [*ruff, "format", "--diff", "--line-length=120", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_probe_looks_for_what_was_chosen(sandboxes: list[Rendering]) -> None:
    for rendering in sandboxes:
        text, answers = _text(rendering, "healthcheck.py"), rendering.answers
        commands = text[text.index("COMMANDS = [") : text.index("]")]
        assert ('"aws"' in commands) == answers["aws_cli"]
        assert ('"mount-s3"' in commands) == (answers["s3_mount"] == "mountpoint")
        assert ('"rg"' in commands) == ("ripgrep" in answers["tools"])
        assert ("def browser()" in text) == (answers["browser"] != "none")


def test_the_script_that_runs_it_is_good_shell(sandboxes: list[Rendering], tmp_path: Path) -> None:
    scripts: list[Path] = []
    for text in {_text(rendering, "run.sh") for rendering in sandboxes}:
        scripts.append(tmp_path / f"{len(scripts)}.sh")
        scripts[-1].write_text(text)
    shellcheck = Path(sysconfig.get_path("scripts"), "shellcheck")
    done = subprocess.run([shellcheck, *scripts], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_what_a_sandbox_needs_is_asked_for_only_where_it_was_chosen(sandboxes: list[Rendering]) -> None:
    for rendering in sandboxes:
        answers = rendering.answers
        if not rendering.compose:
            continue
        (service,) = yaml.safe_load(rendering.compose)["services"].values()
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        mounts, sudo = answers["s3_mount"] != "none", answers["sudo"]
        assert ("SYS_ADMIN" in service.get("cap_add", [])) == mounts == ("devices" in service)
        security = service.get("security_opt", [])
        assert ("no-new-privileges:true" in security) == (not mounts and not sudo)
        profiles = [option for option in security if option.startswith("seccomp:")]
        assert bool(profiles) == (answers["browser"] != "none")
        for profile in profiles:
            assert (rendering.dockerfile.parent / profile.removeprefix("seccomp:")).resolve().is_file()


def test_the_profile_adds_to_the_engine_s_what_a_user_namespace_needs_and_no_more(sandboxes: list[Rendering]) -> None:
    (text,) = {_text(rendering, "seccomp.json") for rendering in sandboxes if rendering.answers["browser"] != "none"}
    profile = json.loads(text)
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    free = {name for rule in profile["syscalls"] if rule.keys() == {"names", "action"} for name in rule["names"]}
    assert {"clone", "clone3", "unshare", "setns", "chroot"} < free
    dangerous = {
        "mount",
        "umount2",
        "bpf",
        "init_module",
        "kexec_load",
        "reboot",
        "swapon",
        "open_by_handle_at",
        "acct",
    }
    assert dangerous & free == set()


#: The programs that check the downloads, by stage.
CHECKS = {
    "aws-cli": ["sha256sum --check", "gpg --batch"],
    "mountpoint": ["sha256sum --check", "gpg --batch"],
    "headless-shell": ["sha256sum --check"],
}


def test_every_download_is_checked_in_a_stage_of_its_own(sandboxes: list[Rendering]) -> None:
    for rendering in sandboxes:
        answers = rendering.answers
        chosen = {
            "aws-cli": answers["aws_cli"],
            "mountpoint": answers["s3_mount"] == "mountpoint",
            "headless-shell": answers["browser"] == "headless-shell" and answers["distribution"].startswith("ubuntu"),
        }
        downloading = [name for name, commands in rendering.stages.items() if any("curl -" in c.text for c in commands)]
        assert downloading == [name for name in CHECKS if chosen[name]]
        for name in downloading:
            (step,) = [command for command in rendering.stages[name] if "curl -" in command.text]
            assert [check for check in CHECKS[name] if check not in step.text] == []


def test_only_what_was_asked_for_is_taken_from_the_repository(sandboxes: list[Rendering]) -> None:
    for rendering in sandboxes:
        copies = [c for c in rendering.stages["prod"] if c.name == "COPY" and c.words[-1].startswith("/app/")]
        assert len(copies) == len(rendering.answers["app_files"])
        assert [c.text for c in copies if "--chmod=u=rwX,go=rX" not in c.flags] == []


def test_packages_are_trimmed_only_where_the_answer_says_so(sandboxes: list[Rendering]) -> None:
    for rendering in sandboxes:
        answers, text = rendering.answers, rendering.dockerfile.read_text()
        trims = answers["trim_packages"]
        assert ("path-exclude=/usr/lib/*/libLLVM*" in text) == (trims and answers["browser"] != "none")
        assert ("path-exclude=/usr/bin/*-lto-dump-*" in text) == (trims and "build-tools" in answers["tools"])
        # dpkg leaves files out during the installation, and no step removes them later.
        assert not re.search(r"\brm\b.* /usr/", text)
