"""SQLAlchemy's dialects: which scheme an address has, by the driver that is installed."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple


class Dialect(NamedTuple):
    """One dialect.

    Attributes:
        kind: The database, as detect/placeholders.py calls it.
        driver: The distribution.
        scheme: The scheme of its addresses.
        asynchronous: Whether it is for `create_async_engine`, or for both (None).
    """

    kind: str
    driver: str
    scheme: str
    asynchronous: bool | None


#: Distributions that make SQLAlchemy's engines.
ORM = ("sqlalchemy", "sqlmodel", "advanced-alchemy", "fastapi-users-db-sqlalchemy")
#: In code that makes asynchronous ones.
ASYNCHRONOUS = re.compile(r"\b(?:create_async_engine|async_engine_from_config)\b")
# The likeliest first.
_DIALECTS = (
    Dialect("postgresql", "asyncpg", "postgresql+asyncpg", True),
    Dialect("postgresql", "psycopg2", "postgresql+psycopg2", False),
    Dialect("postgresql", "psycopg2-binary", "postgresql+psycopg2", False),
    Dialect("postgresql", "psycopg", "postgresql+psycopg", None),
    Dialect("postgresql", "pg8000", "postgresql+pg8000", False),
    Dialect("mysql", "aiomysql", "mysql+aiomysql", True),
    Dialect("mysql", "asyncmy", "mysql+asyncmy", True),
    Dialect("mysql", "pymysql", "mysql+pymysql", False),
    Dialect("mysql", "mysqlclient", "mysql", False),
    Dialect("mysql", "mysql-connector-python", "mysql+mysqlconnector", False),
)


def dialect(is_installed: Callable[[str], bool], *, asynchronous: bool, kind: str = "") -> Dialect | None:
    """Return the dialect that an engine of SQLAlchemy's can use, or None.

    Args:
        is_installed: Tells whether a distribution is.
        asynchronous: Whether the engine is for `await`.
        kind: The kind of database, or an empty string for any.
    """
    fits = (one for one in _DIALECTS if one.asynchronous in (None, asynchronous) and kind in ("", one.kind))
    return next((one for one in fits if is_installed(one.driver)), None)


def schemes(is_installed: Callable[[str], bool], *, asynchronous: bool) -> dict[str, str]:
    """Return by kind of database the scheme of the addresses that an application uses, where it is not the plain one.

    A driver without SQLAlchemy uses the plain scheme. For SQLAlchemy, the plain scheme means a driver that may be
    missing: psycopg2 before version 2.1, and psycopg since then.

    Args:
        is_installed: Tells whether a distribution is.
        asynchronous: Whether it makes asynchronous engines; without a driver for those the others count.
    """
    if not any(map(is_installed, ORM)):
        # It has no other name for PostgreSQL.
        return {"postgresql": "postgres"} if is_installed("tortoise-orm") else {}
    found = {}
    for kind in ("postgresql", "mysql"):
        both = (dialect(is_installed, asynchronous=one, kind=kind) for one in (asynchronous, not asynchronous))
        if one := next(filter(None, both), None):
            found[kind] = one.scheme
    return found
