from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2.exceptions import SecurityError

from dockertpl.errors import TemplateError
from dockertpl.template.environment import Template
from dockertpl.template.source import TemplateSource

MakeTemplate = Callable[..., Template]


def test_what_is_not_defined_is_an_error(make_template: MakeTemplate) -> None:
    with pytest.raises(jinja2.UndefinedError):
        make_template().text("{{ nothing }}", {})


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ path.parser }}",
        "{{ self.__init__.__globals__ }}",
        "{{ ().__class__.__base__ }}",
    ],
)
def test_a_template_reaches_no_python(make_template: MakeTemplate, text: str) -> None:
    # In a Python without this attribute, it is undefined.
    with pytest.raises((SecurityError, jinja2.UndefinedError)):
        make_template().text(text, {"path": Path("x")})


@pytest.mark.parametrize("name", ["fileglob", "expandvars", "expanduser", "realpath", "relpath"])
def test_a_template_does_not_see_the_machine(make_template: MakeTemplate, name: str) -> None:
    with pytest.raises(jinja2.TemplateAssertionError):
        make_template().text(f"{{{{ '/etc/*' | {name} }}}}", {})


@pytest.mark.parametrize("path", ["../secret", "/etc/hostname", "project/../../secret", "link", "folder/secret"])
def test_an_include_stays_in_the_template(make_template: MakeTemplate, tmp_path: Path, path: str) -> None:
    template = make_template(files={"project/x": ""})
    (tmp_path / "secret").write_text("secret")
    (template.source.root / "link").symlink_to(tmp_path / "secret")
    (template.source.root / "folder").symlink_to(tmp_path)
    with pytest.raises((TemplateError, jinja2.TemplateNotFound)):
        template.text(f"{{% include '{path}' %}}", {})


def test_to_json_writes_what_yaml_can_hold(make_template: MakeTemplate) -> None:
    values: list[tuple[Any, str]] = [
        (datetime.date(2026, 1, 2), '"2026-01-02"'),
        (b"\xff", '"\\ufffd"'),
        ({"b", "a"}, '["a", "b"]'),
        (Path("a/b"), '"a/b"'),
        ([1, None, "ä"], '[1, null, "\\u00e4"]'),
    ]
    for value, text in values:
        assert make_template().text("{{ value | to_json }}", {"value": value}) == text


def test_text_without_syntax_is_not_compiled_and_comes_out_the_same(
    make_template: MakeTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = make_template()
    texts = ["", "plain", "a\n\n", "${x} #a %}", "trailing \n"]
    rendered = [template._environment.from_string(text).render() for text in texts]
    monkeypatch.setattr(template._environment, "from_string", None)
    assert [template.text(text, {}) for text in texts] == rendered == texts


def test_line_ends_and_line_statements_are_jinja_s(tmp_path: Path, make_template: MakeTemplate) -> None:
    assert make_template().text("a\r\nb", {}) == "a\nb"
    (tmp_path / "copier.yml").write_text("_envops: {line_statement_prefix: '%%'}")
    template = Template(TemplateSource(root=tmp_path, src_path=None, commit=None))
    assert template.text("%% if true\nyes\n%% endif\n", {}) == "yes\n"


@pytest.mark.parametrize(
    "envops", ["{undefined: os.system}", "{extensions: [jinja2.ext.do]}", "{loader: x}", "{nonsense: 1}"]
)
def test_options_of_jinja_are_those_that_copier_takes(
    tmp_path: Path, write_files: Callable[[Path, Mapping[str, str]], Path], envops: str
) -> None:
    write_files(tmp_path, {"copier.yml": f"_envops: {envops}"})
    with pytest.raises(TemplateError, match="_envops"):
        Template(TemplateSource(root=tmp_path, src_path=None, commit=None))
