"""What SQLAlchemy's inspector tells of tables, in as few questions as each dialect needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from connectors._types import duckdb_type
from connectors._urls import dialect
from core.connector import quoted
from core.structure import Constraint, Index, Structure, StructuredColumn, Target

if TYPE_CHECKING:
    from sqlalchemy import Connection

_OWN = frozenset(
    {"information_schema", "performance_schema", "mysql", "sys", "system", "pg_catalog"}
)
"""Schemas that a database keeps for itself."""

Key = tuple[str | None, str]
_Details = dict[str, Mapping[Key, Any]]


def inspected(server: Connection, schema: str | None, name: str | None) -> list[Structure]:
    """Return all tables and views of the database, of a schema, or one."""
    from sqlalchemy import inspect

    told = inspect(server)
    own = told.default_schema_name
    schemas = [schema] if schema else told.get_schema_names()
    found: list[Structure] = []
    for each in schemas:
        if each.lower() in _OWN or each.startswith("pg_"):
            continue
        views = {*told.get_view_names(each)}
        details = _details(told, each, name)
        for (_, table), columns in sorted(details["columns"].items(), key=lambda one: one[0][1]):
            kind = "view" if table in views else "table"
            found.append(_structure(server, each, table, kind, columns, details, own))
    return found


def _details(told: Any, schema: str, name: str | None) -> _Details:
    from sqlalchemy.engine.reflection import ObjectKind

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
        try:
            found[part] = ask(schema=schema, filter_names=[name] if name else None, kind=kind)
        except NotImplementedError:  # the dialect knows no such thing
            found[part] = {}
    return found


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
