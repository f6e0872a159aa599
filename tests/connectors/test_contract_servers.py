"""How every connector of a server must behave, against the real one, the whole way through.

A new kind joins with a `Case` in server_cases.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from core.connector import quoted
from core.errors import ConnectError, Forbidden, InvalidInput, MillpondError, QueryError
from core.secret import Secret
from core.settings import Settings
from core.workbench import Workbench, Workspace
from tests.connectors.server_cases import CASES, ROSTER, Case, rows
from tests.connectors.servers import frozen, silent_port

ALIAS = "Sales 'of' \"2024\".é"  # every alias must be quoted everywhere


MARKS = {"mariadb": pytest.mark.mariadb, "mysql": pytest.mark.mariadb, "spark": pytest.mark.spark}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=MARKS.get(name, ())) for name in CASES],
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


def test_every_server_is_tested_here():
    found = {name for name, kind in ROSTER.found.items() if kind.group in ("database", "engine")}
    assert found == set(CASES)


def test_it_declares_what_a_person_is_shown(case):
    kind = case.kind
    assert kind.label
    assert kind.icon
    assert kind.help.endswith(".")
    assert kind.remote
    assert kind.group in ("database", "engine")
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
        assert what in case.without
        return
    options, said = case.wrong[what]
    with pytest.raises(ConnectError, match=said) as refusal:
        here.connections.test(case.connector, case.options(server, **options))
    assert refusal.value.hint
    assert case.secret not in str(refusal.value) + refusal.value.hint


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
    catalogs = {each.name: each for each in here.catalog.whole()}
    names = {table.name: table for table in catalogs[ALIAS].tables}
    assert [column.name for column in names["items"].columns] == ["id", "name"]


def test_its_structure_tells_keys_and_where_they_lead(case, here, added):
    schema = case.table.rpartition(".")[0]
    found = {each.name: each for each in here.catalog.structures(ALIAS, schema or None)}
    columns = {each.name: each for each in found["lines"].columns}
    assert columns["amount"].type == case.tells[0]
    assert found["items"].comment == case.tells[1]
    assert {each.name: each.comment for each in found["items"].columns}[
        "name"
    ] == "as people say it"
    case.need_keys()
    assert not columns["amount"].nullable
    assert "PRIMARY KEY" in found["items"].keys("id")
    (key,) = found["lines"].foreign_keys
    assert (key.columns, key.target.table, key.target.columns) == (("item",), "items", ("id",))
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
    (catalog,) = (each for each in here.catalog.whole() if each.name == ALIAS)
    named = {each.name: each.reference for each in catalog.tables}
    for name in ("kinds", "items"):
        taken = here.snapshots.take(here.snapshots.table(named[name]), timeout=60)
    items = here.snapshots.table(named["items"])
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


def test_a_translation_is_analysed_at_its_source_and_not_run(case, here, added):
    dialect = here.connections.source(ALIAS).dialect
    (good,) = here.queries.translate(f"SELECT id FROM {case.table} LIMIT 1", dialect)
    assert here.queries.analyse(good, ALIAS, dialect)
    bad = f"SELECT id,\n  nothing_like_it\nFROM {case.table}"
    with pytest.raises(QueryError, match="nothing_like_it"):
        here.queries.analyse(bad, ALIAS, dialect)
    for sql in ("ANALYZE DELETE FROM items", "DROP TABLE items"):
        assert not here.queries.analyse(sql, ALIAS, dialect)
    assert len(case.read(here, ALIAS, "*")) == 2


def test_nobody_can_read_the_password(case, here, added):
    for told in ("databases", "secrets", "settings", "views", "variables"):
        assert case.secret not in json.dumps(rows(here, f"FROM duckdb_{told}()"), default=str)
    connection = here.connections.get(ALIAS)
    assert not {"password", "token"} & connection.options.keys()
    assert case.secret not in repr(connection) + repr(here.connections.list())
    attachment = here.connections._book.attachment(connection)
    assert case.secret not in repr(attachment)


def test_writing_is_refused_unless_it_is_allowed(case, server, here, added):
    sql, said = case.refuses
    if case.kind.attaches:
        with pytest.raises(QueryError, match="read-only"):
            rows(here, f"DELETE FROM {added}.{case.table}")
    with pytest.raises((QueryError, Forbidden), match=said):
        rows(here, sql, on=ALIAS)
    for kind in ("postgres", "mysql"):
        with pytest.raises(Forbidden, match="past its connection"):
            rows(here, f"CALL {kind}_execute('x', 'COMMIT; CREATE TABLE made (x int)')")
    here.connections.change(ALIAS, here.connections.get(ALIAS).options | {"allow_writing": True})
    rows(here, sql, on=ALIAS)
    case.need_keeping()
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


def test_changed_options_hold_at_once(case, server, here, added):
    def who() -> list[tuple[Any, ...]]:
        if not case.kind.attaches:
            return rows(here, "SELECT name FROM whoami", on=ALIAS)
        return rows(here, f"SELECT name FROM {added}.{case.table.rpartition('.')[0]}.whoami")

    assert who() == [(case.user,)]
    here.connections.change(ALIAS, case.options(server, **case.reader))
    assert who() == [(case.reader["user"],)]


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
        if case.kind.attaches:  # what another told is good for a minute
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
