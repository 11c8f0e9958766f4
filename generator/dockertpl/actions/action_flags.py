"""What a person has done besides the template's files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockertpl.actions.update_bot import Choice


@dataclass(frozen=True, kw_only=True)
class Actions:
    """Which of the things that no template can do are to be done.

    Attributes:
        bot: The update bot to tell, or `none`; None for the one that has a configuration.
        tell_bot: Whether to tell it.
        patch_next_config: Whether to set `output: 'standalone'`.
        adopt: Whether to adopt a Dockerfile that is there.
        adopt_file: The Dockerfile to adopt, if one was named.
        replace: Whether new files replace those that are there. Git keeps the old ones.
    """

    bot: Choice | None = None
    tell_bot: bool = False
    patch_next_config: bool = False
    adopt: bool = False
    adopt_file: str = ""
    replace: bool = False
