from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dockertpl.actions.edit import NotEditableError
from dockertpl.actions.next_config import add_output, propose
from dockertpl.detect.node.next_config import read
from dockertpl.template.tree import File

Write = Callable[[Path, Mapping[str, str]], Path]
CREATED = """\
import type { NextConfig } from "next";

const nextConfig: NextConfig = {
  /* config options here */
};

export default nextConfig;
"""


def _added(text: str) -> str:
    return add_output(File(content=text.encode())).content.decode()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CREATED, CREATED.replace("{\n  /*", '{\n  output: "standalone",\n  /*')),
        ("module.exports = {}\n", "module.exports = { output: 'standalone' }\n"),
        ("module.exports = { a: 'b' }", "module.exports = { output: 'standalone', a: 'b' }"),
        ("module.exports = {a: 1}", "module.exports = { output: 'standalone', a: 1}"),
        (
            "const c = {\r\n\ta: 1,\r\n}\r\nmodule.exports = withA(c)",
            "const c = {\r\n\toutput: 'standalone',\r\n\ta: 1,\r\n}\r\nmodule.exports = withA(c)",
        ),
        (
            'export default () => {\n    return { // why\n        a: "b",\n    };\n};',
            'export default () => {\n    return { // why\n        output: "standalone",\n        a: "b",\n    };\n};',
        ),
        ("export default {\n};", "export default {\n  output: 'standalone',\n};"),
    ],
)
def test_the_line_is_added_in_the_file_s_own_layout(before: str, after: str) -> None:
    assert _added(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "export default withSentryConfig(c, { a: 1 })\nconst c = { b: 1 }",
        "const c = { a: { b: 1 } }\nmodule.exports = async (phase) => withA(withB(c))",
        "export default { webpack: (c) => { c.x = /[{]/; return c }, async headers() { return [{ a: 1 }] } }",
    ],
)
def test_what_is_added_counts_and_nothing_else_is_changed(text: str) -> None:
    after = _added(text)
    value = read(after).get("output")
    assert value
    assert value.text == "standalone"
    assert after.replace("output: 'standalone', ", "", 1) == text


def test_a_byte_order_mark_and_the_mode_are_kept() -> None:
    file = File(content="\ufeffmodule.exports = {}".encode(), executable=True)
    assert add_output(file) == File(content="\ufeffmodule.exports = { output: 'standalone' }".encode(), executable=True)


def test_one_that_is_set_already_is_left_as_it_is() -> None:
    file = File(content=b"module.exports = { output: 'standalone' }")
    assert add_output(file) is file


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("export default { output: 'export' }", "already sets output in line 1"),
        ("export default { output: process.env.X ? 'standalone' : undefined }", "under a condition"),
        ("import c from './c'\nexport default c", "cannot be edited with certainty"),
        ("import c from './c'\nexport default { ...c }", "cannot be edited with certainty"),
        ("export default (p) => { if (p) { return { a: 1 } } return { b: 1 } }", "cannot be edited with certainty"),
        ("export default wrap({ a: 1 })(imported)", "cannot be edited with certainty"),
        ("const c = { b: 1 }\nexport default wrap({ a: 1 }, c)", "cannot be edited with certainty"),
        ("export default {", "cannot be edited with certainty"),
        ("", "cannot be edited with certainty"),
    ],
)
def test_where_the_place_is_not_sure_nothing_is_done(text: str, why: str) -> None:
    with pytest.raises(NotEditableError, match=why):
        _added(text)


def test_a_proposal_names_the_line_for_who_does_it_by_hand(tmp_path: Path, write_files: Write) -> None:
    write_files(tmp_path, {"web/next.config.ts": "export default config()\n"})
    patch = propose(tmp_path, "web")
    assert (patch.path, patch.new, patch.is_change, patch.is_there) == ("web/next.config.ts", None, False, False)
    assert patch.by_hand.endswith("web/next.config.ts exports:\n  output: 'standalone',")


def test_where_there_is_no_configuration_one_is_proposed(tmp_path: Path) -> None:
    patch = propose(tmp_path, ".")
    assert patch.new
    assert (patch.path, patch.old, patch.is_change) == ("next.config.mjs", None, True)
    value = read(patch.new.content.decode()).get("output")
    assert value
    assert value.text == "standalone"
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_never_followed(tmp_path: Path, write_files: Write) -> None:
    outside = write_files(tmp_path / "outside", {"next.config.js": "module.exports = {}"})
    root = tmp_path / "root"
    root.mkdir()
    (root / "next.config.js").symlink_to(outside / "next.config.js")
    patch = propose(root, ".")
    assert patch.new is None
    assert "is a link" in patch.summary
