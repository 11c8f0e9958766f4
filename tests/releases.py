"""A small template with three versions, and repositories made from it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.merge.scenario_template import git
from tests.parity import by_us

from dockertpl.template.source import TemplateSource

COPIER = """\
_subdirectory: project
_answers_file: "{% if app_dir == '.' %}.copier-answers.yml{% else %}.copier-answers.{{ name }}.yml{% endif %}"
kind:
  type: str
  default: small
name:
  type: str
  default: app
app_dir:
  type: str
  default: "."
"""
ANSWERS = "# Answers.\n{{ _copier_answers | to_nice_yaml -}}\n"
FLAVOR = "flavor:\n  type: str\n  choices: [{}]\n  default: slim\nlabel:\n  type: str\n  default: of {{{{ flavor }}}}\n"
LINES = "".join(f"line {number}\n" for number in range(12))
DOCKERFILE = "FROM {{ flavor }}\nLABEL a={{ label }}\n" + LINES


def make(root: Path) -> Path:
    """Make the template's repository with the tags v1.0.0 to v3.0.0. The last one drops the flavor alpine."""
    project = root / "project"
    (project / "{{ app_dir }}").mkdir(parents=True)
    git(root, "init", "--quiet")
    (project / "{{ _copier_conf.answers_file }}.jinja").write_text(ANSWERS)
    release(root, "v1.0.0", COPIER + FLAVOR.format("slim, alpine"), DOCKERFILE)
    (project / "{{ app_dir }}" / "gone.txt").unlink()
    release(root, "v2.0.0", None, DOCKERFILE.replace("line 3\n", "line three\n"))
    release(root, "v3.0.0", COPIER + FLAVOR.format("slim, tiny"), None)
    return root


def release(root: Path, tag: str, questions: str | None, dockerfile: str | None) -> None:
    """Commit a version and tag it."""
    folder = root / "project" / "{{ app_dir }}"
    if questions is not None:
        (root / "copier.yml").write_text(questions)
    if dockerfile is not None:
        (folder / "Dockerfile.jinja").write_text(dockerfile)
    if tag == "v1.0.0":
        (folder / "gone.txt").write_text("of the first version\n")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", tag)
    git(root, "tag", tag)


def scaffold(root: Path, template: Path, tag: str = "v1.0.0", answers: Mapping[str, str] | None = None) -> Path:
    """Commit the files of an image to a repository."""
    checkout = root.parent / f"checkout-{tag}"
    if not checkout.exists():
        git(template, "worktree", "add", "--quiet", "--detach", str(checkout), tag)
    source = TemplateSource(root=checkout, src_path=str(template), commit=tag)
    for path, file in by_us(source, root.name, answers).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(file.content)
    if not (root / ".git").exists():
        git(root, "init", "--quiet")
    return commit(root)


def commit(root: Path) -> Path:
    """Commit everything in a repository."""
    git(root, "add", "--all", "--force")
    git(root, "commit", "--quiet", "--allow-empty", "--message", "mine")
    return root
