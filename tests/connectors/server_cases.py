"""The kinds of servers that the contract is held against: how each is run, and its own SQL."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from core.connector import Connector, quoted
from core.plugins import discover
from core.workbench import Workspace
from tests.connectors.sail import BUSY, TOKEN, sail_server
from tests.connectors.servers import PASSWORD, mariadb_server, postgres_server, supabase_server

ROSTER = discover("connectors", Connector)


def rows(here: Workspace, sql: str, **how: Any) -> list[tuple[Any, ...]]:
    session = here.queries.session("test")
    run = session.run(sql, **how)
    return session.page(run, run.result).frame.rows()


@dataclass(frozen=True)
class Case:
    """A kind of server: how it is run, its own SQL, and what each wrong option is answered."""

    connector: str
    run: Callable[[], AbstractContextManager[Any]]
    user: str
    setup: tuple[str, ...]
    """It makes a user `reader` with the password r, who may read the view `whoami` at least."""
    table: str
    """The table of `setup` with rows (1, 'ä''"'), (2, NULL), as DuckDB names it below the alias."""
    wrong: dict[str, tuple[dict[str, Any], str]]
    sleep: str
    """Own SQL that takes 30 s and gives rows."""
    running: str
    """Own SQL that counts the statements under way, its own not among them."""
    refuses: tuple[str, str]
    """Own SQL that writes, and what the server says where only reading is allowed."""
    types: dict[str, tuple[str, str, str | None]] = field(default_factory=dict)
    """Column -> its declaration and value in own SQL, and how DuckDB's text of it reads."""
    options: Callable[..., dict[str, Any]] = lambda server, **changed: server.options | changed
    """What a connection to the running server needs, with some of it changed."""
    nonsense: tuple[dict[str, Any], ...] = (
        {"port": 0},
        {"port": "x"},
        {"host": "a b@c"},
        {"host": "db.example:5432"},
        {"user": "a\x00b"},
        {"unheard_of": 1},
    )
    tells: tuple[str, str] = ("DECIMAL(10,2)", "What there is")
    """How the type numeric(10, 2) of a column and the comment on a table are told."""
    secret: str = PASSWORD
    without: tuple[str, ...] = ("tls",)
    """Options that it cannot have wrong."""
    reader: dict[str, Any] = field(default_factory=lambda: {"user": "reader", "password": "r"})
    has_keys: bool = True
    keeps: bool = True
    """What one session makes, the next finds."""

    @property
    def kind(self) -> Connector[Any]:
        return ROSTER.found[self.connector]

    def read(self, here: Workspace, alias: str, columns: str) -> list[tuple[Any, ...]]:
        """Read columns of its table: by DuckDB, or by its own engine where DuckDB cannot."""
        if self.kind.attaches:
            return rows(here, f"SELECT {columns} FROM {quoted(alias)}.{self.table}")
        return rows(here, f"SELECT {columns} FROM {self.table}", on=alias)

    def need_attached(self) -> None:
        if not self.kind.attaches:
            pytest.xfail("DuckDB cannot attach it, so its tables join with nothing in place")

    def need_keys(self) -> None:
        if not self.has_keys:
            pytest.xfail("it knows no keys and indexes")

    def need_keeping(self) -> None:
        if not self.keeps:
            pytest.xfail("what stands in for it forgets; test_spark_cluster.py writes")


POSTGRES = Case(
    connector="postgres",
    run=postgres_server,
    user="postgres",
    setup=(
        "CREATE TABLE items (id integer PRIMARY KEY, name text)",
        "INSERT INTO items VALUES (1, 'ä''\"'), (2, NULL)",
        "COMMENT ON TABLE items IS 'What there is'",
        "COMMENT ON COLUMN items.name IS 'as people say it'",
        "CREATE TABLE lines (item integer REFERENCES items (id), amount numeric(10, 2) NOT NULL)",
        "CREATE INDEX lines_by_item ON lines (item)",
        "CREATE VIEW whoami AS SELECT current_user::text AS name",
        "CREATE ROLE reader LOGIN PASSWORD 'r'",
        "GRANT SELECT ON whoami TO reader",
    ),
    table="public.items",
    wrong={
        "password": ({"password": "n0t-the-1-it-is"}, "password is wrong"),
        "user": ({"user": "nobody"}, "password is wrong"),  # PostgreSQL does not tell them apart
        "database": ({"database": "nope"}, "There is no database nope"),
        "port": ({"port": 1}, "refuses connections on port 1"),
        "host": ({"host": "no-such-host.invalid"}, "There is no host named no-such-host"),
        "tls": ({"tls": "require"}, "offers no encryption"),
    },
    sleep="SELECT pg_sleep(30)",
    running="SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
    "AND pid <> pg_backend_pid() AND query LIKE '%pg_sleep%'",
    refuses=("CREATE TABLE made (x integer)", "read-only"),
    types={
        "n38": ("numeric(38, 10)", "1234567890123456789012345678.0123456789",
                "1234567890123456789012345678.0123456789"),
        "at": ("timestamptz", "'2026-01-02 03:04:05.678901+02'", "2026-01-02 01:04:05.678901+00"),
        "never": ("timestamp", "'infinity'", "infinity"),
        "day": ("date", "'-infinity'", "-infinity"),
        "uid": ("uuid", "'00000000-0000-0000-0000-00000000000a'",
                "00000000-0000-0000-0000-00000000000a"),
        "js": ("json", "'{\"a\":  1}'", '{"a":  1}'),
        "jsb": ("jsonb", "'{\"a\": 1}'", '{"a": 1}'),
        "list": ("integer[]", "'{1,NULL,3}'", "[1, NULL, 3]"),
        "bytes": ("bytea", "'\\x00ff'", "\\x00\\xFF"),
        "net": ("inet", "'10.0.0.1/8'", "10.0.0.1/8"),
        "span": ("interval", "'1 mon 2 days 00:00:03'", "1 month 2 days 00:00:03"),
        "clock": ("time", "'23:59:59.999999'", "23:59:59.999999"),
        "big": ("bigint", "-9223372036854775808", "-9223372036854775808"),
        "real": ("double precision", "'NaN'", "nan"),
        "range": ("int4range", "'[1,5)'", "[1,5)"),
        "money": ("money", "'12.34'", "$12.34"),
        "xml": ("text", "'<a>ü</a>'", "<a>ü</a>"),
    },
)  # fmt: skip

