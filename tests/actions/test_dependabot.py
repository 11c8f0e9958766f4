from __future__ import annotations

from typing import Any

import pytest
import yaml

from dockertpl.actions import dependabot
from dockertpl.actions.dependabot import UpdateEntry
from dockertpl.actions.edit import NotEditableError
from dockertpl.template.tree import File

DOCKER = UpdateEntry("docker", "/services/api")
ACTIONS = UpdateEntry("github-actions", "/")
WANTED = [DOCKER, ACTIONS]


def _added(text: str, wanted: list[UpdateEntry] = WANTED) -> str:
    """Return the completed configuration. Check that a second run changes nothing."""
    done, _ = dependabot.add(File(content=text.encode()), wanted)
    assert dependabot.add(done, wanted) == (done, [])
    return done.content.decode()


def _entry(ecosystem: str, directory: str) -> dict[str, Any]:
    return {
        "package-ecosystem": ecosystem,
        "directory": directory,
        "schedule": {"interval": "weekly"},
        "cooldown": {"default-days": 7},
        "groups": {"container-image-pins": {"patterns": ["*"]}},
    }


NPM = """\
# Ours.
version: 2
registries: {}
updates:
  - package-ecosystem: npm # The front end.
    directory: /web
    schedule:
      interval: daily # Often.
"""


def test_entries_are_added_behind_the_last_one_and_nothing_else_changes() -> None:
    done = _added(NPM)
    assert done == NPM + "".join(
        f"  - package-ecosystem: {ecosystem}\n"
        f"    directory: {directory}\n"
        "    schedule:\n"
        "      interval: weekly\n"
        "    cooldown:\n"
        "      default-days: 7\n"
        "    groups:\n"
        "      container-image-pins:\n"
        '        patterns: ["*"]\n'
        for ecosystem, directory in (("docker", "/services/api"), ("github-actions", "/"))
    )
    assert yaml.safe_load(done)["updates"][1:] == [_entry(*DOCKER), _entry(*ACTIONS)]


def test_the_file_s_own_layout_is_taken_on() -> None:
    text = (
        "version: 2\n"
        "updates:\n"
        "-   package-ecosystem: npm\n"
        "    directory: /\n"
        "    schedule:\n"
        "        interval: daily\n"
        "\n"
        "-   package-ecosystem: pip\n"
        "    directory: /\n"
        "    schedule:\n"
        "        interval: daily\n"
        "\n"
        "# The end.\n"
    )
    done = _added(text, [DOCKER])
    head, tail = text[: text.index("\n\n# The end")], "\n\n# The end.\n"
    assert done.startswith(
        f"{head}\n\n-   package-ecosystem: docker\n    directory: /services/api\n    schedule:\n        i"
    )
    assert done.endswith(tail)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_byte_order_mark_and_a_missing_last_line_end_stay(end: str, mark: str) -> None:
    text = mark + NPM.rstrip("\n").replace("\n", end)
    done = _added(text, [ACTIONS])
    assert done.startswith(text + end)
    assert done.endswith('patterns: ["*"]')
    assert done.count("\r\n") == (done.count("\n") if end == "\r\n" else 0)


def test_keys_behind_the_entries_stay_behind_them() -> None:
    done = _added(NPM + "multi-ecosystem-groups:\n  x:\n    schedule:\n      interval: weekly\n")
    assert list(yaml.safe_load(done)) == ["version", "registries", "updates", "multi-ecosystem-groups"]
    assert len(yaml.safe_load(done)["updates"]) == 3


@pytest.mark.parametrize("behind", ["", " # None yet.", "\n\n# The end."])
def test_an_empty_updates_gets_its_first_entries(behind: str) -> None:
    done = _added(f"version: 2\nupdates:{behind}\n")
    assert [item["package-ecosystem"] for item in yaml.safe_load(done)["updates"]] == ["docker", "github-actions"]


