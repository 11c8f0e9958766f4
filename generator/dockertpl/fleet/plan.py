"""A plan: the changes that an update of a fleet would make, in one file with a hash.

Each line is a JSON object: first the target, then an item for each image, then the hash of the lines before. The same
repositories, versions and template give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from tempfile import mkstemp
from typing import Any, TypeVar

from dockertpl.errors import BadInputError
from dockertpl.fleet.assess import Target
from dockertpl.fleet.model import Repository, Row

_SCHEMA = 1
_REMEDY = "Create a new plan with: dockertpl fleet plan"
#: The states in which an update would change something and may be applied.
_TO_DO = frozenset({"outdated", "conflicted", "lost-edits", "answers-reset"})
Kind = TypeVar("Kind", Repository, Row)


@dataclass(frozen=True, kw_only=True)
class PlanItem:
    """One image of a plan, or a repository without any.

    Attributes:
        repository: The repository.
        row: The image's state, and the changes.
        digest: The digest of the changes. Empty without changes.
    """

    repository: Repository
    row: Row
    digest: str = ""

    @property
    def to_do(self) -> bool:
        """Whether there is something to apply."""
        return self.row.state in _TO_DO

    @property
    def key(self) -> tuple[str, str]:
        """The item's key within a plan."""
        return self.repository.key, self.row.answers_file


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan that was read.

    Attributes:
        target: The template and version to update to.
        hash: The plan's hash.
        items: Its items, in order.
    """

    target: Target
    hash: str
    items: tuple[PlanItem, ...]


def write(path: Path, target: Target, items: Iterable[PlanItem]) -> str:
    """Write a plan and return its hash. On an error, no file is left.

    Args:
        path: The plan's file.
        target: The template and version to update to.
        items: The plan's items, in order. They are read one at a time.

    Raises:
        BadInputError: The file cannot be written.
    """
    digest = hashlib.sha256()
    with _writing(path):
        descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            # An error while the next item is made is not an error of the file.
            for line in _lines(target, items):
                digest.update(line)
                with _writing(path):
                    stream.write(line)
            with _writing(path):
                stream.write(_line({"hash": digest.hexdigest()}))
                stream.flush()
                os.fsync(stream.fileno())
        with _writing(path):
            partial.chmod(0o644)
            partial.replace(path)
    except BaseException:
        partial.unlink()
        raise
    return digest.hexdigest()


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInputError(
            f"{path} cannot be written: {error.strerror}.", "Name another file with --output."
        ) from error


def read(path: Path) -> Plan:
    """Read a plan.

    Raises:
        BadInputError: The file cannot be read, is not a valid plan, or was changed after it was written.
    """
    digest = hashlib.sha256()
    try:
        lines = path.read_bytes().splitlines(keepends=True)
        *body, last = lines or [b""]
        for line in body:
            digest.update(line)
        header, *items = (json.loads(line) for line in body)
        found = json.loads(last)["hash"]
        if header["schema"] != _SCHEMA:
            raise BadInputError(f"{path} was made by another version of dockertpl.", _REMEDY)
        plan = Plan(
            target=Target(template=header["template"], to=header["to"]),
            hash=found,
            items=tuple(_item(item) for item in items),
        )
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.", _REMEDY) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(f"{path} is not a valid plan, or is incomplete.", _REMEDY) from error
    if found != digest.hexdigest():
        raise BadInputError(f"{path} was changed after it was written: its hash does not match.", _REMEDY)
    return plan


def _lines(target: Target, items: Iterable[PlanItem]) -> Iterator[bytes]:
    yield _line({"schema": _SCHEMA, "template": target.template, "to": target.to})
    for item in items:
        yield _line({"repository": _short(item.repository), "row": _short(item.row), "digest": item.digest})


def _line(value: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(value, sort_keys=True, ensure_ascii=True)}\n".encode()


def _short(value: Repository | Row) -> dict[str, Any]:
    """Return the fields that differ from their defaults."""
    defaults = {each.name: each.default for each in fields(value) if each.default is not MISSING}
    return {key: thing for key, thing in asdict(value).items() if key not in defaults or thing != defaults[key]}


def _item(content: Mapping[str, Any]) -> PlanItem:
    row: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in content["row"].items()
    }
    return PlanItem(repository=Repository(**content["repository"]), row=Row(**row), digest=content["digest"])
