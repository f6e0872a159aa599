"""Snapshots of tables while workers go, sources change their columns, and others take the same.

Each case is tried with a file that DuckDB reads and with one that only its own driver does.
"""

from __future__ import annotations

import os
import signal
from contextlib import closing, suppress
from pathlib import Path

import duckdb
import pytest

from core.engine.session import Session
from core.errors import Conflict, MillpondError
from core.workbench import Workspace
from tests.core.catalog.test_table_snapshots import rows, take, write

READ_BY = {"sqlite": "shop.orders", "sqlalchemy": "shop.main.orders"}
"""The connector, and what its table is called here."""


@pytest.fixture(params=READ_BY)
def reader(request) -> str:
    return request.param


def add(here: Workspace, reader: str, path: Path) -> None:
    options = {"path": str(path)} if reader == "sqlite" else {"url": f"sqlite:///{path}"}
    here.connections.add("shop", reader, options)
    here.catalog.whole()


@pytest.fixture
def shop(here: Workspace, folder: Path, reader: str) -> Path:
    """A source with a table `orders` of three rows; returns its file."""
    path = folder / "shop.sqlite"
    write(path, "CREATE TABLE orders (id INTEGER, price NUMERIC, note TEXT)")
    write(path, "INSERT INTO orders VALUES (?, ?, ?)", (1, 1, None), (2, 2, None), (3, 3, None))
    add(here, reader, path)
    return path


def copied(here: Workspace, columns: str = "id, price, note") -> list[tuple]:
    (taken,) = here.snapshots.list()
    return rows(here, f"SELECT {columns} FROM {taken.address} ORDER BY id")


@pytest.mark.parametrize("cursor", ["", "id"])
def test_a_worker_that_goes_after_the_copying_leaves_rows_and_note_of_one_time(
    here, shop, reader, cursor
):
    first = take(here, READ_BY[reader], cursor)
    write(shop, "INSERT INTO orders VALUES (4, 4, 'new')")

    def replaced(run) -> None:
        run.wait()
        os.kill(here.engine.pid, signal.SIGKILL)

    table = here.snapshots.table(READ_BY[reader])
    with suppress(MillpondError):
        here.snapshots.take(table, cursor, timeout=60, follow=replaced)
    (kept,) = here.snapshots.list()
    both = [(1, None), (2, None), (3, None), (4, "new")]
    assert copied(here, "id, note") == (both[:3] if kept.taken_at == first.taken_at else both)
    assert kept.rows == len(copied(here))


def test_all_that_changes_a_copy_is_one_run(here, shop, reader):
    """Between two runs a session's cursor may be given to others, and its worker replaced."""

    def renewed(run) -> None:
        run.wait()
        here.engine.renew()

    table = here.snapshots.table(READ_BY[reader])
    for cursor in ("", "id", "id"):
        taken = here.snapshots.take(table, cursor, timeout=60, follow=renewed)
        assert (taken.rows, len(copied(here))) == (3, 3)


CHANGES = {
    "a number has digits behind the point": (
        "INSERT INTO orders VALUES (4, 2.5, NULL)",
        "id, price",
        [(1, 1), (2, 2), (3, 3), (4, 2.5)],
    ),
    "a column without values gets one": (
        "INSERT INTO orders VALUES (4, 4, 'x')",
        "id, note",
        [(1, None), (2, None), (3, None), (4, "x")],
    ),
    "the columns have another order": (
        "ALTER TABLE orders RENAME TO o;"
        "CREATE TABLE orders (note TEXT, price NUMERIC, id INTEGER);"
        "INSERT INTO orders SELECT note, price, id FROM o;"
        "INSERT INTO orders VALUES ('x', 14, 4)",
        "id, price, note",
        [(1, 1, None), (2, 2, None), (3, 3, None), (4, 14, "x")],
    ),
    "there is another column": (
        "ALTER TABLE orders ADD COLUMN more TEXT DEFAULT 'm'",
        "id, more",
        [(1, "m"), (2, "m"), (3, "m")],
    ),
    "there is another column, without values": (
        "ALTER TABLE orders ADD COLUMN more TEXT",
        "id, more",
        [(1, None), (2, None), (3, None)],
    ),
    "there is a column less": (
        "ALTER TABLE orders DROP COLUMN price",
        "* EXCLUDE (note)",
        [(1,), (2,), (3,)],
    ),
}


@pytest.mark.parametrize(("change", "columns", "expected"), CHANGES.values(), ids=CHANGES)
def test_a_refresh_keeps_what_the_source_has(here, shop, reader, change, columns, expected):
    """The catalog that pages show may be older than the change."""
    take(here, READ_BY[reader], "id")
    for each in change.split(";"):
        write(shop, each)
    assert take(here, READ_BY[reader], "id").rows == len(expected)
    assert copied(here, columns) == expected


