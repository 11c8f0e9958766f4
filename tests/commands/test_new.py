from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from tests.parity import by_us, read_tree
from tests.wizard.typist import Typist

import dockertpl.detect as dockertpl_detect
from dockertpl.commands import new, offer_verify
from dockertpl.errors import NotDetectedError
from dockertpl.template.source import bundled
from dockertpl.wizard.console import BACK

pytestmark = pytest.mark.slow

Run = Callable[..., Any]
Write = Callable[[Path, Mapping[str, str]], Path]


@dataclass
class _Evidence:
    path: str
    line: int | None
    note: str


@dataclass
class _Unknown:
    key: str
    message: str
    remedy: str
    blocks: bool = False


@dataclass
class _Detection:
    """Replace detection, which has tests of its own."""

    answers: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, _Evidence] = field(default_factory=dict)
    unknown: list[_Unknown] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    calls: list[tuple[Path, str | None, Mapping[str, Any]]] = field(default_factory=list)
    error: Exception | None = None

    def __call__(self, root: Path, app_dir: str | None = None, given: Mapping[str, Any] | None = None) -> _Detection:
        self.calls.append((root, app_dir, dict(given or {})))
        if self.error:
            raise self.error
        return self


@pytest.fixture(autouse=True)
def detection(monkeypatch: pytest.MonkeyPatch) -> _Detection:
    found = _Detection(
        answers={"port": 9000, "manager": "poetry"}, evidence={"port": _Evidence("app/main.py", 7, "uvicorn.run")}
    )
    monkeypatch.setattr(dockertpl_detect, "detect", found)
    return found


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "shop"
    (root / ".git").mkdir(parents=True)
    (root / "mine.txt").write_text("mine")
    monkeypatch.chdir(root)
    return root


def _answers(root: Path, name: str = ".copier-answers.yml") -> dict[str, Any]:
    result = yaml.safe_load((root / name).read_bytes())
    assert isinstance(result, dict)
    return result


# --- what is written -------------------------------------------------------------------------------------------------


def test_without_detection_the_files_are_the_template_s_for_the_defaults(repository: Path, dockertpl: Run) -> None:
    done = dockertpl("new", "--defaults", "--no-detect")
    assert done.code == 0
    written = {path: file for path, file in read_tree(repository).items() if path != "mine.txt"}
    assert written == by_us(bundled(), "shop")
    assert "Next: dockertpl verify\n" in done.err
    assert done.out == ""


def test_what_was_detected_is_taken_shown_with_its_place_and_overridden(
    repository: Path, dockertpl: Run, detection: _Detection
) -> None:
    (repository / "answers.yml").write_text("manager: pdm\nport: 7000\n")
    done = dockertpl("new", "--defaults", "--data-file", "answers.yml", "-d", "manager=uv")
    assert detection.calls == [(repository, None, {"manager": "uv", "port": 7000})]
    assert (_answers(repository)["manager"], _answers(repository)["port"]) == ("uv", 7000)
    assert "Found:" not in done.err

    (repository / ".copier-answers.yml").unlink()
    (repository / "Dockerfile").unlink()
    assert "port: 9000 (app/main.py:7, uvicorn.run)" in dockertpl("new", "--defaults").err
    assert _answers(repository)["port"] == 9000


def test_kind_is_the_same_as_its_answer(repository: Path, dockertpl: Run) -> None:
    assert dockertpl("new", "--kind", "python-fastapi", "-d", "kind=python-fastapi", "--defaults").code == 0
    done = dockertpl("new", "--kind", "python", "-d", "kind=python-fastapi")
    assert done.code == 2
    assert "-d kind=python-fastapi and --kind (python) differ" in done.err


