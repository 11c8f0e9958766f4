"""The Renovate preset finds the pins that the template renders. docs/how-to/update-bot.md describes the result."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import re2  # type: ignore[import-untyped]
from tests.parity import ROOT, by_us
from tests.renderings import rendered

from dockertpl.actions import update_bot
from dockertpl.template.environment import Template
from dockertpl.template.source import bundled

pytestmark = pytest.mark.slow

DIGEST = "sha256:" + "a" * 64


@pytest.fixture(scope="module")
def preset() -> dict[str, Any]:
    result = json.loads((ROOT / "default.json").read_bytes())
    assert isinstance(result, dict)
    return result


def _matches(manager: dict[str, Any], path: str) -> bool:
    """Return whether a manager reads a file. To Renovate, a pattern between slashes is a regular expression."""
    patterns = manager["managerFilePatterns"]
    assert all(pattern[0] == pattern[-1] == "/" for pattern in patterns)
    return any(re2.search(pattern[1:-1], path) for pattern in patterns)


def _found(preset: dict[str, Any], path: str, text: str) -> set[tuple[str, str, str | None]]:
    """Return the name, tag and digest of each dependency that the custom managers find in a file."""
    found = set()
    for manager in preset["customManagers"]:
        if _matches(manager, path):
            for expression in manager["matchStrings"]:
                # RE2 for Python uses the old syntax for named groups.
                for match in re2.finditer(expression.replace("(?<", "(?P<"), text):
                    found.add((match["depName"], match["currentValue"], match["currentDigest"]))
    return found


def test_the_line_that_new_adds_leads_to_it() -> None:
    # Renovate reads default.json at the root when the preset names only a repository.
    assert update_bot.PRESET == "github>org/dockertpl"
    assert (ROOT / "default.json").is_file()


def _images(text: str) -> dict[str, str | None]:
    """Return the images of a Dockerfile's arguments, with their digests."""
    return {
        name: digest or None for name, digest in re.findall(r"^ARG \w+_IMAGE=([^@\n]+)(?:@(\S+))?$", text, re.MULTILINE)
    }


def test_every_rendered_label_and_digest_is_found_with_its_parts(preset: dict[str, Any]) -> None:
    seen = 0
    template = Template(bundled())
    for taken, plain in rendered():
        dockerfile = next(path for path in plain if path.endswith("Dockerfile"))
        images = _images(plain[dockerfile].content.decode())
        for digests in ({}, dict.fromkeys(images, DIGEST)):
            tree = by_us(template, "repository", {**taken.remembered(), "digests": digests})
            texts = {path: file.content.decode() for path, file in tree.items()}
            label = re.search(r'base\.name="([^"]+):([^":]+)"', texts[dockerfile])
            assert label
            assert _found(preset, dockerfile, texts[dockerfile]) == {
                (*label.groups(), digests.get(":".join(label.groups())))
            }
            answers = next(path for path in texts if path.startswith(".copier-answers"))
            wanted = {(*image.rsplit(":", 1), digest) for image, digest in digests.items()}
            assert _found(preset, answers, texts[answers]) == wanted
            seen += len(wanted)
    assert seen > 20


@pytest.mark.parametrize(
    ("path", "text", "wanted"),
    [
        (
            ".copier-answers.api.yml",
            "\n    registry.example.com:5000/a/b:1.2: {}\n",
            ("registry.example.com:5000/a/b", "1.2"),
        ),
        (".copier-answers.yml", '\r\n  "python:3.13": "{}"\r\n', ("python", "3.13")),
        (
            "api/Dockerfile",
            'org.opencontainers.image.base.name="ghcr.io/a/b:1" \\\r\n  org.opencontainers.image.base.digest="{}"',
            ("ghcr.io/a/b", "1"),
        ),
        ("images/base.Dockerfile", 'x org.opencontainers.image.base.name="debian:13" a="{}"', ("debian", "13", None)),
    ],
)
def test_other_ways_to_write_them_are_found(
    preset: dict[str, Any], path: str, text: str, wanted: tuple[str, ...]
) -> None:
    assert _found(preset, path, text.format(DIGEST)) == {wanted if len(wanted) == 3 else (*wanted, DIGEST)}


@pytest.mark.parametrize(
    "path", ["README.md", "copier-answers.yml", "docs/Dockerfile.md/x", ".copier-answers.yml.orig"]
)
def test_other_files_are_not_read(preset: dict[str, Any], path: str) -> None:
    assert not any(_matches(manager, path) for manager in preset["customManagers"])


def test_what_has_to_move_together_is_one_group_with_a_cooldown(preset: dict[str, Any]) -> None:
    rules = [rule for rule in preset["packageRules"] if rule.get("groupSlug") == "dockertpl-pins"]
    managers = {manager for rule in rules for manager in rule["matchManagers"]}
    assert managers == {"github-actions", "dockerfile", "gitlabci", "custom.regex"}
    assert {(rule["minimumReleaseAge"], rule["automerge"]) for rule in rules} == {("7 days", False)}
    assert len({rule["groupName"] for rule in rules}) == 1
    # Leave the custom managers of a repository to its owner.
    assert [rule["matchDepTypes"] for rule in rules if "custom.regex" in rule["matchManagers"]] == [["dockertpl"]]
    assert {manager["depTypeTemplate"] for manager in preset["customManagers"]} == {"dockertpl"}


def test_updates_that_need_you_have_their_own_group(preset: dict[str, Any]) -> None:
    # Renovate holds a whole group back when one update needs approval.
    waiting = [rule for rule in preset["packageRules"] if rule.get("dependencyDashboardApproval")]
    assert [rule["groupSlug"] for rule in waiting] == ["dockertpl-language"]
    assert waiting[0]["matchUpdateTypes"] == ["major", "minor"]


def test_the_template_s_releases_are_a_pull_request_of_their_own(preset: dict[str, Any]) -> None:
    (rule,) = (rule for rule in preset["packageRules"] if rule.get("matchManagers") == ["copier"])
    assert rule["groupSlug"] != "dockertpl-pins"
    # Copier updates a second answers file only in a clean checkout. tests/renovate/ tests this with Renovate.
    assert all("packageFile" in rule[option] for option in ("groupName", "groupSlug", "commitMessageTopic"))
    assert rule["prHourlyLimit"] == 0
    (pattern,) = rule["matchPackageNames"]
    answers = by_us(bundled(), "shop")[".copier-answers.yml"].content.decode()
    source = re.search(r"^_src_path: (\S+)$", answers, re.MULTILINE)
    assert source
    assert re2.search(pattern[1:-1], source[1])
