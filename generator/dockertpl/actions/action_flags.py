"""The flags of `new` for changes besides the template's files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockertpl.actions.update_bot import Choice


@dataclass(frozen=True, kw_only=True)
class Actions:
    """The changes to make besides the template's files.

    Attributes:
        bot: The update bot to configure, or `none`. None picks the one with a configuration.
        tell_bot: Whether to configure it.
        patch_next_config: Whether to set `output: 'standalone'`.
        adopt: Whether to convert an existing Dockerfile.
        adopt_file: The Dockerfile to convert, if one was named.
        replace: Whether to replace existing files. Git keeps the old ones.
    """

    bot: Choice | None = None
    tell_bot: bool = False
    patch_next_config: bool = False
    adopt: bool = False
    adopt_file: str = ""
    replace: bool = False
