from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from dockertpl.screen import counted, printable, say


def test_prose_goes_to_stderr_or_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    say("hello")
    say("silence", quiet=True)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_work_continues_when_no_one_reads_its_result(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from dockertpl.screen import show\n"
        "sys.stdin.read()\n"
        "for number in range(3): show(f'{number}\\n')\n"
        f"Path({str(tmp_path / 'done')!r}).touch()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0
    assert (tmp_path / "done").exists()


def test_one_thing_is_not_several() -> None:
    assert [counted(number, "image", "images") for number in (0, 1, 1200)] == ["0 images", "1 image", "1,200 images"]


def test_text_of_any_script_is_kept_and_control_is_spelled_out() -> None:
    plain = "naïve 日本語\n\tline"
    assert printable(plain) == plain
    assert printable("a\x1b[31m\r\x07\u202e") == "a\\x1b[31m\\r\\x07\\u202e"
    assert printable("plain\n") == "plain\n"