# A Supabase cannot be had here: PostgreSQL stands in for it.
SUPABASE = replace(
    POSTGRES,
    connector="supabase",
    run=supabase_server,
    wrong=POSTGRES.wrong | {"tls": ({"tls": "require"}, "offers no encryption")},
)

MARIADB = Case(
    connector="mariadb",
    run=mariadb_server,
    user="keeper",
    setup=(
        "CREATE TABLE items (id integer PRIMARY KEY, name text COMMENT 'as people say it') "
        "COMMENT 'What there is'",
        "INSERT INTO items VALUES (1, 'ä''\"'), (2, NULL)",
        "CREATE TABLE `lines` (item integer, amount numeric(10, 2) NOT NULL, "
        "FOREIGN KEY (item) REFERENCES items (id))",
        "CREATE INDEX lines_by_item ON `lines` (item)",
        "CREATE VIEW whoami AS SELECT substring_index(user(), '@', 1) AS name",
        "CREATE USER reader IDENTIFIED BY 'r'",
        "GRANT SELECT ON shop.* TO reader",
    ),
    table="shop.items",
    wrong={
        "password": ({"password": "n0t-the-1-it-is"}, "password is wrong"),
        "user": ({"user": "nobody"}, "password is wrong"),  # MariaDB does not tell them apart
        "database": ({"database": "nope"}, "may not use the database nope"),
        "port": ({"port": 1}, "refuses connections on port 1"),
        "host": ({"host": "no-such-host.invalid"}, "There is no host named no-such-host"),
        "tls": ({"tls": "required"}, "offers no encryption"),
    },
    sleep="SELECT 1 FROM items WHERE sleep(30) = 0",
    running="SELECT count(*) FROM information_schema.processlist WHERE info LIKE '%sleep(%' "
    "AND id <> connection_id()",
    refuses=("CREATE TABLE made (x integer)", "READ ONLY transaction"),
    types={
        "n38": ("numeric(38, 10)", "1234567890123456789012345678.0123456789",
                "1234567890123456789012345678.0123456789"),
        "huge": ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
        "least": ("bigint", "-9223372036854775808", "-9223372036854775808"),
        "five": ("tinyint(1)", "5", "5"),  # not true
        "exact": ("double", "0.1", "0.1"),
        "bits": ("bit(9)", "b'100000001'", "\\x01\\x01"),
        "flag": ("bit(1)", "b'1'", "true"),
        "in_year": ("year", "2026", "2026"),
        "day": ("date", "'2026-01-02'", "2026-01-02"),
        "no_day": ("date", "'0000-00-00'", None),
        "at": ("datetime(6)", "'2026-01-02 03:04:05.678901'", "2026-01-02 03:04:05.678901"),
        "moment": ("timestamp NULL", "'2026-01-02 03:04:05'", "2026-01-02 03:04:05"),
        "long_time": ("time", "'-838:59:59'", "-838:59:59"),
        "choice": ("enum('ä', 'b')", "'ä'", "ä"),
        "choices": ("set('a', 'b')", "'a,b'", "a,b"),
        "js": ("json", "'{\"a\":  1}'", '{"a":  1}'),
        "bytes": ("varbinary(4)", "x'00ff'", "\\x00\\xFF"),
        "letters": ("varchar(20)", "'\U0001f41f\\0ü'", "\U0001f41f\0ü"),
        "point": ("point", "point(1, 2)", "\\x00" * 4 + "\\x01\\x01" + "\\x00" * 9 + "\\xF0?"
                  + "\\x00" * 7 + "@"),
        "uid": ("uuid", "'00000000-0000-0000-0000-00000000000a'",
                "00000000-0000-0000-0000-00000000000a"),
    },
)  # fmt: skip


