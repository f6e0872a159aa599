"""What is PostgreSQL's alone; what all servers share is in test_contract_servers."""

import threading
from contextlib import suppress

import duckdb
import pytest

from connectors.postgres import Postgres
from core.connector import literal
from core.engine.extensions import extension_file
from core.errors import QueryError
from tests.connectors.servers import postgres_server


def test_a_statement_that_is_interrupted_to_its_end_leaves_nothing_attached():
    with (
        postgres_server() as server,
        duckdb.connect(config={"allow_unsigned_extensions": True}) as con,
        con.cursor() as cursor,
    ):
        con.execute(f"LOAD {literal(extension_file('postgres_scanner'))}")
        kind = Postgres()
        options = kind.Options.model_validate(server.options)
        done = threading.Event()

        def interrupt() -> None:
            while not done.is_set():
                cursor.interrupt()

        for _ in range(5):
            storm = threading.Thread(target=interrupt)
            with (
                suppress(duckdb.InterruptException),
                kind.fetch(cursor, options, "SELECT 1", lambda stop: None) as reader,
            ):
                assert reader.read_all().num_rows == 1
                storm.start()
            done.set()
            storm.join()
            done.clear()
        asked = "SELECT database_name FROM duckdb_databases() WHERE NOT internal"
        assert con.execute(asked).fetchall() == [("memory",)]


def test_what_the_server_says_of_a_listing_is_one_sentence(con):
    kind = Postgres()
    with postgres_server() as server:
        server.execute("REVOKE SELECT ON pg_catalog.pg_index FROM PUBLIC")
        server.execute("CREATE ROLE ann LOGIN PASSWORD 'nr7-quince-ann'")
        given = server.options | {"user": "ann", "password": "nr7-quince-ann"}
        options = kind.Options.model_validate(given)
        asked = (
            lambda: kind.structures(options, None, None),
            lambda: kind.inspect(con, options, "shop"),
        )
        for ask in asked:
            with pytest.raises(QueryError, match=r"^permission denied for table pg_index\.$"):
                ask()
