"""Run SQL for `millpond query`: wait with a progress line, then print or write the result."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from core.cli.room import open_session, read_settings
from core.cli.table import table_text
from core.engine.results import ResultSet
from core.engine.run import Run
from core.engine.session import Session
from core.errors import ConnectError, InvalidInput, QueryError
from core.workbench import Workbench

_BINARY = ("parquet", "arrow")
_SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
}


@dataclass(frozen=True)
class Target:
    """Where the result goes: `out` None is the standard output; a table shows `rows` rows."""

    format: str
    out: Path | None
    rows: int

    @classmethod
    def choose(cls, format: str | None, out: Path | None, rows: int) -> Target:
        """Fill in the format. Raises click.UsageError for binary data on a terminal."""
        chosen = format or (_SUFFIXES.get(out.suffix.lower()) if out else None) or "table"
        if chosen in _BINARY and out is None and sys.stdout.isatty():
            raise click.UsageError(f"{chosen} is not for a terminal; name a file with --out.")
        return cls(chosen, out, rows)


def run_query(
    sql: str,
    params: Mapping[str, Any],
    target: Target,
    *,
    timeout: float | None,
    on: str = "",
) -> None:
    """Run a text of statements: a table shows each result, a file holds the last.

    Raises what went wrong; KeyboardInterrupt after the query was stopped.
    """
    settings = read_settings()
    workbench = Workbench.open(settings, spares=False)
    try:
        with open_session(workbench) as session:
            run = session.start(sql, params, timeout=timeout, on=on)
            try:
                _wait(run, settings.cancel_grace)
                _deliver(session, run, target)
            finally:
                for result in run.results:
                    run.arrival(result.id).path.unlink(missing_ok=True)
    finally:
        workbench.close()


def _wait(run: Run, grace: float) -> None:
    """Wait for the end. Ctrl-C stops the query, and the engine if the query does not listen."""
    shows = sys.stderr.isatty()
    try:
        while not run.wait(0.2):
            if shows and run.elapsed > 1:
                known = f"{run.progress:.0f} %, " if run.progress >= 0 else ""
                click.echo(f"\r\x1b[K{known}{run.elapsed:.0f} s", err=True, nl=False)
    except KeyboardInterrupt:
        run.cancel()
        run.wait(grace + 2)
        raise
    finally:
        if shows:
            click.echo("\r\x1b[K", err=True, nl=False)
    if isinstance(run.error, QueryError):
        run.error.sql = run.sql  # the position counts in the whole text
    if run.error is not None:
        raise run.error


def _deliver(session: Session, run: Run, target: Target) -> None:
    if target.format == "table":
        text = "\n".join(_table(session, run, result, target.rows) for result in run.results)
        _write_text(text, target.out)
        return
    result = run.result
    if result is None or not result.columns:
        raise InvalidInput(
            f"No statement returned rows, so there is no {target.format} to write.",
            hint="What the statements do is done.",
        )
    exported = session.export_result(run, result, format=target.format)
    try:
        _hand_over(exported, target.out)
    finally:
        exported.unlink(missing_ok=True)


def _table(session: Session, run: Run, result: ResultSet, rows: int) -> str:
    if not result.columns:
        changed = "" if result.affected is None else f": {result.affected:,} rows"
        return f"{result.kind}{changed}\n"
    return table_text(result, session.page(run, result, 0, rows).frame)


def _write_text(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    with written(out) as part:
        part.write_text(text, encoding="utf-8")


def _hand_over(exported: Path, out: Path | None) -> None:
    """Copy the file that the engine wrote: it owns no place outside its workspace."""
    if out is None:
        stdout = sys.stdout.buffer
        with exported.open("rb") as source:
            shutil.copyfileobj(source, stdout, 2**20)
        stdout.flush()
        return
    with written(out) as part:
        shutil.copyfile(exported, part)


@contextmanager
def written(out: Path) -> Iterator[Path]:
    """Give a file to fill that becomes `out` when it is whole. Raises ConnectError."""
    part = out.with_name(f".{out.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(out)
    except OSError as error:
        raise ConnectError(
            f"{out} cannot be written: {error.strerror}.",
            hint="Check the folder of --out, its rights, and the space on its disk.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
