"""Every text that a reader of this project meets: where it is, and what kind of text it is."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

ROOT = Path(__file__).parents[2]

#: `docs` is Markdown, `messages` is what commands print and ask, `rendered` is comments of rendered files,
#: `comments` is docstrings and comments of the code.
Kind = Literal["docs", "messages", "rendered", "comments"]

#: Not prose of this project's: a license, published files that the bench measures, samples and recordings.
SKIPPED = (
    "LICENSE",
    "docs/images/",
    "tests/bench/sides/",
    "tests/samples/",
    "tests/template/copier/",
    "tests/wizard/screens/",
    "tests/commands/screens/",
    "templates/kinds/sandbox-multi-runtime/syscalls.yml",
    "tests/style/phrases.toml",
    "uv.lock",
)
#: Fewer words than this are a name, a key or a part of a command.
FEWEST_WORDS = 3
_WORD = re.compile(r"[A-Za-z][\w'-]*|`[^`]*`|\d[\d.,]*")


@dataclass(frozen=True)
class Text:
    """A paragraph, a message or a comment.

    Attributes:
        path: The file, relative to the repository root.
        line: Where the text begins, from 1.
        kind: What kind of text it is.
        text: The text on one line, code in backticks.
    """

    path: str
    line: int
    kind: Kind
    text: str


def words(text: str) -> list[str]:
    """Return the words of a text. Code in backticks is one word, and so is an enumeration of nothing but code."""
    return _WORD.findall(re.sub(r"`[^`]*`(, `[^`]*`)+", "`x`", text))


def sentences(text: str) -> list[str]:
    """Return the sentences of a text. A colon ends one where a list or an example follows on its own line."""
    parts = re.split(r"(?<=[.!?])[)\"'*_]*\s+(?=[\"'(*`\[]*[A-Z0-9`])", text)
    return [part for part in parts if len(words(part)) >= FEWEST_WORDS]


def texts(*below: str) -> Iterator[Text]:
    """Yield every text of the files that Git has, or of those below some paths."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *below],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    for path in sorted(listed.stdout.decode().split("\0")):
        if path and not path.startswith(SKIPPED) and (ROOT / path).is_file() and not (ROOT / path).is_symlink():
            yield from _of_file(path)


def _of_file(path: str) -> Iterator[Text]:
    suffix = Path(path).suffix
    if suffix == ".md":
        yield from _markdown(path)
    elif suffix == ".py":
        yield from _python(path)
    elif suffix == ".jinja" or path.startswith("examples/"):
        yield from _template(path)
    elif suffix in (".yml", ".yaml") and (path == "copier.yml" or path.startswith("templates/")):
        yield from _questions(path)
    elif suffix == ".toml" and path.startswith("generator/"):
        yield from _data(path)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _markdown(path: str) -> Iterator[Text]:
    """Yield paragraphs, list items and cells, without code blocks."""
    begun, part, fence = 0, list[str](), ""
    for number, line in enumerate([*(ROOT / path).read_text().splitlines(), ""], 1):
        opened = re.match(r"\s*(`{3,}|~{3,})", line)
        if opened and (not fence or line.strip().startswith(fence)):
            fence = "" if fence else opened.group(1)
        starts = re.match(r"\s*([-*+]|\d+\.)\s+|#+\s|\s*$|\|", line)
        if (starts or opened) and part:
            yield Text(path, begun, "docs", _prose(" ".join(part)))
            part = []
        if fence or opened or not line.strip():
            continue
        if line.startswith("|"):
            yield from (Text(path, number, "docs", _prose(cell)) for cell in _cells(line))
            continue
        if not part:
            begun = number
        part.append(re.sub(r"^\s*([-*+]|\d+\.)\s+|^#+\s+|^>\s?", "", line).strip())


def _cells(line: str) -> list[str]:
    return [cell for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")) if len(words(cell)) >= FEWEST_WORDS]


def _prose(text: str) -> str:
    """Return Markdown as its reader sees it: links by their texts, no comments."""
    text = re.sub(r"<!--.*?-->", "", text)
    return _one_line(re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text))


def _python(path: str) -> Iterator[Text]:
    source = (ROOT / path).read_text()
    tree = ast.parse(source)
    docstrings = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                docstrings.add(first.value)
                yield from _docstring(path, first.value.lineno, first.value.value)
    if path.startswith("generator/"):
        yield from _messages(path, tree, docstrings)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not re.match(r"#(:? ?noqa| type:| fmt:|!)", token.string):
            yield Text(path, token.start[0], "comments", token.string.lstrip("#: "))


