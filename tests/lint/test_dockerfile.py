"""Every Dockerfile of the pairwise set passes the linters and keeps the promises of every image."""

from __future__ import annotations

import json
import re
import subprocess
import sysconfig
from pathlib import Path

import pytest
from tests.filled import filled
from tests.lint.kinds import kind_of
from tests.lint.rendering import Rendering
from tests.pairwise import some

HADOLINT = Path(sysconfig.get_path("scripts"), "hadolint")
IGNORE = re.compile(r"\s*#\s*(hadolint\s+(global\s+)?ignore|check=)")


@pytest.mark.slow
@pytest.mark.parametrize("part", ["some", pytest.param("all", marks=pytest.mark.thorough)])
@pytest.mark.parametrize("regions", ["empty", "filled"])
def test_hadolint_has_nothing_to_say(regions: str, part: str, renderings: list[Rendering], tmp_path: Path) -> None:
    numbers = some() if part == "some" else range(len(renderings))
    # Many sets differ only in files beside the Dockerfile.
    texts = {rendering.dockerfile.read_text() for rendering in renderings if rendering.number in numbers}
    assert len(texts) > 20
    files = []
    for number, text in enumerate(texts):
        files.append(tmp_path / f"{number}.Dockerfile")
        files[-1].write_text(filled(text) if regions == "filled" else text)
    done = subprocess.run(
        [HADOLINT, "--no-color", *files],
        cwd=tmp_path,  # a folder without a configuration for it
        capture_output=True,
        text=True,
        check=False,
    )
    # Print one line for each rule, not for each rendering.
    rules: dict[str, list[str]] = {}
    for line in (done.stdout + done.stderr).splitlines():
        match = re.match(r"\S+?:(?P<line>\d+) (?P<rule>.*)", line)
        rules.setdefault(match["rule"] if match else line, []).append(line)
    assert {rule: lines[0] for rule, lines in rules.items()} == {}
    assert done.returncode == 0


def test_a_rule_is_ignored_only_with_a_reason_above(renderings: list[Rendering]) -> None:
    bare = set()
    for rendering in renderings:
        lines = rendering.dockerfile.read_text().splitlines()
        for above, line in zip(["", *lines], lines, strict=False):
            if IGNORE.match(line) and (not above.startswith("# ") or IGNORE.match(above)):
                bare.add((line, lines[lines.index(line) + 1]))
    assert bare == set()


def test_every_stage_is_named_and_the_last_ones_are_those_that_users_build(renderings: list[Rendering]) -> None:
    for rendering in renderings:
        stages = rendering.stages
        froms = [commands[0].words for name, commands in stages.items() if name]
        assert [words for words in froms if len(words) != 3 or words[1].upper() != "AS"] == []
        built = kind_of(rendering.answers).stages
        assert tuple(stages)[-len(built) :] == built


def test_what_comes_from_outside_can_be_replaced(renderings: list[Rendering]) -> None:
    for rendering in renderings:
        stages = rendering.stages
        known = set(stages) | {"scratch"}
        outside = [commands[0].words[0] for name, commands in stages.items() if name]
        assert [image for image in outside if image not in known and not re.fullmatch(r"\$\{[A-Z_]+\}", image)] == []


def _sources(flag: str) -> str | None:
    match = re.fullmatch(r"--from=(.+)", flag)
    return match[1] if match else None


def test_files_come_from_stages_only(renderings: list[Rendering]) -> None:
    for rendering in renderings:
        stages = rendering.stages
        for commands in stages.values():
            flags = [flag for command in commands for flag in command.flags]
            assert [flag for flag in flags if (source := _sources(flag)) and source not in stages] == []


def _built(renderings: list[Rendering]) -> list[tuple[Rendering, str]]:
    """Return each rendering with each of the stages that users build."""
    found = [(rendering, stage) for rendering in renderings for stage in kind_of(rendering.answers).stages]
    assert found
    return found


def test_the_user_is_a_number_and_not_root(renderings: list[Rendering]) -> None:
    for rendering, stage in _built(renderings):
        user = rendering.last(stage, "USER")
        assert user
        assert re.fullmatch(r"[1-9][0-9]{3,}:[1-9][0-9]{3,}", user.words[0])


def test_the_probe_is_in_exec_form_and_has_a_start_period(running: list[Rendering]) -> None:
    for rendering in running:
        probe = rendering.last("prod", "HEALTHCHECK")
        assert probe
        kind = kind_of(rendering.answers)
        assert _exec_form(probe.text) == kind.probe(rendering.answers)
        period = f"--start-period={rendering.answers.get('health_start_period', 30)}s"
        assert period in probe.flags or period in probe.text