def test_shared_bases_are_written_beside_their_dependents_and_built_by_bake(repository: Path, dockertpl: Run) -> None:
    family = (
        "new",
        "--defaults",
        "--no-detect",
        "--kind",
        "shared-base",
        "-d",
        "name=base",
        "-d",
        "bases=[python, node]",
    )
    done = dockertpl(*family, "-d", "dependents={api: {dir: services/api, base: python}}")
    assert done.code == 0
    assert "Next: docker buildx bake\n" in done.err
    there = {"docker-bake.hcl", "python/Dockerfile", "node/Dockerfile", ".github/workflows/base-image.yml"}
    assert there <= read_tree(repository).keys()
    assert not (repository / "Dockerfile").exists()
    dependent = ("new", "services/api", "--defaults", "--no-detect", "-d", "name=api")
    assert dockertpl(*dependent, "-d", "base_image=ghcr.io/acme/base-python:main").code == 0
    assert (repository / "services/api/Dockerfile").exists()
    assert dockertpl(*family, "-d", "app_dir=images").code == 2  # one name, one owner


def test_a_folder_of_a_repository_is_the_application_s(repository: Path, dockertpl: Run, detection: _Detection) -> None:
    (repository / "services/api").mkdir(parents=True)
    done = dockertpl("new", "services/api", "--defaults", "-d", "name=api")
    assert done.code == 0
    assert f"services/api is in the repository {repository}: app_dir is services/api." in done.err
    assert detection.calls[0][:2] == (repository, "services/api")
    assert _answers(repository, ".copier-answers.api.yml")["app_dir"] == "services/api"
    assert (repository / "services/api/Dockerfile").exists()
    assert "Next: dockertpl verify --file services/api/Dockerfile" in done.err
    done = dockertpl("new", "services/api", "-d", "app_dir=web")
    assert done.code == 2
    assert "differ" in done.err


def test_without_git_the_destination_is_the_root_and_is_made(tmp_path: Path, dockertpl: Run) -> None:
    done = dockertpl("new", tmp_path / "a" / "b", "--defaults", "--no-detect", "--json")
    assert done.code == 0
    assert done.json == {
        "schema": 1,
        "written": [".copier-answers.yml", ".dockerignore", ".github/workflows/b-image.yml", "Dockerfile"],
        "answers_file": ".copier-answers.yml",
        "warnings": [],
        "actions": [],
    }
    assert sorted(read_tree(tmp_path / "a/b")) == done.json["written"]
    assert _answers(tmp_path / "a/b")["name"] == "b"


def test_warnings_are_in_the_text_and_in_the_json(repository: Path, dockertpl: Run, detection: _Detection) -> None:
    detection.warnings = ["No lock: lock it."]
    detection.unknown = [_Unknown("health_path", "No health route was found.", "Add one.")]
    done = dockertpl("new", "--defaults", "-d", "requirements_file=x.txt", "--dry-run")
    assert "Warning: No lock: lock it.\n" in done.err
    assert "Warning: requirements_file does not apply" in done.err
    warnings = dockertpl("new", "--defaults", "--json").json["warnings"]
    assert warnings == ["No lock: lock it.", "health_path: No health route was found. Add one."]


# --- what is refused -------------------------------------------------------------------------------------------------


def _refused(root: Path, dockertpl: Run, *arguments: object, code: int = 2) -> tuple[str, str]:
    """Return message and remedy of a refused command, which left everything as it was."""
    before = read_tree(root)
    done = dockertpl("new", *arguments)
    assert done.code == code
    assert done.out == ""
    assert "Traceback" not in done.err
    assert done.err.count("dockertpl: ") == 1
    as_json = dockertpl("new", *arguments, "--json")
    assert as_json.code == code
    assert as_json.err == ""
    assert next(iter(as_json.json)) == "schema"
    assert read_tree(root) == before
    error = as_json.json["error"]
    assert done.err.endswith(f"dockertpl: {error['message']}\n" + _indented(error["remedy"]))
    assert error["remedy"]
    return error["message"], error["remedy"]


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())


def test_bad_answers_are_one_error(repository: Path, dockertpl: Run) -> None:
    message, _ = _refused(repository, dockertpl, "-d", "port=80", "-d", "manger=uv", "-d", "name=a b", "--defaults")
    assert "3 answers are not valid:" in message
    assert "Did you mean manager?" in message


