"""GitHub's answers about repositories, Apps and limits. This module has no state."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any

import jwt
from tests.forge import description

if TYPE_CHECKING:
    from tests.forge.server import GitHub

Json = dict[str, Any]
NOT_FOUND = {"message": "Not Found", "documentation_url": "https://docs.github.com", "status": "404"}
_INSTALLATION = re.compile(r"/(?:orgs|users)/([^/]+)/installation|/repos/([^/]+)/[^/]+/installation")
_TOKENS = re.compile(r"/app/installations/(\d+)/access_tokens")


def is_app(path: str) -> bool:
    """Return whether an App asks about itself.

    Args:
        path: The path of the request.
    """
    return path == "/app" or path.startswith("/app/") or _INSTALLATION.fullmatch(path) is not None


def is_signed(github: GitHub, authorization: str) -> bool:
    """Return whether a request has a valid signature of the App.

    Args:
        github: The forge.
        authorization: The header of the request.
    """
    try:
        jwt.decode(authorization.partition(" ")[2], github.app_key, algorithms=["RS256"], options={"require": ["exp"]})
    except (jwt.PyJWTError, ValueError):
        return False
    return True


def answer(github: GitHub, method: str, path: str) -> tuple[int, Any] | None:
    """Return the status and the content of an answer, or None for another path.

    Args:
        github: The forge.
        method: The request's method.
        path: Its path.
    """
    if path == "/rate_limit":
        return 200, description.answer("/rate_limit", "get", 200)
    if path == "/app":
        return 200, description.answer("/app", "get", 200)
    owners = sorted({folder.parent.name for folder in github.root.glob("*/*.git")})
    installed = [_installation(github, number, owner) for number, owner in enumerate(owners, 1)]
    if path == "/app/installations":
        return 200, installed
    if found := _INSTALLATION.fullmatch(path):
        owner = found[1] or found[2]
        # The path depends on the kind of owner.
        wrong = path.startswith("/orgs/" if owner in github.people else "/users/")
        mine = [one for one in installed if one["account"]["login"] == owner and not wrong]
        return (200, mine[0]) if mine else (404, NOT_FOUND)
    if (found := _TOKENS.fullmatch(path)) and method == "POST":
        if int(found[1]) > len(owners):
            return 404, NOT_FOUND
        token = f"ghs_{secrets.token_hex(8)}"
        github.tokens.add(token)
        made = description.answer("/app/installations/{installation_id}/access_tokens", "post", 201)
        return 201, {"token": token, "expires_at": "2099-01-01T00:00:00Z", "permissions": made["permissions"]}
    found = re.fullmatch(r"/repos/([^/]+/[^/]+)", path)
    if found and (github.root / f"{found[1]}.git").is_dir():
        return 200, _repository(github, found[1])
    return None


def _installation(github: GitHub, number: int, owner: str) -> Json:
    made: Json = description.answer("/orgs/{org}/installation", "get", 200)
    kind = "User" if owner in github.people else "Organization"
    # In the description of the list, an account must be a user and an enterprise at the same time.
    both = {"name": owner, "slug": owner, "created_at": made["created_at"], "updated_at": made["updated_at"]}
    return made | {"id": number, "account": {**made["account"], **both, "login": owner}, "target_type": kind}


def _repository(github: GitHub, slug: str) -> Json:
    owner, name = slug.split("/")
    made: Json = description.answer("/repos/{owner}/{repo}", "get", 200)
    about = github.about.get(slug)
    # Leave out the parent of a fork and the template repository.
    for key in ("parent", "source", "template_repository", "organization"):
        made.pop(key, None)
    made |= {"name": name, "full_name": slug, "owner": {**made["owner"], "login": owner}, "language": None}
    made |= {"html_url": f"{github.url}/{slug}", "clone_url": f"{github.url}/{slug}.git"}
    head = (github.root / f"{slug}.git" / "HEAD").read_text().strip()
    made |= {"default_branch": head.removeprefix("ref: refs/heads/")}
    if about:
        made |= {"topics": list(about.topics), "archived": about.archived, "fork": about.fork}
    return made
