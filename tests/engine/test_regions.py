"""The image has the lines of user regions, and stays healthy, strict and quick to rebuild."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from tests.samples import next_sample, sample

from dockertpl.merge import regions

from . import host, service
from .bases import BaseImage

pytestmark = pytest.mark.engine

START = '#!/bin/sh\nset -e\necho "$YOURS" > /tmp/prepared\nexec "$@"\n'
OF_BOTH = {
    "build": "RUN mkdir /yours \\\n    && id -u > /yours/build\n",
    "environment": 'ARG TEAM=orders\nENV YOURS=before\nLABEL com.example.team="$TEAM"\n',
}
IMAGE = """\
# It prepares, and then runs what it is given.
COPY --chmod=755 start.sh /usr/local/bin/start
RUN {run}
ENTRYPOINT ["/usr/local/bin/start"]
"""
PYTHON = {
    **OF_BOTH,
    "runtime": "COPY --from=build /yours /yours\nRUN id -u > /yours/runtime\n",
    "image": IMAGE.format(run="cp /app/README.md /yours/image"),
}
NEXT = {
    **OF_BOTH,
    "code": "RUN cp /yours/build public/generated.txt\n",
    "runtime": "COPY --from=build /yours /yours\nRUN id -u > /yours/runtime\n",
    "image": IMAGE.format(run="cp public/generated.txt /yours/image"),
}


def _fill(folder: Path, contents: Mapping[str, str]) -> None:
    (folder / "start.sh").write_text(START)
    for name, filling in (("Dockerfile", contents), (".dockerignore", {"ignore": "!README.md\n"})):
        file = folder / name
        file.write_text(regions.fill(file.read_text(), filling))


def _holds(docker: host.Engine, tag: str, running: service.Service, command: str) -> None:
    """Check that an image has the effect of the lines in its regions."""
    config = json.loads(docker.output("image", "inspect", tag))[0]["Config"]
    assert config["Labels"]["com.example.team"] == "orders"
    assert config["Entrypoint"] == ["/usr/local/bin/start"]
    assert config["User"] == "10001:10001"
    # The preparation has ended: the first process is the server, and gets signals.
    first = docker.output("exec", running.name, "cat", "/proc/1/cmdline").split("\0")[0]
    assert Path(first).name.startswith(command)
    inside = docker.output("exec", running.name, "cat", "/tmp/prepared", "/yours/build", "/yours/runtime")
    assert inside.split() == ["before", "0", "0"]


def _changed(docker: host.Engine, folder: Path, file: Path, line: str) -> list[str]:
    """Return the steps that run again after a file gains a line, without their numbers."""
    file.write_text(f"{file.read_text()}\n{line}{uuid.uuid4()}\n")
    done = service.build(docker, folder)
    assert done.code == 0, done.log
    return sorted(re.sub(r"\s+\d+/\d+\]", "]", step) for step in done.ran)


@pytest.fixture
def base(docker: host.Engine, base_images: Callable[..., dict[str, BaseImage]]) -> Iterator[str]:
    """An organization's own base image with a user other than root."""
    base_images(*service.BASES)
    tag = "dockertpl-test/regions-base:1"
    user = "RUN useradd --no-log-init --uid 10001 --user-group --home-dir /tmp app\nUSER 10001:10001\n"
    docker.run("buildx", "build", "--load", f"--tag={tag}", "-", input=f"FROM {service.BASES[0]}\n{user}")
    yield tag
    docker.run("image", "rm", tag)


@pytest.mark.parametrize("stands_on", ["python", "a base"])
def test_a_python_image_has_the_lines_of_its_regions(
    stands_on: str, docker: host.Engine, base: str, tmp_path: Path
) -> None:
    folder = sample.write_sample(tmp_path / "orders", manager="uv", layout="flat", server="uvicorn")
    on_base = [] if stands_on == "python" else ["-d", f"base_image={base}"]
    answers = service.new(folder, "-d", "more_regions=true", *on_base)
    # The user of a shared base image is not root.
    _fill(folder, {**PYTHON, "runtime": f"USER 0\n{PYTHON['runtime']}"} if on_base else PYTHON)
    tag = service.verify(folder, answers)
    with service.running(tag) as running:
        assert running.json("/menu")
        _holds(docker, tag, running, "python")
        readme = docker.output("exec", running.name, "cat", "/yours/image")
        assert readme.strip() == (folder / "README.md").read_text().strip()
    ran = _changed(docker, folder, folder / "orders" / "main.py", "# ")
    copies = ["[code] COPY --chmod=u=rwX,go=rX . .", "[prod] COPY --link --from=code /app /app"]
    assert sorted(ran) == sorted(
        [
            *(copies if on_base else ["[prod] COPY --chmod=u=rwX,go=rX . ."]),
            "[prod] COPY --chmod=755 start.sh /usr/local/bin/start",
            "[prod] RUN cp /app/README.md /yours/image",
        ]
    )
    docker.run("image", "rm", tag)


def test_a_next_js_image_has_the_lines_of_its_regions(
    docker: host.Engine, base_images: Callable[..., dict[str, BaseImage]], tmp_path: Path
) -> None:
    base_images(*service.NEXT_BASES)
    folder = next_sample.write_next_sample(tmp_path / "shop", manager="npm", router="app", layout="single")
    answers = service.new(folder, "-d", "more_regions=true")
    _fill(folder, NEXT)
    tag = service.verify(folder, answers)
    with service.running(tag) as running:
        assert running.get("/generated.txt") == b"0\n"
        _holds(docker, tag, running, "next-server")
        assert docker.output("exec", running.name, "cat", "/yours/image").strip() == "0"
    ran = _changed(docker, folder, folder / "lib" / "menu.ts", "// ")
    assert [step for step in ran if not step.startswith(("[build]", "[prod]"))] == []
    assert "[build] RUN cp /yours/build public/generated.txt" in ran
    docker.run("image", "rm", tag)
