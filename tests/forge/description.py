"""GitHub's official API description, from npm. Prism checks requests and answers against it."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import Any

from tests.samples import next_sample

_PACKAGE = "@octokit/openapi@23.0.2"
_REPO = "/repos/{owner}/{repo}"
#: The paths that a fleet uses. With the full description, Prism would take ten times as long to start.
_PATHS = (
    "/user",
    "/rate_limit",
    "/app",
    "/app/installations",
    "/app/installations/{installation_id}/access_tokens",
    "/orgs/{org}/installation",
    "/users/{username}/installation",
    _REPO,
    f"{_REPO}/installation",
    f"{_REPO}/pulls",
    f"{_REPO}/pulls/{{pull_number}}",
    f"{_REPO}/issues",
    f"{_REPO}/issues/{{issue_number}}",
    f"{_REPO}/issues/{{issue_number}}/comments",
)


@functools.cache
def official() -> dict[str, Any]:
    """Return the description."""
    _, command = next_sample.node_package(_PACKAGE, "none")
    package = Path(command).parents[1] / "@octokit" / "openapi"
    content: dict[str, Any] = json.loads((package / "generated" / "api.github.com.json").read_bytes())
    return content


def write(path: Path) -> None:
    """Write the used part of the description.

    Args:
        path: The file.
    """
    whole = official()
    paths = {name: whole["paths"][name] for name in _PATHS}
    path.write_text(json.dumps({**whole, "paths": paths}))


def example(path: str, method: str, status: int) -> Any:
    """Return GitHub's own example of an answer about a repository.

    Args:
        path: The path in the description, below that of a repository.
        method: The method in lowercase.
        status: The status.
    """
    return answer(f"{_REPO}{path}", method, status)


def answer(path: str, method: str, status: int) -> Any:
    """Return GitHub's own example of an answer.

    Args:
        path: The path, as the description has it.
        method: The method in lowercase.
        status: The status.
    """
    whole = official()
    content = whole["paths"][path][method]["responses"][str(status)]["content"]["application/json"]
    found = next(iter(content["examples"].values()))
    if "$ref" in found:
        found = whole["components"]["examples"][found["$ref"].rsplit("/", 1)[-1]]
    return copy.deepcopy(found["value"])
