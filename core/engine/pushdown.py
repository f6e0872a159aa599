"""What of a query its sources do themselves, read from its plan.

DuckDB hands its readers the columns that are needed and the comparisons that they can make, and
some take the limit too; all else is done here, on the rows that come.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.engine.plan import PlanNode
from core.engine.references import TableName, references

_READERS = {
    "POSTGRES_SCAN": "PostgreSQL",
    "MYSQL_SCAN": "MySQL",
    "SQLITE_SCAN": "SQLite",
    "READ_PARQUET": "Parquet",
    "PARQUET_SCAN": "Parquet",
}
_LIMIT = re.compile(r"\blimit\s+[\d$(]", re.IGNORECASE)
_LIMITS = ("LIMIT", "STREAMING_LIMIT", "LIMIT_PERCENT", "TOP_N")


@dataclass(frozen=True)
class Pushed:
    """What one table is asked for: its columns, "" for none of them, and which rows, "" for all.

    `limited`: it also stops after as many rows as the query wants.
    """

    reader: str
    table: str
    columns: str
    rows: str
    limited: bool = False


def pushed(plan: PlanNode, sql: str) -> tuple[Pushed, ...]:
    """Return what each source of a query is asked for, in the order of its plan."""
    nodes = [node for _, node in plan.walk()]
    readers = [node for node in nodes if node.name in _READERS]
    # The plan does not tell of a limit that was handed on; but then no step here counts rows.
    counted = any(node.name in _LIMITS for node in nodes)
    limited = _LIMIT.search(sql) is not None and not counted and len(readers) == 1
    names = references(sql).reads
    return tuple(_asked(node, names, limited) for node in readers)


def _asked(node: PlanNode, names: Iterable[TableName], limited: bool) -> Pushed:
    told = dict(node.details)
    table = told.get("Table", "")
    same = {str(name) for name in names if name.name.lower() == table.lower()}
    # The plan has the bare name; of two tables that share it, that is all that is known.
    known = same.pop() if len(same) == 1 else table
    columns, rows = told.get("Projections", ""), told.get("Filters", "")
    is_server = node.name in ("POSTGRES_SCAN", "MYSQL_SCAN")
    return Pushed(_READERS[node.name], known, columns, rows, limited and is_server)
