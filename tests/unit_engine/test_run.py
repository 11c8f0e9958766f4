"""The strict options, without an engine."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dockertpl.engine.image import ImageFacts
from dockertpl.engine.strict import RunOptions, memory, strict_options
from dockertpl.errors import BadInputError


def image(**labels: str) -> ImageFacts:
    known = {f"org.dockertpl.run.{key}": value for key, value in labels.items()}
    return ImageFacts(image="sha256:1", user="10001", port=8000, probe=("probe",), labels=known)


def options(**given: Any) -> RunOptions:
    return RunOptions(**given)


def test_nothing_is_looser_than_production() -> None:
    words = strict_options(image(), options())
    assert words == [
        "--read-only",
        "--cap-drop=ALL",
        "--security-opt=no-new-privileges",
        "--pids-limit=512",
        "--memory=1g",
        "--publish=127.0.0.1::8000",
        "--tmpfs=/tmp:mode=1777",
    ]
    assert not any(word.startswith(("--user", "--privileged", "--cap-add")) for word in words)


def test_labels_and_options_add_paths_to_write_to() -> None:
    words = strict_options(image(tmpfs="/app/cache, /run /var/x"), options(tmpfs=["/data:size=1m", "/run"]))
    assert [word for word in words if word.startswith("--tmpfs=")] == [
        "--tmpfs=/app/cache:mode=1777,uid=10001",
        "--tmpfs=/run:mode=1777,uid=10001",
        "--tmpfs=/var/x:mode=1777,uid=10001",
        "--tmpfs=/tmp:mode=1777",
        "--tmpfs=/data:size=1m",
    ]


@pytest.mark.parametrize(
    ("user", "owner"), [("10001:20002", ",uid=10001,gid=20002"), ("app", ""), ("app:20002", ""), ("", "")]
)
def test_a_path_to_write_to_belongs_to_the_images_user(user: str, owner: str) -> None:
    words = strict_options(replace(image(), user=user), options(tmpfs=["/data"]))
    assert words[-1] == f"--tmpfs=/data:mode=1777{owner}"


def test_environment_files_and_network_are_passed_on(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("A=b\n")
    words = strict_options(image(), options(environment={"X": "1 2"}, env_files=[tmp_path / "env"], network="n"))
    assert words[-3:] == ["--env=X=1 2", f"--env-file={tmp_path}/env", "--network=n"]


@pytest.mark.parametrize(
    "given", [{"tmpfs": ["cache"]}, {"tmpfs": ["/"]}, {"tmpfs": [""]}, {"env_files": [Path("/no/such/file")]}]
)
def test_options_that_cannot_be_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(BadInputError):
        strict_options(image(), options(**given))


@pytest.mark.parametrize("paths", ["cache", "/a/../b", "/a:exec", "/", "/a,size=1g,b"])
def test_a_label_cannot_smuggle_in_an_option(paths: str) -> None:
    with pytest.raises(BadInputError, match=r"org\.dockertpl\.run\.tmpfs"):
        strict_options(image(tmpfs=paths), options())


def test_the_memory_limit_is_1g_or_the_labels() -> None:
    assert memory(image()) == "1g"
    assert memory(image(memory="2G")) == "2g"
    for wrong in ("", "much", "-1", "1g --privileged"):
        with pytest.raises(BadInputError, match=r"org\.dockertpl\.run\.memory"):
            memory(image(memory=wrong))
