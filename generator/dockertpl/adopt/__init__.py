"""Adopt an existing Dockerfile: convert it into answers and custom lines, and report everything that is dropped."""

from __future__ import annotations

from dockertpl.adopt.fill import apply
from dockertpl.adopt.model import AdoptedItem, Adoption, Treatment
from dockertpl.adopt.reader import read, read_ignore_file

__all__ = ["AdoptedItem", "Adoption", "Treatment", "apply", "read", "read_ignore_file"]
