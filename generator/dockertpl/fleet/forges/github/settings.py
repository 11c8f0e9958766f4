"""Read the GitHub server and account from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dockertpl.errors import ForgeError
from dockertpl.registry.reference import is_loopback

_PUBLIC_API = "https://api.github.com"

#: The permissions that a fleet needs, with GitHub's names.
PERMISSIONS = (
    "`contents: write`, `pull-requests: write`, `issues: write` and `workflows: write`\n"
    "(a classic token: the scopes `repo` and `workflow`)"
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A GitHub server and account.

    Attributes:
        api: The address of the REST API, without a trailing slash.
        token: The token. Empty for an App.
        app: The App's number or client ID. Empty for a token.
        key: The App's private key as PEM.
        certificates: A file with CA certificates. Empty for those of requests.
    """

    api: str = _PUBLIC_API
    token: str = field(default="", repr=False)
    app: str = ""
    key: str = field(default="", repr=False)
    certificates: str = ""

    @property
    def name(self) -> str:
        """The server's name in messages."""
        return "GitHub" if self.api == _PUBLIC_API else f"GitHub ({urlsplit(self.api).netloc})"

    @property
    def web(self) -> str:
        """The address of its web pages and of git, without a trailing slash."""
        parts = urlsplit(self.api)
        # github.com and ghe.com use api.HOST. GitHub Enterprise Server uses HOST/api/v3.
        return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"


def read(environ: Mapping[str, str]) -> Settings:
    """Return the settings from environment variables.

    An App wins over a token: a job that uses an App often has `GITHUB_TOKEN`, too.

    Raises:
        ForgeError: The token or App is missing, a key cannot be read, or the address does not use TLS.
    """
    api = (environ.get("GITHUB_API_URL") or _PUBLIC_API).rstrip("/")
    _check(api)
    # requests reads these two itself, but not SSL_CERT_FILE.
    own = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    certificates = "" if own else environ.get("SSL_CERT_FILE", "")
    if app := environ.get("GITHUB_APP_ID", "").strip():
        return Settings(api=api, app=app, key=_key(environ), certificates=certificates)
    token = (environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or "").strip()
    if not token:
        raise ForgeError(
            "No GitHub token is set.",
            f"Set GITHUB_TOKEN (or GH_TOKEN) to a token with {PERMISSIONS},\n"
            "or set GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY_FILE to use an App.",
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ForgeError(
            "The GitHub token has a space or another invalid character.",
            "Set GITHUB_TOKEN (or GH_TOKEN) to only the token, on one line.",
        )
    return Settings(api=api, token=token, certificates=certificates)


def _check(api: str) -> None:
    try:
        parts = urlsplit(api)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        usable = safe and bool(parts.hostname) and parts.username is None and not parts.query
    except ValueError:
        usable = False
    if not usable:
        raise ForgeError(
            "GITHUB_API_URL is not a safe address for a token.",
            "Use https://HOST/api/v3 for GitHub Enterprise Server. Leave it unset for github.com.",
        )


def _key(environ: Mapping[str, str]) -> str:
    if key := environ.get("GITHUB_APP_PRIVATE_KEY", "").strip():
        # Some settings pages only keep one line.
        return key.replace("\\n", "\n")
    if not (name := environ.get("GITHUB_APP_PRIVATE_KEY_FILE", "")):
        raise ForgeError(
            "GITHUB_APP_ID is set, but the App's private key is not.",
            "Set GITHUB_APP_PRIVATE_KEY to the text of its .pem file, or GITHUB_APP_PRIVATE_KEY_FILE to its path.",
        )
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ForgeError(
            f"The file {name} of GITHUB_APP_PRIVATE_KEY_FILE cannot be read: {reason}.",
            "Name the .pem file that you downloaded from GitHub when you generated the key.",
        ) from error
