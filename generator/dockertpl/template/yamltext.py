"""Reads YAML quickly, and none that would end the process."""

from __future__ import annotations

import pickle
from functools import lru_cache
from typing import Any

import yaml

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
#: libyaml's composer is bound by nothing but the process's stack.
_DEEPEST = 100
_OPENING = "[{-?\n"


def load(text: str | bytes) -> Any:
    """Return what a YAML document holds, as `yaml.safe_load` does in a tenth of its time.

    Args:
        text: The document.

    Raises:
        yaml.YAMLError: It is no YAML, or is nested more than a hundred deep.
        ValueError: A value is none, such as a date's month 13.
    """
    # With fewer signs that open something, nothing is nested too deeply.
    plain = text if isinstance(text, str) else text.decode("latin-1")
    if sum(map(plain.count, _OPENING)) >= _DEEPEST:
        _check_depth(text)
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except (ArithmeticError, AttributeError, LookupError, TypeError) as error:
        # What PyYAML stumbles over where a value is none of its tag's.
        raise yaml.YAMLError("a value is not what its tag says") from error


def _check_depth(text: str | bytes) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.YAMLError("it is nested too deeply")


def from_yaml(data: Any) -> Any:
    """Return what YAML holds, for a template: its tables are the same at each rendering, and are read once.

    Args:
        data: The document; anything but a text is returned as it is, as Ansible's filter does.

    Raises:
        yaml.YAMLError: It is no YAML.
    """
    # A value of its own for each caller, as a template may change it.
    return pickle.loads(_pickled(data)) if isinstance(data, str) else data  # noqa: S301 - what we pickled


@lru_cache(maxsize=128)
def _pickled(text: str) -> bytes:
    return pickle.dumps(load(text))
