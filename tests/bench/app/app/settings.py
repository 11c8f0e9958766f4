from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    title: str = "bench"
    database_url: str = "postgresql+asyncpg://nobody@localhost/none"
    redis_url: str = "redis://localhost"
    bucket: str = "none"


settings = Settings()
