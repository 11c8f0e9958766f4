"""Resolve an image's tag: the digest of its index, and the platforms in the index.

It follows the OCI distribution specification (https://github.com/opencontainers/distribution-spec). First comes a HEAD
request, which rate limits do not count. Then comes the manifest itself, by that digest, which is checked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dockertpl.errors import DockertplError, NoImageError, RegistryError
from dockertpl.registry import auth, credentials, transport
from dockertpl.registry.reference import Place, Reference, is_digest, locate

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_ACCEPT = {"Accept": ", ".join(_INDEXES + _MANIFESTS)}
_DIGEST = "Docker-Content-Digest"
# The platform of a build's attestations in an index.
_NO_PLATFORM = "unknown"
# The specification requires HEAD, but some registries answer like this.
_NO_HEAD = (405, 501)


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What a tag refers to now.

    Attributes:
        digest: The digest of the index, or of the manifest if the tag has no index.
        is_index: Whether it is an index.
        platforms: Its platforms, such as `linux/amd64` or `linux/arm/v7`. Empty if they are unknown.
    """

    digest: str
    is_index: bool
    platforms: tuple[str, ...]

    @property
    def is_multi_platform(self) -> bool:
        """Whether it has images for more than one platform."""
        return self.is_index and len(self.platforms) > 1


def resolve(reference: Reference, mirrored: Mapping[str, str] | None = None) -> Resolved:
    """Ask a registry for the current digest of an image's tag.

    Args:
        reference: The image.
        mirrored: Mirrors by the host that they replace.

    Raises:
        NoImageError: The registry has no such image.
        RegistryError: The registry cannot be reached, refuses, or sends something invalid.
    """
    repository = _Repository(locate(reference, mirrored or {}), reference)
    digest = repository.head(reference.tag)
    answer = repository.get(f"manifests/{digest or reference.tag}", _ACCEPT)
    stated = digest or answer.headers.get(_DIGEST)
    actual = f"sha256:{hashlib.sha256(answer.body).hexdigest()}"
    if stated is not None and stated != actual:
        raise RegistryError(
            f"{repository.place.host} has {reference} as {stated[:80]}, but sends something else ({actual}).",
            "A proxy or the mirror changes the content. Do not pin to it.",
        )
    content = repository.json(answer)
    kind = content.get("mediaType") or answer.headers.get_content_type()
    if kind in _INDEXES:
        return Resolved(digest=actual, is_index=True, platforms=_platforms(content))
    if kind not in _MANIFESTS:
        raise RegistryError(
            f"{repository.place.host} has {reference} as {str(kind)[:80]}, which is not an index or an image.",
            "Is it an image? A registry that only knows the first manifest schema cannot be pinned.",
        )
    return Resolved(digest=actual, is_index=False, platforms=repository.platform(content))


