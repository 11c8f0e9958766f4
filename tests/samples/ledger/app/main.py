"""An application that is healthy if its database has its tables and its cache answers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from app.settings import settings

engine = create_async_engine(settings.database_url)
cache = redis.asyncio.from_url(settings.cache_url)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    """Fail to start without the database and the cache."""
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO entries (amount) VALUES (42)"))
    await cache.set("started", "yes")
    yield
    await engine.dispose()
    await cache.aclose()


app = FastAPI(lifespan=lifespan)


@app.get("/health")
async def health() -> dict[str, object]:
    """Ask both."""
    async with engine.connect() as connection:
        amount = await connection.scalar(text("SELECT sum(amount) FROM entries"))
    return {"amount": amount, "cache": await cache.get("started")}
