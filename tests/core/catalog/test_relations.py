"""Relations by name: a table of cases, and what is declared in schemas as people have them."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.sqlite import Sqlite
from core.catalog.relations import candidates, declared
from core.structure import Constraint, Structure, StructuredColumn, Target

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


def table(name: str, columns: str, kind: str = "table") -> Structure:
    """Make a table of `a* b:VARCHAR c>parent.key`: star is the key, integers unless told."""
    made, rules, keys = [], [], []
    for word in columns.split():
        column, star, kind_, target = re.fullmatch(
            r"([^*:>]+)(\*)?(?::(\w+))?(?:>(\S+))?", word
        ).groups()
        made.append(StructuredColumn(column, kind_ or "BIGINT"))
        if star:
            keys.append(column)
        if target:
            parent, key = target.split(".")
            rules.append(Constraint("FOREIGN KEY", (column,), "", Target("main", parent, (key,))))
    if keys:
        rules.insert(0, Constraint("PRIMARY KEY", tuple(keys), ""))
    return Structure("main", name, kind, columns=tuple(made), constraints=tuple(rules))


def guessed(tables: dict[str, str]) -> list[str]:
    """Return the guesses over tables; `catalog/` before a name is another catalog, `v ` a view."""
    all_of = []
    for told, columns in tables.items():
        name = told.removeprefix("v ")
        catalog, _, rest = name.rpartition("/")
        made = table(rest, columns, "view" if told != name else "table")
        all_of.append((catalog or "db", made))
    wanted = {(catalog, each.schema, each.name) for catalog, each in all_of}
    return [
        f"{each.child.table}.{each.child.columns[0]}>{each.parent.table}.{each.parent.columns[0]}"
        for each in candidates(all_of, wanted)
    ]


CASES = {
    "an id by its table's name in the plural": (
        {"customers": "id*", "orders": "id* customer_id"},
        ["orders.customer_id>customers.id"],
    ),
    "plurals that are not made with an s": (
        {"categories": "id*", "people": "id*", "boxes": "id*", "t": "category_id person_id box_id"},
        ["t.category_id>categories.id", "t.person_id>people.id", "t.box_id>boxes.id"],
    ),
    "a name in the singular": (
        {"customer": "id*", "orders": "id* customer_id"},
        ["orders.customer_id>customer.id"],
    ),
    "camel case, capitals and none": (
        {"Customer": "CustomerId*", "a": "x* CUSTOMER_ID", "b": "y* customerid"},
        ["a.CUSTOMER_ID>Customer.CustomerId", "b.customerid>Customer.CustomerId"],
    ),
    "a table with a prefix": (
        {"dim_customer": "id*", "fact_sales": "sale* customer_id"},
        ["fact_sales.customer_id>dim_customer.id"],
    ),
    "the same name as a key elsewhere": (
        {"airlines": "carrier*:VARCHAR", "flights": "n* carrier:VARCHAR"},
        ["flights.carrier>airlines.carrier"],
    ),
    "a role before the name": (
        {"staff": "staff_id*", "store": "store_id* manager_staff_id"},
        ["store.manager_staff_id>staff.staff_id"],
    ),
    "the table's name alone": (
        {"airlines": "code*:VARCHAR", "flights": "n* airline:VARCHAR"},
        ["flights.airline>airlines.code"],
    ),
    "a parent of its own kind": (
        {"folders": "id* parent_id"},
        ["folders.parent_id>folders.id"],
    ),
    "a name that a declared key has elsewhere": (
        {"airports": "faa*:VARCHAR", "routes": "n* origin:VARCHAR>airports.faa",
         "files/flights": "day:DATE origin:VARCHAR"},
        ["flights.origin>airports.faa"],
    ),
    "what leads somewhere already": (
        {"customers": "id*", "orders": "id* customer_id>customers.id"},
        [],
    ),
    "names that mean something else everywhere": (
        {"a": "name*:VARCHAR", "b": "code*:VARCHAR", "c": "x* name:VARCHAR code:VARCHAR id"},
        [],
    ),
    "types that cannot be equal": (
        {"customers": "id*:VARCHAR", "orders": "id* customer_id"},
        [],
    ),
    "types that nobody compares": (
        {"days": "day_at*:TIMESTAMP", "visits": "n* day_at:TIMESTAMP"},
        [],
    ),
    "a key that a table shares with the one that it extends": (
        {"film": "film_id*", "film_text": "film_id* text:VARCHAR"},
        ["film_text.film_id>film.film_id"],
    ),
    "the table that a name says before another with such a key": (
        {"film": "film_id*", "film_text": "film_id*", "stock": "n* film_id"},
        ["film_text.film_id>film.film_id", "stock.film_id>film.film_id"],
    ),
    "the nearest of several": (
        {"a/customers": "id*", "a/orders": "id* customer_id", "b/customers": "id*"},
        ["orders.customer_id>customers.id"],
    ),
    "another source, where there is none nearer": (
        {"crm/customers": "id*", "files/orders": "day:DATE customer_id"},
        ["orders.customer_id>customers.id"],
    ),
    "a part of a key is none": (
        {"routes": "carrier*:VARCHAR origin*:VARCHAR", "flights": "n* carrier:VARCHAR"},
        [],
    ),
    "without declared keys, an id or the first column may be one": (
        {"v files/airlines": "carrier:VARCHAR name:VARCHAR", "v files/people": "x:DATE id",
         "v files/f": "n:DATE carrier:VARCHAR person_id"},
        ["f.person_id>people.id", "f.carrier>airlines.carrier"],
    ),
    "views say again what tables say": (
        {"a/film": "film_id*", "v a/list": "film_id", "v a/other": "list_id film_id"},
        [],
    ),
    "names without letters": (
        {"🦆": "🦢* -", "t": "🦢 n*"},
        [],
    ),
    "no tables": ({}, []),
}  # fmt: skip


@pytest.mark.parametrize(("tables", "expected"), CASES.values(), ids=CASES)
def test_candidates(tables, expected):
    assert guessed(tables) == expected


def test_guesses_are_those_of_the_tables_that_are_wanted():
    tables = [("db", table("a", "id*")), ("db", table("b", "id* a_id")), ("db", table("c", "a_id"))]
    wanted = {("db", "main", "b")}
    assert [each.child.table for each in candidates(tables, wanted)] == ["b"]
    wanted = {("db", "main", "a")}
    assert [each.child.table for each in candidates(tables, wanted)] == ["b", "c"]


def test_guesses_are_few_and_in_the_same_order_among_a_thousand_tables():
    # Each has a key of the same name: all of them lead to all others, were it not bounded.
    tables = [("db", table(f"t{at:04}", f"shared*  ref_{at} other")) for at in range(1000)]
    child = ("db", table("child", "n* shared"))
    wanted = {("db", "main", "child")}
    found = candidates([*tables, child], wanted)
    assert [each.parent.table for each in found] == ["t0000", "t0001", "t0002"]
    assert found == candidates([*tables, child], wanted)


def structures(schema: str, tmp_path: Path):
    """Make a schema in SQLite, and let it be told with types as the engine would fill them in."""
    path = tmp_path / "made.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript((SCHEMAS / f"{schema}.sql").read_text(encoding="utf-8"))
    told = Sqlite().structures(Sqlite.Options(path=str(path)), None, None)
    return [
        (
            "db",
            replace(
                each, columns=tuple(replace(c, type=_engine(c.declared)) for c in each.columns)
            ),
        )
        for each in told
    ]


def _engine(declared: str) -> str:
    return "BIGINT" if "INT" in declared else "VARCHAR"


@pytest.mark.parametrize(("schema", "keys", "found"), [
    # Neither name nor values say that a support rep is an employee, or whom one reports to.
    ("record_shop", 11, 9),
    ("film_rental", 23, 23),
])  # fmt: skip
def test_declared_keys_are_found_by_their_names_were_they_not_declared(
    tmp_path, schema, keys, found
):
    tables = structures(schema, tmp_path)
    known = {(each.child, each.parent) for each in declared(tables)}
    assert len(known) == keys
    bare = [
        (catalog, replace(each, constraints=tuple(c for c in each.constraints if c.target is None)))
        for catalog, each in tables
    ]
    wanted = {(catalog, each.schema, each.name) for catalog, each in tables}
    guesses = {(each.child, each.parent) for each in candidates(bare, wanted)}
    assert len(guesses & known) == found
    assert not guesses - known


def test_a_relation_says_whether_several_rows_lead_to_one_and_whether_each_does(tmp_path):
    found = {
        (each.child.table, *each.child.columns): (each.single, each.optional)
        for each in declared(structures("film_rental", tmp_path))
    }
    assert found["store", "manager_staff_id"] == (True, False)
    assert found["film", "original_language_id"] == (False, True)
    assert found["film_actor", "film_id"] == (False, False)
    assert found["film_text", "film_id"] == (True, False)
