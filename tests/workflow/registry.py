"""The content of a registry, read over its HTTP API: layers and other blobs."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

# The kind of a blob. A blob that an image and its cache share is a layer of the image.
Kind: TypeAlias = Literal["layer", "cache layer", "config", "cache config", "attestation"]

INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0"
ATTESTATION = "attestation-manifest"
#: The predicate type of a statement, without its version.
PROVENANCE = "https://slsa.dev/provenance"
SBOM = "https://spdx.dev/Document"
PAGE = 100


@dataclass(frozen=True, kw_only=True)
class Blob:
    """One blob: its kind, its size in the registry, its media type."""

    kind: Kind
    size: int
    media_type: str


@dataclass(frozen=True, kw_only=True)
class Contents:
    """The objects that the tags of one repository reference.

    Attributes:
        tags: The digest of the manifest or index of each tag.
        blobs: By digest.
    """

    tags: Mapping[str, str] = field(default_factory=dict)
    blobs: Mapping[str, Blob] = field(default_factory=dict)

    def since(self, before: Contents) -> Contents:
        """Return the new and moved tags and the new blobs."""
        return Contents(
            tags={tag: digest for tag, digest in self.tags.items() if before.tags.get(tag) != digest},
            blobs={digest: blob for digest, blob in self.blobs.items() if digest not in before.blobs},
        )

    def sizes(self, *kinds: Kind) -> list[int]:
        """Return the size of each blob of these kinds."""
        return [blob.size for blob in self.blobs.values() if blob.kind in kinds]

    @property
    def layer_bytes(self) -> int:
        """Return the size of all layers, those of images and those of only a cache."""
        return sum(self.sizes("layer", "cache layer"))


@dataclass(frozen=True, kw_only=True)
class Registry:
    """A registry without TLS and without a login."""

    address: str

    def repositories(self) -> list[str]:
        """Return the names of all repositories."""
        found: list[str] = []
        last = ""
        while page := json.loads(self._get(f"/v2/_catalog?n={PAGE}&last={last}")[0])["repositories"]:
            found += page
            last = page[-1]
        return found

    def tags(self, repository: str) -> dict[str, str]:
        """Return the digest of each tag, or nothing if the repository does not exist."""
        try:
            names = json.loads(self._get(f"/v2/{repository}/tags/list")[0])["tags"] or []
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return {}
            raise
        return {name: self._get(f"/v2/{repository}/manifests/{name}")[1] for name in names}

    def manifest(self, repository: str, reference: str) -> dict[str, Any]:
        """Return the manifest or index of a tag or a digest."""
        found: dict[str, Any] = json.loads(self._get(f"/v2/{repository}/manifests/{reference}")[0])
        return found

    def blob(self, repository: str, digest: str) -> Any:
        """Return the value of a JSON blob."""
        return json.loads(self._get(f"/v2/{repository}/blobs/{digest}")[0])

    def platforms(self, repository: str, tag: str) -> dict[str, str]:
        """Return the digest of each platform's manifest in an index."""
        return {
            f"{entry['platform']['os']}/{entry['platform']['architecture']}": entry["digest"]
            for entry in self.manifest(repository, tag)["manifests"]
            if "vnd.docker.reference.type" not in entry.get("annotations", {})
        }

    def predicates(self, repository: str, tag: str) -> dict[str, set[str]]:
        """Return the predicate types on each platform of an index, without their versions.

        Raises:
            AssertionError: A statement names a manifest other than the one that it is attached to.
        """
        platforms = {digest: platform for platform, digest in self.platforms(repository, tag).items()}
        found: dict[str, set[str]] = {platform: set() for platform in platforms.values()}
        for entry in self.manifest(repository, tag)["manifests"]:
            about = entry.get("annotations", {}).get("vnd.docker.reference.digest")
            for layer in self.manifest(repository, entry["digest"])["layers"] if about else ():
                subjects = self.blob(repository, layer["digest"])["subject"]
                assert {f"sha256:{subject['digest']['sha256']}" for subject in subjects} == {about}
                kind = layer["annotations"]["in-toto.io/predicate-type"]
                found[platforms[about]].add(re.sub(r"/v[\d.]+$", "", kind))
        return found

    def contents(self, repository: str) -> Contents:
        """Return the content of a repository."""
        tags = self.tags(repository)
        blobs: dict[str, Blob] = {}
        for digest in dict.fromkeys(tags.values()):
            for name, blob in self._blobs(repository, digest, attestation=False):
                if name not in blobs or blob.kind == "layer":
                    blobs[name] = blob
        return Contents(tags=tags, blobs=blobs)

    def _blobs(self, repository: str, digest: str, *, attestation: bool) -> Iterator[tuple[str, Blob]]:
        manifest = self.manifest(repository, digest)
        if manifest["mediaType"] in INDEXES:
            for child in manifest["manifests"]:
                is_attestation = (child.get("annotations") or {}).get("vnd.docker.reference.type") == ATTESTATION
                yield from self._blobs(repository, child["digest"], attestation=is_attestation)
            return
        config = manifest["config"]
        cache = config["mediaType"] == CACHE_CONFIG
        config_kind: Kind = "attestation" if attestation else "cache config" if cache else "config"
        layer_kind: Kind = "attestation" if attestation else "cache layer" if cache else "layer"
        yield config["digest"], _blob(config_kind, config)
        for layer in manifest["layers"]:
            yield layer["digest"], _blob(layer_kind, layer)

    def _get(self, path: str) -> tuple[bytes, str]:
        request = urllib.request.Request(
            f"http://{self.address}{path}", headers={"Accept": ", ".join((*INDEXES, *MANIFESTS))}
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return answer.read(), answer.headers.get("Docker-Content-Digest", "")


def _blob(kind: Kind, descriptor: Mapping[str, Any]) -> Blob:
    return Blob(kind=kind, size=int(descriptor["size"]), media_type=str(descriptor["mediaType"]))
