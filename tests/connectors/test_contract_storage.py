"""How every connector of the group storage must behave, against a real server, all the way through.

A new kind joins with a `Case`: how its server is run, and what each wrong option is answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import pytest

from core.connector import Connector
from core.errors import ConnectError, InvalidInput, QueryError
from core.plugins import discover
from core.secret import Secret, secret_fields
from core.workbench import Workbench, Workspace
from tests.connectors.servers import silent_port
from tests.connectors.stores import object_store
from tests.connectors.test_contract_servers import rows, wait_until
from tests.connectors.web import serving_files

ROSTER = discover("connectors", Connector)
ALIAS = "Sales 'of' \"2024\".é"  # every alias must be quoted everywhere


@dataclass(frozen=True)
class Case:
    """A kind of storage: how it is run, and what each wrong option is answered.

    What `run` gives has `options`, which make a source with its `secret` and the rows
    (1, 'ä''"'), (2, NULL) as columns id and name; it can `stop` and `start` again. `table` is what
    follows the alias. `at` gives the options that lead to another port.
    """

    connector: str
    run: Callable[[], AbstractContextManager[Any]]
    wrong: dict[str, tuple[dict[str, Any], str]]
    nonsense: tuple[dict[str, Any], ...]
    at: Callable[[dict[str, Any], int], dict[str, Any]]
    secrets: tuple[str, ...]
    table: str = ""


HTTP = Case(
    connector="http",
    run=serving_files,
    wrong={
        "token": ({"token": "not-the-token"}, "not given without the right token"),
        "path": ({"addresses": "{base}/data/no.csv"}, "nothing at .*no.csv"),
        "port": ({"addresses": "http://127.0.0.1:1/a.csv"}, "refuses connections on port 1"),
        "host": ({"addresses": "http://no-such-host.invalid/a.csv"}, "no host named no-such-host"),
        "tls": ({"addresses": "{tls}/data/items.csv"}, "does not speak TLS"),
    },
    nonsense=(
        {"addresses": ""},
        {"addresses": "ftp://example.org/a.csv"},
        {"addresses": "items.csv"},
        {"addresses": "https://ann:pw@example.org/a.csv"},
        {"addresses": "https://example.org:99999/a.csv"},
        {"token": "two words"},
        {"token": "a\r\nX-Other: b"},
        {"leads_to": "a b/c"},
        {"unheard_of": 1},
    ),
    at=lambda options, port: options | {"addresses": f"http://127.0.0.1:{port}/data/items.csv"},
    secrets=("token",),
)

S3 = Case(
    connector="s3",
    run=object_store,
    wrong={
        "secret": ({"secret_key": "not-the-secret-key"}, "secret key does not fit the key id"),
        "key": ({"key_id": "AKIANOBODY"}, "does not know the key id"),
        "user": ({"key_id": "{stranger}", "secret_key": "{stranger's secret}"}, "do not allow"),
        "bucket": ({"bucket": "nowhere"}, "no bucket of that name"),
        "other": ({"bucket": "other"}, "do not allow"),
        "path": ({"prefix": "nothing"}, "no file in s3://data/nothing"),
        "port": ({"endpoint": "127.0.0.1:1"}, "refuses connections on port 1"),
        "host": ({"endpoint": "no-such-host.invalid"}, "no host named no-such-host"),
        "tls": ({"tls": True}, "does not speak TLS"),
    },
    nonsense=(
        {"bucket": ""},
        {"bucket": "s3://data"},
        {"bucket": "a/b"},
        {"endpoint": "https://example.org"},
        {"endpoint": "a b"},
        {"prefix": "a?b"},
        {"prefix": "a\0b"},
        {"key_id": ""},
        {"key_id": "two words"},
        {"region": "EU West"},
        {"unheard_of": 1},
    ),
    at=lambda options, port: options | {"endpoint": f"127.0.0.1:{port}"},
    secrets=("secret_key", "session_token"),
)

CASES = {"http": HTTP, "s3": S3}


@pytest.fixture(scope="module", params=sorted(CASES))
def case(request) -> Case:
    return CASES[request.param]


@pytest.fixture(scope="module")
def server(case) -> Iterator[Any]:
    with case.run() as running:
        yield running


@pytest.fixture
def here(workbench: Workbench) -> Iterator[Workspace]:
    here = workbench.workspace()
    yield here
    for each in here.connections.list():
        here.connections.remove(each.connection.alias)


@pytest.fixture
def added(case, server, here) -> str:
    """What is read of a connection that is attached, quoted for SQL."""
    here.connections.add(ALIAS, case.connector, server.options)
    return '"' + ALIAS.replace('"', '""') + '"' + case.table


def test_every_storage_is_tested_here():
    found = {name for name, kind in ROSTER.found.items() if kind.group == "storage"}
    # A lake has two places, which may be files: test_ducklake.py has its suite.
    assert found == {*CASES, "ducklake"}


def test_it_declares_what_a_person_is_shown(case):
    kind = ROSTER.found[case.connector]
    assert kind.label
    assert kind.icon
    assert kind.help.endswith(".")
    assert kind.remote
    assert set(case.secrets) == secret_fields(kind.Options)
    for name, option in kind.Options.model_fields.items():
        assert option.title, name
        assert option.description, name
        assert option.annotation is not Secret or option.default is not None, name


def test_it_says_where_it_is_and_asks_for_no_more(case, server):
    kind = ROSTER.found[case.connector]
    options = kind.Options.model_validate(server.options)
    assert kind.grants(options).hosts == (f"127.0.0.1:{server.port}",)
    assert "127.0.0.1" in kind.place(options)
    assert server.secret not in kind.place(options)


def test_a_test_tells_who_answers_and_how_long_it_took(case, server, here):
    checked = here.connections.test(case.connector, server.options)
    assert checked.seconds > 0
    assert checked.version


def test_a_wrong_option_is_answered_precisely(case, server, here):
    for options, said in case.wrong.values():
        filled = {name: server.filled(value) for name, value in options.items()}
        with pytest.raises(ConnectError, match=said) as refusal:
            here.connections.test(case.connector, server.options | filled)
        assert refusal.value.hint
        assert server.secret not in str(refusal.value) + refusal.value.hint


def test_a_server_that_never_answers_is_given_up(case, here, server):
    with silent_port() as port:
        options = case.at(server.options, port) | {"connect_timeout": 2}
        with pytest.raises(ConnectError, match="does not answer"):
            here.connections.test(case.connector, options)


def test_what_cannot_be_reached_is_not_added(case, server, here):
    with pytest.raises(ConnectError):
        here.connections.add("sales", case.connector, case.at(server.options, 1))
    assert here.connections.list() == []


def test_its_rows_join_with_the_workspaces_own(case, here, added):
    rows(here, "CREATE OR REPLACE TABLE own AS SELECT 1 AS id, 'here' AS place")
    joined = f"SELECT i.id, name, place FROM {added} AS i JOIN own USING (id)"
    assert rows(here, joined) == [(1, "ä'\"", "here")]


def test_the_catalog_has_it_with_columns(case, here, added):
    tables = {table.name: table for each in here.catalog.list() for table in each.tables}
    table = tables[case.table.rpartition(".")[2] or ALIAS]
    assert [column.name for column in table.columns] == ["id", "name"]


def test_nobody_can_read_the_secret(case, server, here, added):
    secret = server.secret
    for told in ("databases", "secrets", "settings", "views", "variables", "functions"):
        assert secret not in json.dumps(rows(here, f"FROM duckdb_{told}()"), default=str)
    with pytest.raises(QueryError, match="unredacted"):
        rows(here, "FROM duckdb_secrets(redact = false)")
    connection = here.connections.get(ALIAS)
    assert not set(case.secrets) & set(connection.options)
    assert secret not in repr(connection) + repr(here.connections.list())
    assert secret not in repr(here.connections._book.attachment(connection))


def test_its_key_is_gone_with_it(case, here, added):
    rows(here, f"SELECT count(*) FROM {added}")  # it is attached in the background
    assert len(rows(here, "FROM duckdb_secrets()")) == 1
    here.connections.enable(ALIAS, False)
    assert rows(here, "FROM duckdb_secrets()") == []


def test_a_server_that_goes_away_breaks_nothing_else_and_is_found_again(case, server, here, added):
    counting = f"SELECT count(*) FROM {added}"
    assert rows(here, counting) == [(2,)]
    server.stop()
    try:
        with pytest.raises(ConnectError, match=r"not attached now: .* refuses connections"):
            rows(here, counting)
        assert rows(here, "SELECT 42") == [(42,)]
        with pytest.raises(QueryError, match="nobody_made_this does not exist"):
            rows(here, "SELECT * FROM nobody_made_this")
        here.catalog.list()
        (source,) = here.connections.list()
        assert source.problem is not None
        with pytest.raises(ConnectError, match="refuses connections"):
            here.connections.check(ALIAS)
    finally:
        server.start()
    assert here.connections.check(ALIAS).health.problem == ""
    wait_until(lambda: not here.engine.broken)
    assert rows(here, counting) == [(2,)]


def test_a_connection_is_switched_off_renamed_and_doubled(case, here, added):
    here.connections.enable(ALIAS, False)
    with pytest.raises(QueryError, match="does not exist"):
        rows(here, f"SELECT * FROM {added}")
    here.connections.enable(ALIAS)
    assert here.connections.rename(ALIAS, "shop").alias == "shop"
    assert len(rows(here, f"SELECT * FROM shop{case.table}")) == 2
    twin = here.connections.duplicate("shop", "twin")
    assert not twin.enabled
    here.connections.enable("twin")  # with the secret of its own
    assert len(rows(here, f"SELECT * FROM twin{case.table}")) == 2


def test_options_that_make_no_sense_are_refused(case, server, here):
    for options in case.nonsense:
        with pytest.raises(InvalidInput) as refusal:
            here.connections.add("bad", case.connector, server.options | options)
        assert server.secret not in str(refusal.value)


def test_after_a_restart_it_is_attached_again(case, server, here, added):
    assert len(rows(here, f"SELECT * FROM {added}")) == 2
    here.engine.renew()
    assert len(rows(here, f"SELECT * FROM {added}")) == 2
