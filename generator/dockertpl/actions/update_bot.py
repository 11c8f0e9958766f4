"""Add an image's pins to the repository's update bot: a preset for Renovate, two entries for Dependabot."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from dockertpl.actions import dependabot, renovate
from dockertpl.actions.edit import NotEditableError, read_file
from dockertpl.actions.proposal import Proposal
from dockertpl.errors import DestinationError
from dockertpl.template.source import PUBLISHED

Bot: TypeAlias = Literal["renovate", "dependabot"]
Choice: TypeAlias = Literal["renovate", "dependabot", "none"]

NAME = "update-bot"
#: Renovate looks for it in default.json of the repository that it names.
PRESET = PUBLISHED.replace("https://github.com/", "github>").removesuffix(".git")

_PACKAGE = "package.json"
_LARGEST_PACKAGE = 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class BotProposal(Proposal):
    """A change to the configuration of an update bot."""

    bot: Bot


def propose(root: Path, app_dir: str, choice: Choice | None) -> BotProposal | None:
    """Return the change to the update bot's configuration. Nothing is written.

    Args:
        root: The repository's root. It may not exist yet.
        app_dir: The application's folder, `.` for the root.
        choice: The requested bot, which gets a configuration if it lacks one. None picks the bot with a
            configuration, Renovate before Dependabot.

    Returns:
        None if no bot has a configuration, or `none` was requested.

    Raises:
        DestinationError: The bot was requested, and its configuration cannot be edited.
    """
    if choice == "none":
        return None
    renovate_path, dependabot_path = _existing(root, renovate.PATHS), _existing(root, dependabot.PATHS)
    if renovate_path is None and _in_package(root):
        renovate_path = _PACKAGE
    bot: Bot | None = choice or ("renovate" if renovate_path else "dependabot" if dependabot_path else None)
    if bot == "renovate":
        proposal = _renovate(root, renovate_path)
    elif bot == "dependabot":
        proposal = _dependabot(root, dependabot_path, app_dir)
    else:
        return None
    if choice and proposal.new is None:
        raise DestinationError(
            proposal.summary, f"{proposal.by_hand}\nThen run this again with --update-bot none.", path=proposal.path
        )
    return proposal


def _renovate(root: Path, path: str | None) -> BotProposal:
    shown = path or renovate.PATHS[0]
    where = '"extends" of "renovate"' if path == _PACKAGE else '"extends"'
    by_hand = f'Add "{PRESET}" to {where} in {shown}.'
    old = None
    try:
        if path == _PACKAGE:
            raise NotEditableError('has Renovate\'s configuration under "renovate", which is not edited here')
        old = read_file(root, shown)
        new = renovate.config(PRESET) if old is None else renovate.extend(old, PRESET)
    except NotEditableError as error:
        return BotProposal(bot="renovate", path=shown, old=old, new=None, summary=f"{shown} {error}.", by_hand=by_hand)
    summary = f'"{PRESET}" in "extends" of {shown}.'
    return BotProposal(bot="renovate", path=shown, old=old, new=new, summary=summary, by_hand=by_hand)


def _dependabot(root: Path, path: str | None, app_dir: str) -> BotProposal:
    shown = path or dependabot.PATHS[0]
    wanted = dependabot.entries(app_dir)
    listed = " and ".join(f"{entry.ecosystem} in {entry.directory}" for entry in wanted)
    old = None
    try:
        old = read_file(root, shown)
        new, added = (dependabot.config(wanted), wanted) if old is None else dependabot.add(old, wanted)
    except NotEditableError as error:
        by_hand = f'Add to "updates" in {shown}:\n{dependabot.snippet(wanted)}'
        return BotProposal(
            bot="dependabot", path=shown, old=old, new=None, summary=f"{shown} {error}.", by_hand=by_hand
        )
    by_hand = f'Add to "updates" in {shown}:\n{dependabot.snippet(added)}'
    summary = f'{listed}, in "updates" of {shown}.'
    return BotProposal(bot="dependabot", path=shown, old=old, new=new, summary=summary, by_hand=by_hand)


def _existing(root: Path, paths: tuple[str, ...]) -> str | None:
    # A broken link exists, too.
    return next((path for path in paths if os.path.lexists(root / path)), None)


def _in_package(root: Path) -> bool:
    """Return whether package.json has Renovate's configuration."""
    path = root / _PACKAGE
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_PACKAGE:
            return False
        content: Any = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "renovate" in content
