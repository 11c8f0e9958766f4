import orjson
import structlog
from fastapi import FastAPI

from app.routers import items
from app.settings import settings

log = structlog.get_logger()
app = FastAPI(title=settings.title)
app.include_router(items.router)


@app.get("/health")
async def health() -> dict[str, str]:
    return orjson.loads(b'{"status":"ok"}')
