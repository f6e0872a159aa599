"""The command line: `millpond serve`, `query`, `worker` and `doctor`, over the app's workbench.

Not a shell and not a second way to run queries. What a command needs is imported when it runs, so
that `millpond --help` answers at once.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from core.cli.commands import run

    sys.exit(run(sys.argv[1:]))
