"""`python -m dockertpl`."""

from __future__ import annotations

from dockertpl.cli import main

main()
