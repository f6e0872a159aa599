"""How every connector of a server must behave, against the real one, the whole way through.

A new kind joins with a `Case`: how its server is run, and what is said there in its own SQL.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.connector import Connector, quoted
from core.errors import ConnectError, Forbidden, InvalidInput, MillpondError, QueryError
from core.plugins import discover
from core.secret import Secret
from core.settings import Settings
from core.workbench import Workbench, Workspace
from tests.connectors.servers import (
    PASSWORD,
    frozen,
    mariadb_server,
    postgres_server,
    silent_port,
    supabase_server,
)

ROSTER = discover("connectors", Connector)
ALIAS = "Sales 'of' \"2024\".é"  # every alias must be quoted everywhere


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
    tells=("NUMERIC(10, 2)", "What there is"),
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

# No MySQL can be had here: MariaDB, which speaks its protocol, stands in for it.
CASES = {
    "postgres": POSTGRES,
    "sqlalchemy": SQLALCHEMY,
    "supabase": SUPABASE,
    "mariadb": MARIADB,
    "mysql": replace(MARIADB, connector="mysql"),
}


@pytest.fixture(
    scope="module",
    params=[
        "postgres",
        "supabase",
        pytest.param("mariadb", marks=pytest.mark.mariadb),
        pytest.param("mysql", marks=pytest.mark.mariadb),
    ],
)
def case(request) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def server(case) -> Iterator[Any]:
    with case.run() as running:
        running.execute(*case.setup)
        if case.types:
            columns = ", ".join(f"{name} {told[0]}" for name, told in case.types.items())
            values = ", ".join(told[1] for told in case.types.values())
            running.execute(
                f"CREATE TABLE kinds ({columns})", f"INSERT INTO kinds VALUES ({values})"
            )
        yield running


@pytest.fixture(scope="module")
def workbench(tmp_path_factory) -> Iterator[Workbench]:
    home = tmp_path_factory.mktemp("home")
    opened = Workbench.open(Settings(home=home / "data", start_folder=home, sample_data=False))
    yield opened
    opened.close()


@pytest.fixture
def here(workbench) -> Iterator[Workspace]:
    here = workbench.workspace()
    yield here
    for each in here.connections.list():
        here.connections.remove(each.connection.alias)


@pytest.fixture
def added(case, server, here) -> str:
    """The alias of a connection that is attached, quoted for SQL."""
    here.connections.add(ALIAS, case.connector, case.options(server))
    return quoted(ALIAS)


def rows(here: Workspace, sql: str, **how: Any) -> list[tuple[Any, ...]]:
    session = here.queries.session("test")
    run = session.run(sql, **how)
    return session.page(run, run.result).frame.rows()


def test_every_server_is_tested_here():
    found = {name for name, kind in ROSTER.found.items() if kind.group == "database"}
    assert found == set(CASES)


def test_it_declares_what_a_person_is_shown(case):
    kind = case.kind
    assert kind.label
    assert kind.icon
    assert kind.help.endswith(".")
    assert kind.remote
    assert kind.group == "database"
    for name, option in kind.Options.model_fields.items():
        assert option.title, name
        assert option.description, name
        assert option.annotation is not Secret or option.default is not None, name


def test_a_test_tells_who_answers_and_how_long_it_took(case, server, here):
    checked = here.connections.test(case.connector, case.options(server))
    assert checked.seconds > 0
    assert checked.version
    assert dict(checked.facts)["Open for"] == "reading only"


@pytest.mark.parametrize("what", ["password", "user", "database", "port", "host", "tls"])
def test_a_wrong_option_is_answered_precisely(case, server, here, what):
    if what not in case.wrong:
        assert what == "tls"  # the only one that a kind may be without
        return
    options, said = case.wrong[what]
    with pytest.raises(ConnectError, match=said) as refusal:
        here.connections.test(case.connector, case.options(server, **options))
    assert refusal.value.hint
    assert PASSWORD not in str(refusal.value) + refusal.value.hint


def test_a_server_that_never_answers_is_given_up(case, here, server):
    with silent_port() as port:
        options = case.options(server, port=port, connect_timeout=2)
        with pytest.raises(ConnectError, match=r"does not answer|broke the connection off"):
            here.connections.test(case.connector, options)


def test_what_cannot_be_reached_is_not_added(case, server, here):
    options = case.options(server, port=1)
    with pytest.raises(ConnectError):
        here.connections.add("sales", case.connector, options)
    assert here.connections.list() == []
    kept = here.connections.add("sales", case.connector, options, connect=False)
    assert not kept.enabled


def test_its_tables_join_with_the_workspaces_own(case, here, added):
    case.need_attached()
    rows(here, "CREATE OR REPLACE TABLE own AS SELECT 1 AS id, 'here' AS place")
    joined = f"SELECT i.id, name, place FROM {added}.{case.table} AS i JOIN own USING (id)"
    assert rows(here, joined) == [(1, "ä'\"", "here")]


def test_the_catalog_has_its_tables_with_columns(case, here, added):
    case.need_attached()
    catalogs = {each.name: each for each in here.catalog.whole()}
    names = {table.name: table for table in catalogs[ALIAS].tables}
    assert [column.name for column in names["items"].columns] == ["id", "name"]


def test_its_structure_tells_keys_and_where_they_lead(case, here, added):
    schema = case.table.rpartition(".")[0]
    found = {each.name: each for each in here.catalog.structures(ALIAS, schema or None)}
    assert "PRIMARY KEY" in found["items"].keys("id")
    (key,) = found["lines"].foreign_keys
    assert (key.columns, key.target.table, key.target.columns) == (("item",), "items", ("id",))
    columns = {each.name: each for each in found["lines"].columns}
    assert columns["amount"].type == case.tells[0]
    assert not columns["amount"].nullable
    assert found["items"].comment == case.tells[1]
    assert {each.name: each.comment for each in found["items"].columns}[
        "name"
    ] == "as people say it"
    assert "lines_by_item" in [each.name for each in found["lines"].indexes]


def test_types_arrive_as_they_are(case, server, here, added, con):
    schema = case.table.rpartition(".")[0]
    table = f"{added}.{schema}.kinds" if schema else f"{added}.kinds"
    texts = ", ".join(f'"{name}"::VARCHAR' for name in case.types)
    if case.kind.attaches:
        (row,) = rows(here, f"SELECT {texts} FROM {table}")
    else:
        options = case.kind.Options(**case.options(server))
        with case.kind.fetch(con, options, "SELECT * FROM kinds", lambda stop: None) as reader:
            con.register("fetched", reader)
            row = con.execute(f"SELECT {texts} FROM fetched").fetchone()
    assert dict(zip(case.types, row, strict=True)) == {
        name: told[2] for name, told in case.types.items()
    }


def test_a_snapshot_keeps_all_types_goes_on_and_is_read_while_the_server_is_away(
    case, server, here, added
):
    case.need_attached()
    schema = case.table.rpartition(".")[0]
    here.catalog.whole()
    place = f"{added}.{schema}." if schema else f"{added}."
    for name in ("kinds", "items"):
        taken = here.snapshots.take(here.snapshots.table(place + name), timeout=60)
    items = here.snapshots.table(place + "items")
    taken = here.snapshots.take(items, "id", timeout=60)
    copied = taken.address.replace("items", "kinds")
    texts = ", ".join(f'"{name}"::VARCHAR' for name in case.types)
    server.stop()
    try:
        assert rows(here, f"SELECT count(*) FROM {taken.address}") == [(2,)]
        (row,) = rows(here, f"SELECT {texts} FROM {copied}")
    finally:
        server.start()
    assert dict(zip(case.types, row, strict=True)) == {
        name: told[2] for name, told in case.types.items()
    }
    here.connections.check(ALIAS)
    wait_until(lambda: not here.engine.broken)
    for each in here.snapshots.list():
        here.snapshots.drop(each.name)


def test_nobody_can_read_the_password(case, here, added):
    for told in ("databases", "secrets", "settings", "views", "variables"):
        assert PASSWORD not in json.dumps(rows(here, f"FROM duckdb_{told}()"), default=str)
    connection = here.connections.get(ALIAS)
    assert "password" not in connection.options
    assert PASSWORD not in repr(connection) + repr(here.connections.list())
    attachment = here.connections._book.attachment(connection)
    assert PASSWORD not in repr(attachment)


def test_writing_is_refused_unless_it_is_allowed(case, server, here, added):
    sql, said = case.refuses
    if case.kind.attaches:
        with pytest.raises(QueryError, match="read-only"):
            rows(here, f"DELETE FROM {added}.{case.table}")
    with pytest.raises(QueryError, match=said):
        rows(here, sql, on=ALIAS)
    for kind in ("postgres", "mysql"):
        with pytest.raises(Forbidden, match="past its connection"):
            rows(here, f"CALL {kind}_execute('x', 'COMMIT; CREATE TABLE made (x int)')")
    here.connections.change(ALIAS, here.connections.get(ALIAS).options | {"allow_writing": True})
    rows(here, sql, on=ALIAS)
    schema = case.table.rpartition(".")[0]
    made = f"{added}.{schema}.made" if schema else f"{added}.made"
    if case.kind.attaches:
        rows(here, f"INSERT INTO {made} VALUES (7)")
    else:
        rows(here, "INSERT INTO made VALUES (7)", on=ALIAS)
    assert rows(here, "SELECT * FROM made", on=ALIAS) == [(7,)]
    server.execute("DROP TABLE made")


def test_it_runs_its_own_sql(case, here, added):
    assert rows(here, "SELECT id FROM items ORDER BY id DESC;", on=ALIAS) == [(2,), (1,)]
    with pytest.raises(QueryError, match="nope") as refusal:
        rows(here, "SELECT id,\n  nope FROM items", on=ALIAS)
    assert (refusal.value.line, refusal.value.column) in [(2, 3), (0, 0)]


def test_changed_options_hold_at_once(case, here, added):
    asked = f"SELECT name FROM {added}.{case.table.rpartition('.')[0]}.whoami"
    assert rows(here, asked) == [(case.user,)]
    reader = here.connections.get(ALIAS).options | {"user": "reader", "password": "r"}
    here.connections.change(ALIAS, reader)
    assert rows(here, asked) == [("reader",)]


def test_what_runs_no_sql_of_its_own_says_so(here, tmp_path):
    with pytest.raises(ConnectError, match="no connection named nobody"):
        rows(here, "SELECT 1", on="nobody")


def test_cancelling_stops_the_statement_at_the_server(case, server, here, added):
    run = here.queries.session("test").start(case.sleep, on=ALIAS)
    wait_until(lambda: server.execute(case.running) == [(1,)])
    run.cancel()
    run.wait()
    assert run.state == "cancelled"
    wait_until(lambda: server.execute(case.running) == [(0,)])
    assert here.engine.starts == 1 or here.engine.pid  # the engine was not killed for it


def wait_until(so: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_server_that_goes_away_breaks_nothing_else_and_is_found_again(case, server, here, added):
    assert case.read(here, ALIAS, "count(*)") == [(2,)]
    server.stop()
    try:
        with pytest.raises(ConnectError, match="not attached now"):
            case.read(here, ALIAS, "count(*)")
        assert rows(here, "SELECT 42") == [(42,)]
        with pytest.raises(QueryError, match="nobody_made_this does not exist"):
            rows(here, "SELECT * FROM nobody_made_this")
        assert ALIAS not in [each.name for each in here.catalog.whole()]
        (source,) = here.connections.list()
        assert source.problem is not None
        with pytest.raises(ConnectError, match="refuses connections"):
            here.connections.check(ALIAS)
        assert "refuses connections" in here.connections.get(ALIAS).health.problem
    finally:
        server.start()
    assert here.connections.check(ALIAS).health.problem == ""
    wait_until(lambda: not here.engine.broken)
    assert case.read(here, ALIAS, "count(*)") == [(2,)]


def test_a_server_that_freezes_keeps_no_page_waiting(case, server, here, added):
    known = {each.name for each in here.catalog.whole()}
    assert ALIAS in known
    with frozen(server.process):
        rows(here, "CREATE OR REPLACE TABLE own AS SELECT 1 AS id")  # so the tree is read anew
        assert {each.name for each in here.catalog.list()} == known
        assert not here.catalog.is_fresh
        assert rows(here, "SELECT 42") == [(42,)]
    wait_until(lambda: bool(here.catalog.list()) and here.catalog.is_fresh)
    assert here.catalog.read_at is not None


def test_a_connection_is_switched_off_renamed_and_doubled(case, here, added):
    here.connections.enable(ALIAS, False)
    with pytest.raises(MillpondError, match=r"does not exist|no connection named"):
        case.read(here, ALIAS, "*")
    here.connections.enable(ALIAS)
    assert here.connections.rename(ALIAS, "shop").alias == "shop"
    assert len(case.read(here, "shop", "*")) == 2
    twin = here.connections.duplicate("shop", "twin")
    assert not twin.enabled
    here.connections.enable("twin")  # with the password of its own
    assert len(case.read(here, "twin", "*")) == 2


def test_options_that_make_no_sense_are_refused(case, server, here):
    for options in case.nonsense:
        with pytest.raises((InvalidInput, Forbidden)):
            here.connections.add("bad", case.connector, case.options(server, **options))


def test_after_a_restart_it_is_attached_again(case, server, tmp_path):
    settings = Settings(home=tmp_path / "data", start_folder=tmp_path, sample_data=False)
    first = Workbench.open(settings)
    first.workspace().connections.add("shop", case.connector, case.options(server))
    first.close()
    second = Workbench.open(settings)
    try:
        assert len(case.read(second.workspace(), "shop", "*")) == 2
    finally:
        second.close()


def test_a_source_without_its_secret_says_what_is_missing(case, server, tmp_path):
    settings = Settings(home=tmp_path / "data", start_folder=tmp_path, sample_data=False)
    first = Workbench.open(settings)
    first.workspace().connections.add("shop", case.connector, case.options(server))
    first.close()
    Path(tmp_path / "data" / "master.key").unlink()
    second = Workbench.open(settings)
    try:
        with pytest.raises(MillpondError):
            case.read(second.workspace(), "shop", "*")
        assert rows(second.workspace(), "SELECT 1") == [(1,)]
    finally:
        second.close()