class _Repository:
    """A repository of a registry, with its authorization."""

    def __init__(self, place: Place, reference: Reference) -> None:
        self.place = place
        self.reference = reference
        self.authorization: str | None = None
        self.problem = ""

    def head(self, tag: str) -> str | None:
        """Return a tag's digest, or None if the registry does not answer HEAD with it."""
        answer = self._send("HEAD", f"manifests/{tag}", _ACCEPT)
        if answer.status in _NO_HEAD:
            return None
        self._check(answer)
        digest = answer.headers.get(_DIGEST)
        if digest is not None and not is_digest(digest):
            raise RegistryError(
                f"{self.place.host} has {self.reference} as {digest[:80]!r}, which is not a sha256 digest.",
                "Is that host a registry?",
            )
        return digest

    def get(self, path: str, headers: Mapping[str, str]) -> transport.Answer:
        """Return a manifest or a blob."""
        answer = self._send("GET", path, headers)
        self._check(answer)
        return answer

    def json(self, answer: transport.Answer) -> dict[str, Any]:
        """Return the JSON object of an answer."""
        content = _object(answer.body)
        if content is None:
            raise RegistryError(
                f"{self.place.host} answers for {self.reference} with something that is not a manifest.",
                "Is that host a registry, and not a login page or a proxy?",
            )
        return content

    def platform(self, manifest: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the platform that a manifest's configuration names, or nothing if it cannot be read."""
        config = manifest.get("config")
        digest = config.get("digest") if isinstance(config, dict) else None
        if not isinstance(digest, str) or not is_digest(digest):
            return ()
        try:
            body = self.get(f"blobs/{digest}", {}).body
        except DockertplError:
            # The digest is known. The platform is only a word in a warning.
            return ()
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != digest:
            return ()
        return _named([_object(body)])

    def _send(self, method: str, path: str, headers: Mapping[str, str]) -> transport.Answer:
        url = f"{self.place.url}/v2/{self.place.repository}/{path}"
        answer = transport.send(method, url, headers=headers, authorization=self.authorization)
        if answer.status == 401:
            found = credentials.find(self.place.host)
            self.problem = found.problem
            self.authorization = auth.authorize(
                auth.challenges(answer.headers.get_all("WWW-Authenticate") or []),
                host=self.place.host,
                url=self.place.url,
                repository=self.place.repository,
                credentials=found.credentials,
            )
            if self.authorization:
                answer = transport.send(method, url, headers=headers, authorization=self.authorization)
        return answer

    def _check(self, answer: transport.Answer) -> None:
        if answer.status == 200:
            return
        host, what = self.place.host, f"{self.place.repository}:{self.reference.tag}"
        said = _said(answer)
        if answer.status == 404:
            raise NoImageError(
                f"{host} has no image {what}{said}.",
                "Is the name right? The answers decide it, for example the version of the language."
                if host == self.reference.host
                else f"Does the mirror need a folder? --registry-mirror {self.reference.host}=HOST/FOLDER",
            )
        if answer.status in (401, 403):
            problem = f" ({self.problem})" if self.problem else ""
            raise RegistryError(
                f"{host} refuses access to {what}: status {answer.status}{said}{problem}.",
                f"Log in with: docker login {host}\nSome registries also answer this for a name that does not exist.",
                status=answer.status,
            )
        if answer.status == 429:
            wait = answer.headers.get("Retry-After", "")
            later = f"in {wait} seconds" if wait.isdigit() and len(wait) < 7 else "later"
            raise RegistryError(
                f"{host} got too many requests from here (status 429){said}.",
                f"Try again {later}. After a login, the limit is often higher: docker login {host}",
                status=429,
            )
        if answer.status >= 500:
            raise RegistryError(
                f"{host} has a problem: status {answer.status}{said}.",
                f"Try again later, or use a mirror: --registry-mirror {self.reference.host}=MIRROR",
                status=answer.status,
            )
        raise RegistryError(
            f"{host} answers for {what} with status {answer.status}{said}.",
            "Is that host a registry?",
            status=answer.status,
        )


def _platforms(index: Mapping[str, Any]) -> tuple[str, ...]:
    manifests = index.get("manifests")
    entries = manifests if isinstance(manifests, list) else []
    return _named([entry.get("platform") for entry in entries if isinstance(entry, dict)])


def _named(platforms: list[Any]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for platform in platforms:
        if not isinstance(platform, dict):
            continue
        parts = [platform.get(key) for key in ("os", "architecture", "variant")]
        words = [part for part in parts if isinstance(part, str) and part]
        if len(words) >= 2 and _NO_PLATFORM not in words:
            names["/".join(words)[:80]] = None
    return tuple(names)


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _said(answer: transport.Answer) -> str:
    """Return the registry's own message, from its list of errors."""
    errors = (_object(answer.body) or {}).get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    words = " ".join(str(first.get("message") or first.get("code") or "").split())[:200].rstrip(".")
    return f", {words}" if words else ""
