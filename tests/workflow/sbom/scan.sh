#!/bin/sh
# Write an SPDX document with the name and the version of each Debian package.
set -eu
status="$BUILDKIT_SCAN_SOURCE/var/lib/dpkg/status"
packages=""
if [ -f "$status" ]; then
    packages="$(awk '
        $1 == "Package:" { name = $2 }
        $1 == "Version:" {
            printf "%s{\"SPDXID\":\"SPDXRef-%s\",\"name\":\"%s\",\"versionInfo\":\"%s\",\"downloadLocation\":\"NOASSERTION\"}",
                comma, name, name, $2
            comma = ","
        }' "$status")"
fi
cat > "$BUILDKIT_SCAN_DESTINATION/standin.spdx.json" <<END
{
  "_type": "https://in-toto.io/Statement/v0.1",
  "predicateType": "https://spdx.dev/Document",
  "predicate": {
    "spdxVersion": "SPDX-2.3",
    "dataLicense": "CC0-1.0",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": "stand-in",
    "documentNamespace": "https://example.invalid/standin",
    "creationInfo": {"created": "2000-01-01T00:00:00Z", "creators": ["Tool: dockertpl-standin-scanner"]},
    "packages": [$packages]
  }
}
END
