"""Which Dockerfile and build context `verify` takes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dockertpl.commands.dockerfile_to_build import Subject, image_name, locate
from dockertpl.errors import BadInputError

Image = Callable[..., Path]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "My Repo"
    (folder / ".git").mkdir(parents=True)
    return folder


@pytest.fixture
def image(root: Path) -> Image:
    """Write an answers file and its Dockerfile."""

    def write(
        name: str, app_dir: str = ".", context: str | None = None, file: str = "", dockerfile: bool = True
    ) -> Path:
        answers = file or (".copier-answers.yml" if app_dir == "." else f".copier-answers.{name}.yml")
        text = f"kind: python-fastapi\nname: {name}\napp_dir: {app_dir}\n"
        (root / answers).write_text(text + (f"context: {context}\n" if context else ""))
        (root / app_dir).mkdir(parents=True, exist_ok=True)
        if dockerfile:
            (root / app_dir / "Dockerfile").write_text("FROM scratch\n")
        return root / app_dir

    return write


def located(destination: Path) -> Subject:
    """Return the Dockerfile and the context to build, without the answers."""
    return locate(destination)._replace(answers={})


def refused(destination: Path, dockerfile: Path | None = None) -> BadInputError:
    with pytest.raises(BadInputError) as caught:
        locate(destination, dockerfile)
    assert caught.value.exit_code == 2 and caught.value.remedy
    return caught.value


def test_without_answers_the_dockerfile_is_the_folders_and_the_name_too(root: Path) -> None:
    (root / "Dockerfile").write_text("")
    assert located(root) == Subject("my-repo", root / "Dockerfile", root, None, answers={})


def test_one_answers_file_says_where_it_all_is(root: Path, image: Image) -> None:
    app = image("api", "services/api", "services/api")
    assert located(root) == Subject("api", app / "Dockerfile", app, "python-fastapi", answers={})


def test_what_the_answers_file_says_is_known(root: Path, image: Image) -> None:
    image("api", "services/api")
    assert locate(root).answers["app_dir"] == "services/api"


def test_a_workspace_member_has_the_root_as_its_context(root: Path, image: Image) -> None:
    app = image("api", "services/api", ".")
    assert located(root) == Subject("api", app / "Dockerfile", root, "python-fastapi", answers={})


def test_an_applications_folder_is_as_good_as_the_root(
    root: Path, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = image("api", "services/api", ".")
    image("web", "services/web")
    assert locate(app).name == "api"
    monkeypatch.chdir(app)
    assert located(Path()) == Subject("api", app / "Dockerfile", root, "python-fastapi", answers={})


def test_of_several_images_one_has_to_be_named(root: Path, image: Image) -> None:
    image("api", "services/api", ".")
    image("web", ".")
    error = refused(root)
    assert "api, web" in error.message
    assert "--file Dockerfile\n  --file services/api/Dockerfile" in error.remedy
    assert locate(root, Path("services/api/Dockerfile")).context == root
    assert locate(root, root / "Dockerfile").name == "web"


def test_a_dockerfile_that_no_answers_file_owns_has_the_destination_as_context(root: Path, image: Image) -> None:
    image("api", "services/api")
    (root / "docker").mkdir()
    (root / "docker" / "Debug").write_text("")
    assert locate(root, Path("docker/Debug")) == Subject("my-repo", root / "docker" / "Debug", root, None)


def test_a_missing_dockerfile_names_the_command_that_writes_one(root: Path, image: Image) -> None:
    assert "dockertpl new" in refused(root).remedy
    image("api", "api", dockerfile=False)
    assert "api/Dockerfile" in refused(root).message
    assert "no such file" in refused(root, Path("Other")).message


def test_a_missing_destination_is_refused(root: Path) -> None:
    (root / "Dockerfile").write_text("")
    assert "is a file" in refused(root / "Dockerfile").message
    assert "no such folder" in refused(root / "no").message


@pytest.mark.parametrize(("app_dir", "context"), [("..", ".."), ("api", "/"), ("/tmp", "/tmp")])
def test_an_answers_file_cannot_lead_out(root: Path, app_dir: str, context: str) -> None:
    text = f"kind: python-fastapi\nname: x\napp_dir: {app_dir}\ncontext: {context}\n"
    (root / ".copier-answers.yml").write_text(text)
    assert "leads out" in refused(root).message


def test_nor_can_a_link(root: Path, image: Image, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "Dockerfile").write_text("")
    (root / "api").symlink_to(tmp_path / "outside")
    image("api", "api", dockerfile=False)
    assert "leads out" in refused(root).message


@pytest.mark.parametrize("app_dir", [".", "api"])
def test_nor_can_a_dockerfile_that_is_a_link(root: Path, image: Image, tmp_path: Path, app_dir: str) -> None:
    (tmp_path / "outside").write_text("FROM scratch\n")
    folder = image("api", app_dir, dockerfile=False)
    (folder / "Dockerfile").symlink_to(tmp_path / "outside")
    assert "leads out" in refused(root).message


def test_a_link_that_stays_inside_is_followed(root: Path, image: Image) -> None:
    app = image("api", "api", dockerfile=False)
    (root / "Dockerfile.shared").write_text("FROM scratch\n")
    (app / "Dockerfile").symlink_to(root / "Dockerfile.shared")
    assert located(root).dockerfile == root / "Dockerfile.shared"


def test_another_templates_answers_are_not_ours(root: Path) -> None:
    (root / ".copier-answers.yml").write_text("_src_path: gh:other/template\nname: x\n")
    (root / "Dockerfile").write_text("")
    assert locate(root).kind is None


def test_without_git_nothing_above_the_destination_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".copier-answers.a.yml").write_text("kind: python-fastapi\nname: a\napp_dir: b\n")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "Dockerfile").write_text("")
    assert locate(tmp_path / "b").kind is None


@pytest.mark.parametrize(
    ("text", "name"),
    [("My Repo", "my-repo"), ("--a__b--", "a-b"), ("ümlaut", "mlaut"), ("…", "app"), ("x" * 90, "x" * 63)],
)
def test_any_folder_makes_an_image_name(text: str, name: str) -> None:
    assert image_name(text) == name


def test_shared_bases_are_not_runnable_images(root: Path, image: Image) -> None:
    app = image("api", "services/api", "services/api")
    (root / ".copier-answers.yml").write_text("kind: shared-base\nname: base\napp_dir: .\ncontext: .\n")
    assert located(root) == Subject("api", app / "Dockerfile", app, "python-fastapi", answers={})
    (root / ".copier-answers.api.yml").unlink()
    assert locate(root).kind == "shared-base"
