"""The kinds of image, by the names that `kind` has in answers."""

from __future__ import annotations

from typing import Final

PYTHON_FASTAPI: Final = "python-fastapi"
NEXTJS_STANDALONE: Final = "nextjs-standalone"
SHARED_BASE: Final = "shared-base"

#: Kinds whose images serve HTTP. They are the ones that detection and adoption know.
SERVICE_KINDS: Final = (PYTHON_FASTAPI, NEXTJS_STANDALONE)