@pytest.mark.parametrize("app_dir", ["../x", "/etc", "./x", "a b", ".git/hooks", "x\ny"])
def test_an_app_dir_outside_is_refused_and_never_looked_at(
    repository: Path, dockertpl: Run, detection: _Detection, app_dir: str
) -> None:
    _refused(repository, dockertpl, "-d", f"app_dir={app_dir}", "--defaults")
    for _, looked_at, _ in detection.calls:
        assert looked_at is None or ".." not in looked_at


def test_no_application_is_refused_unless_a_bad_answer_is_the_better_news(
    repository: Path, dockertpl: Run, detection: _Detection
) -> None:
    detection.error = NotDetectedError("No FastAPI application was found.", "Name it with -d app=MODULE:NAME.")
    message, _ = _refused(repository, dockertpl, "--defaults")
    assert message == "No FastAPI application was found."
    assert dockertpl("new", "--json").json["error"]["code"] == "not-detected"
    message, _ = _refused(repository, dockertpl, "--defaults", "-d", "app=nonsense")
    assert "is not an import string" in message


def test_without_a_terminal_all_that_is_missing_is_one_error(
    repository: Path, dockertpl: Run, detection: _Detection
) -> None:
    detection.unknown = [
        _Unknown("port", "Two ports were found.", "Look at app/main.py."),
        _Unknown("health_path", "No route.", ""),
    ]
    message, remedy = _refused(repository, dockertpl)
    assert "port: Two ports were found." in message
    assert "health_path: No route." in message
    assert "--defaults" in remedy
    message, _ = _refused(repository, dockertpl, "-d", "port=9000")
    assert message == "health_path: No route."
    assert dockertpl("new", "-d", "port=9000", "-d", "health_path=/live").code == 0


def test_what_no_default_can_build_stops_with_defaults_too(
    repository: Path, dockertpl: Run, detection: _Detection
) -> None:
    detection.unknown = [
        _Unknown("manager", "setup.py alone does not say what to install.", "Give it a requirements.txt.", blocks=True),
        _Unknown("health_path", "No route.", ""),
    ]
    message, remedy = _refused(repository, dockertpl, "--defaults")
    assert (message, remedy) == ("manager: setup.py alone does not say what to install.", "Give it a requirements.txt.")
    assert dockertpl("new", "--defaults", "-d", "manager=pip").code == 0


def test_other_existing_files_are_named(repository: Path, dockertpl: Run) -> None:
    (repository / "Dockerfile").write_text("FROM mine\n")
    message, remedy = _refused(repository, dockertpl, "--defaults", "--no-detect")
    assert message == "Dockerfile already exists and differs."
    assert "git mv Dockerfile Dockerfile.old" in remedy


def test_an_answers_file_that_owns_the_paths_is_not_touched(repository: Path, dockertpl: Run) -> None:
    assert dockertpl("new", "--defaults", "--no-detect").code == 0
    for arguments in ((), ("--defaults", "-d", "port=9000"), ("--dry-run",), ("-d", "name=other")):
        message, remedy = _refused(repository, dockertpl, *arguments)
        assert ".copier-answers.yml already owns" in message
        assert "dockertpl update -d" in remedy


def test_a_second_image_finds_its_place(repository: Path, dockertpl: Run) -> None:
    assert dockertpl("new", "--defaults", "--no-detect").code == 0
    done = dockertpl("new", "services/api", "--defaults", "--no-detect", "-d", "name=api", "--json")
    assert done.code == 0
    assert ".copier-answers.api.yml" in done.json["written"]


@pytest.mark.parametrize("destination", ["mine.txt", "mine.txt/x", "loop", ".git", ".git/hooks"])
def test_a_destination_outside_the_repository_is_refused(repository: Path, dockertpl: Run, destination: str) -> None:
    (repository / "loop").symlink_to("loop")
    _refused(repository, dockertpl, destination, "--defaults", "--no-detect")


