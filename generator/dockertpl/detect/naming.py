"""Derive an image's name."""

from __future__ import annotations

import re

from dockertpl.detect.conventions import NAMELESS


def image_name(text: str) -> str:
    """Return a text as an image name: lower case, single dashes, at most 63 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-")


def folder_name(app_dir: str) -> str:
    """Return an image name from an application's folder, or an empty string for a folder such as `app`."""
    parts = [part for part in map(image_name, app_dir.split("/")) if part and part not in NAMELESS]
    return parts[-1] if parts else ""
