"""Queries on a table to begin with, in the terms of the engine that reads it.

Nothing here is run. Each raises InvalidInput where its dialect cannot say it.
"""

from __future__ import annotations

from core.catalog.models import Table, identifier
from core.connector import literal
from core.engine.results import Column
from core.engine.translate import translate

_MOST = 60
"""Columns that a profile asks for: the address of a page holds the text."""
_UNORDERED = ("BLOB", "BIT", "GEOMETRY", "VARIANT")


def first_rows(table: Table) -> str:
    """Select all columns by their names, of the first 1,000 rows."""
    return _in_its_terms(table, f"{table.select}\nLIMIT 1000")


def all_rows(table: Table) -> str:
    """Select everything."""
    return _in_its_terms(table, f"SELECT * FROM {table.source}")


def row_count(table: Table) -> str:
    """Count the rows."""
    return _in_its_terms(table, f"SELECT count(*) FROM {table.source}")


def chart(table: Table) -> str:
    """Count rows by what most likely says something: by month, else by category, else by number."""
    for fits, query in ((_is_time, _by_month), (_is_category, _by_value), (_is_number, _by_number)):
        found = next((each for each in table.columns if fits(each)), None)
        if found is not None:
            return _in_its_terms(table, query(table, found))
    return _in_its_terms(table, f"SELECT count(*) AS rows\nFROM {table.source}")


def profile(table: Table) -> str:
    """Ask for rows, nulls, distinct values, least and greatest of every column, one row each."""
    asked = table.columns[:_MOST]
    queries = [_profile(table, each) for each in asked]
    left = len(table.columns) - len(asked)
    note = f"-- Of {len(table.columns)} columns the first {_MOST}.\n" if left else ""
    return note + _in_its_terms(table, "\nUNION ALL\n".join(queries))


def _in_its_terms(table: Table, sql: str) -> str:
    return sql if table.dialect is None else translate(sql, table.dialect, quote=True)


def _by_month(table: Table, column: Column) -> str:
    month = f"date_trunc('month', {identifier(column.name)})"
    return (
        f"SELECT {month} AS month,\n       count(*) AS rows\n"
        f"FROM {table.source}\nGROUP BY {month}\nORDER BY month"
    )


def _by_value(table: Table, column: Column) -> str:
    name = identifier(column.name)
    return (
        f"SELECT {name},\n       count(*) AS rows\n"
        f"FROM {table.source}\nGROUP BY {name}\nORDER BY rows DESC\nLIMIT 20"
    )


def _by_number(table: Table, column: Column) -> str:
    name = identifier(column.name)
    return (
        f"SELECT {name},\n       count(*) AS rows\n"
        f"FROM {table.source}\nGROUP BY {name}\nORDER BY {name}\nLIMIT 1000"
    )


def _profile(table: Table, column: Column) -> str:
    name = identifier(column.name)
    ends = [f"{each}({name})::VARCHAR AS {each}" for each in ("min", "max")]
    if column.type.startswith(_UNORDERED):
        ends = ["NULL AS min", "NULL AS max"]
    return (
        f'SELECT {literal(column.name)} AS "column", count(*) AS rows,\n'
        f'       count(*) - count({name}) AS nulls, count(DISTINCT {name}) AS "distinct",\n'
        f"       {', '.join(ends)}\nFROM {table.source}"
    )


def _is_time(column: Column) -> bool:
    return column.type.startswith(("DATE", "TIMESTAMP")) and not column.type.endswith("]")


def _is_category(column: Column) -> bool:
    """Tell a column of few values, as far as type and name say that."""
    if column.type == "BOOLEAN" or (
        column.type.startswith("ENUM") and not column.type.endswith("]")
    ):
        return True
    return column.type == "VARCHAR" and not column.name.lower().endswith(("id", "key"))


def _is_number(column: Column) -> bool:
    plain = column.type.endswith(("INT", "INTEGER")) or column.type in ("DOUBLE", "FLOAT")
    return plain or (column.type.startswith("DECIMAL") and column.type.endswith(")"))
