"""Any database that SQLAlchemy has a dialect for: its own engine runs SQL, rows come as Arrow.

For what DuckDB cannot attach; so its tables join with nothing in place. `CREATE TABLE x AS` keeps
what it answered.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

from connectors._catalogs import with_companions
from connectors._inspected import inspected
from connectors._paths import read_head
from connectors._ports import longest_wait
from connectors._rows import arrow, told
from connectors._servers import reach
from connectors._sqlalchemy import asking, connected, reads_only, stopper
from connectors._urls import FILES, address, dialect, parsed, port
from core.connector import Checked, Connector, Grants, Options, Report
from core.secret import Secret
from core.structure import Structure

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa
    from sqlalchemy import URL, Connection

_STREAMED = ("select", "with", "values", "table", "(")
"""How a statement begins whose rows a driver can give as they come: others have no cursor."""

_NOTES = (
    "The first rows decide on a column's type; a value further down that does not fit is an error.",
)


class SqlalchemyOptions(Options):
    """A URL of SQLAlchemy's, and the password that is left out of it."""

    url: str = Field(
        title="URL",
        description="dialect+driver://user@host:port/database, without the password.",
    )
    password: Secret = Field(
        Secret(""), title="Password", description="It is sealed, and never shown again."
    )
    allow_writing: bool = Field(
        False,
        title="Allow writing",
        description="Without it each change is refused by the database, or rolled back.",
        json_schema_extra={"more": True},
    )
    connect_timeout: int = longest_wait()

    @field_validator("url")
    @classmethod
    def _without_secrets(cls, value: str) -> str:
        return parsed(value).render_as_string(hide_password=False)

    @property
    def parsed(self) -> URL:
        return parsed(self.url)

    @property
    def host(self) -> str:
        return self.parsed.host or ""

    @property
    def port(self) -> int:
        return port(self.parsed)

    @property
    def is_file(self) -> bool:
        """Whether the database is a file: SQLite's, which is only read."""
        return self.parsed.get_backend_name() in FILES

    @property
    def place(self) -> str:
        """Where it is, without what stands after the URL's `?`."""
        return self.parsed.set(query={}).render_as_string()


class Sqlalchemy(Connector[SqlalchemyOptions]):
    name = "sqlalchemy"
    label = "SQLAlchemy"
    icon = "conversion_path"
    help = "Any database that SQLAlchemy has a driver for: it runs the SQL, its rows come here."
    Options = SqlalchemyOptions
    group = "database"
    remote = True
    attaches = False
    writable = True
    push_down = True

    def dialect_for(self, options: SqlalchemyOptions) -> str:
        return dialect(options.parsed)

    def grants(self, options: SqlalchemyOptions) -> Grants:
        if options.is_file:
            path = options.parsed.database or ""
            return Grants(read=with_companions(path, "-wal", "-shm", "-journal"))
        return Grants(hosts=(address(options.parsed),))

    def place(self, options: SqlalchemyOptions) -> str:
        return options.place

    def test(self, con: duckdb.DuckDBPyConnection, options: SqlalchemyOptions) -> Checked:
        started = time.perf_counter()
        self.alive(con, options, "")
        with connected(options) as server:
            version = ".".join(str(part) for part in server.dialect.server_version_info or ())
            opened = reads_only(server, options)
            driver = f"{server.dialect.name}+{server.dialect.driver}"
        return Checked(
            time.perf_counter() - started,
            f"{driver} {version}".strip(),
            (
                ("Database", options.parsed.database or ""),
                ("User", options.parsed.username or ""),
                ("Open for", opened),
            ),
            _NOTES,
        )

    def inspect(
        self, con: duckdb.DuckDBPyConnection, options: SqlalchemyOptions, alias: str
    ) -> Report:
        found = self.structures(options, None, None)
        tables = tuple(f"{each.schema}.{each.name}" for each in found)
        unread = [name for name, each in zip(tables, found, strict=True) if not each.columns]
        notes = (f"These have no columns that can be read: {', '.join(unread)}.",) if unread else ()
        return Report(tables, notes=(*_NOTES, *notes))

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        """Nothing is attached."""

    def alive(self, con: duckdb.DuckDBPyConnection, options: SqlalchemyOptions, alias: str) -> None:
        if options.is_file:
            read_head(options.parsed.database or "")
        else:
            reach(options)

    def structures(
        self, options: SqlalchemyOptions, schema: str | None, name: str | None
    ) -> list[Structure]:
        with connected(options) as server, asking(""):
            return inspected(server, schema, name)

    @contextmanager
    def fetch(
        self,
        con: duckdb.DuckDBPyConnection,
        options: SqlalchemyOptions,
        sql: str,
        on_cancel: Callable[[Callable[[], None]], None],
    ) -> Iterator[pa.RecordBatchReader]:
        with connected(options, texts=True) as server:
            with asking(sql):
                on_cancel(stopper(server, options))
            raised: list[Exception] = []
            with asking(sql):
                reader = _rows(server, sql, raised)
            with told(raised, lambda: asking(sql)):
                yield reader


def _rows(server: Connection, sql: str, raised: list[Exception]) -> pa.RecordBatchReader:
    """Run a statement; what goes wrong while its rows are read is also put into `raised`."""
    plain = sql.strip().rstrip(";").rstrip()
    streamed = plain.lower().startswith(_STREAMED)
    # Without parameters, or a driver would take each % for one.
    server = server.execution_options(stream_results=streamed, no_parameters=True)
    answer = server.exec_driver_sql(plain)
    if not answer.returns_rows:
        told = [(f"{answer.rowcount} rows" if answer.rowcount >= 0 else "done",)]
        return arrow(["status"], [None], lambda _: [told.pop()] if told else [], raised)
    described: Any = answer.cursor.description if answer.cursor else ()
    return arrow([*answer.keys()], [_scale(each) for each in described], answer.fetchmany, raised)


def _scale(described: Any) -> int | None:
    scale = described[5]
    return scale if isinstance(scale, int) and 0 <= scale <= 38 else None
