"""dockertpl: container images from templates, proven to run."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
