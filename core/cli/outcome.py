"""How an error looks in a terminal: the sentence, where in the SQL, and what to do about it."""

from __future__ import annotations

import traceback

import click

from core.errors import MillpondError, QueryCancelled, QueryError
from core.redaction import redact

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended: 128 + SIGINT."""

_WIDTH = 100


def show_error(error: MillpondError) -> int:
    """Print an error for a person on stderr, and return the exit code it means."""
    click.echo(click.style("Error: ", fg="red", bold=True) + error.message, err=True)
    pointed = excerpt(error) if isinstance(error, QueryError) else []
    if pointed:
        click.echo("\n".join(["", *(f"  {line}" for line in pointed), ""]), err=True)
    if error.hint:
        click.echo(error.hint, err=True)
    return INTERRUPTED if isinstance(error, QueryCancelled) else 1


def show_unexpected(error: Exception, *, debug: bool) -> int:
    """Print an error that nobody expected in one sentence, or with its traceback."""
    if debug:
        click.echo(redact("".join(traceback.format_exception(error))), err=True, nl=False)
    click.echo(redact(f"Millpond failed: {type(error).__name__}: {error}"), err=True)
    if not debug:
        click.echo("This is a fault in Millpond; `millpond --debug ...` shows where.", err=True)
    return 1


def excerpt(error: QueryError) -> list[str]:
    """Return the line of SQL that an error points at with a caret under it; nothing if unknown."""
    lines = error.sql.split("\n")
    if not 0 < error.line <= len(lines):
        return []
    line, column = lines[error.line - 1], max(error.column, 1)
    start = max(0, column - _WIDTH // 2) if len(line) > _WIDTH else 0
    shown = line[start : start + _WIDTH].replace("\t", " ")
    number = f"{error.line} | "
    return [number + shown, " " * (len(number) + column - 1 - start) + "^"]
