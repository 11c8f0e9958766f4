"""What can be ordered."""

from pathlib import Path

import orjson
from fastapi import APIRouter, Response

from ..prices import gross

router = APIRouter()
DATA = Path(__file__).parents[1] / "data"


@router.get("/menu")
def menu() -> Response:
    """Return every dish with its gross price."""
    dishes = orjson.loads((DATA / "menu.json").read_bytes())
    return Response(
        orjson.dumps([{**dish, "gross": gross(dish["net"])} for dish in dishes]), media_type="application/json"
    )
