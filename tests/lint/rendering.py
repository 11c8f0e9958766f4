"""The renderings of the pairwise set, on disk and as parsed by moby."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from tests.renderings import rendered

# Moby's own parser has no types.
_parse_file: Any = import_module("dockerfile").parse_file


class Instruction(NamedTuple):
    """One instruction of a Dockerfile, as parsed by moby: its name in capitals, its words, its flags, its text."""

    name: str
    words: tuple[str, ...]
    flags: tuple[str, ...]
    exec_form: bool
    text: str


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """A rendered Dockerfile and the files beside it. Shared base images have one for each image.

    Attributes:
        number: Its index in the set, to find it again.
        answers: The answers with defaults. `flavor` says which of the shared base images it is.
        root: The folder of its files.
        texts: The files, by path.
        dockerfile: The path of the Dockerfile.
        stages: The instructions of each stage, by name. Those before the first FROM have the name "".
    """

    number: int
    answers: Mapping[str, Any]
    root: Path
    texts: dict[str, str]
    dockerfile: Path
    stages: dict[str, list[Instruction]]

    @property
    def ignore_file(self) -> str:
        """The lines of its ignore file."""
        own = f"{self.dockerfile.relative_to(self.root)}.dockerignore"
        return self.texts.get(own) or self.texts[".dockerignore"]

    @property
    def compose(self) -> str | None:
        """The content of its compose.yaml, if it has one."""
        return next((text for path, text in self.texts.items() if path.endswith("compose.yaml")), None)

    def last(self, stage: str, instruction: str) -> Instruction | None:
        """Return the last instruction of a kind in a stage, which is the one in effect."""
        found = [found for found in self.stages[stage] if found.name == instruction]
        return found[-1] if found else None


def _stages(path: Path) -> dict[str, list[Instruction]]:
    result: dict[str, list[Instruction]] = {"": []}
    name = ""
    for command in _parse_file(str(path)):
        found = Instruction(command.cmd.upper(), command.value, command.flags, command.json, command.original)
        name = found.words[-1] if found.name == "FROM" else name
        result.setdefault(name, []).append(found)
    return result


def _answers(answers: Mapping[str, Any], dockerfile: str) -> Mapping[str, Any]:
    if answers["kind"] != "shared-base":
        return answers
    return {**answers, "flavor": PurePosixPath(dockerfile).parent.name}


def render_all(folder: Path) -> list[Rendering]:
    """Render every set of answers into its own folder below `folder`. Return a rendering for each Dockerfile."""
    result = []
    for number, (answers, tree) in enumerate(rendered()):
        root = folder / str(number)
        for path, file in tree.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(file.content)
        texts = {path: file.content.decode() for path, file in tree.items()}
        for path in texts:
            if PurePosixPath(path).name == "Dockerfile":
                found = _answers(answers.values, path)
                there, stages = root / path, _stages(root / path)
                result.append(
                    Rendering(number=number, answers=found, root=root, texts=texts, dockerfile=there, stages=stages)
                )
    return result
