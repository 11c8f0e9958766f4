"""`dockertpl pin`: every digest is asked of a registry in this process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.parity import by_us, copy_template, read_tree
from tests.registry.server import PLATFORMS, FakeRegistry

from dockertpl.commands import pin as pin_module
from dockertpl.template.source import TemplateSource, bundled, opened

pytestmark = pytest.mark.slow

Run = Callable[..., Any]
PYTHON, DEBIAN = "python:3.13-slim-trixie", "debian:trixie-slim"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dockertpl: Run) -> Path:
    root = tmp_path / "shop"
    (root / ".git").mkdir(parents=True)
    monkeypatch.chdir(root)
    assert dockertpl("new", "--defaults", "--no-detect").code == 0
    return root


@pytest.fixture
def digests(fake_registry: FakeRegistry, repository: Path) -> dict[str, str]:
    """The digests of the base images of the default answers, which the registry has."""
    uv = _uv(repository)
    return {
        PYTHON: fake_registry.put_index(f"hub/library/{PYTHON}"),
        uv: fake_registry.put_index(uv.removeprefix("ghcr.io/")),
    }


@pytest.fixture
def pin(dockertpl: Run, fake_registry: FakeRegistry) -> Run:
    """`pin(ARGUMENT, …)` runs the command with mirrors for every public registry."""
    mirrors = (f"docker.io={fake_registry.address}/hub", f"ghcr.io={fake_registry.address}")
    return lambda *arguments: dockertpl("pin", *(f"--registry-mirror={each}" for each in mirrors), *arguments)


def _uv(root: Path) -> str:
    line = next(line for line in (root / "Dockerfile").read_text().splitlines() if line.startswith("ARG UV_IMAGE="))
    return line.partition("=")[2].partition("@")[0]


def _stored(root: Path, name: str = ".copier-answers.yml") -> Any:
    return yaml.safe_load((root / name).read_bytes()).get("digests", {})


# --- what is written -------------------------------------------------------------------------------------------------


def test_pristine_files_become_the_rendering_with_the_digests(
    repository: Path, pin: Run, digests: dict[str, str]
) -> None:
    done = pin()
    assert (done.code, done.out) == (0, "")
    assert read_tree(repository) == by_us(bundled(), "shop", data={"digests": digests})
    assert f"{PYTHON}@{digests[PYTHON]}" in (repository / "Dockerfile").read_text()
    assert f'base.digest="{digests[PYTHON]}"' in (repository / "Dockerfile").read_text()
    short = digests[PYTHON][:19]
    assert f"  {PYTHON}: not pinned -> {short} (linux/amd64, linux/arm64/v8)\n" in done.err
    assert done.err.endswith("Written:\n  Dockerfile\n  .copier-answers.yml\n")


def test_a_second_run_has_nothing_left_to_do(
    repository: Path, pin: Run, digests: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pin()
    before = read_tree(repository)
    done = pin()
    assert done.code == 0
    assert done.err.endswith("Nothing to do.\n")
    assert f"{PYTHON}: {digests[PYTHON][:19]} unchanged" in done.err
    assert pin("--json").json["written"] == []
    assert read_tree(repository) == before


def test_a_tag_that_moved_moves_the_pin(
    repository: Path, pin: Run, digests: dict[str, str], fake_registry: FakeRegistry
) -> None:
    pin()
    moved = fake_registry.put_index(f"hub/library/{PYTHON}", salt="2")
    done = pin("--json")
    entry = next(entry for entry in done.json["pinned"] if entry["image"] == PYTHON)
    assert (entry["old"], entry["new"]) == (digests[PYTHON], moved)
    assert read_tree(repository) == by_us(bundled(), "shop", data={"digests": {**digests, PYTHON: moved}})


def test_json_has_every_image_and_its_platforms(repository: Path, pin: Run, digests: dict[str, str]) -> None:
    done = pin("--json")
    assert (done.code, done.err) == (0, "")
    assert list(done.json) == ["schema", "pinned", "written", "warnings"]
    assert done.json["pinned"] == [
        {
            "answers_file": ".copier-answers.yml",
            "image": image,
            "old": None,
            "new": digest,
            "platforms": list(PLATFORMS),
            "multi_platform": True,
        }
        for image, digest in digests.items()
    ]
    assert (done.json["written"], done.json["warnings"]) == (["Dockerfile", ".copier-answers.yml"], [])


def test_of_an_edited_dockerfile_only_the_references_move(
    repository: Path, pin: Run, digests: dict[str, str], fake_registry: FakeRegistry
) -> None:
    dockerfile = repository / "Dockerfile"
    text = dockerfile.read_text().replace(
        "FROM venv AS dev", f"# mine: {PYTHON}\nFROM {PYTHON} AS mine\n\nFROM venv AS dev"
    )
    dockerfile.write_bytes(text.encode() + b"# \xff\n")
    dockerfile.chmod(0o755)
    assert pin().code == 0
    expected = text
    for image, digest in digests.items():
        expected = expected.replace(f"_IMAGE={image}", f"_IMAGE={image}@{digest}")
    expected = expected.replace(f"FROM {PYTHON}", f"FROM {PYTHON}@{digests[PYTHON]}")
    name = f'      org.opencontainers.image.base.name="{PYTHON}" \\\n'
    label = f'      org.opencontainers.image.base.digest="{digests[PYTHON]}" \\\n'
    assert dockerfile.read_bytes() == expected.replace(name, name + label).encode() + b"# \xff\n"
    assert os.access(dockerfile, os.X_OK)
    assert _stored(repository) == digests

    pinned = dockerfile.read_bytes()
    moved = fake_registry.put_index(f"hub/library/{PYTHON}", salt="2")
    assert pin().code == 0
    assert dockerfile.read_bytes() == pinned.replace(digests[PYTHON].encode(), moved.encode())


def test_a_label_that_was_taken_out_does_not_come_back(
    repository: Path, pin: Run, digests: dict[str, str], fake_registry: FakeRegistry
) -> None:
    pin()
    dockerfile = repository / "Dockerfile"
    lines = dockerfile.read_text().splitlines(keepends=True)
    dockerfile.write_text("".join(line for line in lines if "base.digest" not in line))
    fake_registry.put_index(f"hub/library/{PYTHON}", salt="2")
    assert pin().code == 0
    assert "base.digest" not in dockerfile.read_text()


def test_what_a_bot_moved_in_the_dockerfile_alone_reaches_the_answers(
    repository: Path, pin: Run, digests: dict[str, str], fake_registry: FakeRegistry
) -> None:
    pin()
    dockerfile = repository / "Dockerfile"
    moved = fake_registry.put_index(f"hub/library/{PYTHON}", salt="2")
    by_bot = dockerfile.read_text().replace(digests[PYTHON], moved)
    dockerfile.write_text(by_bot)
    done = pin("--json")
    assert done.json["written"] == [".copier-answers.yml"]
    assert next(entry["old"] for entry in done.json["pinned"] if entry["image"] == PYTHON) == moved
    assert dockerfile.read_text() == by_bot
    assert _stored(repository) == {**digests, PYTHON: moved}


def test_an_edited_answers_file_keeps_its_other_lines(repository: Path, pin: Run, digests: dict[str, str]) -> None:
    path = repository / ".copier-answers.yml"
    text = path.read_text() + f"digests: {{'other:1': '{digests[PYTHON]}'}}  # ours\n"
    path.write_text(f"# mine\n{text}")
    assert pin().code == 0
    assert _stored(repository) == {**digests, "other:1": digests[PYTHON]}
    lines = path.read_text().splitlines()
    assert lines[0] == "# mine"
    assert [line for line in text.splitlines() if "digests" not in line] == [
        line for line in lines[1:] if "sha256" not in line and "digests" not in line
    ]
    assert path.read_text().count("# ours") == 1


def test_the_images_are_those_that_the_answers_render(
    repository: Path, dockertpl: Run, pin: Run, digests: dict[str, str], fake_registry: FakeRegistry
) -> None:
    assert dockertpl("new", "api", "--defaults", "--no-detect", "-d", "flavor=minimal", "-d", "name=api").code == 0
    debian = fake_registry.put_index(f"hub/library/{DEBIAN}")
    done = pin()
    assert done.code == 0
    assert _stored(repository) == digests
    assert _stored(repository, ".copier-answers.api.yml") == {**digests, DEBIAN: debian}
    assert f'base.digest="{debian}"' in (repository / "api/Dockerfile").read_text()
    assert ".copier-answers.api.yml:\n" in done.err
    heads = [seen.path for seen in fake_registry.seen if seen.method == "HEAD"]
    assert len(heads) == len(set(heads)) == 3


@pytest.mark.parametrize("arguments", [("--answers-file", ".copier-answers.api.yml"), ("api",)])
def test_one_of_several_images_can_be_meant(
    repository: Path, dockertpl: Run, pin: Run, digests: dict[str, str], arguments: tuple[str, ...]
) -> None:
    assert dockertpl("new", "api", "--defaults", "--no-detect", "-d", "name=api").code == 0
    assert pin(*arguments, "--json").json["written"] == ["api/Dockerfile", ".copier-answers.api.yml"]
    assert _stored(repository) == {}


@pytest.mark.parametrize("published", [True, False])
def test_the_template_that_the_answers_name_is_the_one_that_is_rendered(
    tmp_path: Path,
    repository: Path,
    pin: Run,
    fake_registry: FakeRegistry,
    git: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    published: bool,
) -> None:
    source = copy_template(tmp_path / "template")
    versions = source / "templates/lib/versions.yml"
    lines = versions.read_text().split("\n")
    versions.write_text("\n".join("uv: 0.0.9" if line.startswith("uv:") else line for line in lines))
    dockerfile = source / "templates/kinds/python-fastapi/Dockerfile.jinja"
    dockerfile.write_text(dockerfile.read_text() + "{% if digests %}\n# pinned\n{% endif %}\n")
    git(source, "init", "--quiet")
    git(source, "add", ".")
    git(source, "commit", "--quiet", "--message", "x")
    git(source, "tag", "v9.9.9")
    if published:
        # The published registry is not reachable here.
        monkeypatch.setattr(pin_module, "opened", lambda where, ref: opened(str(source), ref))
    where = bundled().src_path if published else str(source)
    template = TemplateSource(root=source, src_path=where, commit="v9.9.9")
    for path, file in by_us(template, "shop").items():
        (repository / path).write_bytes(file.content)
    digests = {
        PYTHON: fake_registry.put_index(f"hub/library/{PYTHON}"),
        "ghcr.io/astral-sh/uv:0.0.9": fake_registry.put_index("astral-sh/uv:0.0.9"),
    }
    assert pin().code == 0
    expected = dict(by_us(template, "shop", data={"digests": digests}))
    answers = expected.pop(".copier-answers.yml").content
    written = dict(read_tree(repository))
    assert yaml.safe_load(written.pop(".copier-answers.yml").content) == yaml.safe_load(answers)
    assert written == expected
    assert (repository / "Dockerfile").read_text().endswith("# pinned\n")


# --- where a user must decide ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("extra", [(), ("--dry-run",)])
def test_a_reference_that_is_gone_is_named_and_the_others_move(
    repository: Path, pin: Run, digests: dict[str, str], extra: tuple[str, ...]
) -> None:
    dockerfile = repository / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(f"={PYTHON}", f"=mirror.example.com/{PYTHON}"))
    before = read_tree(repository)
    done = pin("--json", *extra)
    assert done.code == 1
    (warning,) = done.json["warnings"]
    assert f"Dockerfile was edited and does not name {PYTHON}" in warning
    assert f"mirror.example.com/{PYTHON}" in warning
    if extra:
        assert read_tree(repository) == before
    else:
        uv = _uv(repository)
        assert f"{uv}@{digests[uv]}" in dockerfile.read_text()
        assert f"mirror.example.com/{PYTHON}\n" in dockerfile.read_text()


def test_a_dockerfile_that_is_gone_is_named(repository: Path, pin: Run, digests: dict[str, str]) -> None:
    (repository / "Dockerfile").unlink()
    done = pin()
    assert done.code == 1
    assert "Warning: Dockerfile does not exist" in done.err
    assert not (repository / "Dockerfile").exists()
    assert _stored(repository) == digests


@pytest.mark.parametrize("kind", ["image", "index"])
def test_an_image_of_one_platform_is_taken_with_a_warning(
    repository: Path, pin: Run, digests: dict[str, str], fake_registry: FakeRegistry, kind: str
) -> None:
    name = f"hub/library/{PYTHON}"
    single = fake_registry.put_image(name) if kind == "image" else fake_registry.put_index(name, ("linux/amd64",))
    done = pin("--json")
    assert done.code == 0
    (warning,) = done.json["warnings"]
    assert f"{PYTHON} is not multi-platform" in warning and "only for linux/amd64" in warning
    assert [entry["multi_platform"] for entry in done.json["pinned"]] == [False, True]
    assert _stored(repository)[PYTHON] == single


# --- what is refused, and leaves everything as it was ----------------------------------------------------------------


def _refused(root: Path, pin: Run, *arguments: object, code: int) -> dict[str, str]:
    before = read_tree(root)
    done = pin(*arguments)
    assert done.code == code
    assert done.err.count("dockertpl: ") == 1
    assert "Traceback" not in done.err
    as_json = pin(*arguments, "--json")
    assert (as_json.code, as_json.err, next(iter(as_json.json))) == (code, "", "schema")
    assert read_tree(root) == before
    error: dict[str, str] = as_json.json["error"]
    assert error["remedy"]
    return error


def test_without_an_answers_file_new_is_named(tmp_path: Path, pin: Run) -> None:
    (tmp_path / "empty").mkdir()
    error = _refused(tmp_path, pin, tmp_path / "empty", code=2)
    assert "has no dockertpl answers file" in error["message"]
    assert "dockertpl new" in error["remedy"]


def test_a_folder_without_an_image_names_those_that_there_are(repository: Path, pin: Run) -> None:
    (repository / "web").mkdir()
    assert ".copier-answers.yml" in _refused(repository, pin, "web", code=2)["remedy"]


@pytest.mark.parametrize("file", ["nothing.yml", "../.copier-answers.yml", "Dockerfile", ".copier-answers.other.yml"])
def test_an_answers_file_of_another_template_is_refused(repository: Path, pin: Run, file: str) -> None:
    (repository / ".copier-answers.other.yml").write_text("_src_path: gh:another/template\n")
    (repository.parent / ".copier-answers.yml").write_text((repository / ".copier-answers.yml").read_text())
    error = _refused(repository, pin, "--answers-file", file, code=2)
    assert "not a dockertpl answers file" in error["message"]


@pytest.mark.parametrize(
    ("key", "value"), [("app_dir", "../x"), ("kind", "nonsense"), ("name", "A B"), ("context", "/")]
)
def test_answers_that_place_files_elsewhere_are_refused(
    repository: Path, pin: Run, fake_registry: FakeRegistry, key: str, value: str
) -> None:
    path = repository / ".copier-answers.yml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), key: value}))
    assert f"does not accept its {key}" in _refused(repository, pin, code=2)["message"]
    assert fake_registry.seen == []


def test_a_bad_mirror_is_refused(repository: Path, pin: Run) -> None:
    assert "is not HOST=MIRROR" in _refused(repository, pin, "--registry-mirror", "x", code=2)["message"]


def test_a_tag_that_no_registry_has_is_bad_input(repository: Path, pin: Run, fake_registry: FakeRegistry) -> None:
    error = _refused(repository, pin, code=2)
    assert error["code"] == "no-image"
    assert f"has no image hub/library/{PYTHON}" in error["message"]


def test_being_offline_is_reported_with_the_host_and_a_remedy(
    repository: Path, dockertpl: Run, fake_registry: FakeRegistry
) -> None:
    def offline(*arguments: object) -> Any:
        return dockertpl("pin", "--registry-mirror=docker.io=127.0.0.1:1", *arguments)

    error = _refused(repository, offline, code=3)
    assert error["code"] == "registry"
    assert error["message"] == "127.0.0.1:1 cannot be reached: Connection refused."
    assert "HTTPS_PROXY" in error["remedy"]


def test_where_the_second_image_is_refused_the_first_is_not_written(
    repository: Path, pin: Run, digests: dict[str, str], fake_registry: FakeRegistry
) -> None:
    fake_registry.instead = lambda seen: (503, {}, b"") if "astral-sh" in seen.path else None
    _refused(repository, pin, code=3)


def test_a_link_in_the_dockerfile_s_place_is_not_written_through(
    repository: Path, pin: Run, digests: dict[str, str]
) -> None:
    (repository / "Dockerfile").rename(repository.parent / "outside")
    (repository / "Dockerfile").symlink_to(repository.parent / "outside")
    before = (repository.parent / "outside").read_bytes()
    assert "is a link" in _refused(repository, pin, code=2)["message"]
    assert (repository.parent / "outside").read_bytes() == before


@pytest.mark.parametrize(("error", "code"), [(OSError(28, "No space left"), 3), (KeyboardInterrupt(), 130)])
def test_a_write_that_fails_in_the_middle_leaves_all_as_it_was(
    repository: Path,
    pin: Run,
    digests: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    code: int,
) -> None:
    before, replace, calls = read_tree(repository), os.replace, []

    def strike(*arguments: Any, **options: Any) -> None:
        calls.append(arguments)
        if len(calls) == 2:
            raise error
        replace(*arguments, **options)

    monkeypatch.setattr(os, "replace", strike)
    assert pin().code == code
    assert len(calls) > 2
    assert read_tree(repository) == before


# --- dry run ---------------------------------------------------------------------------------------------------------


def test_a_dry_run_prints_a_diff_that_git_takes_and_writes_nothing(
    repository: Path, pin: Run, digests: dict[str, str], git: Callable[..., str]
) -> None:
    before = read_tree(repository)
    done = pin("--dry-run")
    assert done.code == 0
    assert read_tree(repository) == before
    as_json = pin("--dry-run", "--json").json
    assert as_json["diff"] == done.out
    assert (as_json["written"], as_json["would_write"]) == ([], ["Dockerfile", ".copier-answers.yml"])
    (repository / ".git").rmdir()
    git(repository, "init", "--quiet")
    (repository.parent / "patch").write_text(done.out)
    git(repository, "apply", "../patch")
    assert read_tree(repository) == by_us(bundled(), "shop", data={"digests": digests})