def _docstring(path: str, line: int, text: str) -> Iterator[Text]:
    for paragraph in re.split(r"\n\s*\n|\n(?=\s+[\w*]+(?: \([^)]*\))?: )|\n(?=\s*[-*] )", text):
        yield Text(
            path, line, "comments", _one_line(re.sub(r"^\s*(Args|Returns|Raises|Yields|Attributes):\s*", "", paragraph))
        )


def _messages(path: str, tree: ast.Module, docstrings: set[ast.Constant]) -> Iterator[Text]:
    inside = set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            inside.update(id(part) for part in node.values)
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "`x`" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
            if id(node) in inside:
                continue
            text = node.value
        else:
            continue
        if _is_pattern(text):
            continue
        for paragraph in re.split(r"\n\s*\n|\n(?=\s*[-*•] )", text):
            if len(words(paragraph)) >= FEWEST_WORDS and " " in paragraph.strip():
                yield Text(path, node.lineno, "messages", _one_line(paragraph))


def _is_pattern(text: str) -> bool:
    """Return whether a string is a regular expression: no one reads it."""
    return bool(re.search(r"\(\?[:imsxP<!=]|\\[bBdDsSwW]", text))


def _template(path: str) -> Iterator[Text]:
    source = (ROOT / path).read_text()
    for found in re.finditer(r"\{#-?(.*?)-?#\}", source, re.DOTALL):
        yield Text(path, source.count("\n", 0, found.start()) + 1, "comments", _one_line(found.group(1)))
    source = re.sub(r"\{#-?(.*?)-?#\}", lambda found: "\n" * found.group().count("\n"), source, flags=re.DOTALL)
    if path.endswith("validate.jinja"):
        for number, line in enumerate(source.splitlines(), 1):
            if len(words(line)) >= FEWEST_WORDS and "{%" not in line:
                yield Text(path, number, "messages", _inline(line))
        return
    for number, line in enumerate(source.splitlines(), 1):
        comment = re.search(r"(?:^|\s)#\s+(\S.*)", line)
        shown = comment or re.search(r"\b(?:echo|print)\b[^\"']*[\"'](.*)[\"']", line)
        if shown:
            yield Text(path, number, "rendered", _inline(shown.group(1)))


def _inline(text: str) -> str:
    return _one_line(re.sub(r"\{%.*?%\}", "", re.sub(r"\{\{.*?\}\}", "`x`", text)))


def _questions(path: str) -> Iterator[Text]:
    source = (ROOT / path).read_text()
    for number, line in enumerate(source.splitlines(), 1):
        if found := re.match(r"\s*#\s+(.*)", line):
            yield Text(path, number, "comments", found.group(1))
    plain = re.sub(r"^\s*(!include .*|---)$", "", source, flags=re.MULTILINE)
    if "{%" in re.sub(r"(?m)^\s.*$", "", plain):
        return
    for document in yaml.safe_load_all(plain):
        for text in _strings(document):
            if re.fullmatch(r"[a-z0-9_\s]+", text) and "_" in text:
                continue  # a list of names, such as system calls
            if len(words(_inline(text))) >= FEWEST_WORDS and not text.startswith("{{"):
                begun = source.count("\n", 0, max(source.find(text.split("\n")[0][:40]), 0)) + 1
                for paragraph in re.split(r"\n\s*\n|\n", text):
                    if len(words(_inline(paragraph))) >= FEWEST_WORDS:
                        yield Text(path, begun, "messages", _inline(paragraph))


def _data(path: str) -> Iterator[Text]:
    source = (ROOT / path).read_text()
    for number, line in enumerate(source.splitlines(), 1):
        if found := re.match(r"#\s+(.*)", line):
            yield Text(path, number, "comments", found.group(1))
    for text in _strings(tomllib.loads(source)):
        if len(words(text)) > FEWEST_WORDS and re.match(r"[A-Z`{a-z][\w`{}' ,-]+ \w", text) and not _is_pattern(text):
            yield Text(
                path,
                source.count("\n", 0, max(source.find(text.split("\n")[0][:40]), 0)) + 1,
                "messages",
                _one_line(text),
            )


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
