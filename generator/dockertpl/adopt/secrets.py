"""Recognize secrets, to keep them out of reports and images."""

from __future__ import annotations

import re

_NAME = re.compile(
    r"(?:^|_)(?:SECRETS?|TOKENS?|PASSWORDS?|PASSWD|PASS|PWD|CREDENTIALS?|PRIVATE_KEY|ACCESS_KEY|API_?KEYS?|SECRET_KEY|"
    r"ENCRYPTION_KEY|AUTH_KEY|SIGNING_KEY|SALT)(?:$|_(?!URL|PATH|FILE|DIR|NAME|TTL|EXPIR|LENGTH|ALGORITHM))",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"gh[pousr]_\w{20}|github_pat_|glpat-|sk-[\w-]{16}|sk_live_|xox[abpr]-|AKIA[A-Z0-9]{12}|eyJ[\w-]{16}|"
    r"-----BEGIN [A-Z ]*PRIVATE KEY|npm_\w{30}|://[^/\s:@$\"']+:[^/\s@$\"']+@"
)
_IN_TEXT = re.compile(
    r"((?:(?:token|secret|password|passwd|api_?key|access_key|private_key)\w*=|"
    r"--(?:token|password|secret|api-key)[= ])[\"']?)"
    r"(?!\$)[^\s\"'&;]{4,}",
    re.IGNORECASE,
)


def is_secret_name(name: str) -> bool:
    """Return whether a variable's name suggests a secret."""
    return not name.startswith(("NEXT_PUBLIC_", "VITE_")) and _NAME.search(name) is not None


def is_secret(name: str, value: str) -> bool:
    """Return whether a variable holds a secret, by its name and value."""
    value = value.strip("\"'")
    if _VALUE.search(value):
        return True
    return is_secret_name(name) and bool(value) and not re.fullmatch(r"\$\{?\w+(?::?-)?\}?", value)


def holds_secret(text: str) -> bool:
    """Return whether a command seems to contain a secret."""
    return bool(_VALUE.search(text) or _IN_TEXT.search(text))


def shown(text: str, longest: int = 100) -> str:
    """Return a text on one line for reports, shortened and without secrets."""
    text = re.sub(r"\s+", " ", text[: 8 * longest]).strip()
    text = re.sub(r"://[^/\s:@$\"']+:[^/\s@$\"']+@", "://…@", text)
    text = _VALUE.sub("…", _IN_TEXT.sub(r"\1…", text))
    return text if len(text) <= longest else text[: longest - 1] + "…"
