"""Nothing is lost: the list has all that moby finds in an old Dockerfile, and the new one has all that is kept.

These tests read packages, ports, variables and words from moby's parse. They never ask the code under test what an
instruction means.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.adopt.adopting import Adopted, adopt_sample_at, render_adopted
from tests.samples import adopt_sample

from dockertpl import adopt

_parse: Any = import_module("dockerfile").parse_string
# Without shrinking: a composition is small as it is drawn.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
NAMES = list(adopt_sample.catalog())


def _things(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield (line, kind, thing) for every package, port, variable, label, argument and word of a command."""
    for command in _parse(text):
        line, name, value = command.start_line, command.cmd.upper(), list(command.value)
        if name in ("ENV", "LABEL"):
            yield from ((line, name, key.strip("\"'")) for key in value[::2])
        elif name == "ARG":
            yield from ((line, name, word.partition("=")[0]) for word in value)
        elif name == "EXPOSE":
            yield from ((line, name, word) for word in value if "$" not in word)
        elif name in ("USER", "WORKDIR", "VOLUME", "STOPSIGNAL"):
            yield from ((line, name, word) for word in value)
        elif name in ("COPY", "ADD") and not command.heredocs:
            yield from ((line, name, word) for word in value[:-1])
        elif name == "FROM":
            yield line, name, value[0]
        elif name == "HEALTHCHECK":
            yield from ((line, name, flag) for flag in command.flags)
        elif name in ("CMD", "ENTRYPOINT"):
            words = value if command.json else [word for word in re.split(r"[\s\"']+", value[0]) if word]
            words = [word for one in words for word in re.split(r"[\s\"';=]+", one) if word not in ("&&", "")]
            yield from ((line, name, word) for word in words)
        elif name == "RUN":
            yield from ((line, "package", word) for word in _packages(" ".join(value)))


def _packages(text: str) -> Iterator[str]:
    for part in re.split(r"&&|;|\|\|?|\n", text):
        try:
            words = shlex.split(part)
        except ValueError:
            words = part.split()
        for program, verb in (("apt-get", "install"), ("apt", "install"), ("apk", "add")):
            if program in words and verb in words[words.index(program) :]:
                rest = words[words.index(verb) + 1 :]
                skip = {rest[i + 1] for i in range(len(rest) - 1) if rest[i] in ("--virtual", "-t")}
                yield from (word for word in rest if not word.startswith("-") and word not in skip)


def _lost(text: str, adoption: adopt.Adoption) -> list[tuple[int, str, str]]:
    by_line: dict[int, str] = {}
    for item in adoption.items:
        by_line[item.line] = by_line.get(item.line, "") + "\n" + item.what
    # A report shortens long texts.
    return [
        thing
        for thing in _things(text)
        if thing[2][:60] not in by_line.get(thing[0], "") and "…" not in by_line.get(thing[0], "")
    ]


def _not_there(adopted: Adopted) -> list[adopt.AdoptedItem]:
    """Return what the report lists as kept but the new files lack."""
    file = re.sub(r"\\\n\s*(?:#.*\n\s*)*", "", adopted.dockerfile)
    missing = []
    for item in adopted.adoption.items:
        if item.outcome != "kept" or "…" in item.what:
            continue
        if item.where == "ignore":
            if item.what.removeprefix("ignore ") not in adopted.ignore_file.splitlines():
                missing.append(item)
            continue
        variable = re.search(r", as ([A-Z_]+)$", item.where)
        thing = variable[1] if variable else item.what.split(" (")[0].split()[-1]
        thing = thing.rpartition("/")[2] if "/" in thing and not thing.startswith("$") else thing
        if thing.strip("\"'") not in file.replace('\\"', '"'):
            missing.append(item)
    return missing


def _answered(adopted: Adopted) -> list[adopt.AdoptedItem]:
    """Return what the report lists as an answer but the rendered answers lack."""
    keys = adopted.adoption.answers
    return [
        item for item in adopted.adoption.items if item.outcome == "answer" and item.where.split(" ")[0] not in keys
    ]


@pytest.fixture(scope="module", params=NAMES)
def sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Adopted]:
    folder = tmp_path_factory.mktemp(request.param) / "repository"
    adopt_sample.write_adopt_sample(folder, request.param, lock=False)
    return request.param, adopt_sample_at(folder, request.param)


def test_everything_of_a_sample_is_in_the_list(sample: tuple[str, Adopted]) -> None:
    name, adopted = sample
    assert len(list(_things(adopt_sample.old_dockerfile(name)))) > 5
    assert _lost(adopt_sample.old_dockerfile(name), adopted.adoption) == []


def test_every_pattern_of_a_sample_s_ignore_file_is_in_the_list(sample: tuple[str, Adopted]) -> None:
    name, adopted = sample
    lines = (adopt_sample.old_ignore(name) or "").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert [
        pattern for pattern in patterns if f"ignore {pattern}" not in {i.what for i in adopted.adoption.items}
    ] == []


def test_what_is_kept_is_in_the_new_files(sample: tuple[str, Adopted]) -> None:
    assert _not_there(sample[1]) == []


def test_what_is_answered_is_among_the_answers(sample: tuple[str, Adopted]) -> None:
    adopted = sample[1]
    assert _answered(adopted) == []
    assert set(adopted.adoption.evidence) == set(adopted.adoption.answers)
    for key, value in adopted.adoption.answers.items():
        assert adopted.answers.values[key] == value


def test_what_is_dropped_says_why(sample: tuple[str, Adopted]) -> None:
    assert [item for item in sample[1].adoption.items if len(item.where) < 4] == []


