"""Whether the service can do its work."""

import os

from fastapi import APIRouter, Response

router = APIRouter()


@router.get("/health")
async def health(response: Response) -> dict[str, str]:
    """Answer 200, or the status that ORDERS_HEALTH_STATUS names (a drill for whoever watches it)."""
    response.status_code = int(os.environ.get("ORDERS_HEALTH_STATUS", "200"))
    return {"status": "ok" if response.status_code == 200 else "failing"}