def _as_url(server: Any, **changed: Any) -> dict[str, Any]:
    told = server.options | changed
    user, host, port, database = (told.pop(each) for each in ("user", "host", "port", "database"))
    return {"url": f"postgresql+psycopg://{user}@{host}:{port}/{database}"} | told


SQLALCHEMY = replace(
    POSTGRES,
    connector="sqlalchemy",
    options=_as_url,
    wrong={what: told for what, told in POSTGRES.wrong.items() if what != "tls"},
    nonsense=(
        {"host": "user:secret@here"},
        {"database": "db?password=secret"},
        {"database": "db?host=elsewhere"},
        {"host": ""},
        {"port": "x"},
        {"user": "a\x00b"},
        {"unheard_of": 1},
    ),
    # The rows are fetched from a cursor, and that is what the server lists.
    running="SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'FETCH%'",
    types={
        name: told
        for name, told in POSTGRES.types.items()
        if name not in ("never", "day")  # psycopg refuses them: see test_sqlalchemy.py
    }
    | {
        "list": ("integer[]", "'{1,NULL,3}'", "[1, null, 3]"),
        "span": ("interval", "'1 mon 2 days 00:00:03'", "1 mon 2 days 00:00:03"),
        "range": ("int4range", "'[1,5)'", "[1, 5)"),
    },
)

# Sail stands in for Spark, whose own server is in test_spark_cluster.py. What is set up is what
# each session says first, because Sail's catalog is the session's.
SPARK = Case(
    connector="spark",
    run=sail_server,
    user="keeper",
    setup=(
        "CREATE TABLE items (id INT, name STRING COMMENT 'as people say it') USING parquet "
        "COMMENT 'What there is'",
        "INSERT INTO items VALUES (1, 'ä\\'\"'), (2, NULL)",
        "CREATE TABLE lines (item INT, amount DECIMAL(10, 2)) USING parquet",
        "CREATE TEMPORARY VIEW whoami AS SELECT current_user() AS name",
    ),
    table="items",
    wrong={
        "database": ({"database": "nope"}, "There is no database nope"),
        "port": ({"port": 1}, "refuses connections on port 1"),
        "host": (
            {"host": "no-such-host.invalid", "token": ""}, "There is no host named no-such-host"
        ),
        "tls": ({"tls": "require", "connect_timeout": 2}, "No encrypted connection"),
    },
    sleep="SELECT count(*) AS n FROM range(100000000000) AS r WHERE sin(r.id) > 2",
    running=BUSY,
    refuses=("CREATE TABLE made (x INT) USING parquet", "read-only"),
    types={
        "n38": ("DECIMAL(38, 10)", "1234567890123456789012345678.0123456789",
                "1234567890123456789012345678.0123456789"),
        "at": ("TIMESTAMP", "timestamp'2026-01-02 03:04:05.678901+02:00'",
               "2026-01-02 01:04:05.678901+00"),
        "wall": ("TIMESTAMP_NTZ", "timestamp_ntz'2026-01-02 03:04:05.678901'",
                 "2026-01-02 03:04:05.678901"),
        "day": ("DATE", "date'2026-01-02'", "2026-01-02"),
        "least": ("BIGINT", "-9223372036854775808", "-9223372036854775808"),
        "tiny": ("TINYINT", "-128", "-128"),
        "flag": ("BOOLEAN", "true", "true"),
        "real": ("DOUBLE", "double('NaN')", "nan"),
        "exact": ("DOUBLE", "0.1d", "0.1"),
        "letters": ("STRING", "'🐟ü'", "🐟ü"),
        "bytes": ("BINARY", "X'00FF'", "\\x00\\xFF"),
        "list": ("ARRAY<INT>", "array(1, NULL, 3)", "[1, NULL, 3]"),
        "pairs": ("MAP<STRING, INT>", "map('a', 1)", "{a=1}"),
        "parts": ("STRUCT<a: INT, b: STRING>", "named_struct('a', 1, 'b', 'x')",
                  "{'a': 1, 'b': x}"),
    },
    nonsense=(
        {"port": 0},
        {"port": "x"},
        {"host": "a b@c"},
        {"host": "db.example:5432"},
        {"host": "spark.example"},  # the token would be overheard
        {"token": "k\u00e9y"},
        {"user": "a\x00b"},
        {"unheard_of": 1},
    ),
    
    secret=TOKEN,
    without=("password", "user"),
    reader={"user": "reader"},
    has_keys=False,
    keeps=False,
)  # fmt: skip

# No MySQL can be had here: MariaDB, which speaks its protocol, stands in for it.
CASES = {
    "postgres": POSTGRES,
    "sqlalchemy": SQLALCHEMY,
    "supabase": SUPABASE,
    "mariadb": MARIADB,
    "mysql": replace(MARIADB, connector="mysql"),
    "spark": SPARK,
}