def test_a_link_that_leads_out_is_refused(repository: Path, tmp_path: Path, dockertpl: Run) -> None:
    (tmp_path / "outside").mkdir()
    (repository / "services").symlink_to(tmp_path / "outside")
    message, _ = _refused(repository, dockertpl, "-d", "app_dir=services/api", "--defaults", "--no-detect")
    assert "leads out of the repository" in message
    assert list((tmp_path / "outside").iterdir()) == []


def test_an_invalid_data_file_is_refused(repository: Path, dockertpl: Run) -> None:
    message, _ = _refused(repository, dockertpl, "--data-file", "nothing.yml")
    assert "nothing.yml cannot be read" in message


# --- dry run ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_prints_a_diff_that_git_takes_and_writes_nothing(
    repository: Path, dockertpl: Run, git: Callable[..., str]
) -> None:
    before = read_tree(repository)
    done = dockertpl("new", "--defaults", "--no-detect", "--dry-run")
    assert done.code == 0
    assert read_tree(repository) == before
    (repository / ".git").rmdir()
    git(repository, "init", "--quiet")
    (repository / "patch").write_text(done.out)
    git(repository, "apply", "patch")
    assert {path: file for path, file in read_tree(repository).items() if path not in ("mine.txt", "patch")} == by_us(
        bundled(), "shop"
    )


def test_a_dry_run_exits_with_1_when_you_must_decide(repository: Path, dockertpl: Run) -> None:
    (repository / "Dockerfile").write_text("FROM mine\n")
    done = dockertpl("new", "--defaults", "--no-detect", "--dry-run", "--json")
    assert done.code == 1
    assert done.json["written"] == []
    assert done.json["would_write"] == [".copier-answers.yml", ".dockerignore", ".github/workflows/shop-image.yml"]
    assert "-FROM mine\n" in done.json["diff"]
    assert done.json["dry_run"] is True
    assert json.loads(done.out)["schema"] == 1


# --- next.config -----------------------------------------------------------------------------------------------------

NEXT = ("new", "--defaults", "--no-detect", "--kind", "nextjs-standalone")
CONFIG = "module.exports = {\n  reactStrictMode: true,\n}\n"


def test_next_config_is_patched_on_request_and_the_answer_says_so(repository: Path, dockertpl: Run) -> None:
    (repository / "next.config.js").write_text(CONFIG)
    done = dockertpl(*NEXT, "--patch-next-config", "--json").json
    assert "next.config.js" in done["written"]
    assert (repository / "next.config.js").read_text() == CONFIG.replace("{\n", "{\n  output: 'standalone',\n", 1)
    assert _answers(repository)["standalone"] is True
    assert "NEXT_PRIVATE_STANDALONE" not in (repository / "Dockerfile").read_text()
    summary = "output: 'standalone' in next.config.js."
    assert done["actions"] == [{"name": "next-config", "path": "next.config.js", "done": True, "summary": summary}]


def test_without_the_flag_next_config_is_unchanged_and_one_line_says_so(repository: Path, dockertpl: Run) -> None:
    (repository / "next.config.js").write_text(CONFIG)
    done = dockertpl(*NEXT)
    assert done.code == 0
    assert (repository / "next.config.js").read_text() == CONFIG
    assert "--patch-next-config writes it into the file" in done.err
    assert "NEXT_PRIVATE_STANDALONE" in (repository / "Dockerfile").read_text()


def test_a_dry_run_shows_the_patch_and_changes_nothing(repository: Path, dockertpl: Run) -> None:
    (repository / "next.config.js").write_text(CONFIG)
    before = read_tree(repository)
    done = dockertpl(*NEXT, "--patch-next-config", "--dry-run")
    assert done.code == 0
    assert "+  output: 'standalone',\n" in done.out
    assert read_tree(repository) == before


