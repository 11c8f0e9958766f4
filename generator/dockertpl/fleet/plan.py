"""A plan: what an update of a fleet would change, in one file with a hash.

One JSON object a line: what the plan is for, then an item for each image, then the hash of all lines before. The same
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
_REMEDY = "Write it anew with: dockertpl fleet plan"
#: The states in which an update would change something and may be applied.
_TO_DO = frozenset({"outdated", "conflicted", "lost-edits", "answers-reset"})
Kind = TypeVar("Kind", Repository, Row)


@dataclass(frozen=True, kw_only=True)
class PlanItem:
    """One image of a plan, or a repository without any.

    Attributes:
        repository: The repository.
        row: What its state is and what would change.
        digest: The change's digest; empty where there is none.
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
        """What the item is known by within a plan."""
        return self.repository.key, self.row.answers_file


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan that was read.

    Attributes:
        target: What it is for.
        hash: The hash of all of it.
        items: Its items, in order.
    """

    target: Target
    hash: str
    items: tuple[PlanItem, ...]


def write(path: Path, target: Target, items: Iterable[PlanItem]) -> str:
    """Write a plan, all of it or nothing, and return its hash.

    Args:
        path: Where to.
        target: What it is for.
        items: Its items, in order; they are taken one after the other.

    Raises:
        BadInputError: The file cannot be written.
    """
    digest = hashlib.sha256()
    with _writing(path):
        descriptor, name = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            # What goes wrong while an item is looked for is not the file's fault.
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

    Args:
        path: The file.

    Raises:
        BadInputError: It cannot be read, is no plan, or was changed since it was written.
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
            raise BadInputError(f"{path} is a plan of another version of dockertpl.", _REMEDY)
        plan = Plan(
            target=Target(template=header["template"], to=header["to"]),
            hash=found,
            items=tuple(_item(item) for item in items),
        )
    except OSError as error:
        raise BadInputError(f"{path} cannot be read: {error.strerror}.", _REMEDY) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(f"{path} is no plan, or not a whole one.", _REMEDY) from error
    if found != digest.hexdigest():
        raise BadInputError(f"{path} was changed since it was written: its hash does not fit.", _REMEDY)
    return plan


def _lines(target: Target, items: Iterable[PlanItem]) -> Iterator[bytes]:
    yield _line({"schema": _SCHEMA, "template": target.template, "to": target.to})
    for item in items:
        yield _line({"repository": _short(item.repository), "row": _short(item.row), "digest": item.digest})


def _line(value: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(value, sort_keys=True, ensure_ascii=True)}\n".encode()


def _short(value: Repository | Row) -> dict[str, Any]:
    """Return what is not as it is by default."""
    defaults = {each.name: each.default for each in fields(value) if each.default is not MISSING}
    return {key: thing for key, thing in asdict(value).items() if key not in defaults or thing != defaults[key]}


def _item(content: Mapping[str, Any]) -> PlanItem:
    row: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in content["row"].items()
    }
    return PlanItem(repository=Repository(**content["repository"]), row=Row(**row), digest=content["digest"])