def test_the_probe_is_written_once_and_asks_what_the_answers_say(running: list[Rendering]) -> None:
    for rendering in running:
        text = rendering.dockerfile.read_text()
        assert text.count("HEALTHCHECK ") == 1
        asked = kind_of(rendering.answers).asks(rendering.answers)
        assert [line for line in asked if text.count(line) != 1] == []


def _exec_form(original: str) -> list[str]:
    """Return the words of an instruction in exec form. Shell form is an error."""
    words = json.loads(re.sub(r"^.*?\bCMD\s+(?=\[)", "", original.replace("\\\n", " "), flags=re.DOTALL))
    assert isinstance(words, list)
    assert all(isinstance(word, str) for word in words)
    return words


def test_the_command_is_in_exec_form_and_starts_what_the_answers_say(running: list[Rendering]) -> None:
    for rendering, stage in _built(running):
        command = rendering.last(stage, "CMD")
        assert command
        assert command.exec_form
        assert kind_of(rendering.answers).starts(rendering.answers, stage, list(command.words)), command.words


def test_dev_reloads_and_prod_does_not(running: list[Rendering]) -> None:
    for rendering, stage in _built(running):
        command = rendering.last(stage, "CMD")
        assert command
        assert kind_of(rendering.answers).reloads(command.words) == (stage == "dev")


def test_what_prod_copies_from_another_stage_is_linked(running: list[Rendering]) -> None:
    for rendering in running:
        copies = [c for c in rendering.stages["prod"] if c.name == "COPY" and "--from=" in c.text]
        assert copies
        assert [c.text for c in copies if "--link" not in c.flags] == []


def test_no_copy_combines_link_and_chmod(running: list[Rendering]) -> None:
    for rendering in running:
        copies = [c for commands in rendering.stages.values() for c in commands if c.name == "COPY"]
        assert [c.text for c in copies if "--link" in c.flags and "--chmod" in c.text] == []


def test_prod_begins_with_what_changes_least_and_ends_with_the_code(running: list[Rendering]) -> None:
    for rendering in running:
        if kind_of(rendering.answers).stages != ("dev", "prod"):
            continue
        names = [c.name for c in rendering.stages["prod"]]
        code = max(place for place, name in enumerate(names) if name == "COPY")
        assert "RUN" not in names[code:]


def test_a_program_in_the_file_has_at_most_12_lines_by_default(renderings: list[Rendering]) -> None:
    for rendering in renderings:
        programs = re.findall(r"<<'EOF'[^\n]*\n(.*?)\nEOF\n", rendering.dockerfile.read_text(), re.DOTALL)
        if rendering.answers.get("flavor") in ("slim", "alpine", "python", "node"):
            assert [text for text in programs if len(text.splitlines()) > 12] == []


def test_what_only_some_need_is_there_only_with_its_answer(running: list[Rendering]) -> None:
    seen = set()
    for rendering in running:
        text, answers = rendering.dockerfile.read_text(), rendering.answers
        # A sandbox always names the mirrors of its downloads.
        plumbing = re.search(r"id=ca|DEBIAN_MIRROR|UBUNTU_MIRROR|UV_DEFAULT_INDEX|NPM_CONFIG_REGISTRY", text)
        assert bool(plumbing) <= answers["behind_proxy"], rendering.number
        regions = set(re.findall(r"^# >>> custom: ([\w-]+)", text, re.MULTILINE))
        assert (regions <= {"build", "runtime"}) != answers["more_regions"]
        seen.add((answers["behind_proxy"], answers["more_regions"]))
    assert len(seen) == 4


def test_the_base_s_name_and_digest_are_labels(renderings: list[Rendering]) -> None:
    for rendering in renderings:
        answers = rendering.answers
        kind = kind_of(answers)
        text = "\n".join(c.text for c in rendering.stages[kind.stages[-1]] if c.name == "LABEL")
        image = kind.base(answers)
        assert f'org.opencontainers.image.base.name="{image}"' in text
        digest = answers["digests"].get(image)
        assert (f'org.opencontainers.image.base.digest="{digest}"' in text) == (digest is not None)


def test_no_secret_is_an_argument_or_a_variable(renderings: list[Rendering]) -> None:
    for rendering in renderings:
        named = [c.text for commands in rendering.stages.values() for c in commands if c.name in ("ARG", "ENV")]
        assert [text for text in named if re.search(r"PASSWORD|TOKEN|SECRET", text)] == []
        mounted = f"id={kind_of(rendering.answers).secret}" in rendering.dockerfile.read_text()
        assert mounted == rendering.answers.get("private_index", False)
