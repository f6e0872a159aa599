"""How a table's rows are read for a profile: the SQL of `seen`, its cells named c0, c1, ...

Names come from the catalog and are quoted. What a source can give without being read through
decides: a table of DuckDB and a Parquet file give rows from anywhere, and columns one by one; of
anything else the first rows are the only cheap ones, and reading twice may take twice as long.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.catalog.models import Table
from core.connector import quoted
from core.engine.question import question
from core.engine.results import Column

SAMPLE = 20_480
"""Ten of DuckDB's vectors: enough for a share of 1 % to be told from one of 1.3 %."""

_VECTOR = 2_048
_PLACES = 6
"""Stretches of a Parquet file: each costs the reading of a page of every column, 4 ms or so."""
# What DuckDB makes of a view over one Parquet file, and nothing that anybody added to it.
_PARQUET = re.compile(
    r"CREATE VIEW \S.* AS SELECT \* FROM "
    r"(read_parquet\('[^'*?\[]+', \(hive_partitioning = CAST\('[ft]' AS BOOLEAN\)\)\));?",
    re.DOTALL,
)
_STATEMENTS = 400
"""Statements one run has at most, within MILLPOND_STATEMENT_LIMIT."""
_AT_ONCE = 100
"""Columns of a source that is read as a whole: 2,000 columns are read twenty times."""

Placed = tuple[int, Column]
"""A column and its position in the table."""


@dataclass(frozen=True)
class Reading:
    """How one table is read. `rows` is how many it has, exactly or about; None: nobody knows."""

    table: Table
    rows: int | None
    file: str = ""
    """The call that reads the Parquet file, where it is one."""

    @property
    def by_column(self) -> bool:
        """Tell whether each column can be read without the others."""
        return bool(self.file) or (self.table.kind == "table" and self.table.rows is not None)

    @property
    def even(self) -> bool:
        """Tell whether a sample comes from everywhere, and not from the first rows."""
        return self.by_column and self.rows is not None

    def sample(self, columns: Iterable[Placed], most: int = SAMPLE) -> str:
        """Return the question about a sample of about `most` rows, or all if there are less."""
        columns = [*columns]
        cells = _cells(columns)
        if not self.even or not self.rows or self.rows <= most:
            source = f"SELECT {cells} FROM {self.table.address} LIMIT {most}"
        elif self.file:
            starts = (self.rows * place // _PLACES for place in range(_PLACES))
            ranges = " OR ".join(
                f"file_row_number BETWEEN {start} AND {start + _VECTOR - 1}" for start in starts
            )
            source = f"SELECT {cells} FROM {self.file} WHERE {ranges}"
        else:
            percent = 100 * most / self.rows
            source = f"SELECT {cells} FROM {self.table.address} TABLESAMPLE system({percent:.9f}%)"
        return f"WITH seen AS MATERIALIZED ({source}) {question(columns, look=True)}"

    def exact(self, various: frozenset[int], longest: int) -> list[str]:
        """Return texts of statements that ask about all rows, none longer than `longest` bytes.

        Each statement answers a row for each column that it asks about.
        """
        columns = [*enumerate(self.table.columns)]
        at_once = -(-len(columns) // _STATEMENTS) if self.by_column else _AT_ONCE
        texts: list[str] = []
        for start in range(0, len(columns), at_once):
            some = columns[start : start + at_once]
            kept = "NOT MATERIALIZED" if self.by_column else "MATERIALIZED"
            asked = question(some, various=various, once=False)
            source = f"SELECT {_cells(some)} FROM {self.table.address}"
            statement = f"WITH seen AS {kept} ({source}) {asked}"
            if texts and len(texts[-1].encode()) + len(statement.encode()) + 2 <= longest:
                texts[-1] += f";\n{statement}"
            else:
                texts.append(statement)
        return texts


def parquet_call(sql: str) -> str:
    """Return the call of `read_parquet` that a view is, and nothing for another view."""
    found = _PARQUET.fullmatch(sql.strip())
    return found[1] if found else ""


def _cells(columns: Iterable[Placed]) -> str:
    return ", ".join(f"{quoted(column.name)} AS c{at}" for at, column in columns)
