"""Read the GitLab server and account from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from dockertpl.errors import ForgeError
from dockertpl.registry.reference import is_loopback

_PUBLIC = "https://gitlab.com"

#: The token that a fleet needs.
WANTED = "a personal, group or project token with the scope `api` and the role Developer or higher"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A GitLab server and account.

    Attributes:
        url: Its address, without a trailing slash.
        token: The token.
        is_job: Whether it is a CI job's token.
        certificates: A file with CA certificates. Empty for those of requests.
    """

    url: str = _PUBLIC
    token: str = field(default="", repr=False)
    is_job: bool = False
    certificates: str = ""

    @property
    def name(self) -> str:
        """The server's name in messages."""
        return "GitLab" if self.url == _PUBLIC else f"GitLab ({self.host})"

    @property
    def host(self) -> str:
        """Its host, with the path if GitLab is not at the host's root."""
        return self.url.partition("://")[2]


def read(environ: Mapping[str, str]) -> Settings:
    """Return the settings from environment variables.

    Raises:
        ForgeError: The token is missing, or the address does not use TLS.
    """
    own = environ.get("CI_SERVER_URL", "").rstrip("/")
    url = environ.get("GITLAB_URL", "").rstrip("/") or own or _PUBLIC
    _check(url)
    # requests reads these two itself, but not SSL_CERT_FILE.
    bundle = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    certificates = "" if bundle else environ.get("SSL_CERT_FILE", "")
    if token := environ.get("GITLAB_TOKEN", "").strip():
        return Settings(url=url, token=_checked(token), certificates=certificates)
    job = environ.get("CI_JOB_TOKEN", "").strip()
    # A job's token is only for the GitLab server that runs the job.
    if job and url == own:
        return Settings(url=url, token=_checked(job), is_job=True, certificates=certificates)
    raise ForgeError("No GitLab token is set.", f"Set GITLAB_TOKEN to {WANTED}.")


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        usable = safe and bool(parts.hostname) and parts.username is None and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    if not usable:
        raise ForgeError(
            "GITLAB_URL (or CI_SERVER_URL) is not a safe address for a token.", "Use an address such as https://HOST."
        )


def _checked(token: str) -> str:
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ForgeError(
            "The GitLab token has a space or another invalid character.",
            "Set GITLAB_TOKEN to only the token, on one line.",
        )
    return token