def test_a_review_is_needed_exactly_where_the_sample_says(sample: tuple[str, Adopted]) -> None:
    name, adopted = sample
    assert bool(adopted.adoption.doubts) == adopt_sample.catalog()[name].get("doubts", False), adopted.adoption.doubts


PYTHON = [
    "ENV {name}={value}",
    "ENV {name} {value} more",
    'ENV {name}="{value} $OTHER" SECOND_{name}=2',
    "ARG {name}",
    "ARG {name}={value}",
    "LABEL com.example.{value}=1 other={value}",
    "EXPOSE {port}",
    "EXPOSE {port}/udp {port}",
    "VOLUME /var/{value}",
    "USER {value}",
    "WORKDIR /{value}",
    "COPY {value}.txt /etc/{value}.txt",
    "COPY --chown={value} {value} ./{value}/",
    "ADD {value}.tar.gz /opt/",
    "RUN apt-get update && apt-get install -y --no-install-recommends {package}",
    "RUN apt-get install -y {package} lib{value}-dev && make -C {value} && rm -rf /var/lib/apt/lists/*",
    "RUN cd /tmp && apt-get update && apt-get install -y {package} && ./{value}",
    'RUN if [ -n "${name}" ]; then apt-get install -y {package}; fi',
    "RUN pip install -r requirements.txt && pip install {value}==1.0",
    "RUN mkdir -p /var/{value} && chown app:app /var/{value} && chmod 755 /var/{value}",
    "RUN <<EOF\napt-get install -y {package}\necho {value}\nEOF",
    "RUN --mount=type=secret,id={value} curl -fsSL https://example.com/{value} | sh",
    '# a comment\nRUN ["make", "{value}"]',
    "HEALTHCHECK --interval=5s --start-period=7s CMD curl -f http://localhost:{port}/{value} || exit 1",
    'SHELL ["/bin/bash", "-c"]',
    "STOPSIGNAL SIGINT",
    'ENTRYPOINT ["/{value}.sh"]',
    "ONBUILD RUN {value}",
]
STARTS = [
    'CMD ["uvicorn", "orders.main:app", "--port", "{port}", "--{value}", "1"]',
    "CMD {value} upgrade && exec uvicorn orders.main:app --host 0.0.0.0 --port {port}",
    'CMD ["gunicorn", "orders.main:app", "-k", "uvicorn.workers.UvicornWorker", "--bind", ":{port}", "--{value}", "3"]',
    'CMD ["./{value}.sh", "--now"]',
    "CMD python {value}.py",
    'CMD ["{value}", "run"]',
    "CMD sh -c '{value}; uvicorn orders.main:app'",
]


@st.composite
def dockerfiles(draw: st.DrawFn) -> str:
    """Draw a Dockerfile of one to three stages, each of a few instructions."""

    def filled(form: str) -> str:
        word = draw(st.from_regex(r"[a-z]{3,8}", fullmatch=True))
        return (
            form.replace("{name}", word.upper())
            .replace("{value}", word)
            .replace("{package}", draw(st.sampled_from(["curl", "libpq-dev", "gcc", "ffmpeg=7:1", "git", "zzz"])))
            .replace("{port}", str(draw(st.sampled_from([80, 3000, 8000, 9090]))))
        )

    lines = []
    names: list[str] = []
    for number in range(draw(st.integers(1, 3))):
        base = draw(st.sampled_from(["python:3.12-slim", "python:3.8", "node:22", "golang:1.24", *names]))
        names.append(f"stage{number}")
        lines.append(f"FROM {base} AS stage{number}")
        if number and draw(st.booleans()):
            lines.append(f"COPY --from=stage{number - 1} /srv/x{number} /usr/share/x{number}")
        lines += [filled(draw(st.sampled_from(PYTHON))) for _ in range(draw(st.integers(0, 6)))]
    lines.append(filled(draw(st.sampled_from(STARTS))))
    return "\n".join(lines) + "\n"


@pytest.mark.slow
@pytest.mark.parametrize("count", [20, pytest.param(150, marks=pytest.mark.thorough)])
def test_nothing_of_any_composition_is_lost(count: int) -> None:
    settings(deadline=None, max_examples=count, suppress_health_check=[*HealthCheck], phases=PHASES)(
        given(dockerfiles())(_check_nothing_is_lost)
    )()


def _check_nothing_is_lost(text: str) -> None:
    known = {"manager": "pip", "app": "orders.main:app", "app_file": "orders/main.py"}
    adoption = adopt.read(text, path="Dockerfile", kind="python-fastapi", answers=known)
    assert _lost(text, adoption) == []
    try:
        adopted = render_adopted(adoption, "python-fastapi", known)
    except adopt_error() as error:
        raise AssertionError(f"{error.message}\n{text}") from error
    _parse(adopted.dockerfile)
    assert _not_there(adopted) == []
    assert _answered(adopted) == []


def adopt_error() -> Any:
    """Return the errors that a user would see."""
    return import_module("dockertpl.errors").DockertplError


def test_the_tests_would_notice_a_loss(tmp_path: Path) -> None:
    text = "FROM python:3.13\nRUN apt-get install -y ffmpeg\nENV A=1\nEXPOSE 1234\n"
    empty = adopt.Adoption(answers={}, evidence={}, regions={}, ignored="", items=(), improvements=(), doubts=())
    assert [thing[2] for thing in _lost(text, empty)] == ["python:3.13", "ffmpeg", "A", "1234"]
