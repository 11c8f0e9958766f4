"""A template's Jinja environment: the same as Copier's, and sandboxed."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment
from jinja2_ansible_filters import AnsibleCoreFiltersExtension  # type: ignore[import-untyped]

from dockertpl.errors import TemplateError
from dockertpl.template import yamltext
from dockertpl.template.config import Config, read
from dockertpl.template.source import TemplateSource

_UNDEFINED: Mapping[str, type[jinja2.Undefined]] = {
    "jinja2.Undefined": jinja2.Undefined,
    "jinja2.StrictUndefined": jinja2.StrictUndefined,
}
# Ansible's filters that read the machine instead of the answers.
_UNCONTAINED = ("expanduser", "expandvars", "fileglob", "realpath", "relpath")
_LINE_SYNTAX = frozenset({"line_statement_prefix", "line_comment_prefix", "newline_sequence"})


class Environment(SandboxedEnvironment):
    """Jinja's sandbox, without the attributes of a path that read files or lead elsewhere."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Return whether a template may read an attribute."""
        if isinstance(obj, PurePath) and attr == "parser":
            return False
        return super().is_safe_attribute(obj, attr, value)


class _Loader(jinja2.FileSystemLoader):
    """Loads files by their path from the template's root, and no file outside it."""

    def get_source(self, environment: jinja2.Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        source, filename, up_to_date = super().get_source(environment, template)
        if not Path(filename).resolve().is_relative_to(self.searchpath[0]):
            raise TemplateError(f"The template includes {template}, which leads out of it.")
        return source, filename, up_to_date


def _plain(value: Any) -> Any:
    """Return the JSON form of a value that YAML has and JSON lacks."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, set | frozenset):
        return sorted(value, key=repr)
    return str(value)


def _to_json(value: Any, *args: Any, **options: Any) -> str:
    return json.dumps(value, *args, default=_plain, **options)


def _pathjoin(*parts: str) -> str:
    return str(PurePosixPath(*parts))


class Template:
    """A template: its questions, its settings, and its compiled texts.

    Attributes:
        source: Its location.
        config: The content of its `copier.yml`.
    """

    def __init__(self, source: TemplateSource) -> None:
        """Read a template.

        Args:
            source: Its location.

        Raises:
            TemplateError: Its `copier.yml` is not valid.
        """
        self.source = source
        self.config: Config = read(source.root)
        self._environment = _environment(self.config, source.root)
        self._compiled: dict[str, jinja2.Template] = {}
        # A text without any of these renders to itself. That is most texts of a `copier.yml`.
        self._has_syntax = (
            bool(_LINE_SYNTAX & self.config.envops.keys()) or not self.config.envops["keep_trailing_newline"]
        )
        self._starts = (
            self._environment.block_start_string,
            self._environment.variable_start_string,
            self._environment.comment_start_string,
        )

    def text(self, text: str, context: Mapping[str, Any]) -> str:
        """Render a text of `copier.yml`, or a part of a path.

        Raises:
            jinja2.TemplateError: The text is not a valid template, or uses an undefined name.
        """
        if not self._has_syntax and "\r" not in text and not any(start in text for start in self._starts):
            return text
        compiled = self._compiled.get(text)
        if compiled is None:
            compiled = self._compiled[text] = self._environment.from_string(text)
        return compiled.render(context)

    def file(self, path: str, context: Mapping[str, Any]) -> str:
        """Render a file of the template.

        Args:
            path: Its path from the template's root.
            context: Its variables.

        Raises:
            jinja2.TemplateError: The file is missing, not a valid template, or uses an undefined name.
            TemplateError: The path leads out of the template.
        """
        return self._environment.get_template(path).render(context)


def _environment(config: Config, root: Path) -> Environment:
    options = dict(config.envops)
    undefined = options.pop("undefined", "jinja2.Undefined")
    if undefined not in _UNDEFINED:
        raise TemplateError(f"_envops.undefined is {undefined!r}. Use one of {', '.join(_UNDEFINED)}.")
    if "extensions" in options or "loader" in options:
        raise TemplateError("_envops sets extensions or a loader, which dockertpl does not support.")
    try:
        environment = Environment(
            loader=_Loader([str(root.resolve())]),
            extensions=[AnsibleCoreFiltersExtension],
            undefined=_UNDEFINED[undefined],
            # The files do not change during a rendering.
            auto_reload=False,
            # Each text is rendered only a few times, so folding constants would cost more than it saves.
            **{"optimized": False, **options},
        )
    except (TypeError, ValueError, AssertionError) as error:
        raise TemplateError(f"Jinja does not accept _envops: {error}") from error
    environment.filters["to_json"] = _to_json
    environment.filters["from_yaml"] = yamltext.from_yaml
    environment.globals["pathjoin"] = _pathjoin
    for name in _UNCONTAINED:
        environment.filters.pop(name, None)
    return environment
