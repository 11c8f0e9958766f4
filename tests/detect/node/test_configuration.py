from __future__ import annotations

from typing import Any

import pytest


def _config(text: str, name: str = "next.config.mjs") -> dict[str, Any]:
    return {name: f"export default {{ {text} }}"}


@pytest.mark.parametrize("name", ["next.config.js", "next.config.mjs", "next.config.ts", "next.config.mts"])
def test_standalone_is_read_wherever_next_looks(look_at: Any, name: str) -> None:
    found, _ = look_at(_config("output: 'standalone'", name))
    assert (found.answers["standalone"], found.evidence["standalone"].where) == (True, f"{name}:1")


def test_what_is_not_set_for_sure_is_left_to_the_build(look_at: Any) -> None:
    assert look_at()[0].answers["standalone"] is False
    assert look_at(_config("a: 1"))[0].answers["standalone"] is False
    found, problem = look_at(_config("output: process.env.X ? 'standalone' : undefined"))
    assert (found.answers["standalone"], problem) == (False, None)
    assert any("next.config.mjs:1 sets output under a condition" in text for text in found.warnings)


def test_an_application_that_is_exported_to_files_is_refused(look_at: Any) -> None:
    problem = look_at(_config("output: 'export'"))[1]
    assert problem
    assert "has no server" in problem.message
    assert "`out`" in problem.remedy


@pytest.mark.parametrize(
    ("value", "folder"), [("'build'", "build"), ("'./out/x/'", "out/x"), ("process.env.D || '.next'", ".next")]
)
def test_the_folder_of_the_build_is_an_answer(look_at: Any, value: str, folder: str) -> None:
    assert look_at(_config(f"distDir: {value}"))[0].answers["dist_dir"] == folder


@pytest.mark.parametrize("value", ["f()", "'../out'", "'/out'"])
def test_a_computed_dist_dir_becomes_a_question(look_at: Any, value: str) -> None:
    (unknown,) = look_at(_config(f"distDir: {value}"))[0].unknown
    assert (unknown.key, "-d dist_dir=" in unknown.remedy) == ("dist_dir", True)


def test_a_tracing_root_elsewhere_is_warned_of(look_at: Any) -> None:
    found, _ = look_at(
        {"a/x": "", "next.config.js": "module.exports = { outputFileTracingRoot: path.join(__dirname, 'a') }"}
    )
    assert any("outputFileTracingRoot to a, but the build context is ." in text for text in found.warnings)
    assert not look_at(_config("outputFileTracingRoot: __dirname"))[0].warnings


@pytest.mark.parametrize(
    ("version", "says"),
    [
        ("^13.5.0", "Next.js 13, which no longer gets fixes"),
        ("14.2.0", "without sharp"),
        ("16.0.0", ""),
        ("latest", ""),
    ],
)
def test_the_effect_of_an_old_next_is_reported(look_at: Any, version: str, says: str) -> None:
    warnings = look_at(package={"dependencies": {"next": version}})[0].warnings
    assert any(says in text for text in warnings) is bool(says)


def test_a_next_without_a_standalone_output_is_refused(look_at: Any) -> None:
    problem = look_at(package={"dependencies": {"next": "12.1.6"}})[1]
    assert problem
    assert "standalone output needs 12.2.0" in problem.message


@pytest.mark.parametrize(
    ("version", "refused"), [("16.2.12", False), ("16.3.0", True), ("16.3.4", True), ("16.3.5", False)]
)
def test_an_adapter_is_refused_where_this_next_writes_no_standalone_output(
    look_at: Any, version: str, refused: bool
) -> None:
    files = {"next.config.js": "module.exports = { adapterPath: require.resolve('./adapter.js') }"}
    problem = look_at(files, {"dependencies": {"next": version}})[1]
    assert (problem is not None and "16.3.5 or newer" in problem.remedy) is refused
