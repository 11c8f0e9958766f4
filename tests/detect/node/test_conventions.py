from __future__ import annotations

import yaml
from tests.detect.questions import ROOT, questions

from dockertpl.detect.node.conventions import (
    LOCK_COMMANDS,
    NODES,
    NPM_OF_NODE,
    OLDEST_NODE,
    PNPM_LOCKS,
    QUESTIONS,
    default_major,
    releases,
)
from dockertpl.detect.node.ranges import version


def test_every_key_that_is_detected_is_a_question() -> None:
    assert set(QUESTIONS) <= set(questions())


def test_every_question_of_the_kind_has_its_place_in_the_order() -> None:
    own = yaml.safe_load((ROOT / "templates/kinds/nextjs-standalone/questions.yml").read_text())
    assert set(own) <= set(QUESTIONS)


def test_the_offered_nodes_are_those_of_the_question() -> None:
    question = questions()["node_version"]
    choices = question["choices"]
    assert isinstance(choices, list)
    assert (set(NODES), NODES[0]) == (set(choices), question["default"])


def test_every_manager_has_a_command_that_makes_its_lock() -> None:
    choices = yaml.safe_load((ROOT / "templates/kinds/nextjs-standalone/choices.yml").read_text())
    assert set(LOCK_COMMANDS) == set(choices["manager"].values())


def test_the_releases_are_versions() -> None:
    assert all(version(node) for node in OLDEST_NODE.values())
    assert all(PNPM_LOCKS.values())
    assert set(NPM_OF_NODE) == set(NODES)
    for manager in LOCK_COMMANDS:
        assert all(version(text) for text in releases(manager))


def test_the_release_of_the_template_s_own_major_version_is_the_template_s() -> None:
    own = yaml.safe_load((ROOT / "templates/lib/versions.yml").read_text())
    for manager in set(LOCK_COMMANDS) - {"npm"}:
        usual = [text for text in releases(manager) if (version(text) or (0,))[0] == default_major(manager)]
        assert usual == [own[manager.replace("-", "_")]]
