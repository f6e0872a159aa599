"""What SQLAlchemy's inspector tells of tables, in as few questions as each dialect needs.

Where such a question fails, it is asked of each table by itself: what cannot be read, as a view of
what is gone, hides nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from connectors._types import duckdb_type
from connectors._urls import dialect
from core.connector import quoted
from core.structure import Constraint, Index, Structure, StructuredColumn, Target

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.exc import SQLAlchemyError

_OWN = frozenset(
    {"information_schema", "performance_schema", "mysql", "sys", "system", "pg_catalog"}
)
"""Schemas that a database keeps for itself."""

Key = tuple[str | None, str]
_Details = dict[str, Mapping[Key, Any]]


def inspected(server: Connection, schema: str | None, name: str | None) -> list[Structure]:
    """Return all tables and views of the database, of a schema, or one.

    What cannot be read has no columns; a schema that cannot be is left out. Raises what the driver
    said where nothing can be.
    """
    from sqlalchemy import inspect
    from sqlalchemy.exc import SQLAlchemyError

    told = inspect(server)
    schemas = told.get_schema_names() if schema is None else [schema]
    found: list[Structure] = []
    refused: list[SQLAlchemyError] = []
    for each in schemas:
        if each.lower() in _OWN or each.startswith("pg_"):
            continue
        try:
            found += _of_schema(server, told, each, name)
        except SQLAlchemyError as error:
            _recover(server, error)
            refused.append(error)
    if refused and not found:
        raise refused[0]
    return found


def _of_schema(server: Connection, told: Any, schema: str, name: str | None) -> list[Structure]:
    views = {*_views(told, schema)}
    details = _details(server, told, schema, name)
    columns = details["columns"]
    # Some dialects pass over a view that they cannot read.
    tables = {table for _, table in columns} | {each for each in views if name in (None, each)}
    return [
        _structure(
            server,
            schema,
            table,
            "view" if table in views else "table",
            columns.get((schema, table), ()),
            details,
            told.default_schema_name,
        )
        for table in sorted(tables)
    ]


def _views(told: Any, schema: str) -> list[str]:
    try:
        names: list[str] = told.get_view_names(schema)
    except NotImplementedError:  # the dialect knows no views
        return []
    return names


def _details(server: Connection, told: Any, schema: str, name: str | None) -> _Details:
    from sqlalchemy.engine.reflection import ObjectKind
    from sqlalchemy.exc import SQLAlchemyError

    asked = {
        "columns": told.get_multi_columns,
        "primary": told.get_multi_pk_constraint,
        "foreign": told.get_multi_foreign_keys,
        "unique": told.get_multi_unique_constraints,
        "checks": told.get_multi_check_constraints,
        "indexes": told.get_multi_indexes,
        "comments": told.get_multi_table_comment,
    }
    found: _Details = {}
    for part, ask in asked.items():
        kind = ObjectKind.ANY if part in ("columns", "comments") else ObjectKind.TABLE
        about = partial(ask, schema=schema, kind=kind)
        try:
            found[part] = about(filter_names=None if name is None else [name])
        except NotImplementedError:  # the dialect knows no such thing
            found[part] = {}
        except SQLAlchemyError as error:
            _recover(server, error)
            there = [*told.get_table_names(schema), *_views(told, schema)]
            names = there if name is None else [name]
            found[part] = _one_by_one(server, about, schema, names)
    return found


def _one_by_one(
    server: Connection, about: Callable[..., Mapping[Key, Any]], schema: str, names: Iterable[str]
) -> Mapping[Key, Any]:
    from sqlalchemy.exc import SQLAlchemyError

    found: dict[Key, Any] = {}
    for each in names:
        try:
            found |= about(filter_names=[each])
        except SQLAlchemyError as error:
            _recover(server, error)
            found[schema, each] = ()
    return found


def _recover(server: Connection, error: SQLAlchemyError) -> None:
    """Make a session usable after a question that failed. Raises the error where it was lost."""
    from sqlalchemy.exc import DBAPIError

    if isinstance(error, DBAPIError) and error.connection_invalidated:
        raise error
    server.rollback()  # PostgreSQL answers nothing more in this transaction


def _structure(
    server: Connection,
    schema: str,
    name: str,
    kind: Any,
    columns: Iterable[Mapping[str, Any]],
    details: _Details,
    own: str | None,
) -> Structure:
    of = {part: each.get((schema, name)) for part, each in details.items()}
    return Structure(
        schema=schema,
        name=name,
        kind=kind,
        comment=(of["comments"] or {}).get("text") or "",
        columns=tuple(_column(server, each) for each in columns),
        constraints=tuple(_constraints(of, own)),
        indexes=tuple(
            _index(name, each)
            for each in of["indexes"] or ()
            if not each.get("duplicates_constraint")
        ),
    )


def _column(server: Connection, told: Mapping[str, Any]) -> StructuredColumn:
    from sqlalchemy.exc import CompileError

    try:
        declared = told["type"].compile(dialect=server.dialect)
    except CompileError:  # a type that the dialect does not know
        declared = str(told["type"]).partition("(")[0]
    return StructuredColumn(
        told["name"],
        duckdb_type(declared, dialect(server.engine.url)),
        nullable=bool(told.get("nullable", True)),
        default=str(told.get("default") or ""),
        comment=told.get("comment") or "",
        declared=declared,
    )


def _constraints(of: Mapping[str, Any], own: str | None) -> Iterable[Constraint]:
    primary = of["primary"] or {}
    if columns := tuple(primary.get("constrained_columns") or ()):
        yield Constraint(
            "PRIMARY KEY", columns, f"PRIMARY KEY {_list(columns)}", None, _name(primary)
        )
    for each in of["unique"] or ():
        columns = tuple(each["column_names"])
        yield Constraint("UNIQUE", columns, f"UNIQUE {_list(columns)}", None, _name(each))
    for each in of["foreign"] or ():
        columns, leads = tuple(each["constrained_columns"]), tuple(each["referred_columns"])
        table = quoted(each["referred_table"])
        sql = f"FOREIGN KEY {_list(columns)} REFERENCES {table} {_list(leads)}"
        target = Target(each["referred_schema"] or own or "", each["referred_table"], leads)
        yield Constraint("FOREIGN KEY", columns, sql, target, _name(each))
    for each in of["checks"] or ():
        yield Constraint("CHECK", (), f"CHECK ({each['sqltext']})", None, _name(each))


def _index(table: str, told: Mapping[str, Any]) -> Index:
    columns = tuple(each for each in told["column_names"] if each)
    parts = told.get("expressions") or [quoted(each) for each in columns]
    unique = "UNIQUE " if told["unique"] else ""
    sql = f"CREATE {unique}INDEX {quoted(_name(told))} ON {quoted(table)} ({', '.join(parts)})"
    return Index(_name(told), bool(told["unique"]), sql, columns)


def _name(told: Mapping[str, Any]) -> str:
    return str(told.get("name") or "")


def _list(columns: Iterable[str]) -> str:
    return f"({', '.join(quoted(each) for each in columns)})"
