"""Write `examples/` again: `python -m tests.examples`."""

from __future__ import annotations

import shutil

from .rendering import FOLDER, examples, files, index


def main() -> None:
    """Replace the folder."""
    made = {example.name: files(example) for example in examples()}
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    (FOLDER / "README.md").write_text(index())
    for name, tree in made.items():
        for path, file in tree.items():
            target = FOLDER / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.content)
            target.chmod(0o755 if file.executable else 0o644)
        print(f"{name}: {len(tree)} files")  # noqa: T201


if __name__ == "__main__":
    main()
