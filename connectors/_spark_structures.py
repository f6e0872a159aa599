"""What Spark's catalog tells of its tables: asked table by table, several at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from connectors._spark_text import quoted
from connectors._types import duckdb_type
from core.structure import Structure, StructuredColumn

if TYPE_CHECKING:
    from connectors._spark_session import Session

_AT_ONCE = 8
_STATISTICS = re.compile(r"(\d+) bytes(?:, (\d+) rows)?")

_Rows = Sequence[dict[str, Any]]


def read_structures(session: Session, schema: str | None, name: str | None) -> list[Structure]:
    """Return all tables and views of the session's catalog, of one database, or one."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        schemas = [schema] if schema else _schemas(session)
        asked = [
            (each, table)
            for each, tables in zip(
                schemas, pool.map(lambda one: _tables(session, one), schemas), strict=True
            )
            for table in tables
            if name is None or table == name
        ]
        found = pool.map(lambda one: _structure(session, *one), asked)
        return [each for each in found if each is not None]


def _schemas(session: Session) -> list[str]:
    # The column's name differs between Spark's versions.
    return sorted(str(next(iter(row.values()))) for row in session.rows("SHOW DATABASES"))


def _tables(session: Session, schema: str) -> list[str]:
    rows = session.rows(f"SHOW TABLES IN {quoted(schema)}")
    return sorted(str(row["tableName"]) for row in rows if not row["isTemporary"])


def _structure(session: Session, schema: str, name: str) -> Structure | None:
    """Describe a table; None where it was dropped meanwhile or cannot be read."""
    from grpc import RpcError

    with suppress(RpcError):
        rows = session.rows(f"DESCRIBE TABLE EXTENDED {quoted(schema, name)}")
        own = _own(rows)
        more = {row["col_name"]: str(row["data_type"] or "") for row in rows[len(own) :]}
        size = _STATISTICS.search(more.get("Statistics", ""))
        return Structure(
            schema=schema,
            name=name,
            kind="view" if "VIEW" in more.get("Type", "") else "table",
            comment=more.get("Comment", ""),
            sql=more.get("View Text", ""),
            bytes=int(size[1]) if size else None,
            rows=int(size[2]) if size and size[2] else None,
            columns=tuple(_columns(own)),
        )
    return None


def _own(rows: _Rows) -> _Rows:
    """Return the rows about columns: below them come partitions and details under headings."""
    ends = (at for at, row in enumerate(rows) if not row["col_name"] or row["col_name"][0] == "#")
    return rows[: next(ends, len(rows))]


def _columns(rows: _Rows) -> Iterator[StructuredColumn]:
    for row in rows:
        declared = str(row["data_type"])
        yield StructuredColumn(
            str(row["col_name"]),
            duckdb_type(declared, "spark"),
            comment=str(row["comment"] or ""),
            declared=declared,
        )
