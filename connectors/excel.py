"""Excel workbooks: each sheet a table. A workbook of one sheet, or a chosen sheet, is one table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from connectors._errors import reading
from connectors._paths import PathOptions, read_head
from connectors._sql import call, named
from connectors._views import hide, show, show_several
from connectors._workbook import sheet_names
from core.connector import Connector, Grants, Reject, Report
from core.errors import ConnectError, InvalidInput

if TYPE_CHECKING:
    import duckdb

_CELL = re.compile(r"cell ([A-Z]+)(\d+)")


class ExcelOptions(PathOptions):
    """Where the workbook is, and which cells are the table."""

    sheet: str = Field(
        "", max_length=100, title="Sheet", description="Name of one sheet; empty: all of them."
    )
    range: str = Field(
        "",
        pattern=r"^([A-Za-z]{1,3}[0-9]{0,7}:[A-Za-z]{1,3}[0-9]{0,7})?$",
        title="Range",
        description="Cells of the table, such as A3:F200; empty: from the first cell in use.",
    )
    header: Literal["auto", "yes", "no"] = Field(
        "auto", title="Header", description="Whether the first row holds the names of the columns."
    )
    all_text: bool = Field(
        False, title="All text", description="Read every cell as text; nothing is converted."
    )
    bad_cells: Literal["refuse", "empty"] = Field(
        "refuse", title="Bad cells", description="Refuse the query and name the cell, or empty it."
    )
    stop_at_empty: bool = Field(
        False, title="Stop at an empty row", description="Leave out what stands below one."
    )


class Excel(Connector[ExcelOptions]):
    name = "excel"
    label = "Excel"
    icon = "table"
    help = "An Excel workbook (.xlsx): each sheet is a table."
    Options = ExcelOptions
    suffixes = (".xlsx", ".xlsm")

    def grants(self, options: ExcelOptions) -> Grants:
        return Grants(read=(options.path,))

    def inspect(self, con: duckdb.DuckDBPyConnection, options: ExcelOptions, alias: str) -> Report:
        sheets, empty = _sheets(con, options)
        rejects = [bad for sheet in sheets if (bad := _bad_cell(con, options, sheet))]
        notes = [f"The sheet {sheet} is empty and left out." for sheet in empty]
        if rejects and options.bad_cells == "refuse":
            notes.append("Only the first bad cell of each sheet is listed.")
        names = [(alias,)] if len(sheets) == 1 else [(alias, sheet) for sheet in sheets]
        return Report(
            tables=tuple(named(con, *name) for name in names),
            rejected=len(rejects),
            rejects=tuple(rejects),
            notes=tuple(notes),
        )

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: ExcelOptions,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        sheets, _ = _sheets(con, options)
        selects = {sheet: _select(options, sheet) for sheet in sheets}
        with reading(options.path):
            if len(selects) == 1:
                show(con, alias, next(iter(selects.values())))
            else:
                show_several(con, alias, selects)

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        hide(con, alias)


def _sheets(con: duckdb.DuckDBPyConnection, options: ExcelOptions) -> tuple[list[str], list[str]]:
    """Return the sheets that are tables, and those that are empty."""
    read_head(options.path)
    names = sheet_names(options.path)
    if options.sheet:
        if options.sheet not in names:
            raise InvalidInput(
                f"{options.path} has no sheet {options.sheet!r}; it has {', '.join(names)}."
            )
        names = [options.sheet]
    empty = [name for name in names if _is_empty(con, options, name)]
    sheets = [name for name in names if name not in empty]
    if not sheets:
        raise ConnectError(f"{options.path} has no sheet with rows in it.")
    return sheets, empty


def _is_empty(con: duckdb.DuckDBPyConnection, options: ExcelOptions, sheet: str) -> bool:
    try:
        with reading(options.path):
            con.execute(f"DESCRIBE {_select(options, sheet)}").fetchall()
    except ConnectError as error:
        if "the sheet is empty" in error.message:
            return True
        raise
    return False


def _bad_cell(con: duckdb.DuckDBPyConnection, options: ExcelOptions, sheet: str) -> Reject | None:
    """Read a sheet to its end; return the first cell that does not fit its column."""
    strict = options.model_copy(update={"bad_cells": "refuse"})
    try:
        with reading(options.path):
            con.execute(f"SELECT count(COLUMNS(*)) FROM ({_select(strict, sheet)})").fetchall()
    except ConnectError as error:
        if cell := _CELL.search(error.message):
            reason = error.message.removeprefix(f"{options.path}: ").rstrip(".")
            return Reject(options.path, int(cell[2]), cell[1], f"sheet {sheet}: {reason}")
        raise
    return None


def _select(options: ExcelOptions, sheet: str) -> str:
    given: dict[str, object] = {
        "sheet": sheet,
        "all_varchar": options.all_text,
        "ignore_errors": options.bad_cells == "empty",
        "stop_at_empty": options.stop_at_empty,
    }
    if options.header != "auto":
        given["header"] = options.header == "yes"
    if options.range:
        given["range"] = options.range.upper()
    # Blank rows, which many sheets have below their table, are no rows.
    return f"{call('read_xlsx', options.path, given)} WHERE concat(*COLUMNS(*)) != ''"