def test_where_the_place_is_not_sure_the_line_is_given_and_nothing_is_written(repository: Path, dockertpl: Run) -> None:
    (repository / "next.config.js").write_text("module.exports = require('./other')\n")
    message, remedy = _refused(repository, dockertpl, *NEXT[1:], "--patch-next-config")
    assert message == "next.config.js is written in a way that cannot be edited with certainty."
    assert "  output: 'standalone'," in remedy


def test_a_next_config_that_asks_for_it_is_left_as_it_is(repository: Path, dockertpl: Run) -> None:
    (repository / "next.config.js").write_text("module.exports = { output: 'standalone' }\n")
    done = dockertpl(*NEXT, "--patch-next-config", "--json").json
    assert "next.config.js" not in done["written"]
    assert [action["done"] for action in done["actions"]] == [True]
    assert _answers(repository)["standalone"] is True


def test_the_flag_is_for_next_alone(repository: Path, dockertpl: Run) -> None:
    message, _ = _refused(repository, dockertpl, "--defaults", "--no-detect", "--patch-next-config")
    assert "only works with nextjs-standalone" in message


# --- update bot ------------------------------------------------------------------------------------------------------

PRESET = "github>org/dockertpl"
BY_HAND = f'Add "{PRESET}" to "extends" in renovate.json.'


def _bot(root: Path) -> list[str]:
    result = json.loads((root / "renovate.json").read_bytes()).get("extends", [])
    assert isinstance(result, list)
    return result


def test_a_bot_s_file_is_changed_when_asked_for_with_everything_else(repository: Path, dockertpl: Run) -> None:
    (repository / "renovate.json").write_text('{"extends": ["a"]}')
    done = dockertpl("new", "--defaults", "--no-detect", "--update-bot", "renovate", "--json").json
    assert done["written"] == [
        ".copier-answers.yml",
        ".dockerignore",
        ".github/workflows/shop-image.yml",
        "Dockerfile",
        "renovate.json",
    ]
    summary = f'"{PRESET}" in "extends" of renovate.json.'
    assert done["actions"] == [{"name": "update-bot", "path": "renovate.json", "done": True, "summary": summary}]
    assert _bot(repository) == ["a", PRESET]


@pytest.mark.parametrize("path", ["renovate.json", ".github/dependabot.yml"])
def test_a_bot_that_is_not_configured_is_when_asked_for(repository: Path, dockertpl: Run, path: str) -> None:
    bot = "renovate" if path == "renovate.json" else "dependabot"
    done = dockertpl("new", "--defaults", "--no-detect", "--update-bot", bot)
    assert done.code == 0
    assert f"  {path}\n" in done.err
    assert (repository / path).exists()


def test_without_a_terminal_or_a_flag_the_bot_file_stays_and_the_line_to_add_is_shown(
    repository: Path, dockertpl: Run
) -> None:
    (repository / "renovate.json").write_text('{"extends": ["a"]}')
    done = dockertpl("new", "--defaults", "--no-detect")
    assert done.code == 0
    assert BY_HAND in done.err
    assert "--update-bot renovate" in done.err
    assert _bot(repository) == ["a"]
    (repository / ".copier-answers.yml").unlink()
    (repository / "Dockerfile").unlink()
    done = dockertpl("new", "--defaults", "--no-detect", "--json").json
    assert [(action["path"], action["done"]) for action in done["actions"]] == [("renovate.json", False)]
    assert "renovate.json" not in done["written"]
    assert done["warnings"] == []


def test_a_configured_or_excluded_bot_is_not_mentioned(repository: Path, dockertpl: Run) -> None:
    (repository / "renovate.json").write_text(json.dumps({"extends": [PRESET]}))
    for flag in ((), ("--update-bot", "renovate")):
        done = dockertpl("new", "--defaults", "--no-detect", "--dry-run", "--json", *flag).json
        assert [action["done"] for action in done["actions"]] == [True]
        assert "renovate.json" not in done["would_write"]
    (repository / "renovate.json").write_text("{}")
    done = dockertpl("new", "--defaults", "--no-detect", "--update-bot", "none")
    assert (done.code, "renovate" in done.err) == (0, False)
    assert _bot(repository) == []


