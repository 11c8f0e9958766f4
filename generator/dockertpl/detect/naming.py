"""What an image is called."""

from __future__ import annotations

import re

from dockertpl.detect.conventions import NAMELESS


def image_name(text: str) -> str:
    """Return a text as an image's name: lower case, single dashes, at most 63 characters."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-")


def folder_name(app_dir: str) -> str:
    """Return the name that an application's folder gives its image, empty if it tells no image from another."""
    parts = [part for part in map(image_name, app_dir.split("/")) if part and part not in NAMELESS]
    return parts[-1] if parts else ""
