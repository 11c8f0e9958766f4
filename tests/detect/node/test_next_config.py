from __future__ import annotations

import pytest

from dockertpl.detect.node.next_config import folder_of, read

SET = {
    "a plain object": "module.exports = { output: 'standalone' }",
    "a typed constant": 'const c: NextConfig = {\n  output: "standalone" as const,\n};\nexport default c;',
    "satisfies": "export default { output: `standalone` } satisfies NextConfig",
    "wrappers": "const c = { output: 'standalone' }\nexport default withA(withB<X>(c), { silent: true })",
    "a wrapper that is made": "export default createMDX({ extension: /\\.mdx?$/ })({ output: 'standalone' })",
    "an async function": "module.exports = async (phase) => ({ output: 'standalone' })",
    "a function": "export default function c() {\n  const f = () => ({})\n  return { output: 'standalone' }\n}",
    "a spread": "const base = { output: 'standalone' }\nexport default { ...base, a: 1 }",
    "a reduce": "module.exports = () => all.reduce((c, next) => next(c), { ...c })\nconst c = { output: 'standalone' }",
    "a constant text": "const output = 'standalone'\nexport default { output }",
    "an assignment": "const c = {}\nc.output = 'standalone'\nmodule.exports = c",
    "beside methods": "export default { async headers() { return [{ key: 'a' }] }, output: 'standalone' }",
    "a called function": "export default (async () => { return { output: 'standalone' } })()",
}
IN_DOUBT = {
    "a ternary": "export default { output: process.env.X ? 'standalone' : undefined }",
    "a condition in a spread": "export default { ...(process.env.X && { output: 'standalone' }) }",
    "an assignment in a block": "const c = {}\nif (process.env.X) { c.output = 'standalone' }\nexport default c",
    "an assignment behind if": "const c = {}\nif (process.env.X) c.output = 'standalone'\nexport default c",
    "one of two returns": "export default (p) => { if (p) { return {} } return { output: 'standalone' } }",
    "an export that is not followed": "export default helper.config\nconst c = { output: 'standalone' }",
}
NOT_SET = {
    "nothing": "export default {}",
    "a comment": "// output: 'standalone'\nexport default { /* output: 'standalone' */ }",
    "a text": "export default { a: \"output: 'standalone'\" }",
    "undefined": "export default { output: undefined }",
    "another object's": "export default { webpack: { output: 'standalone' } }",
}


@pytest.mark.parametrize("text", SET.values(), ids=SET)
def test_output_is_read_in_every_form_without_running_it(text: str) -> None:
    value = read(text).get("output")
    assert value
    assert value.text == "standalone"


@pytest.mark.parametrize("text", IN_DOUBT.values(), ids=IN_DOUBT)
def test_what_may_not_be_set_is_not_taken_for_set(text: str) -> None:
    value = read(text).get("output")
    assert value
    assert (value.text, value.mentions) == (None, ("standalone",))


@pytest.mark.parametrize("text", NOT_SET.values(), ids=NOT_SET)
def test_what_is_not_set_is_none(text: str) -> None:
    assert read(text).get("output") is None


def test_a_value_has_its_line() -> None:
    value = read("export default {\n  a: 1,\n  output: 'export',\n}").get("output")
    assert value
    assert value.line == 3


@pytest.mark.parametrize(
    ("value", "unset"),
    [
        ("process.env.X", ""),
        ("process.env.X || '/a'", "/a"),
        ("process.env.X ?? undefined", ""),
        ("env.X", ""),
        ("process.env.X + 'a'", None),
        ("f()", None),
    ],
)
def test_what_a_variable_s_absence_means_is_known(value: str, unset: str | None) -> None:
    found = read(f"export default {{ basePath: {value}, a: 1 }}").get("basePath")
    assert found
    assert (found.text, found.unset) == (None, unset)


@pytest.mark.parametrize(
    ("value", "folder"),
    [
        ("path.join(__dirname, '../../')", "../.."),
        ("path.resolve(__dirname, '..', 'x')", "../x"),
        ("__dirname", "."),
        ("f(`${x}`)", "."),
        ("'/abs'", None),
    ],
)
def test_a_folder_is_put_together(value: str, folder: str | None) -> None:
    assert folder_of(read(f"module.exports = {{ outputFileTracingRoot: {value} }}"), "outputFileTracingRoot") == folder


def test_a_setting_below_another_is_found() -> None:
    text = "module.exports = { experimental: { outputFileTracingRoot: '..' } }"
    assert folder_of(read(text), "experimental.outputFileTracingRoot") == ".."
    assert read(text).get("outputFileTracingRoot") is None


@pytest.mark.parametrize(
    "text",
    [
        "export default " + "f(" * 3000 + ")" * 3000,
        "export default " + "a?" * 20_000,
        "export default {" + "...a," * 15_000 + "}",
        "const a = b; const b = a; export default a",
        "".join(f"const a{n} = {{ ...a{n + 1}, ...a{n + 1} }};" for n in range(40)) + "export default a0",
        "".join(f"const a{n} = {{ {f'...a{n + 1}, ' * 9}}};" for n in range(40)) + "export default a0",
        "a=>" * 30_000,
        "export default " + "{a:" * 10_000 + "}" * 10_000,
        "module.exports = " * 5000,
    ],
)
def test_an_absurd_configuration_ends(text: str) -> None:
    assert read(text).get("output") is None
