"""What `millpond compare` prints: the differences of two schemas as text, SQL or JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

import click

from core.catalog.alters import Dialect, alters
from core.catalog.differences import Comparison
from core.catalog.told import changes_told, told
from core.cli.outcome import show_error
from core.cli.room import read_settings
from core.errors import MillpondError
from core.workbench import Workbench

EQUAL, DIFFERENT, TROUBLE = 0, 1, 2


def compare(left: str, right: str, format: str, dialect: Dialect | None) -> int:
    """Print how two schemas differ; 0 if they do not, 1 if they do, 2 if nobody can tell."""
    workbench = Workbench.open(read_settings(), spares=False)
    try:
        with workbench.comparisons() as comparisons:
            comparison = comparisons.compare(left, right)
    except MillpondError as error:
        show_error(error)
        return TROUBLE
    finally:
        workbench.close()
    chosen = dialect or comparison.spoken
    written: dict[str, Callable[[], str]] = {
        "text": lambda: text(comparison),
        "sql": lambda: alters(comparison, chosen),
        "json": lambda: json.dumps(told(comparison, chosen), ensure_ascii=False, indent=2) + "\n",
    }
    click.echo(written[format](), nl=False)
    return EQUAL if comparison.equal else DIFFERENT


def text(comparison: Comparison) -> str:
    """Return a line for each table that differs, and what might have been renamed, then the sum."""
    guesses = [*comparison.renames, *(each for one in comparison.changes for each in one.renames)]
    lines = [
        f"{comparison.left.name} -> {comparison.right.name}",
        *changes_told(comparison),
        *(
            f"? perhaps {each.table + '.' if each.table else ''}{each.left} "
            f"was renamed to {each.right}"
            for each in guesses
        ),
        f"{comparison.summary()}.",
    ]
    return "\n".join(lines) + "\n"
