from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.detect.facts import Detection
from dockertpl.detect.python.lock import production
from dockertpl.detect.python.project import Project, normalize
from dockertpl.detect.python.system_packages import find_system_packages, installed, rules
from dockertpl.detect.repository import Repository

Repo = Callable[[dict[str, str]], Path]


def look(root: Path, manager: str = "pip", **given: str) -> Detection:
    repository = Repository(root)
    project = Project(repository, ".", given)
    found = Detection()
    locked = production(project, manager, "requirements.txt", "uv.lock")
    files = [path for path in repository.files if path.endswith("Dockerfile")]
    find_system_packages(project, found, locked, files, "3.13")
    return found


@pytest.mark.parametrize(
    ("requirement", "build", "run"),
    [
        ("psycopg2==2.9", ["gcc", "libc6-dev", "libpq-dev"], ["libpq5"]),
        ("psycopg2-binary==2.9.5", ["gcc", "libc6-dev", "libpq-dev"], ["libpq5"]),
        ("psycopg2-binary==2.9.11", None, None),
        ("psycopg==3", None, ["libpq5"]),
        ("psycopg[binary]==3", None, None),
        ("mysqlclient==2", ["default-libmysqlclient-dev", "gcc", "libc6-dev", "pkg-config"], ["libmariadb3"]),
        ("opencv-python==4", None, ["libgl1", "libglib2.0-0t64"]),
        ("opencv-python-headless==4", None, None),
        ("WeasyPrint==60", None, ["libharfbuzz-subset0", "libpango-1.0-0", "libpangoft2-1.0-0"]),
        ("GitPython==3", None, ["git"]),
        ("python-snappy==0.6", ["g++", "libc6-dev", "libsnappy-dev"], ["libsnappy1v5"]),
        ("python-snappy==0.7.3", None, None),
        ("lib @ git+https://host/x/lib", ["git"], None),
        ("numpy==2.1.0", None, None),
    ],
)
def test_what_dependencies_need(repo: Repo, requirement: str, build: list[str] | None, run: list[str] | None) -> None:
    found = look(repo({"requirements.txt": requirement}))
    assert (found.answers.get("build_packages"), found.answers.get("runtime_packages")) == (build, run)


def test_another_release_has_other_names(repo: Repo) -> None:
    found = look(repo({"requirements.txt": "opencv-python==4"}), debian_release="bookworm")
    assert found.answers["runtime_packages"] == ["libgl1", "libglib2.0-0"]


def test_a_binary_distribution_beside_it_needs_nothing(repo: Repo) -> None:
    found = look(repo({"requirements.txt": "psycopg==3\npsycopg-binary==3"}))
    assert "runtime_packages" not in found.answers


def test_the_lock_lists_transitive_packages_and_wheels_need_nothing(repo: Repo) -> None:
    lock = (
        '[[package]]\nname = "a"\ndependencies = [{{ name = "psycopg2" }}]\n'
        '[[package]]\nname = "psycopg2"\nwheels = [{{ url = "{}" }}]\n'
    )
    project = "[project]\nname = 'x'\ndependencies = ['a']\n"
    files = {"pyproject.toml": project, "uv.lock": lock.format("psycopg2-2-cp313-cp313-win_amd64.whl")}
    found = look(repo(files), "uv")
    assert found.answers["runtime_packages"] == ["libpq5"]
    assert (found.evidence["runtime_packages"].where, found.evidence["runtime_packages"].note) == (
        "uv.lock:5",
        "for psycopg2",
    )
    files["uv.lock"] = lock.format("psycopg2-2-cp313-cp313-manylinux1_x86_64.whl")
    assert "runtime_packages" not in look(repo(files), "uv").answers


def test_needs_that_the_image_cannot_meet_are_reported(repo: Repo) -> None:
    assert "browser" in look(repo({"requirements.txt": "playwright==1"})).warnings[0]


def test_other_packages_of_an_old_dockerfile_are_reported(repo: Repo) -> None:
    text = "FROM python\nRUN apt-get update && apt-get install -y gcc curl libpq5 wkhtmltopdf=1 && rm -rf x\n"
    found = look(repo({"requirements.txt": "psycopg==3", "Dockerfile": text}))
    assert found.facts["apt_packages"][0].value == ["wkhtmltopdf"]
    assert "Dockerfile:2" in found.warnings[0]
    assert "runtime_packages=[libpq5, wkhtmltopdf]" in found.warnings[0]


def test_the_last_stage_that_installs_counts() -> None:
    text = (
        "FROM a AS b\nRUN apt-get install -y gcc\nFROM c\nRUN apt-get update \\\n && apt install -y \\\n    libmagic1\n"
    )
    assert list(installed(text)) == [("libmagic1", 4)]


def test_the_data_is_well_formed() -> None:
    for name, rule in rules().items():
        assert normalize(name) == name
        assert set(rule) <= {"build", "run", "unless", "below", "warn", "compile", "compiled", "trixie", "bookworm"}
        assert rule.keys() & {"build", "run", "warn", "compile"}
        lists = [rule, *(rule.get(release, {}) for release in ("trixie", "bookworm"))]
        packages = [
            package
            for table in lists
            for key in ("build", "run", "compile", "compiled")
            for package in table.get(key, [])
        ]
        assert all(re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", package) for package in packages)
        build = rule.get("build", [])
        assert "libc6-dev" in build or not {"gcc", "g++"} & set(build)


def test_a_compiled_package_is_reported_with_its_version_and_the_python(repo: Repo) -> None:
    found = look(repo({"requirements.txt": "psycopg2-binary==2.9.5"}))
    assert [text for text in found.warnings if "psycopg2-binary 2.9.5: no wheel for Python 3.13" in text]
