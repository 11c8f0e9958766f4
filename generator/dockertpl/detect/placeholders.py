"""Values with which an application starts, though it has none of its own settings yet."""

from __future__ import annotations

import re
from collections.abc import Mapping

from dockertpl.detect.facts import Detection

# Addresses of databases, by their kind: each has the right form and leads nowhere.
_ADDRESSES = {
    "postgresql": "postgresql://app:placeholder@localhost:5432/app",
    "mysql": "mysql://app:placeholder@localhost:3306/app",
    "mongodb": "mongodb://localhost:27017/app",
    "redis": "redis://localhost:6379/0",
    "sqlite": "file:./app.db",
    "sqlserver": "sqlserver://localhost;database=app",
}
_URL = r"\w*(?:URL|URI|DSN)(?:_\w+)?$"
_BY_DATABASE = (
    (rf"(?:^|_)MONGO{_URL}", "mongodb"),
    (rf"(?:^|_)(?:REDIS|VALKEY|KV){_URL}", "redis"),
    (rf"(?:^|_)(?:MYSQL|MARIADB|PLANETSCALE){_URL}", "mysql"),
    (rf"(?:^|_)(?:DATABASE|POSTGRES|PG|DB|DIRECT|NEON){_URL}", ""),
)
# What a validator has to take; by the name of a type.
_BY_TYPE = {
    "int": "1",
    "float": "1",
    "bool": "false",
    "PositiveInt": "1",
    "AnyUrl": "http://localhost",
    "AnyHttpUrl": "http://localhost",
    "HttpUrl": "http://localhost",
    "PostgresDsn": _ADDRESSES["postgresql"],
    "RedisDsn": _ADDRESSES["redis"],
    "MongoDsn": _ADDRESSES["mongodb"],
    "MySQLDsn": _ADDRESSES["mysql"],
    "AmqpDsn": "amqp://app:placeholder@localhost:5672/",
    "EmailStr": "user@example.com",
    "UUID": "00000000-0000-0000-0000-000000000000",
    "timedelta": "60",
    "list": "[]",
    "set": "[]",
    "tuple": "[]",
    "dict": "{}",
    "List": "[]",
    "Set": "[]",
    "Dict": "{}",
}
# And by the end of a name, where its type is a text.
_BY_NAME = (
    (r"(?:URL|URI|ENDPOINT|ORIGIN)$", "http://localhost"),
    (r"HOST$", "localhost"),
    (r"PORT$", "8080"),
    (r"EMAIL$", "user@example.com"),
)
#: Long enough for what wants 32 characters, and it says what it is.
_TEXT = "placeholder-placeholder-placeholder"
# A value in an example file that has to be filled in.
_EMPTY = re.compile(r"^$|<.+>|\.\.\.|\*{3}|^x{3,}$|\$\{", re.IGNORECASE)


def placeholder(name: str, type_name: str, example: Mapping[str, str]) -> str:
    """Return a value for a variable: the one of the example file, or one that its type or its name asks for.

    Args:
        name: The variable.
        type_name: Its type as the code calls it, empty if there is none.
        example: The variables of the example file.
    """
    value = example.get(name, "")
    if not _EMPTY.search(value) and re.fullmatch(r"[ -~]*", value) and "${{" not in value and len(value) < 200:
        return value
    if type_name.startswith("="):
        return type_name[1:]
    if type_name in _BY_TYPE:
        return _BY_TYPE[type_name]
    if database := address(name):
        return database
    return next((value for pattern, value in _BY_NAME if re.search(pattern, name, re.IGNORECASE)), _TEXT)


def address(name: str, provider: str = "") -> str:
    """Return an address that connects to nothing, or empty if the variable's name does not name a database.

    Args:
        name: The variable.
        provider: The kind of database where the name leaves it open, such as `mysql`; PostgreSQL without one.
    """
    kinds = (kind for pattern, kind in _BY_DATABASE if re.search(pattern, name, re.IGNORECASE))
    kind = next(kinds, None)
    return "" if kind is None else _ADDRESSES[kind or provider or "postgresql"]


def answer(
    found: Detection, needed: Mapping[str, tuple[str, str, int]], example_file: str, example: Mapping[str, str]
) -> None:
    """Answer `smoke_test_env` with what the application needs to start.

    Args:
        found: Where the answer goes.
        needed: By variable: its type (or `=` and a value that it takes), and where it is read.
        example_file: The example file; empty if there is none.
        example: Its variables.
    """
    if not needed:
        return
    _, path, line = next(iter(needed.values()))
    source = f"values of {example_file}, or placeholders" if example_file else "placeholders"
    values = {name: placeholder(name, type_name, example) for name, (type_name, _, _) in sorted(needed.items())}
    found.answer("smoke_test_env", values, path, line, f"read without a default; {source}, never real secrets")
