"""`python -m core.cli` is the command `millpond`."""

from __future__ import annotations

from core.cli import main

main()