@pytest.mark.parametrize(
    "folders",
    [
        "directory: /services/api",
        "directory: services/api/",
        "directory: ./services/api",
        'directories: ["/web", "/services/api"]',
        'directories: ["/services/*"]',
        'directories: ["**/*"]',
        'directories: ["/**"]',
    ],
)
def test_an_entry_that_covers_the_folder_is_enough(folders: str) -> None:
    text = f"version: 2\nupdates:\n  - package-ecosystem: docker\n    {folders}\n"
    file = File(content=text.encode())
    assert dependabot.add(file, [DOCKER]) == (file, [])


@pytest.mark.parametrize(
    "folders",
    ["directory: /", 'directories: ["/*"]', "directory: /services/api/deep", 'directories: ["/services/ap"]', "x: 1"],
)
def test_an_entry_for_another_folder_is_not(folders: str) -> None:
    text = f"version: 2\nupdates:\n  - package-ecosystem: docker\n    {folders}\n"
    assert dependabot.add(File(content=text.encode()), [DOCKER])[1] == [DOCKER]


def test_another_ecosystem_in_the_folder_is_not_enough_either() -> None:
    text = "version: 2\nupdates:\n  - package-ecosystem: docker-compose\n    directory: /services/api\n"
    assert dependabot.add(File(content=text.encode()), [DOCKER])[1] == [DOCKER]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", 'has no "updates"'),
        ("version: 2\n", 'has no "updates"'),
        ("- a\n", 'has no "updates"'),
        ("updates: {}\n", "not a list of entries"),
        ("updates: [a]\n", "not a list of entries"),
        ("updates: []\n", "with certainty"),
        ("updates: [{package-ecosystem: npm}]\n", "with certainty"),
        ("{updates: []}\n", "with certainty"),
        ("updates:\n\t- a: 1\n", "is not valid YAML"),
        ("updates: [\n", "is not valid YAML"),
        ("a: 1\n---\nupdates:\n", "is not valid YAML"),
        ("x: &x {a: 1}\nupdates:\n  - *x\n", "has YAML aliases"),
        ("updates: " + "[" * 60_000, "nested too deeply"),
        ("updates:\n" + "- " * 30_000, "nested too deeply"),
        ("updates:\0\n", "is not valid YAML"),
    ],
)
def test_what_cannot_be_edited_is_refused(text: str, reason: str) -> None:
    with pytest.raises(NotEditableError, match=reason) as caught:
        dependabot.add(File(content=text.encode()), WANTED)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "last",
    [
        "    labels: [a, b] # Both.\n",
        "    labels: [\n      a,\n    ] # Both.\n",
        "    commit-message:\n      prefix: |\n        text\n",
        "    commit-message:\n      prefix: >-\n        text\n        more",
        "    ignore:\n      - dependency-name: x\n",
        "    ignore:\n    - dependency-name: x\n    # - dependency-name: y\n",
        '    x: "a\n      b"\n',
        "    x:\n",
    ],
)
def test_whatever_the_last_entry_ends_with(last: str) -> None:
    done = _added(NPM + last)
    assert yaml.safe_load(done)["updates"] == [
        *yaml.safe_load(NPM + last)["updates"],
        _entry(*DOCKER),
        _entry(*ACTIONS),
    ]
    rest = iter(done)
    assert all(character in rest for character in NPM + last)


def test_an_image_needs_its_folder_and_the_workflows() -> None:
    assert dependabot.entries(".") == [UpdateEntry("docker", "/"), ACTIONS]
    assert dependabot.entries("services/api") == WANTED


def test_a_new_configuration_has_both() -> None:
    file = dependabot.config(WANTED)
    assert yaml.safe_load(file.content) == {"version": 2, "updates": [_entry(*DOCKER), _entry(*ACTIONS)]}
    assert dependabot.add(file, WANTED) == (file, [])
    assert dependabot.snippet(WANTED) in file.content.decode()
