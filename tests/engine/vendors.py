"""Stand-ins for the vendor downloads of a sandbox, signed with test keys and served on loopback.

A test changes only keys and checksums in a copy of the template. The lines that download and check are the template's.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import hashlib
import http.server
import io
import shutil
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pysequoia
import yaml

from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.render import render
from dockertpl.template.source import bundled, directory

DOWNLOADS = Path("templates", "kinds", "sandbox-multi-runtime", "downloads.yml")
AWS = """#!/bin/sh
[ "$1" = --version ] && echo "aws-cli/{version} stand-in"
"""
#: Mountpoint's command line in front of s3fs, so the mount is real.
MOUNT_S3 = """#!/bin/sh
set -eu
bucket=$1 folder=$2 url=
shift 2
while [ $# -gt 0 ]; do
  case $1 in --endpoint-url) url=$2 && shift ;; esac
  shift
done
exec s3fs "$bucket" "$folder" -o use_path_request_style -o "url=$url"
"""


@dataclass(frozen=True, kw_only=True)
class Vendors:
    """The served downloads.

    Attributes:
        files: The served folder.
        url: Its URL.
        template: A folder with the template that trusts these vendors.
        arguments: The build arguments that name the mirrors.
        keys: The signing key of each artifact, by name.
    """

    files: Path
    url: str
    template: Path
    arguments: list[str]
    keys: dict[str, pysequoia.Tsk]

    def path(self, name: str) -> Path:
        """Return the served archive of one artifact."""
        return self.files / name / _path(_catalog(self.template)[name])

    def certificate(self, name: str) -> str:
        """Return the public key of one artifact's vendor."""
        return str(self.keys[name].extract_certificate())

    def expired(self, name: str) -> str:
        """Return the expired public key of an artifact's vendor."""
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)
        key = self.keys[name]
        certificate = key.extract_certificate().set_expiration(end, key.certifier())
        time.sleep(1.1)
        return str(certificate)

    def revoked(self, name: str) -> str:
        """Return the revoked public key of an artifact's vendor."""
        key = self.keys[name]
        certificate = key.extract_certificate()
        revocation = certificate.revoke(key.certifier())
        return str(pysequoia.Cert.from_bytes(bytes(certificate) + bytes(revocation)))

    @contextlib.contextmanager
    def publishing(self, *certificates: str) -> Iterator[None]:
        """Serve these public keys beside Mountpoint, until the end of the block."""
        path = self.files / "mountpoint" / _catalog(self.template)["mountpoint"]["keys"]
        text = path.read_text()
        path.write_text("\n".join(certificates))
        try:
            yield
        finally:
            path.write_text(text)

    def sign(self, name: str, *keys: pysequoia.Tsk) -> None:
        """Sign the current artifact, once with each key."""
        data = self.path(name).read_bytes()
        signatures = [pysequoia.sign(key.signer(), data, mode=pysequoia.SignatureMode.DETACHED) for key in keys]
        self._signature(name).write_bytes(b"".join(signatures))

    @contextlib.contextmanager
    def tampered(self, name: str) -> Iterator[None]:
        """Serve an artifact with its last byte changed, until the end of the block."""
        path = self.path(name)
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        try:
            yield
        finally:
            path.write_bytes(data)

    @contextlib.contextmanager
    def signed_by_another(self, name: str, *besides: pysequoia.Tsk) -> Iterator[str]:
        """Serve the right artifact with a valid signature of another signer, until the end of the block.

        Args:
            name: The artifact.
            besides: More keys that sign it.

        Yields:
            The public key of the other signer.
        """
        signature = self._signature(name).read_bytes()
        another = pysequoia.Tsk.generate("Someone else <someone@example.com>")
        self.sign(name, *besides, another)
        try:
            yield str(another.extract_certificate())
        finally:
            self._signature(name).write_bytes(signature)

    def _signature(self, name: str) -> Path:
        path = self.path(name)
        return path.with_name(path.name + _catalog(self.template)[name]["signature"])

    def scaffold(self, folder: Path, **answers: Any) -> dict[str, Any]:
        """Render a sandbox into a folder and return the answers."""
        template = Template(directory(self.template))
        resolved = resolve(template, folder_name="sandbox", data={"kind": "sandbox-multi-runtime", **answers})
        for path, file in render(template, resolved).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(file.content)
            (folder / path).chmod(0o755 if file.executable else 0o644)
        return dict(resolved.values)


def _catalog(template: Path) -> dict[str, Any]:
    result: dict[str, Any] = yaml.safe_load((template / DOWNLOADS).read_text())
    return result


def _path(item: dict[str, Any]) -> str:
    result: str = item["path"].format(version=item["version"], arch=item["arch"]["amd64"])
    return result


def _zip(files: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, text)
    return data.getvalue()


def _tar(files: dict[str, str]) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text.encode()), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[Vendors]:
    """Make the stand-ins below a folder and serve them until the end of the block."""
    template, files = folder / "template", folder / "files"
    shutil.copytree(bundled().root / "templates", template / "templates")
    shutil.copy(bundled().root / "copier.yml", template)
    catalog = _catalog(template)
    aws, mountpoint = catalog["aws-cli"], catalog["mountpoint"]
    archives = {
        "aws-cli": _zip(
            {
                "aws/dist/aws": AWS.format(version=aws["version"]),
                "aws/dist/aws_completer": "",
                "aws/dist/awscli/data/ac.index": "",
                "aws/dist/awscli/examples/s3/ls.rst": "",
            }
        ),
        "mountpoint": _tar({"./bin/mount-s3": MOUNT_S3}),
    }
    keys = {name: pysequoia.Tsk.generate(f"Stand-in for {name} <maker@example.com>") for name in archives}
    for name, data in archives.items():
        catalog[name]["sha256"]["amd64"] = hashlib.sha256(data).hexdigest()
        catalog[name]["fingerprints"] = [keys[name].extract_certificate().fingerprint.upper()]
        path = files / name / _path(catalog[name])
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
    aws["key"] = str(keys["aws-cli"].extract_certificate())
    public = files / "mountpoint" / mountpoint["keys"]
    public.parent.mkdir(parents=True)
    public.write_text(str(keys["mountpoint"].extract_certificate()))
    (template / DOWNLOADS).write_text(yaml.safe_dump(catalog, sort_keys=False, width=1000))
    handler = functools.partial(_Handler, directory=str(files))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    arguments = [f"{catalog[name]['mirror']['argument']}={url}/{name}" for name in archives]
    try:
        made = Vendors(files=files, url=url, template=template, arguments=arguments, keys=keys)
        for name, key in keys.items():
            made.sign(name, key)
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base's name)
        pass
