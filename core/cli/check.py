"""What `millpond check` prints: what will not work in notebooks, found without running them."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from core.access import LOCAL_OWNER
from core.catalog.book import CatalogBook
from core.catalog.names import Names
from core.catalog.service import Catalogs
from core.cli.room import open_engine, read_settings
from core.engine.references import TableName
from core.errors import InvalidInput, NotFound
from core.notebooks.cell import CellKind
from core.notebooks.service import Checked, check
from core.plugins import discover
from core.workbench import Workbench

CLEAN, WRONG = 0, 1

LARGEST = 50_000_000
"""Bytes of a notebook's text."""


def check_files(files: Sequence[Path], *, as_json: bool, sources: bool) -> int:
    """Check notebooks; 0 if nothing is wrong in any of them.

    With `sources` the workspace is asked which tables there are; else any name may be one. Raises
    NotFound and InvalidInput for a file that cannot be read.
    """
    texts = {file: read_notebook(file) for file in files}
    kinds = discover("core.notebooks.cells", CellKind).found
    is_table = _tables() if sources else None
    checked = {file: check(text, kinds, is_table) for file, text in texts.items()}
    if as_json:
        click.echo(json.dumps([_told(*each) for each in checked.items()], ensure_ascii=False))
    else:
        for file, each in checked.items():
            _print(file, each)
    return WRONG if any(each.problems for each in checked.values()) else CLEAN


def read_notebook(file: Path) -> str:
    """Return the text of a notebook's file. Raises NotFound, InvalidInput."""
    try:
        _refuse_endless(file)
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {file}.") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{file} is not UTF-8, at byte {error.start}.", hint="Save it as UTF-8."
        ) from error
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error


def _refuse_endless(file: Path) -> None:
    """Raise InvalidInput for what never ends, as a pipe or a device, or could fill the memory."""
    facts = file.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise InvalidInput(f"{file} is no file.", hint="Name a file of Markdown.")
    if facts.st_size > LARGEST:
        raise InvalidInput(
            f"{file} has {facts.st_size / 1e6:,.0f} MB; a notebook has {LARGEST / 1e6:.0f} at most."
        )


def _tables() -> Callable[[str], bool]:
    workbench = Workbench.open(read_settings(), spares=False)
    try:
        with open_engine(workbench) as engine:
            known = Names(Catalogs(CatalogBook(engine), LOCAL_OWNER).whole())
    finally:
        workbench.close()
    return lambda name: known.find(TableName("", "", name)) is not None


def _print(file: Path, checked: Checked) -> None:
    for cell, problem in checked.problems:
        line = cell.line + max(0, problem.line - 1)
        where = click.style(f"{file}:{line}:", bold=True)
        named = f"{cell.kind} {cell.name}".strip()
        click.echo(f"{where} {named}: {problem.message} {problem.hint}".rstrip())
    if not checked.problems:
        cells = len(checked.notebook.cells)
        click.echo(f"{file}: {cells} {'cell' if cells == 1 else 'cells'}, nothing wrong")


def _told(file: Path, checked: Checked) -> dict[str, Any]:
    graph = checked.graph
    return {
        "file": str(file),
        "title": checked.notebook.title,
        "order": graph.order(),
        "cells": [
            {
                "key": key,
                "kind": cell.kind,
                "name": cell.name,
                "line": cell.line,
                "defines": sorted(graph.names[key].defines),
                "parents": sorted(graph.parents[key]),
                "problems": [
                    {
                        "message": each.message,
                        "hint": each.hint,
                        "line": cell.line + max(0, each.line - 1),
                    }
                    for each in graph.problems.get(key, ())
                ],
            }
            for key, cell in checked.cells.items()
        ],
    }
