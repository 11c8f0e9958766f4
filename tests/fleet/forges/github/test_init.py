from __future__ import annotations

import subprocess
import sys

import pytest

from dockertpl.errors import ForgeError
from dockertpl.fleet.forges.github import connect


def test_without_pygithub_one_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("dockertpl.fleet.forges.github.")]:
        if not name.endswith(".settings"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "github", None)
    with pytest.raises(ForgeError, match="PyGithub, which is not installed") as caught:
        connect({"GITHUB_TOKEN": "x"})
    assert caught.value.remedy == "Install it: pip install 'dockertpl[github]'"


def test_nothing_of_pygithub_is_imported_before_it_is_used() -> None:
    code = "import sys, dockertpl.fleet.forges.github; sys.exit('github' in sys.modules or 'requests' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
