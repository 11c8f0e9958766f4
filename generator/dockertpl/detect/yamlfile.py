"""Parse YAML of an untrusted repository."""

from __future__ import annotations

from typing import Any

#: The deepest nesting. libyaml's composer is only limited by the stack.
_DEEPEST = 100


def load_yaml(text: str) -> Any:
    """Parse YAML. `<<: *anchor` stays a key `<<`: merging while loading doubles the work at every `<<: [*a, *a]`.

    Raises:
        ValueError: It is not valid YAML, or nested too deeply.
    """
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]
        def flatten_mapping(self, node: Any) -> None:
            pass

    Loader.add_constructor("tag:yaml.org,2002:merge", lambda loader, node: "<<")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=base):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                raise ValueError("it is nested too deeply")
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
