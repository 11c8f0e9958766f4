"""Fill every region of a rendered file with lines that a user could write."""

from __future__ import annotations

from dockertpl.merge import regions

#: By region. Images without a shell leave out the lines that need it.
_CONTENTS = {
    "build": "RUN touch /for-the-build\n",
    "code": "RUN touch generated.txt\n",
    "stages": "FROM build AS extra\nRUN touch /extra\n",
    "runtime": "COPY start.sh /usr/local/bin/start\nRUN touch /etc/runtime\n",
    "environment": 'ARG TEAM=orders\nENV YOURS="$TEAM"\nLABEL com.example.team="$TEAM"\n',
    "image": 'COPY start.sh /usr/local/bin/start\nRUN touch /etc/image\nENTRYPOINT ["/usr/local/bin/start"]\n',
    "ignore": "data\n!data/kept\n",
    "steps": "      - name: Test it\n        run: make test\n",
    "pull-request-steps": "      - name: Test it\n        run: make test\n",
}


def filled(text: str) -> str:
    """Return a rendered file with every region of it filled.

    Args:
        text: The file.
    """
    contents = {name: _CONTENTS[name] for name in regions.find(text)}
    if "\nENTRYPOINT " in text and "image" in contents:
        # A sandbox already has one, and you edit it in place.
        contents["image"] = contents["image"].partition("ENTRYPOINT")[0]
    if "FROM scratch AS prod" in text:
        for name in contents.keys() & {"runtime", "image"}:
            contents[name] = "".join(
                line for line in contents[name].splitlines(keepends=True) if not line.startswith("RUN ")
            )
    return regions.fill(text, contents)
