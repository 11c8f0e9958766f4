"""The kinds of image, by the values of the answer `kind`."""

from __future__ import annotations

from typing import Final

PYTHON_FASTAPI: Final = "python-fastapi"
NEXTJS_STANDALONE: Final = "nextjs-standalone"
SHARED_BASE: Final = "shared-base"

#: Kinds whose images serve HTTP. Detection and adoption know these.
SERVICE_KINDS: Final = (PYTHON_FASTAPI, NEXTJS_STANDALONE)
