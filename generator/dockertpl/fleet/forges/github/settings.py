"""What the environment says about GitHub: where it is, and who we are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dockertpl.errors import ForgeError
from dockertpl.registry.reference import is_loopback

_PUBLIC_API = "https://api.github.com"

#: What a fleet does with a token, as the settings of a fine-grained token and of an App name it.
PERMISSIONS = (
    "`contents: write`, `pull-requests: write`, `issues: write` and `workflows: write`\n"
    "(a classic token: the scopes `repo` and `workflow`)"
)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """GitHub as the environment names it.

    Attributes:
        api: The address of the REST API, without a slash at its end.
        token: A token; empty where an App is used.
        app: An App's number or client ID; empty where a token is used.
        key: The App's private key, as PEM.
        certificates: A file of certificates to trust; empty for those that requests brings.
    """

    api: str = _PUBLIC_API
    token: str = field(default="", repr=False)
    app: str = ""
    key: str = field(default="", repr=False)
    certificates: str = ""

    @property
    def name(self) -> str:
        """What errors call it."""
        return "GitHub" if self.api == _PUBLIC_API else f"GitHub ({urlsplit(self.api).netloc})"

    @property
    def web(self) -> str:
        """The address of its pages and of git, without a slash at its end."""
        parts = urlsplit(self.api)
        # github.com and ghe.com have api.HOST, a server of one's own has HOST/api/v3.
        return f"{parts.scheme}://{parts.netloc.removeprefix('api.')}"


def read(environ: Mapping[str, str]) -> Settings:
    """Return what the environment says.

    An App comes before a token: a job that runs as one often has `GITHUB_TOKEN` too.

    Args:
        environ: The environment.

    Raises:
        ForgeError: It names no account, a key that cannot be read, or an address without TLS.
    """
    api = (environ.get("GITHUB_API_URL") or _PUBLIC_API).rstrip("/")
    _check(api)
    # requests honours these two itself, and not the one that everything else here honours.
    own = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    certificates = "" if own else environ.get("SSL_CERT_FILE", "")
    if app := environ.get("GITHUB_APP_ID", "").strip():
        return Settings(api=api, app=app, key=_key(environ), certificates=certificates)
    token = (environ.get("GITHUB_TOKEN") or environ.get("GH_TOKEN") or "").strip()
    if not token:
        raise ForgeError(
            "There is no token for GitHub.",
            f"Set GITHUB_TOKEN (or GH_TOKEN) to one that may {PERMISSIONS},\n"
            "or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY_FILE for an App.",
        )
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ForgeError(
            "The token for GitHub holds a blank or something else that no token holds.",
            "Is GITHUB_TOKEN (or GH_TOKEN) the token alone, in one line?",
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
            "GITHUB_API_URL is no address that a token may be sent to.",
            "It is https://HOST/api/v3 for GitHub Enterprise Server; github.com needs none.",
        )


def _key(environ: Mapping[str, str]) -> str:
    if key := environ.get("GITHUB_APP_PRIVATE_KEY", "").strip():
        # Some settings pages keep one line only.
        return key.replace("\\n", "\n")
    if not (name := environ.get("GITHUB_APP_PRIVATE_KEY_FILE", "")):
        raise ForgeError(
            "GITHUB_APP_ID is set, and the App's private key is not.",
            "Set GITHUB_APP_PRIVATE_KEY to the text of its .pem file, or GITHUB_APP_PRIVATE_KEY_FILE to its path.",
        )
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ForgeError(
            f"GITHUB_APP_PRIVATE_KEY_FILE names {name}, which cannot be read: {reason}.",
            "It has to be the .pem file that GitHub made when the key was generated.",
        ) from error
