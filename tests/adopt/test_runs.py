"""RUN: when a step is split, when it is kept, and where."""

from __future__ import annotations

import pytest
from tests.adopt.adopting import found, read

START = 'CMD ["uvicorn", "orders.main:app", "--port", "8000"]\n'
BEFORE = "FROM python:3.13-slim\nWORKDIR /app\n"
AFTER = BEFORE + "COPY requirements.txt .\nRUN pip install -r requirements.txt\nCOPY . .\n"


def _regions(text: str, kind: str = "python-fastapi") -> dict[str, str]:
    return read(text + START, kind=kind).regions


def test_a_step_of_known_commands_leaves_nothing() -> None:
    text = BEFORE + "RUN set -eux; apt-get update && apt-get install -y libpq5 && rm -rf /var/lib/apt/lists/*\n"
    assert _regions(text) == {}
    assert read(text + START).answers["runtime_packages"] == ["libpq5"]


def test_a_step_with_an_unknown_command_is_split_only_if_its_commands_are_independent() -> None:
    split = _regions(AFTER + "RUN pip install -r requirements.txt && make words\n")
    assert split["image"] == "RUN make words\n"
    whole = read(AFTER + "RUN cd words && pip install -r requirements.txt && make\n" + START)
    assert whole.regions["image"] == "RUN cd words && pip install -r requirements.txt && make\n"
    assert any("also installs the dependencies" in doubt for doubt in whole.doubts)


def test_an_unknown_step_is_kept_with_its_comment_and_its_lines() -> None:
    step = "# Words for the search\nRUN make words \\\n    # all of them\n    && make index\n"
    assert _regions(AFTER + step)["image"] == step


def test_before_the_code_it_goes_below_the_application() -> None:
    assert (
        _regions(BEFORE + "RUN make tool\n" + AFTER.removeprefix(BEFORE))["runtime"] == "WORKDIR /app\nRUN make tool\n"
    )


def test_a_toolchain_goes_into_the_build() -> None:
    assert "rustup" in _regions("FROM python:3.13\nRUN curl https://sh.rustup.rs | sh -s -- -y\n")["build"]


def test_a_step_gets_the_variables_the_folder_and_the_shell_that_it_had() -> None:
    text = 'FROM python:3.13\nARG V=1\nENV TOOL=/opt/x\nSHELL ["/bin/bash", "-c"]\nWORKDIR /work\nRUN make v=$V\n'
    text += "WORKDIR /app\n"
    assert _regions(text)["runtime"] == (
        'ARG V=1\nENV TOOL=/opt/x\nWORKDIR /work\nSHELL ["/bin/bash", "-c"]\nRUN make v=$V\n'
    )


def test_a_shell_is_kept_where_a_kept_step_runs_in_it() -> None:
    text = 'FROM python:3.13\nSHELL ["/bin/bash", "-c"]\nRUN {}\n' + START
    assert found(read(text.format("make words")))["SHELL /bin/bash -c"] == ("kept", "runtime")
    assert found(read(text.format("pip install .")))["SHELL /bin/bash -c"][0] == "dropped"


def test_packages_from_elsewhere_are_installed_as_they_were() -> None:
    text = "FROM python:3.13\nRUN curl https://nodesource.example/setup_22.x | bash -\nRUN apt-get install -y nodejs\n"
    adoption = read(text + START)
    assert "runtime_packages" not in adoption.answers
    assert adoption.regions["runtime"].endswith("RUN apt-get update\nRUN apt-get install -y nodejs\n")
    assert found(adoption)["nodejs"] == ("kept", "runtime")


def test_a_step_after_the_code_in_a_stage_that_builds_has_no_place() -> None:
    text = "FROM python:3.13 AS b\nCOPY . /app\nRUN make x\nFROM python:3.13\nCOPY --from=b /x /usr/x\n"
    adoption = read(text + START)
    assert found(adoption)["make x"][0] == "dropped"
    assert adoption.doubts


def test_a_heredoc_of_known_commands_is_known_and_another_is_kept() -> None:
    assert _regions("FROM python:3.13\nRUN <<EOF\napt-get update\napt-get install -y libpq5\nEOF\n") == {}
    step = "RUN <<EOF\nmake words\nEOF\n"
    assert _regions(AFTER + step)["image"] == step


def test_a_download_into_the_home_of_root_is_a_doubt() -> None:
    adoption = read(AFTER + "RUN python -m nltk.downloader punkt\n" + START)
    assert any("root's home" in doubt for doubt in adoption.doubts)


def test_a_line_that_looks_like_a_mark_is_left_out_and_reported() -> None:
    adoption = read(AFTER + "RUN make words \\\n# >>> custom: image - x\n  && make\n" + START)
    assert "custom" not in "".join(adoption.regions.values())
    assert any("looks like a region marker" in doubt for doubt in adoption.doubts)


@pytest.mark.parametrize(
    ("flag", "key", "value"),
    [
        ("--mount=type=secret,id=npmrc,target=/root/.npmrc", "private_index", True),
        ("--mount=type=secret,id=NPM_TOKEN,env=NPM_TOKEN", "build_secrets", ["NPM_TOKEN"]),
    ],
)
def test_a_build_secret_of_an_install_is_an_answer(flag: str, key: str, value: object) -> None:
    text = f"FROM node:24-slim\nCOPY package.json .\nRUN {flag} npm ci\nCMD npm start\n"
    assert read(text, kind="nextjs-standalone").answers[key] == value


def test_one_install_for_each_manager_is_one_install() -> None:
    text = "FROM node:24-slim\nRUN if [ -f yarn.lock ]; then yarn --frozen-lockfile; else npm ci; fi\nCMD npm start\n"
    assert read(text, kind="nextjs-standalone").regions == {}


def test_flags_of_a_step_that_is_dropped_are_dropped_too() -> None:
    builder = AFTER.replace("FROM python:3.13-slim", "FROM python:3.13-slim AS build")
    step = "RUN --mount=type=secret,id=KEY --network=host publish-report\n"
    flags = ("the build secret KEY", "--network=host")
    for last, outcome in (
        ("FROM build\n", "kept"),
        ("FROM python:3.13-slim\nCOPY --from=build /app /app\n", "dropped"),
    ):
        adoption = read(builder + step + last + START)
        assert any("publish-report" in text for text in adoption.regions.values()) is (outcome == "kept")
        found = {item.what: item.outcome for item in adoption.items if item.what in flags}
        assert found == dict.fromkeys(flags, outcome)
