"""Stub until the real texts land."""

from __future__ import annotations

from dockertpl.fleet.look import Looked


def title(looked: Looked) -> str:
    return f"Update the image files of {looked.row.image} to {looked.row.target}"


def commit_message(looked: Looked) -> str:
    return f"{title(looked)}\n\nFrom {looked.row.version}."


def body(looked: Looked, verified: str) -> str:
    return f"{title(looked)}\n\n{verified}\n\n<!-- dockertpl:fleet {looked.row.answers_file} {looked.row.target} {looked.digest} -->"


def target(text: str) -> str:
    return text.rpartition("<!-- dockertpl:fleet ")[2].split(" ")[1] if "<!-- dockertpl:fleet " in text else ""


def verified(text: str) -> str:
    return ""


def same(one: str, other: str) -> bool:
    return one.strip() == other.strip()


def issue_marker(answers_file: str) -> str:
    return f"<!-- dockertpl:fleet-conflict {answers_file} -->"


def issue(looked: Looked) -> tuple[str, str]:
    return f"Conflicts in the update to {looked.row.target}", issue_marker(looked.row.answers_file)
