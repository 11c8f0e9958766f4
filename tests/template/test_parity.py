"""Copier and our renderer write the same bytes for a complete set of answers."""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.pairwise import answer_sets, some
from tests.parity import RefusedError, by_copier, by_us, copy_template

from dockertpl import __version__
from dockertpl.template.environment import Template
from dockertpl.template.source import TemplateSource, bundled, directory, opened

pytestmark = pytest.mark.slow

TAG = f"v{__version__}"


@pytest.fixture
def repository(tmp_path: Path, git: Callable[..., str]) -> Path:
    """A git repository with this template, including uncommitted changes, at this version's tag."""
    root = copy_template(tmp_path / "template")
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "template")
    git(root, "tag", TAG)
    return root


@pytest.mark.parametrize("part", ["some", pytest.param("all", marks=pytest.mark.thorough)])
def test_every_pair_of_answers_gives_the_same_files(part: str, tmp_path: Path) -> None:
    root = copy_template(tmp_path / "template")
    template = Template(directory(root))
    sets = answer_sets()
    for number in some() if part == "some" else range(len(sets)):
        answers = sets[number]
        folder = tmp_path / str(number) / "Some Folder"
        assert by_us(template, folder.name, answers) == by_copier(root, folder, answers), answers


@pytest.mark.parametrize("folder", ["app", "Ünïcode App-"])
def test_a_tag_with_the_defaults_alone_gives_the_same_files(repository: Path, tmp_path: Path, folder: str) -> None:
    with opened(str(repository), TAG) as source:
        assert by_us(source, folder) == by_copier(repository, tmp_path / "out" / folder, vcs_ref=TAG)


@pytest.mark.parametrize(
    "name",
    [
        "gh:org/dockertpl",
        "https://token@github.com/org/dockertpl.git",
        "git@github.com:org/dockertpl.git",
    ],
)
def test_what_is_copied_from_github_is_what_the_bundled_template_gives(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("COPIER_CACHE_DIR", str(tmp_path / "cache"))
    for number, url in enumerate(
        ("https://github.com/org/dockertpl", "https://token@github.com/org/dockertpl", "git@github.com:org/dockertpl")
    ):
        monkeypatch.setenv(f"GIT_CONFIG_KEY_{number}", f"url.{repository}/.git.insteadOf")
        monkeypatch.setenv(f"GIT_CONFIG_VALUE_{number}", f"{url}.git")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "3")

    assert by_copier(name, tmp_path / "app") == by_us(bundled(), "app")


@pytest.mark.parametrize(
    ("name", "recorded"),
    [
        ("gh:/org/dockertpl.git", "https://github.com/org/dockertpl.git"),
        ("git+https://github.com/org/dockertpl", "https://github.com/org/dockertpl.git"),
        ("https://github.com/org/dockertpl", "https://github.com/org/dockertpl.git"),
        ("gl:org/dockertpl", "https://gitlab.com/org/dockertpl.git"),
        ("ssh://git@gitlab.com/org/group/dockertpl.git", "https://gitlab.com/org/group/dockertpl.git"),
        ("https://git.example.com/gh:x/github.com/y", "https://git.example.com/gh:x/github.com/y"),
        ("git@git.example.com:org/dockertpl.git", "git@git.example.com:org/dockertpl.git"),
        ("/srv/templates/gh:x", "/srv/templates/gh:x"),
    ],
)
def test_only_what_renovate_cannot_look_up_is_rewritten(name: str, recorded: str) -> None:
    source = TemplateSource(root=bundled().root, src_path=name, commit="v1.2.3")
    answers = yaml.safe_load(by_us(source, "app")[".copier-answers.yml"].content)
    assert (answers["_src_path"], answers["_commit"]) == (recorded, "v1.2.3")


def test_copier_run_on_an_installed_template_can_be_given_its_origin(tmp_path: Path) -> None:
    root = copy_template(tmp_path / "template")
    origin = {"dockertpl_src_path": bundled().src_path, "dockertpl_commit": bundled().commit}
    assert by_copier(root, tmp_path / "app", origin) == by_us(bundled(), "app")