def test_a_value_of_another_type_makes_it_another_column(here, folder):
    path = folder / "shop.sqlite"
    write(path, "CREATE TABLE orders (id INTEGER, note)")
    write(path, "INSERT INTO orders VALUES (?, ?)", (1, None), (2, None))
    add(here, "sqlalchemy", path)
    take(here, "shop.main.orders", "id")
    write(path, "INSERT INTO orders VALUES (3, 5)")
    take(here, "shop.main.orders", "id")
    assert copied(here, "id, note") == [(1, None), (2, None), (3, 5)]


def test_rows_without_a_value_in_a_column_are_no_reason_to_read_all(here, shop, reader):
    write(shop, "UPDATE orders SET price = NULL WHERE id = 3")
    take(here, READ_BY[reader], "id")
    write(shop, "UPDATE orders SET price = 0 WHERE id < 3")  # which it does not see
    write(shop, "INSERT INTO orders VALUES (4, NULL, NULL)")
    assert take(here, READ_BY[reader], "id").rows == 4
    assert copied(here, "price") == [(1,), (2,), (None,), (None,)]


def test_columns_may_be_called_as_in_our_own_sql(here, folder):
    path = folder / "shop.sqlite"
    write(path, "CREATE TABLE orders (column_name INTEGER, filled TEXT, column_type TEXT, id TEXT)")
    write(path, "INSERT INTO orders VALUES (1, 'a', NULL, 'x')")
    add(here, "sqlite", path)
    take(here, "shop.orders", "column_name")
    assert take(here, "shop.orders", "column_name").rows == 1
    assert copied(here, "*") == [(1, "a", None, "x")]


def test_texts_in_another_order_than_ours_are_there_once(here, folder):
    reader = "sqlalchemy"  # its own engine orders them
    path = folder / "shop.sqlite"
    write(path, "CREATE TABLE orders (id TEXT COLLATE NOCASE)")
    write(path, "INSERT INTO orders VALUES (?)", ("a",), ("B",), ("b",))
    add(here, reader, path)
    take(here, READ_BY[reader], "id")
    write(path, "INSERT INTO orders VALUES ('C')")
    take(here, READ_BY[reader], "id")
    assert sorted(copied(here, "id")) == [("B",), ("C",), ("a",), ("b",)]


def test_names_that_the_workspace_takes_for_one(here, folder):
    with duckdb.connect(str(folder / "d.duckdb")) as db:
        db.execute("CREATE SCHEMA x; CREATE TABLE x.y AS SELECT 1 AS i")
        db.execute('CREATE TABLE "x.y" AS SELECT 2 AS i; CREATE TABLE "X.É" AS SELECT 3 AS i')
        db.execute('CREATE TABLE x."é" AS SELECT 4 AS i; CREATE TABLE x."Z" AS SELECT 5 AS i')
        db.execute('CREATE TABLE "x.z" AS SELECT 6 AS i')
    here.connections.add("d", "duckdb", {"path": str(folder / "d.duckdb")})
    take(here, "d.x.y")
    with pytest.raises(Conflict, match=r"is a snapshot of d\.x\.y already"):
        take(here, 'd."x.y"')
    take(here, 'd.x."Z"')
    with pytest.raises(Conflict, match=r'is a snapshot of d\.x\."Z" already'):
        take(here, 'd."x.z"')
    take(here, 'd.x."é"')
    take(here, 'd."X.É"')
    assert [each.rows for each in here.snapshots.list()] == [1] * 4


def test_a_name_may_have_lines(here, folder):
    path = folder / "shop.sqlite"
    write(path, 'CREATE TABLE "or\nders" (id INTEGER)')
    write(path, 'INSERT INTO "or\nders" VALUES (1)')
    add(here, "sqlite", path)
    for cursor in ("", "id"):
        assert take(here, 'shop."or\nders"', cursor).rows == 1


MEANWHILE = {
    "it is taken": lambda here, table: here.snapshots.take(table, timeout=60),
    "it is taken for what is new": lambda here, table: here.snapshots.take(table, "id", timeout=60),
    "it is dropped": lambda here, table: here.snapshots.drop(here.snapshots.find(table).name),
}


@pytest.mark.parametrize("act", MEANWHILE.values(), ids=MEANWHILE)
def test_who_comes_while_a_table_is_taken_is_told_so(here, shop, reader, act):
    table = here.snapshots.table(READ_BY[reader])
    taken = here.snapshots.take(table, timeout=60)
    with closing(Session(here.engine, "somebody else")) as other:
        # What a taking does first, and no source of a test is slow enough to be met in the midst.
        other.run(f"BEGIN; DELETE FROM workspace.snapshots._taken WHERE name = '{taken.name}'")
        with pytest.raises(Conflict, match="is being taken or dropped by somebody else") as told:
            act(here, table)
    assert told.value.hint == "Wait until that has ended, and try again."
    assert here.snapshots.find(table) == taken
