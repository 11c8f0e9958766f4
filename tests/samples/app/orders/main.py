"""The application. What it serves is in routers/."""

from fastapi import FastAPI

from .routers import about, health, menu

app = FastAPI(title="Orders")
app.include_router(health.router)
app.include_router(menu.router)
app.include_router(about.router, prefix="/about")