def test_a_bot_file_that_cannot_be_edited_is_a_warning_or_an_error_if_requested(
    repository: Path, dockertpl: Run
) -> None:
    (repository / "renovate.json").write_text("{")
    message, remedy = _refused(repository, dockertpl, "--defaults", "--no-detect", "--update-bot", "renovate")
    assert message.startswith("renovate.json is not valid JSON")
    assert remedy.startswith(BY_HAND)
    done = dockertpl("new", "--defaults", "--no-detect", "--json").json
    assert "renovate.json" not in done["written"]
    assert [warning for warning in done["warnings"] if BY_HAND in warning]
    assert (repository / "renovate.json").read_text() == "{"


def test_a_dry_run_shows_a_bot_s_file_too_and_git_takes_it(
    repository: Path, dockertpl: Run, git: Callable[..., str]
) -> None:
    (repository / ".git").rmdir()
    git(repository, "init", "--quiet")
    (repository / "renovate.json").write_text('{\r\n  "extends": [\r\n    "a"\r\n  ]\r\n}')
    arguments = ("new", "--defaults", "--no-detect", "--update-bot", "renovate", "--dry-run")
    assert "renovate.json" in dockertpl(*arguments, "--json").json["would_write"]
    (repository / "patch").write_bytes(dockertpl(*arguments).out.encode())
    git(repository, "apply", "--whitespace=nowarn", "patch")
    assert _bot(repository) == ["a", PRESET]


def test_an_existing_file_keeps_the_bot_s_file_unchanged(repository: Path, dockertpl: Run) -> None:
    (repository / "Dockerfile").write_text("FROM mine\n")
    (repository / "renovate.json").write_text("{}")
    _refused(repository, dockertpl, "--defaults", "--no-detect", "--update-bot", "renovate")


# --- on a terminal ---------------------------------------------------------------------------------------------------


@pytest.fixture
def typist(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Typist]:
    """`typist({MESSAGE: [ANSWER, …]})` answers the prompts with a scripted user."""

    def sit_down(answers: dict[str, Any] | None = None) -> Typist:
        found = Typist(answers)
        monkeypatch.setattr(new, "_is_terminal", lambda dry_run: True)
        monkeypatch.setattr(new, "_console", lambda: found)
        monkeypatch.setenv("DOCKERTPL_DOCKER", "no-engine")
        return found

    return sit_down


def test_only_what_detection_cannot_find_is_asked(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist], detection: _Detection
) -> None:
    detection.unknown = [_Unknown("health_path", "No route.", "")]
    someone = typist({"Health route": ["/up"]})
    done = dockertpl("new", "-d", "name=shop")
    assert done.code == 0
    assert someone.asked == ["What now?", "Health route", "Write it?"]
    assert "app/main.py:7, uvicorn.run" in someone.seen
    assert "No route." in someone.seen
    assert (_answers(repository)["health_path"], _answers(repository)["port"]) == ("/up", 9000)


def test_the_wizard_prints_the_equivalent_commands(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist], monkeypatch: pytest.MonkeyPatch
) -> None:
    typist(
        {
            "What now?": ["change"],
            "Change what?": ["CI", "done"],
            "CI: which?": ["Vulnerability", BACK],
            "Vulnerability scan": ["yes"],
        }
    )
    done = dockertpl("new", "-d", "name=shop")
    assert done.code == 0
    commands = [shlex.split(line) for line in done.err.splitlines() if line.startswith(("  dockertpl", "  copier"))]
    assert [command[:2] for command in commands] == [["dockertpl", "new"], ["copier", "copy"]]
    assert commands[1][-2:] == ["gh:org/dockertpl", "."]
    asked_for = read_tree(repository)
    for path in set(asked_for) - {"mine.txt"}:
        (repository / path).unlink()
    # Copier's does without detection; its flags are the same as ours.
    monkeypatch.setattr(new, "_is_terminal", lambda dry_run: False)
    assert dockertpl(*commands[0][1:]).code == 0
    assert read_tree(repository) == asked_for
    for path in set(asked_for) - {"mine.txt"}:
        (repository / path).unlink()
    assert dockertpl("new", "--defaults", "--no-detect", *commands[1][2:-2]).code == 0
    assert read_tree(repository) == asked_for


