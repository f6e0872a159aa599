"""What is PostgreSQL's alone; what all servers share is in test_contract_servers."""

import threading
from contextlib import suppress

import duckdb

from connectors.postgres import Postgres
from core.connector import literal
from core.engine.extensions import extension_file
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
