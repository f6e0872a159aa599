"""What a SQLite file declares of its tables, as the connector reads it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connectors.sqlite import Sqlite
from core.errors import ConnectError
from core.structure import Index, Structure, Target

CLUB = """
CREATE TABLE members (
    id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL DEFAULT 'new', mail TEXT UNIQUE,
    short TEXT AS (substr(name, 1, 3)) STORED, loud TEXT AS (upper(name)), loose,
    friend INTEGER REFERENCES members
);
CREATE TABLE seats (row INT, seat INT, note TEXT, PRIMARY KEY (seat, row)) WITHOUT ROWID;
CREATE TABLE codes (code TEXT PRIMARY KEY);
CREATE TABLE bookings (
    row INT, seat INT, payer INT REFERENCES MEMBERS (ID) ON DELETE SET NULL,
    guest INT REFERENCES members (id), gone INT REFERENCES nowhere (id),
    FOREIGN KEY (row, seat) REFERENCES seats (row, seat) ON UPDATE CASCADE,
    UNIQUE (payer, guest)
);
CREATE INDEX by_guest ON bookings (guest, payer) WHERE guest > 0;
CREATE UNIQUE INDEX by_name ON members (lower(name), mail);
CREATE VIEW guests AS SELECT guest AS who FROM bookings;
CREATE TABLE "we'ir""d.<b>🦆" ("a ""b"".c" INTEGER PRIMARY KEY);
CREATE TABLE refers (x INTEGER REFERENCES "we'ir""d.<b>🦆");
INSERT INTO codes VALUES ('a'), ('b'), ('c');
"""


@pytest.fixture
def club(tmp_path) -> Path:
    path = tmp_path / "it's a #club?.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript(CLUB)
    return path


def told(path: Path, name: str | None = None) -> dict[str, Structure]:
    found = Sqlite().structures(Sqlite.Options(path=str(path)), None, name)
    return {each.name: each for each in found}


def change(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(sql)


def test_columns_come_as_they_were_declared(club):
    columns = told(club)["members"].columns
    assert [(each.name, each.declared) for each in columns] == [
        ("id", "INTEGER"),
        ("name", "VARCHAR(40)"),
        ("mail", "TEXT"),
        ("short", "TEXT GENERATED stored"),
        ("loud", "TEXT GENERATED virtual"),
        ("loose", ""),
        ("friend", "INTEGER"),
    ]
    assert (columns[1].default, columns[2].default) == ("'new'", "")


@pytest.mark.parametrize(
    ("table", "column", "nullable"),
    [
        ("members", "id", False),  # the row's own number
        ("members", "name", False),
        ("members", "mail", True),
        ("seats", "row", False),  # without a row number the key takes no null
        ("codes", "code", True),  # SQLite's old mistake, which it keeps
    ],
)
def test_whether_null_is_taken_is_what_sqlite_does(club, table, column, nullable):
    (found,) = [each for each in told(club)[table].columns if each.name == column]
    assert found.nullable is nullable


def test_keys_come_in_the_order_that_they_were_declared_in(club):
    found = {
        name: [(each.kind, each.columns) for each in table.constraints]
        for name, table in told(club).items()
    }
    assert found["members"] == [
        ("PRIMARY KEY", ("id",)),
        ("UNIQUE", ("mail",)),
        ("FOREIGN KEY", ("friend",)),
    ]
    assert found["seats"] == [("PRIMARY KEY", ("seat", "row"))]
    assert found["bookings"] == [
        ("UNIQUE", ("payer", "guest")),
        ("FOREIGN KEY", ("payer",)),
        ("FOREIGN KEY", ("guest",)),
        ("FOREIGN KEY", ("gone",)),
        ("FOREIGN KEY", ("row", "seat")),
    ]


def test_foreign_keys_name_their_targets_as_those_are_written(club):
    targets = [each.target for each in told(club)["bookings"].foreign_keys]
    assert targets == [
        Target("main", "members", ("ID",)),
        Target("main", "members", ("id",)),
        Target("main", "nowhere", ("id",)),
        Target("main", "seats", ("row", "seat")),
    ]
    (itself,) = told(club)["members"].foreign_keys
    assert itself.target == Target("main", "members", ("id",))


def test_rules_of_foreign_keys_are_in_their_sql(club):
    payer, _, _, seat = told(club)["bookings"].foreign_keys
    assert payer.sql == 'FOREIGN KEY ("payer") REFERENCES "members" ("ID") ON DELETE SET NULL'
    assert seat.sql.endswith('REFERENCES "seats" ("row", "seat") ON UPDATE CASCADE')


def test_indexes_that_were_made_come_with_their_sql(club):
    assert told(club)["bookings"].indexes == (
        Index(
            "by_guest",
            False,
            "CREATE INDEX by_guest ON bookings (guest, payer) WHERE guest > 0",
            ("guest", "payer"),
        ),
    )
    (by_name,) = told(club)["members"].indexes
    assert (by_name.unique, by_name.columns) == (True, ("mail",))
    assert "lower(name)" in by_name.sql


def test_a_view_comes_with_the_query_that_it_is(club):
    view = told(club)["guests"]
    assert (view.kind, [each.name for each in view.columns]) == ("view", ["who"])
    assert "SELECT guest AS who" in view.sql


def test_odd_names_are_found_as_they_are(club):
    odd = "we'ir\"d.<b>🦆"
    assert [each.name for each in told(club, odd)[odd].columns] == ['a "b".c']
    (key,) = told(club)["refers"].foreign_keys
    assert key.target == Target("main", odd, ('a "b".c',))


def test_one_table_is_told_alone(club):
    assert list(told(club, "codes")) == ["codes"]
    assert told(club, "codes")["codes"] == told(club)["codes"]
    assert told(club, "CODES'; --") == {}


def test_rows_are_known_after_an_analyze_only(club):
    assert told(club)["codes"].rows is None
    change(club, "ANALYZE")
    assert told(club)["codes"].rows == 3


def test_bytes_are_those_of_the_table_with_its_indexes(club):
    before = told(club)
    assert before["codes"].bytes == 2 * 4096
    assert told(club, "codes")["codes"].bytes == before["codes"].bytes
    change(club, "INSERT INTO codes VALUES (hex(randomblob(50000)))")
    assert told(club)["codes"].bytes > 100_000


def test_a_view_of_what_is_gone_leaves_the_others_told(club):
    change(club, "CREATE TABLE g (a); CREATE VIEW bad AS SELECT a FROM g; DROP TABLE g")
    found = told(club)
    assert found["bad"].columns == ()
    assert found["codes"].columns


def test_a_file_that_is_gone_or_broken_is_said(club):
    club.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    with pytest.raises(ConnectError, match="cannot be read"):
        told(club)
    club.unlink()
    with pytest.raises(ConnectError, match="There is no file"):
        told(club)
