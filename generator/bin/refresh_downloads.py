"""Write the newest versions and checksums of what a sandbox downloads from vendors.

    python generator/bin/refresh_downloads.py [--set aws-cli=2.36.11] [--set mountpoint=1.24.0]

Downloads each archive for each architecture and checks its signature with gpg against the fingerprints in the data
file. Only then it writes the SHA-256. Review a new key before you add it. Needs the network and gpg. Without --set,
the versions stay, and missing checksums are filled in.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

import yaml

DATA = Path(__file__).parents[2] / "templates" / "kinds" / "sandbox-multi-runtime" / "downloads.yml"


def fetch(url: str) -> bytes:
    """Return the content of a URL."""
    sys.stderr.write(f"fetching {url}\n")
    with urllib.request.urlopen(url, timeout=120) as answer:  # noqa: S310  (what the data file says)
        data: bytes = answer.read()
    return data


def proven(archive: bytes, signature: bytes, keys: bytes, fingerprints: list[str]) -> bool:
    """Return whether a key with one of the fingerprints signed the archive."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        for name, data in (("archive", archive), ("signature", signature), ("keys", keys)):
            (folder / name).write_bytes(data)
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet"]
        subprocess.run([*gpg, "--import", "keys"], cwd=home, check=False, capture_output=True)
        done = subprocess.run(
            [*gpg, "--status-fd", "1", "--verify", "signature", "archive"],
            cwd=home, check=False, capture_output=True, encoding="utf-8", errors="replace",
        )  # fmt: skip
    signed = re.search(r"GOODSIG|EXPKEYSIG", done.stdout)
    return bool(signed) and any(re.search(rf"VALIDSIG .*{one}", done.stdout) for one in fingerprints)


def checksum(name: str, item: dict[str, Any], version: str, architecture: str) -> str:
    """Return the SHA-256 of an archive after checking its signature.

    Raises:
        SystemExit: The signature is not valid.
    """
    mirror = item["mirror"]["url"]
    url = f"{mirror}/{item['path'].format(version=version, arch=item['arch'][architecture])}"
    archive = fetch(url)
    if item["signature"]:
        keys = item["key"].encode() if "key" in item else fetch(f"{mirror}/{item['keys']}")
        if not proven(archive, fetch(url + item["signature"]), keys, item["fingerprints"]):
            raise SystemExit(f"{name} {version} for {architecture}: no known key made the signature.")
    return hashlib.sha256(archive).hexdigest()


def rewritten(text: str, name: str, version: str, checksums: dict[str, str]) -> str:
    """Return the data file with a new version and checksums for one download. Its comments stay."""
    start = re.search(rf"^{name}:\n", text, re.MULTILINE)
    if not start:
        raise SystemExit(f"{name} is not in {DATA.name}.")
    end = re.search(r"^\S", text[start.end() :], re.MULTILINE)
    stop = start.end() + end.start() if end else len(text)
    block = re.sub(r"(?m)^(  version: ).*$", rf"\g<1>{version}", text[start.end() : stop])
    for architecture, sha256 in checksums.items():
        block = re.sub(rf"(?m)^(    {architecture}: )(?:\"\"|[0-9a-f]{{64}})$", rf"\g<1>{sha256}", block)
    return text[: start.end()] + block + text[stop:]


def main() -> None:
    """Fetch, check and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VERSION", help="take this version")
    wanted = dict(word.split("=", 1) for word in parser.parse_args().set)
    text = DATA.read_text()
    for name, item in yaml.safe_load(text).items():
        version = wanted.get(name, item["version"])
        known = item["sha256"] if version == item["version"] else {}
        sums = {one: known.get(one) or checksum(name, item, version, one) for one in item["arch"]}
        text = rewritten(text, name, version, sums)
    DATA.write_text(text)


if __name__ == "__main__":
    main()
