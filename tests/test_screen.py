from __future__ import annotations

import pytest

from dockertpl.screen import printable, say


def test_prose_goes_to_stderr_or_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    say("hello")
    say("silence", quiet=True)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "hello\n")


def test_text_of_any_script_is_kept_and_control_is_spelled_out() -> None:
    plain = "naïve 日本語\n\tline"
    assert printable(plain) == plain
    assert printable("a\x1b[31m\r\x07\u202e") == "a\\x1b[31m\\r\\x07\\u202e"
    assert printable("plain\n") == "plain\n"
