"""What the environment says about GitLab: where it is, and who we are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from dockertpl.errors import ForgeError
from dockertpl.registry.reference import is_loopback

_PUBLIC = "https://gitlab.com"

#: What a fleet does with a token.
WANTED = "a personal, group or project token with the scope `api` and at least the role Developer"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """GitLab as the environment names it.

    Attributes:
        url: Its address, without a slash at its end.
        token: A token.
        is_job: Whether it is the token of a CI job.
        certificates: A file of certificates to trust; empty for those that requests brings.
    """

    url: str = _PUBLIC
    token: str = field(default="", repr=False)
    is_job: bool = False
    certificates: str = ""

    @property
    def name(self) -> str:
        """What errors call it."""
        return "GitLab" if self.url == _PUBLIC else f"GitLab ({self.host})"

    @property
    def host(self) -> str:
        """Its host, with what follows it where GitLab is not at the host's root."""
        return self.url.partition("://")[2]


def read(environ: Mapping[str, str]) -> Settings:
    """Return what the environment says.

    Args:
        environ: The environment.

    Raises:
        ForgeError: It names no account, or an address without TLS.
    """
    own = environ.get("CI_SERVER_URL", "").rstrip("/")
    url = environ.get("GITLAB_URL", "").rstrip("/") or own or _PUBLIC
    _check(url)
    # requests honours these two itself, and not the one that everything else here honours.
    bundle = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    certificates = "" if bundle else environ.get("SSL_CERT_FILE", "")
    if token := environ.get("GITLAB_TOKEN", "").strip():
        return Settings(url=url, token=_checked(token), certificates=certificates)
    job = environ.get("CI_JOB_TOKEN", "").strip()
    # A job's token is for the GitLab that runs the job, and for no other.
    if job and url == own:
        return Settings(url=url, token=_checked(job), is_job=True, certificates=certificates)
    raise ForgeError("There is no token for GitLab.", f"Set GITLAB_TOKEN to {WANTED}.")


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        usable = safe and bool(parts.hostname) and parts.username is None and not parts.query and not parts.fragment
    except ValueError:
        usable = False
    if not usable:
        raise ForgeError(
            "GITLAB_URL (or CI_SERVER_URL) is no address that a token may be sent to.", "It is https://HOST."
        )


def _checked(token: str) -> str:
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise ForgeError(
            "The token for GitLab holds a blank or something else that no token holds.",
            "Is GITLAB_TOKEN the token alone, in one line?",
        )
    return token
