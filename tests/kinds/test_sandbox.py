"""Which answers about trimmed packages a sandbox accepts."""

from __future__ import annotations

from typing import Any

import pytest

from dockertpl.errors import BadAnswerError
from dockertpl.template.answers import resolve
from dockertpl.template.environment import Template
from dockertpl.template.source import bundled


def _resolve(**data: Any) -> dict[str, Any]:
    kind = {"kind": "sandbox-multi-runtime"}
    return dict(resolve(Template(bundled()), folder_name="orders", data={**kind, **data}).values)


@pytest.mark.parametrize(
    ("packages", "trimmed"),
    [([], True), (["libpq5", "clamav"], True), (["jq", "clang"], False), (["libgl1"], False), (["mesa-utils"], False)],
)
def test_packages_are_trimmed_unless_one_needs_what_is_left_out(packages: list[str], trimmed: bool) -> None:
    assert _resolve(runtime_packages=packages)["trim_packages"] is trimmed


def test_a_package_that_needs_what_is_left_out_is_named() -> None:
    with pytest.raises(BadAnswerError) as caught:
        _resolve(runtime_packages=["libpq5", "llvm-19"], trim_packages=True)
    assert "llvm-19 in runtime_packages needs files that this leaves out: answer no." in str(caught.value)


def test_a_sandbox_takes_only_its_health_check_from_the_repository() -> None:
    assert _resolve()["app_files"] == []