@pytest.mark.parametrize("yes", [True, False])
def test_the_change_for_the_bot_is_shown_and_can_be_refused(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist], yes: bool
) -> None:
    (repository / "renovate.json").write_text('{"extends": ["a"]}\n')
    look = ["show the files"]
    someone = typist({"Write it?": look if yes else [*look, "do not put"], "Show which file?": ["renovate", "back"]})
    assert dockertpl("new").code == 0
    assert f'+{{"extends": ["a", "{PRESET}"]}}\n' in someone.seen
    assert "  renovate.json (your file: changed)\n" in someone.seen
    assert _bot(repository) == (["a", PRESET] if yes else ["a"])


@pytest.mark.parametrize("yes", [True, False])
def test_the_patch_of_next_config_is_shown_and_can_be_accepted(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist], yes: bool
) -> None:
    (repository / "next.config.js").write_text(CONFIG)
    answers = {"Write it?": ["also put", "show"], "Show which file?": ["next.config.js", BACK]} if yes else {}
    someone = typist(answers)
    assert dockertpl("new", "--no-detect", "--kind", "nextjs-standalone").code == 0
    assert ("+  output: 'standalone',\n" in someone.seen) is yes
    assert ("standalone" in (repository / "next.config.js").read_text()) is yes
    assert _answers(repository).get("standalone", False) is yes


def test_defaults_and_json_ask_nothing(repository: Path, dockertpl: Run, typist: Callable[..., Typist]) -> None:
    someone = typist()
    assert dockertpl("new", "--defaults", "--dry-run").code == 0
    assert dockertpl("new", "--json").code == 0
    assert someone.asked == []


@pytest.mark.parametrize("no", ["stop, and write nothing", KeyboardInterrupt, click.Abort])
def test_a_no_writes_nothing_and_says_how_to_go_on(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist], no: Any
) -> None:
    choose = {"What now?": ["every question"], "Port": ["8123"], "Write it?": [no]}
    typist(choose)
    before = read_tree(repository)
    done = dockertpl("new", "-d", "name=shop")
    assert (done.code, read_tree(repository)) == (130, before)
    assert "nothing was changed" in done.err
    again = shlex.split(next(line for line in done.err.splitlines() if line.startswith("  dockertpl new")))
    assert {"name=shop", "port=8123"} <= set(again)
    someone = typist()
    assert dockertpl(*again[1:]).code == 0
    assert someone.asked == ["What now?", "Write it?"]
    assert _answers(repository)["port"] == 8123


def test_what_was_answered_before_an_error_is_not_to_be_typed_again(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist]
) -> None:
    (repository / ".github").write_text("a file")
    typist({"What now?": ["every question"], "Port": ["8123"]})
    done = dockertpl("new", "-d", "name=shop")
    assert done.code == 2
    assert ".github is a file" in done.err
    assert "-d port=8123" in done.err.replace("\n", " ")


def test_stopping_after_the_write_does_not_claim_that_nothing_was_written(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist], monkeypatch: pytest.MonkeyPatch
) -> None:
    typist({"Verify it?": [KeyboardInterrupt]})
    monkeypatch.setattr(offer_verify, "is_possible", lambda: True)
    done = dockertpl("new")
    assert done.code == 130
    assert "nothing was changed" not in done.err
    assert "dockertpl: stopped; the written files stay.\n  Next: dockertpl verify\n" in done.err
    assert (repository / "Dockerfile").is_file()


def test_an_existing_file_cannot_be_overwritten(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist]
) -> None:
    (repository / ".github/workflows").mkdir(parents=True)
    (repository / ".github/workflows/shop-image.yml").write_text("on: push\n")
    someone = typist({"Write it?": ["stop"]})
    assert dockertpl("new").code == 130
    assert ".github/workflows/shop-image.yml (exists, and differs)" in " ".join(someone.seen.split())
    assert ".github/workflows/shop-image.yml would be lost" in someone.offered["Write it?"][0]


