"""Placeholder values, to start an application without its settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from dockertpl.detect.facts import Detection

# Addresses of databases by kind. They have the right form and connect to nothing.
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
# Values that pass a validator, by type name.
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
# Values by suffix of the variable, if its type is text.
_BY_NAME = (
    (r"(?:URL|URI|ENDPOINT|ORIGIN)$", "http://localhost"),
    (r"HOST$", "localhost"),
    (r"PORT$", "8080"),
    (r"EMAIL$", "user@example.com"),
)
#: Long enough for validators that need 32 characters.
_TEXT = "placeholder-placeholder-placeholder"
# A value in an example file that must be filled in.
_EMPTY = re.compile(r"^$|<.+>|\.\.\.|\*{3}|^x{3,}$|\$\{", re.IGNORECASE)


def placeholder(name: str, type_name: str, example: Mapping[str, str], schemes: Mapping[str, str] = NO_SCHEMES) -> str:
    """Return a value for a variable: from the example file, or by its type or name.

    Args:
        name: The variable.
        type_name: Its type in the code, or an empty string.
        example: The variables of the example file.
        schemes: The application's address schemes by kind of database.
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
    """Return an address that connects to nothing, or an empty string if the variable is not for a database.

    Args:
        name: The variable.
        provider: The kind of database if the name does not show it. Default: PostgreSQL.
    """
    kind = database(name)
    return "" if kind is None else _ADDRESSES[kind or provider or "postgresql"]


def database(name: str) -> str | None:
    """Return the kind of database for a variable by its name: empty for any kind, None for other variables."""
    return next((kind for pattern, kind in _BY_DATABASE if re.search(pattern, name, re.IGNORECASE)), None)


def address_of(kind: str, scheme: str) -> str:
    """Return an address that connects to nothing, for a kind of database and a scheme."""
    return scheme + _ADDRESSES[kind].removeprefix(kind)


def is_placeholder(value: str) -> bool:
    """Return whether an address is a placeholder from here."""
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
        found: Collects the answer.
        needed: For each variable its type (or `=` and a valid value), and its place.
        example_file: The example file, or an empty string.
        example: Its variables.
        schemes: The application's address schemes by kind of database.
    """
    if not needed:
        return
    _, path, line = next(iter(needed.values()))
    source = f"values of {example_file}, or placeholders" if example_file else "placeholders"
    values = {
        name: placeholder(name, type_name, example, schemes) for name, (type_name, _, _) in sorted(needed.items())
    }
    found.answer("smoke_test_env", values, path, line, f"read without a default; {source}, never real secrets")
