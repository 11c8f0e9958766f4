"""Values with which an application starts, though it has none of its own settings yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

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
NO_SCHEMES: Mapping[str, str] = MappingProxyType({})
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


def placeholder(name: str, type_name: str, example: Mapping[str, str], schemes: Mapping[str, str] = NO_SCHEMES) -> str:
    """Return a value for a variable: the one of the example file, or one that its type or its name asks for.

    Args:
        name: The variable.
        type_name: Its type as the code calls it, empty if there is none.
        example: The variables of the example file.
        schemes: By kind of database, the scheme that its addresses have in the application.
    """
    value = example.get(name, "")
    if not _EMPTY.search(value) and re.fullmatch(r"[ -~]*", value) and "${{" not in value and len(value) < 200:
        return value
    if type_name.startswith("="):
        return type_name[1:]
    if known := _BY_TYPE.get(type_name) or address(name):
        return _with_scheme(known, schemes)
    return next((value for pattern, value in _BY_NAME if re.search(pattern, name, re.IGNORECASE)), _TEXT)


def address(name: str, provider: str = "") -> str:
    """Return an address that connects to nothing, or empty if the variable's name does not name a database.

    Args:
        name: The variable.
        provider: The kind of database where the name leaves it open, such as `mysql`; PostgreSQL without one.
    """
    kind = database(name)
    return "" if kind is None else _ADDRESSES[kind or provider or "postgresql"]


def database(name: str) -> str | None:
    """Return the kind of database whose address a variable holds by its name, empty if any; None if it holds none.

    Args:
        name: The variable.
    """
    return next((kind for pattern, kind in _BY_DATABASE if re.search(pattern, name, re.IGNORECASE)), None)


def address_of(kind: str, scheme: str) -> str:
    """Return an address that connects to nothing, of a kind of database and with a scheme of its own.

    Args:
        kind: The kind of database.
        scheme: The scheme.
    """
    return scheme + _ADDRESSES[kind].removeprefix(kind)


def is_placeholder(value: str) -> bool:
    """Tell whether an address was made up here, so that its form says nothing of the application.

    Args:
        value: The address.
    """
    return value in _ADDRESSES.values()


def _with_scheme(value: str, schemes: Mapping[str, str]) -> str:
    kind = next((kind for kind, known in _ADDRESSES.items() if known == value and kind in schemes), None)
    return value if kind is None else address_of(kind, schemes[kind])


def answer(
    found: Detection,
    needed: Mapping[str, tuple[str, str, int]],
    example_file: str,
    example: Mapping[str, str],
    schemes: Mapping[str, str] = NO_SCHEMES,
) -> None:
    """Answer `smoke_test_env` with what the application needs to start.

    Args:
        found: Where the answer goes.
        needed: By variable: its type (or `=` and a value that it takes), and where it is read.
        example_file: The example file; empty if there is none.
        example: Its variables.
        schemes: By kind of database, the scheme that its addresses have in the application.
    """
    if not needed:
        return
    _, path, line = next(iter(needed.values()))
    source = f"values of {example_file}, or placeholders" if example_file else "placeholders"
    values = {
        name: placeholder(name, type_name, example, schemes) for name, (type_name, _, _) in sorted(needed.items())
    }
    found.answer("smoke_test_env", values, path, line, f"read without a default; {source}, never real secrets")