def test_a_lone_ignore_file_is_merged(repository: Path, dockertpl: Run) -> None:
    (repository / ".dockerignore").write_text("mine\n")
    assert dockertpl("new", "--defaults").code == 0
    assert "\nmine\n" in (repository / ".dockerignore").read_text()
    assert (repository / ".dockerignore.before-dockertpl").read_text() == "mine\n"


def test_you_can_choose_one_of_several_applications(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist], detection: _Detection
) -> None:
    def detect(root: Path, app_dir: str | None = None, given: Mapping[str, Any] | None = None) -> Any:
        if not (given or {}).get("app_dir"):
            raise NotDetectedError("Two.", "Choose one:\n-d app_dir=a  (a/x.py:1)\n-d app_dir=b  (b/x.py:2)")
        return detection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dockertpl_detect, "detect", detect)
        someone = typist({"Take": ["app_dir=b"]})
        assert dockertpl("new").code == 0
    every = "all of them, one after another"
    assert someone.offered["Take"] == ["app_dir=a  (a/x.py:1)", "app_dir=b  (b/x.py:2)", every]
    assert (repository / "b" / "Dockerfile").is_file()
    assert not (repository / "a").exists()


def test_for_another_framework_only_the_other_kinds_are_offered(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist], detection: _Detection
) -> None:
    detection.error = NotDetectedError("It uses Flask.", "Use another kind.", framework="Flask")
    someone = typist({"What now?": ["stop"]})
    assert dockertpl("new").code == 2
    assert [label.split()[0] for label in someone.offered["What now?"]] == ["stop,", "Sandbox", "Base"]
    typist({"What now?": ["Base images"]})
    assert dockertpl("new").code == 0
    assert _answers(repository)["kind"] == "shared-base"


def test_of_several_applications_all_are_written_one_after_another(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist], detection: _Detection
) -> None:
    def detect(root: Path, app_dir: str | None = None, given: Mapping[str, Any] | None = None) -> Any:
        if not (given or {}).get("app_dir"):
            raise NotDetectedError("Two.", "Choose one:\n-d app_dir=a  (a/x.py:1)\n-d app_dir=b  (b/x.py:2)")
        detection.answers["name"] = given["app_dir"]  # type: ignore[index]
        return detection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dockertpl_detect, "detect", detect)
        typist({"Take": ["all of them"]})
        done = dockertpl("new")
    assert done.code == 0
    assert "Image 2 of 2: b" in done.err
    assert [(repository / folder / "Dockerfile").is_file() for folder in "ab"] == [True, True]
    assert [(repository / f".copier-answers.{folder}.yml").is_file() for folder in "ab"] == [True, True]


def test_where_no_application_was_found_the_reason_comes_once_with_what_is_possible(
    repository: Path, dockertpl: Run, typist: Callable[..., Typist], detection: _Detection
) -> None:
    detection.error = NotDetectedError("No application.", "Write one.")
    before = read_tree(repository)
    someone = typist({"What now?": ["stop"]})
    done = dockertpl("new")
    assert (done.code, read_tree(repository)) == (2, before)
    assert "No application was found. Nothing was changed." in done.err
    assert (someone.seen + done.err).count("No application.") == 1
    assert "Write one." in someone.seen
    assert someone.offered["What now?"] == [
        "stop, and do that first",
        "python-fastapi, with the template's conventions",
        "nextjs-standalone, with the template's conventions",
        "Sandbox with several runtimes, for agents and developers",
        "Base images that other images share",
    ]
    someone = typist({"What now?": ["nextjs-standalone"]})
    assert dockertpl("new").code == 0
    assert someone.asked[:1] == ["What now?"]
    assert _answers(repository)["kind"] == "nextjs-standalone"
