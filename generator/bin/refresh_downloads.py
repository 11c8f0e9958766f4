"""Write the newest versions and the checksums of what a sandbox fetches from its makers.

    python generator/bin/refresh_downloads.py [--set aws-cli=2.36.11] [--set mountpoint=1.24.0]

Each archive of each processor is fetched, its signature is checked by gpg against the fingerprints in the data file (a
new key is a decision of a person), and only then its SHA-256 is written. Needs the network and gpg. Without --set the
versions stay, and missing checksums are filled in.
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
    """Return what is at an address."""
    sys.stderr.write(f"fetching {url}\n")
    with urllib.request.urlopen(url, timeout=120) as answer:  # noqa: S310  (what the data file says)
        data: bytes = answer.read()
    return data


def proven(archive: bytes, signature: bytes, keys: bytes, fingerprints: list[str]) -> bool:
    """Tell whether one of the fingerprints' keys made a signature of the archive."""
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
    """Return the SHA-256 of one archive, once its signature was seen to be good.

    Raises:
        SystemExit: The signature is none of the maker's.
    """
    mirror = item["mirror"]["url"]
    url = f"{mirror}/{item['path'].format(version=version, arch=item['arch'][architecture])}"
    archive = fetch(url)
    if item["signature"]:
        keys = item["key"].encode() if "key" in item else fetch(f"{mirror}/{item['keys']}")
        if not proven(archive, fetch(url + item["signature"]), keys, item["fingerprints"]):
            raise SystemExit(f"{name} {version} for {architecture}: the signature is none of the keys' that are known.")
    return hashlib.sha256(archive).hexdigest()


def rewritten(text: str, name: str, version: str, checksums: dict[str, str]) -> str:
    """Return the data file with one artefact's version and checksums changed, and its comments as they were."""
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
