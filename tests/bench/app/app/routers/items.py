import boto3
import httpx
import numpy
import psycopg
import redis.asyncio
from alembic.config import Config
from fastapi import APIRouter, UploadFile
from jinja2 import Template

from app.database import Item, Session
from app.settings import settings

router = APIRouter(prefix="/items")
cache = redis.asyncio.from_url(settings.redis_url)
page = Template("<p>{{ mean }}</p>")


@router.get("/{item_id}")
async def read(item_id: int) -> dict[str, str]:
    async with Session() as session:
        item = await session.get(Item, item_id)
    return {"name": item.name if item else ""}


@router.post("/upload")
async def upload(file: UploadFile) -> dict[str, str]:
    boto3.client("s3").upload_fileobj(file.file, settings.bucket, file.filename)
    return {"page": page.render(mean=numpy.mean([1, 2, 3])), "driver": psycopg.__version__}


@router.get("/mirror/{path}")
async def mirror(path: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://localhost/{path}")).text


def migrations() -> Config:
    return Config("alembic.ini")