def test_a_directory_is_recorded_as_copier_records_it(tmp_path: Path) -> None:
    root = copy_template(tmp_path / "template")
    assert by_copier(root, tmp_path / "app") == by_us(root, "app")


_HOSTILE = [
    'a"b',
    "it's",
    "$(touch /tmp/x)",
    "`id`",
    "${HOME}",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{# x #}",
    "a: [b, c]",
    "- x",
    "*alias",
    "!!python/object:os.system",
    "line\nRUN id",
    "line\\",
    "# comment",
    "\u202egnp.exe",
    "\x1b[2J",
    "\x00",
    "../../etc/passwd",
    "/etc/passwd",
    "-rf",
    " ",
    "ä",
    "x" * 200,
]
_TEXT_QUESTIONS = [
    "name",
    "app_dir",
    "context",
    "requirements_file",
    "app",
    "base_image",
    "root_path",
    "health_path",
    "build_packages",
    "extras",
    "digests",
    "port",
    "workers",
    "python_version",
]


def test_a_hostile_answer_is_refused_or_is_inert(tmp_path: Path) -> None:
    root = copy_template(tmp_path / "template")
    template = Template(directory(root))
    plain = re.compile("[A-Za-z0-9/._-]+")
    taken = 0
    for question, answer in itertools.product(_TEXT_QUESTIONS, _HOSTILE):
        data = {"manager": "pip", question: answer}
        try:
            ours = by_us(template, "app", data)
        except RefusedError:
            continue
        taken += 1
        assert ours == by_copier(root, tmp_path / str(taken) / "app", data), data
        for path, file in ours.items():
            if not path.startswith(".copier-answers"):
                assert answer.encode() not in file.content or plain.fullmatch(answer), (data, path)
    assert taken


def test_what_copier_refuses_is_refused(tmp_path: Path) -> None:
    root = copy_template(tmp_path / "template")
    template = Template(directory(root))
    answers = [*_HOSTILE, "80", "99999999999999999999", "1e3", "[1", "null"]
    # Only a part, since each one runs Copier. 7 divides neither list's length.
    for number, (question, answer) in enumerate(
        itertools.islice(itertools.product(_TEXT_QUESTIONS, answers), 0, None, 7)
    ):
        data = {"manager": "pip", question: answer}
        try:
            by_copier(root, tmp_path / str(number) / "app", data)
        except RefusedError:
            with pytest.raises(RefusedError):
                by_us(template, "app", data)


FREE_TEXT = {
    "copier.yml": """
_subdirectory: project
_envops: {undefined: jinja2.StrictUndefined, trim_blocks: true, lstrip_blocks: true}
text: {type: str, default: "", help: Anything}
data: {type: yaml, default: []}
""",
    "project/{{ _copier_conf.answers_file }}.jinja": "{{ _copier_answers | to_nice_yaml -}}",
    "project/out.json.jinja": "{{ [text, data] | to_json }}\n",
    "project/out.txt.jinja": "{% if text %}\n  {{ text }}\n{% endif %}\nend",
}
# Leave out what our reader refuses on purpose: see values.check_inert.
_TEXT = st.text(
    st.one_of(
        st.sampled_from(string.printable.replace("\x0b", "").replace("\x0c", "").replace("\r", "")),
        st.characters(categories=["L", "N", "P", "S", "Zs"]),
    ),
    max_size=40,
)
_DATA: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_TEXT, data=_DATA.filter(lambda data: not isinstance(data, str)))
def test_any_text_and_any_data_are_rendered_as_by_copier(
    tmp_path_factory: pytest.TempPathFactory, write_files: Callable[..., Path], text: str, data: Any
) -> None:
    root = write_files(tmp_path_factory.mktemp("template"), FREE_TEXT)
    destination = tmp_path_factory.mktemp("out") / "app"
    answers = {"text": text, "data": data}
    assert by_us(root, "app", answers) == by_copier(root, destination, answers)
