from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.parity import by_copier, by_us

from dockertpl.errors import TemplateError
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import answers_path, render
from dockertpl.template.source import TemplateSource
from dockertpl.template.tree import Tree

MakeTemplate = Callable[..., Template]
ANSWERS = ".copier-answers.yml"


def _render(template: Template, **data: str) -> Tree:
    return render(template, resolve(template, folder_name="x", data=data))


@pytest.mark.parametrize("folder", [".", "services/api", "a"])
def test_paths_are_rendered_as_by_copier(make_template: MakeTemplate, tmp_path: Path, folder: str) -> None:
    template = make_template(
        "folder: {type: str, default: .}\nflag: {type: bool, default: false}\n"
        "_exclude: ['*.bak', '{% if flag %}kept{% else %}dropped{% endif %}', '/top', '!sub/x.bak']\n",
        {
            "project/{{ folder }}/Dockerfile.jinja": "FROM {{ folder }}\n",
            "project/{% if flag %}on{% endif %}/a": "never",
            "project/{% if not flag %}off{% endif %}/{{ _folder_name }}.txt": "{{ not rendered }}",
            "project/both": "plain",
            "project/both.jinja": "templated",
            "project/x.bak": "",
            "project/sub/x.bak": "",
            "project/sub/top": "",
            "project/top": "",
            "project/dropped": "",
            "project/kept": "",
            "project/in.jinja/file": "",
            "project/.hidden/.jinja": "",
            "outside.jinja": "",
        },
    )
    ours = by_us(template, "x", {"folder": folder})
    assert ours == by_copier(template.source.root, tmp_path / "x", {"folder": folder})
    assert list(ours) == sorted(ours)


@pytest.mark.parametrize(
    "patterns",
    [
        ["*.py[co]", "__pycache__", "~*", ".git"],
        ["*", "!a.txt"],
        ["a"],
        ["a/"],
        ["/a"],
        ["**/b.pyc", "#a"],
        ["*a*"],
        [".*"],
        ["b*.txt", ""],
        ["A"],
    ],
)
def test_exclusions_mean_what_copier_says(make_template: MakeTemplate, tmp_path: Path, patterns: list[str]) -> None:
    paths = (
        "a/b.pyc",
        "a/a.txt",
        "b/a/c",
        "__pycache__/x",
        "d/__pycache__/y",
        "~x",
        "x~",
        "a.py",
        "a.pyc",
        "b.txt",
        ".c",
    )
    template = make_template(f"_exclude: {json.dumps(patterns)}\n", {f"project/{path}": "" for path in paths})
    assert by_us(template, "x") == by_copier(template.source.root, tmp_path / "x")


def test_content_is_rendered_as_by_copier(make_template: MakeTemplate, tmp_path: Path) -> None:
    template = make_template(
        "a: {type: str, default: x}\n",
        {
            "project/ends.jinja": "{{ a }}",
            "project/newlines.jinja": "\r\n{% if a %}\n  {{ a }}\n{% endif %}\n\n",
            "project/include.jinja": "{% from 'lib/m.jinja' import m %}{{ m(a) }}{% include 'lib/' ~ a ~ '.txt' %}",
            "project/filters.jinja": "{{ a | to_json }} {{ a | regex_replace('x', 'y') }} {{ [a] | to_nice_yaml }}",
            "project/where.jinja": "{{ _copier_conf.answers_file }} {{ _copier_conf.sep }} {{ _copier_phase }}",
            "project/unicode ü.jinja": "ü\u2028",
            "lib/m.jinja": "{% macro m(x) %}\n[{{ x }}]\n{% endmacro %}",
            "lib/x.txt": "{{ a }} included\n",
        },
    )
    (template.source.root / "project/binary").write_bytes(bytes(range(256)))
    assert by_us(template, "x") == by_copier(template.source.root, tmp_path / "x")


def test_the_executable_bit_is_kept(make_template: MakeTemplate, tmp_path: Path) -> None:
    template = make_template(files={"project/run.sh.jinja": "#!/bin/sh\n", "project/plain": ""})
    (template.source.root / "project/run.sh.jinja").chmod(0o755)
    ours = by_us(template, "x")
    assert ours == by_copier(template.source.root, tmp_path / "x")
    assert [path for path, file in ours.items() if file.executable] == ["run.sh"]


def test_links_inside_the_template_are_followed_as_by_copier(make_template: MakeTemplate, tmp_path: Path) -> None:
    template = make_template(files={"common/f.txt": "common", "common/t.jinja": "{{ _folder_name }}", "project/x": ""})
    root = template.source.root / "project"
    (root / "folder").symlink_to("../common")
    (root / "file.txt").symlink_to("../common/f.txt")
    (root / "linked.jinja").symlink_to("../common/t.jinja")
    ours = by_us(template, "x")
    assert ours == by_copier(template.source.root, tmp_path / "x")
    assert ours["folder/f.txt"].content == b"common"


