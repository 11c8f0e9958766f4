"""Which version of the service this is, and what it runs on."""

import os
import sys
from importlib import metadata
from importlib.util import find_spec

from fastapi import APIRouter

router = APIRouter()


@router.get("")
def about() -> dict[str, object]:
    """Return the installed version (none if it is not packaged) and the process's own facts."""
    try:
        version = metadata.version("orders")
    except metadata.PackageNotFoundError:
        version = None
    return {
        "version": version,
        "python": ".".join(map(str, sys.version_info[:2])),
        "uid": os.getuid(),
        "has_test_tools": find_spec("pytest") is not None,
    }
