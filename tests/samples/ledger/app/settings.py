"""Where the servers are."""

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Each field is a variable."""

    database_url: str
    cache_url: str = "redis://localhost:6379/3"


settings = Settings()