@pytest.mark.parametrize("target", ["../../secret", "/etc/hostname", "../.."])
def test_a_link_out_of_the_template_is_refused(make_template: MakeTemplate, tmp_path: Path, target: str) -> None:
    template = make_template(files={"project/x": ""})
    (tmp_path / "secret").write_text("secret")
    (template.source.root / "project/link").symlink_to(target)
    with pytest.raises(TemplateError, match="leads out of it"):
        _render(template)


def test_a_link_that_leads_to_itself_ends(make_template: MakeTemplate) -> None:
    template = make_template(files={"project/a/x": ""})
    (template.source.root / "project/a/loop").symlink_to("../a")
    with pytest.raises(TemplateError, match="a link to a folder that it is in"):
        _render(template)


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "/etc/x",
        "..",
        ".git/hooks/post-checkout",
        ".GIT/config",
        "a/.git./x",
        "a\nb",
        "a\\b",
        "x" * 256,
        "\u202ex",
    ],
)
def test_no_path_leads_out_or_into_git(make_template: MakeTemplate, path: str) -> None:
    for file in ("project/{{ path }}", "project/{{ path }}/deep.jinja"):
        template = make_template("path: {type: str, default: ok}\n", {file: ""})
        answers = dataclasses.replace(resolve(template, folder_name="x"), values={"path": path})
        with pytest.raises(TemplateError, match="renders to"):
            render(template, answers)
        (template.source.root / file).unlink()


@pytest.mark.parametrize("path", ["../answers.yml", "/answers.yml", ".git/config"])
def test_the_answers_file_stays_in_the_repository(make_template: MakeTemplate, path: str) -> None:
    template = make_template(f"_answers_file: '{path}'\n")
    with pytest.raises(TemplateError, match="_answers_file renders to"):
        _render(template)


def test_the_answers_file_s_name_may_be_templated(make_template: MakeTemplate, tmp_path: Path) -> None:
    template = make_template("name: {type: str, default: api}\n_answers_file: './.answers.{{ name }}.yml'\n")
    assert answers_path(template, resolve(template, folder_name="x")) == ".answers.api.yml"
    assert by_us(template, "x") == by_copier(template.source.root, tmp_path / "x")


def test_two_files_at_one_path_are_refused(make_template: MakeTemplate) -> None:
    for one, other in (("{{ 'a' }}", "{{ 'a' | lower }}"), ("README", "readme"), ("{{ 'a' }}", "{{ 'a' | trim }}/b")):
        template = make_template(files={f"project/{one}": "", f"project/{other}": ""})
        with pytest.raises(TemplateError):
            _render(template)
        for path in (template.source.root / "project").rglob("*"):
            if path.is_file():
                path.unlink()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{{ nothing }}", "a.jinja cannot be rendered: 'nothing' is undefined"),
        (b"\n\n{% if %}", "project/a.jinja, line 3 cannot be rendered"),
        (b"{% include 'missing' %}", "cannot be rendered"),
        (b"\xff", "not UTF-8 text"),
        (b"{% yield x from y %}{% endyield %}", "cannot be rendered"),
    ],
)
def test_a_file_that_cannot_be_rendered_is_named(make_template: MakeTemplate, content: bytes, message: str) -> None:
    template = make_template(files={"project/x": ""})
    (template.source.root / "project/a.jinja").write_bytes(content)
    with pytest.raises(TemplateError) as caught:
        _render(template)
    assert message in caught.value.message


def test_a_subdirectory_stays_in_the_template(tmp_path: Path) -> None:
    root = tmp_path / "t"
    root.mkdir()
    (root / "copier.yml").write_text("_subdirectory: ..\n")
    with pytest.raises(TemplateError, match="leads out of it"):
        _render(Template(TemplateSource(root=root, src_path=None, commit=None)))


def test_a_source_without_a_name_records_none(make_template: MakeTemplate) -> None:
    named = make_template("a: 1\n")
    template = Template(TemplateSource(root=named.source.root, src_path=None, commit=None))
    assert _render(template)[ANSWERS].content == b"a: 1\n"


def test_rendering_reads_no_clock_and_gives_the_same_every_time(make_template: MakeTemplate) -> None:
    template = make_template("a: {type: yaml, default: {b: 1, a: 2}}\n", {"project/x.jinja": "{{ a }}"})
    assert _render(template) == _render(template)
