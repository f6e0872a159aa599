"""What a SQLite file declares of its tables, read by SQLite itself and never written.

DuckDB tells columns and the primary key of such a table; everything else is known here. Checks
stand in the table's SQL alone: SQLite lists them nowhere, and no SQL is parsed.
"""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import groupby
from typing import Any, TypedDict
from urllib.parse import quote

from connectors._paths import read_head
from core.connector import quoted
from core.errors import ConnectError
from core.structure import Constraint, Index, Structure, StructuredColumn, Target

_WRITE_VERSION = 18
"""Where the header says 2 for a database in WAL mode: even a reader makes its -shm file."""

_MEASURED = 2**28
"""Bytes of a file whose tables are measured: that reads every page, 0.2 s for 157 MB."""

_GENERATED = {2: "virtual", 3: "stored"}

_TABLES = """
SELECT m.name, m.type, coalesce(m.sql, ''), coalesce(l.wr, 0)
FROM sqlite_master AS m LEFT JOIN pragma_table_list AS l ON l.schema = 'main' AND l.name = m.name
WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
  AND m.name = coalesce(?1, m.name)
ORDER BY m.name
"""

_KEYS = """
SELECT l.name, l."unique", l.origin, coalesce(m.sql, '')
FROM pragma_index_list(?1) AS l LEFT JOIN sqlite_master AS m ON m.type = 'index' AND m.name = l.name
ORDER BY l.seq DESC
"""

_FOREIGN = """
SELECT id, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?1)
ORDER BY id DESC, seq
"""

_BYTES = """
SELECT m.tbl_name, sum(s.pgsize) FROM sqlite_master AS m JOIN dbstat AS s ON s.name = m.name
WHERE s.aggregate = 1 AND m.tbl_name = coalesce(?1, m.tbl_name) GROUP BY m.tbl_name
"""


@contextmanager
def opened(path: str) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file for reading. Raises ConnectError, also for what fails in the block."""
    head = read_head(path)
    try:
        address = f"file:{quote(path)}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=1)) as db:
            yield db
    except sqlite3.Error as error:
        if head[_WRITE_VERSION] == 2 and re.search("readonly|unable to open", str(error)):
            raise ConnectError(
                f"{path} is in WAL mode, which takes writing beside it even to read.",
                hint="Connect to a copy made with VACUUM INTO, or set its journal_mode to delete.",
            ) from error
        raise ConnectError(f"{path} cannot be read: {error}.") from error


def structures(path: str, name: str | None) -> list[Structure]:
    """Tell of all tables and views of a file, or of one. Raises ConnectError.

    The types of columns are left empty: those are DuckDB's to say.
    """
    with opened(path) as db:
        known = {each.lower(): each for (each,) in db.execute("SELECT name FROM sqlite_master")}
        rows, sizes = _estimates(db), _sizes(db, path, name)
        return [
            Structure(
                "main",
                table,
                "view" if kind == "view" else "table",
                sql=sql,
                rows=rows.get(table.lower()),
                bytes=sizes.get(table.lower()),
                **_described(db, table, bool(without_rowid), known),
            )
            for table, kind, sql, without_rowid in db.execute(_TABLES, [name]).fetchall()
        ]


def _estimates(db: sqlite3.Connection) -> dict[str, int]:
    """Return the rows of tables as they were at the last ANALYZE, by name in lower case."""
    rows: dict[str, int] = {}
    with suppress(sqlite3.OperationalError):  # nobody ever ran ANALYZE
        # A partial index has fewer rows than its table: the largest figure is the table's.
        for table, stat in db.execute("SELECT tbl, stat FROM sqlite_stat1"):
            first = str(stat).partition(" ")[0]
            if first.isdigit():
                rows[table.lower()] = max(int(first), rows.get(table.lower(), 0))
    return rows


def _sizes(db: sqlite3.Connection, path: str, name: str | None) -> dict[str, int]:
    if os.path.getsize(path) > _MEASURED:
        return {}
    with suppress(sqlite3.OperationalError):  # a SQLite that was built without dbstat
        return {table.lower(): size for table, size in db.execute(_BYTES, [name])}
    return {}


class _Described(TypedDict):
    columns: tuple[StructuredColumn, ...]
    constraints: tuple[Constraint, ...]
    indexes: tuple[Index, ...]


def _described(
    db: sqlite3.Connection, table: str, without_rowid: bool, known: dict[str, str]
) -> _Described:
    """Return columns, constraints and indexes; `known` are the names of tables as they are."""
    try:
        columns = db.execute("SELECT * FROM pragma_table_xinfo(?)", [table]).fetchall()
    except sqlite3.OperationalError:  # a view of what is gone, or a module that is not here
        return {"columns": (), "constraints": (), "indexes": ()}
    keys = db.execute(_KEYS, [table]).fetchall()
    primary = [each[1] for each in sorted(columns, key=lambda each: each[5]) if each[5]]
    # Of all primary keys only these take no null; without an index, it is the row's number.
    strict = without_rowid or not any(origin == "pk" for _, _, origin, _ in keys)
    unique = [_names(db, index) for index, _, origin, _ in keys if origin == "u"]
    constraints = [
        *([_key("PRIMARY KEY", primary)] if primary else ()),
        *(_key("UNIQUE", names) for names in unique),
        *_foreign_keys(db, table, known),
    ]
    return {
        "columns": tuple(_column(each, strict) for each in columns),
        "constraints": tuple(constraints),
        "indexes": tuple(
            Index(index, bool(only), sql, tuple(_names(db, index)))
            for index, only, origin, sql in keys
            if origin == "c"
        ),
    }


def _column(row: tuple[Any, ...], strict: bool) -> StructuredColumn:
    _, name, declared, not_null, default, primary, hidden = row
    generated = f"{declared} GENERATED {_GENERATED[hidden]}".strip() if hidden > 1 else declared
    nullable = not (not_null or (primary and strict))
    return StructuredColumn(name, "", nullable, default or "", declared=generated)


def _names(db: sqlite3.Connection, index: str) -> list[str]:
    """Return the columns of an index; what is an expression in it has no name."""
    rows = db.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", [index])
    return [name for (name,) in rows if name is not None]


def _key(kind: str, columns: list[str]) -> Constraint:
    return Constraint(kind, tuple(columns), f"{kind} ({_list(columns)})")


def _foreign_keys(
    db: sqlite3.Connection, table: str, known: dict[str, str]
) -> Iterator[Constraint]:
    rows = db.execute(_FOREIGN, [table]).fetchall()
    for _, group in groupby(rows, key=lambda row: row[0]):
        parts = list(group)
        _, wanted, _, _, on_update, on_delete = parts[0]
        parent = known.get(wanted.lower(), wanted)
        ours, theirs = [part[2] for part in parts], [part[3] for part in parts]
        if None in theirs:  # it names the table alone, and means its primary key
            theirs = _primary(db, parent)
        sql = f"FOREIGN KEY ({_list(ours)}) REFERENCES {quoted(parent)} ({_list(theirs)})"
        for event, action in (("UPDATE", on_update), ("DELETE", on_delete)):
            sql += f" ON {event} {action}" if action != "NO ACTION" else ""
        target = Target("main", parent, tuple(theirs))
        yield Constraint("FOREIGN KEY", tuple(ours), sql, target)


def _primary(db: sqlite3.Connection, table: str) -> list[str]:
    rows = db.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", [table])
    return [name for (name,) in rows]


def _list(names: list[str]) -> str:
    return ", ".join(quoted(name) for name in names)
