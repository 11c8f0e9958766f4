"""The plain reader and Moby's parser agree, instruction by instruction."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.samples import adopt_sample

from dockertpl.adopt import plain_reader
from dockertpl.adopt.source import LONGEST

_moby: Any = import_module("dockerfile")

EVERYTHING = r"""# syntax=docker/dockerfile:1
ARG A=1
from python:3.12 as base
ENV A=1 B="two words" C='x y' D=a\ b
ENV OLD style value here
LABEL a="b c" \
   # a comment
   d=e
RUN --mount=type=cache,target=/x --network=none echo "a  b" && \
    # another

    echo c
RUN ["a", "b c"]
RUN [ -f x ] || exit 1
RUN C:\\
COPY --from=x --chown=1:1 a "b c" ./
COPY ["a b", "c"]
ONBUILD RUN echo hi
onbuild copy --from=a . /x
HEALTHCHECK --interval=5s CMD curl -f localhost || exit 1
HEALTHCHECK CMD ["curl", "x"]
HEALTHCHECK NONE
EXPOSE 80 443/tcp
VOLUME ["/a", "/b"]
VOLUME /a /b
CMD python -m x "y z"
USER a b
WORKDIR /a b
MAINTAINER Me <a@b>
SHELL ["/bin/bash", "-c"]
RUN <<EOF
a
EOF
RUN cat <<'X' > /f <<Y
in $x
X
yy
Y
COPY <<-E1 <<E2 /dest/
	tabbed
	E1
x
E2
ARG X Y=2
ENV E= F=$A
CMD [ "a", 'b' ]
RUN echo "<<EOF" && a<<1
RUN last \
"""
HOSTILE = [
    "FROM a\nENV X\n",
    "FROM a\nENV a=1 b\n",
    "FROM a\nLABEL x\n",
    "",
    "FROM a\nRUN <<EOF\nx\n",
    "FROM a\nRUN x \\",
    "FROM a\nRUN\nCMD\nCOPY\nHEALTHCHECK\nONBUILD\n",
    "FROM a\nRUN --mount\n",
    'FROM a\nENV a="1\n',
    "FROM a\nENV a='1 2' \"b c\"=d\n",
    "# escape=`\nFROM a\nRUN a `\n  b\\\n",
    "FROM a\r\nRUN a \\\r\n b\r\n",
    "FROM\ta\nRUN\techo\n",
]


def _read(reader: Any, text: str) -> Any:
    try:
        found = reader.parse_string(text)
    except reader.GoParseError as error:
        return str(error)
    return [
        (one.cmd, one.sub_cmd, one.json, one.start_line, one.end_line, one.flags, one.value, *_contents(one))
        for one in found
    ]


def _contents(command: Any) -> list[str]:
    return [heredoc.content for heredoc in command.heredocs]


@pytest.mark.parametrize(
    "text", [EVERYTHING, *HOSTILE, *(adopt_sample.old_dockerfile(name) for name in adopt_sample.catalog())]
)
def test_both_readers_see_the_same(text: str) -> None:
    assert _read(plain_reader, text) == _read(_moby, text)


@given(st.lists(st.sampled_from(EVERYTHING.splitlines()), min_size=1, max_size=12))
def test_both_readers_see_the_same_in_any_order_of_lines(lines: list[str]) -> None:
    text = "FROM a\n" + "\n".join(lines) + "\n"
    assert _read(plain_reader, text) == _read(_moby, text)


@pytest.mark.parametrize(
    "line", ["RUN a", "ENV A=1", "# a", "RUN a \\", 'ENV A="' + "\\" * 7000, "LABEL " + "'" * 7000]
)
def test_the_longest_file_is_read_within_two_seconds(line: str) -> None:
    begin = time.process_time()
    _read(plain_reader, "FROM a\n" + f"{line}\n" * (LONGEST // (len(line) + 1)))
    assert time.process_time() - begin < 2
