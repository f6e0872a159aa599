"""Spark through Spark Connect: the engine of who outgrows one machine. It runs SQL in its own
dialect, and its rows come as Arrow, as they arrive.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

from connectors._rows import told, unique
from connectors._servers import reach
from connectors._spark_errors import asking
from connectors._spark_options import SparkOptions
from connectors._spark_session import connected
from connectors._spark_structures import read_structures
from connectors._spark_text import check_reads
from core.connector import Checked, Connector, Grants, Report
from core.structure import Structure

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_NOTES = (
    "Spark has no sessions that only read: without Allow writing, statements that may do more "
    "are refused here. A user of Spark's who may only read is safest.",
)


class Spark(Connector[SparkOptions]):
    name = "spark"
    label = "Spark"
    icon = "hub"
    help = "A Spark cluster through Spark Connect: it runs the SQL, its rows come here."
    Options = SparkOptions
    group = "engine"
    remote = True
    attaches = False
    writable = True
    push_down = True
    dialect = "spark"

    def grants(self, options: SparkOptions) -> Grants:
        return options.grants

    def place(self, options: SparkOptions) -> str:
        return f"{options.user}@{options.address}/{options.database}".rstrip("/")

    def test(self, con: duckdb.DuckDBPyConnection, options: SparkOptions) -> Checked:
        started = time.perf_counter()
        with connected(options) as session, asking("", options):
            version = session.version()
            asked = "SELECT current_catalog() AS catalog, current_database() AS base"
            (row,) = session.rows(asked)
        return Checked(
            time.perf_counter() - started,
            f"Spark {version}",
            (
                ("Database", f"{row['catalog']}.{row['base']}"),
                ("User", options.user),
                ("Encryption", "none" if options.tls == "disable" else "TLS"),
                ("Open for", "writing too" if options.allow_writing else "reading only"),
            ),
            _NOTES,
        )

    def inspect(self, con: duckdb.DuckDBPyConnection, options: SparkOptions, alias: str) -> Report:
        found = self.structures(options, None, None)
        return Report(tuple(f"{each.schema}.{each.name}" for each in found), notes=_NOTES)

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        """Nothing is attached."""

    def alive(self, con: duckdb.DuckDBPyConnection, options: SparkOptions, alias: str) -> None:
        reach(options)

    def structures(
        self, options: SparkOptions, schema: str | None, name: str | None
    ) -> list[Structure]:
        with connected(options) as session, asking("", options):
            return read_structures(session, schema, name)

    @contextmanager
    def fetch(
        self,
        con: duckdb.DuckDBPyConnection,
        options: SparkOptions,
        sql: str,
        on_cancel: Callable[[Callable[[], None]], None],
    ) -> Iterator[pa.RecordBatchReader]:
        if not options.allow_writing:
            check_reads(sql)
        with connected(options) as session:
            on_cancel(session.stop)
            raised: list[Exception] = []
            with asking(sql, options):
                reader = _rows(session.run(sql.strip().rstrip(";").rstrip()), raised)
            with told(raised, lambda: asking(sql, options)):
                yield reader


def _rows(batches: Iterator[pa.RecordBatch], raised: list[Exception]) -> pa.RecordBatchReader:
    """Return them as a stream; what goes wrong while it is read is also put into `raised`."""
    import pyarrow as pa

    first = next(batches, None)
    if first is None or not first.num_columns:  # a command's answer
        return pa.table({"status": ["done"]}).to_reader()
    names = unique(first.schema.names)
    schema = first.rename_columns(names).schema

    def named() -> Iterator[pa.RecordBatch]:
        try:
            for batch in chain((first,), batches):
                yield batch.rename_columns(names).cast(schema)
        except Exception as error:
            raised.append(error)
            raise

    return pa.RecordBatchReader.from_batches(schema, named())
