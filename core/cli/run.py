"""What `millpond run` prints: how each cell of a notebook ended, and whether all did well."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from core.access import LOCAL_OWNER
from core.catalog.book import CatalogBook
from core.catalog.names import Names
from core.catalog.service import Catalogs
from core.cli.check import read_notebook
from core.cli.outcome import excerpt
from core.cli.room import open_engine, read_settings
from core.engine.engine import Engine
from core.engine.references import TableName
from core.engine.run import Run
from core.engine.session import Session
from core.errors import NotFound, QueryError
from core.notebooks.cell import CellKind
from core.notebooks.running import CellRun, run_cells
from core.notebooks.service import Checked, check
from core.notebooks.work import Work
from core.plugins import discover
from core.workbench import Workbench

WELL, FAILED = 0, 1

_COLOURS = {"done": "green", "failed": "red", "waiting": "yellow", "disabled": "yellow"}


@dataclass(frozen=True)
class Ask:
    """What was typed: values for inputs, and the cell to run, "" for all."""

    values: Mapping[str, Any]
    cell: str
    as_json: bool


def run_notebook(file: Path, ask: Ask) -> int:
    """Run a notebook's cells; 0 if all of them did well, else 1.

    Raises NotFound for a file or a cell that is not there, InvalidInput for a file that cannot be
    read.
    """
    text = read_notebook(file)
    kinds = discover("core.notebooks.cells", CellKind).found
    workbench = Workbench.open(read_settings(), spares=False)
    try:
        with open_engine(workbench) as engine:
            tables = Names(Catalogs(CatalogBook(engine), LOCAL_OWNER).whole())
            checked = check(
                text, kinds, lambda name: tables.find(TableName("", "", name)) is not None
            )
            return _run(engine, checked, kinds, ask)
    finally:
        workbench.close()


def _run(engine: Engine, checked: Checked, kinds: Mapping[str, CellKind], ask: Ask) -> int:
    if ask.cell and ask.cell not in checked.cells:
        known = ", ".join(checked.cells)
        raise NotFound(f"There is no cell {ask.cell}.", hint=f"Those there are: {known}.")
    work = Work(Session(engine, "notebook"), ask.values, follow=_wait)
    ended: list[CellRun] = []
    for run in run_cells(checked, kinds, work, ask.cell):
        ended.append(run)
        if not ask.as_json:
            _print(checked, run)
    if ask.as_json:
        click.echo(json.dumps([_told(checked, each) for each in ended], ensure_ascii=False))
    well = all(each.state in ("done", "disabled") for each in ended)
    return WELL if well else FAILED


def _wait(run: Run) -> None:
    """Wait for the end; Ctrl-C stops it."""
    try:
        while not run.wait(0.2):
            pass
    except KeyboardInterrupt:
        run.cancel()
        run.wait(5)
        raise


def _print(checked: Checked, run: CellRun) -> None:
    cell = checked.cells[run.key]
    if cell.kind == "markdown" and run.state == "done":
        return
    facts = [run.said] if run.said else []
    if run.rows is not None and run.state == "done":
        facts.append(f"{run.rows:,} {'row' if run.rows == 1 else 'rows'}")
    if run.seconds:
        facts.append(f"{run.seconds:.2f} s")
    state = click.style(f"{run.state:8}", fg=_COLOURS[run.state])
    click.echo(f"{state} {cell.kind} {run.key}  {' · '.join(facts)}".rstrip())
    if isinstance(run.error, QueryError):
        pointed = QueryError("", sql=cell.body, line=run.error.line, column=run.error.column)
        for line in excerpt(pointed):
            click.echo(f"         {line}")
    if run.error is not None and run.error.hint:
        click.echo(f"         {run.error.hint}")


def _told(checked: Checked, run: CellRun) -> dict[str, Any]:
    return {
        "cell": run.key,
        "kind": checked.cells[run.key].kind,
        "state": run.state,
        "rows": run.rows,
        "seconds": round(run.seconds, 6),
        "said": run.said,
        "hint": run.error.hint if run.error else "",
    }
