"""PostgreSQL and what speaks its protocol: attached through DuckDB, asked directly by psycopg.

Reading is the server's own rule: each session is read-only unless the options allow writing. That
rule is one a determined person can lift where SQL of PostgreSQL's own is passed on; a role that may
only SELECT is what cannot be lifted, and the test says so of a superuser.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from uuid import uuid4

from pydantic import Field

from connectors._catalogs import detach
from connectors._pg_errors import asking, explained
from connectors._pg_structures import read_structures
from connectors._servers import ServerOptions, reach
from core.connector import Checked, Connector, Grants, Report, literal, quoted
from core.errors import ConnectError
from core.structure import Structure

if TYPE_CHECKING:
    import duckdb
    import psycopg
    import pyarrow as pa

_OLDEST = 110_000
_PROCESS = secrets.token_hex(4)
"""In the names under which the server lists our sessions: another process's are not ours."""

_COPIES = ("select", "with", "values", "table", "(")
"""How a statement begins whose rows DuckDB can read as a stream."""

_WHO = """
SELECT current_setting('server_version'), current_setting('server_version_num')::int,
       current_database(), current_user, current_setting('transaction_read_only'),
       pg_is_in_recovery(), rolsuper
FROM pg_catalog.pg_roles WHERE rolname = current_user
"""

_STOP = """
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE application_name = %s AND state = 'active' AND pid <> pg_backend_pid()
  AND query_start > now() - %s * interval '1 second'
"""


class PostgresOptions(ServerOptions):
    """A server that speaks PostgreSQL's protocol, a database on it, and who asks."""

    port: int = Field(5432, title="Port", description="The TCP port.", ge=1, le=65535)
    database: str = Field("postgres", title="Database", description="Its name on the server.")
    user: str = Field(
        "postgres", title="User", description="A role that may only SELECT is enough, and safest."
    )
    tls: Literal["prefer", "require", "verify-full", "disable"] = Field(
        "prefer",
        title="Encryption",
        description="verify-full also makes sure that the server is the one that it says it is.",
    )


P = TypeVar("P", bound=PostgresOptions)


class PostgresFamily(Connector[P], Generic[P]):
    """What PostgreSQL and its relatives share."""

    icon = "database"
    group = "database"
    extensions = ("postgres_scanner",)
    remote = True
    writable = True
    push_down = True
    statistics = True
    dialect = "postgres"

    def grants(self, options: P) -> Grants:
        return options.grants

    def place(self, options: P) -> str:
        return f"{options.user}@{options.address}/{options.database}"

    def test(self, con: duckdb.DuckDBPyConnection, options: P) -> Checked:
        started = time.perf_counter()
        reach(options)
        with connected(options) as server, asking(""):
            row = server.execute(_WHO).fetchone()
        if row is None:
            raise ConnectError("The server does not say who is asking.")
        version, number, database, user, read_only, standby, superuser = row
        if number < _OLDEST:
            raise ConnectError(
                f"The server is PostgreSQL {version}; 11 is the oldest that can be used.",
                hint="Upgrade it, or connect to a copy.",
            )
        reads = "a standby" if standby else "reading only" if read_only == "on" else "writing too"
        notes = [
            "Columns of the type numeric: NaN arrives as 0, and more than 38 digits as DOUBLE."
        ]
        if superuser:
            notes.append(
                f"{user} is a superuser, who can read the server's own files. Use a role that may "
                "only SELECT."
            )
        return Checked(
            time.perf_counter() - started,
            f"PostgreSQL {version}",
            (("Database", str(database)), ("User", str(user)), ("Open for", reads)),
            tuple(notes),
        )

    def inspect(self, con: duckdb.DuckDBPyConnection, options: P, alias: str) -> Report:
        found = self.structures(options, None, None)
        return Report(tuple(f"{alias}.{each.schema}.{each.name}" for each in found))

    def attach(
        self, con: duckdb.DuckDBPyConnection, options: P, alias: str, *, cache: Any = None
    ) -> None:
        _attach(con, options, alias, application_name(alias))

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        detach(con, alias)

    def alive(self, con: duckdb.DuckDBPyConnection, options: P, alias: str) -> None:
        with explained(options):
            con.execute(f"FROM postgres_query({literal(alias)}, 'SELECT 1')").fetchall()

    def stop(self, options: P, alias: str, seconds: float) -> None:
        _cancel(options, application_name(alias), seconds)

    def structures(self, options: P, schema: str | None, name: str | None) -> list[Structure]:
        with connected(options) as server, asking(""):
            return read_structures(server, schema, name)

    @contextmanager
    def fetch(
        self,
        con: duckdb.DuckDBPyConnection,
        options: P,
        sql: str,
        on_cancel: Callable[[Callable[[], None]], None],
    ) -> Iterator[pa.RecordBatchReader]:
        # A session of its own, so that cancelling it stops nobody else's.
        alias = f"push_{uuid4().hex[:12]}"
        application = application_name(alias)
        on_cancel(lambda: _cancel(options, application, 86_400))
        if sql.lstrip().lower().startswith(_COPIES):
            # Detached by another cursor: what is cancelled interrupts all that its own does.
            with con.cursor() as keeper:
                _attach(keeper, options, alias, application)
                try:
                    with asking(sql):
                        rows = con.execute(
                            f"FROM postgres_query({literal(alias)}, {literal(_plain(sql))})"
                        )
                    yield rows.to_arrow_reader(20_480)
                finally:
                    detach(keeper, alias)
        else:
            with connected(options, application) as server, asking(sql):
                yield _told(server, _plain(sql))


@contextmanager
def connected(options: PostgresOptions, application: str = "") -> Iterator[psycopg.Connection]:
    """Open a session of our own for one question, in one transaction. Raises ConnectError."""
    import psycopg

    with explained(options):
        server = psycopg.connect(
            host=options.host,
            port=options.port,
            dbname=options.database,
            user=options.user,
            password=options.password.get_secret_value(),
            **server_settings(options, application or application_name("")),
        )
    with server:
        yield server


def _attach(
    con: duckdb.DuckDBPyConnection, options: PostgresOptions, alias: str, application: str
) -> None:
    """Attach a database by way of a secret, because the text of ATTACH can be read by SQL."""
    secret = f"millpond_{uuid4().hex}"
    more = " ".join(
        f"{key}='{value}'" for key, value in server_settings(options, application).items()
    )
    mode = "" if options.allow_writing else ", READ_ONLY"
    with explained(options):
        con.execute(
            f"CREATE TEMPORARY SECRET {secret} (TYPE postgres, HOST $host, PORT $port, "
            "DATABASE $database, USER $user, PASSWORD $password)",
            {
                "host": options.host,
                "port": options.port,
                "database": options.database,
                "user": options.user,
                "password": options.password.get_secret_value(),
            },
        )
        try:
            detach(con, alias)  # replacing keeps what has the same path: secrets are no part of it
            con.execute(
                f"ATTACH {literal(more)} AS {quoted(alias)} (TYPE postgres, SECRET {secret}{mode})"
            )
        finally:
            con.execute(f"DROP SECRET IF EXISTS {secret}")


def server_settings(options: PostgresOptions, application: str) -> dict[str, Any]:
    """Return how a session is opened: it gives up connecting, and the server ends what is late."""
    rules = (
        [f"-c statement_timeout={options.statement_timeout}s"] if options.statement_timeout else []
    )
    if not options.allow_writing:
        rules.append("-c default_transaction_read_only=on")
    return {
        "application_name": application,
        "connect_timeout": options.connect_timeout,
        "sslmode": options.tls,
        "keepalives_idle": 30,
        "tcp_user_timeout": 30_000,
        "options": " ".join(rules),
    }


def application_name(alias: str) -> str:
    plain = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in alias)
    return f"millpond {_PROCESS} {plain}"[:63].rstrip()


def _cancel(options: PostgresOptions, application: str, seconds: float) -> None:
    with connected(options, "millpond cancel") as server:
        server.execute(_STOP, [application, seconds])


def _plain(sql: str) -> str:
    return sql.strip().rstrip(";").rstrip()


def _told(server: psycopg.Connection, sql: str) -> pa.RecordBatchReader:
    """Run what gives few rows or none, and return them as text."""
    import pyarrow as pa

    # Prepared, so that it can be one statement only: read-only is the transaction's first word.
    answer = server.execute(sql.encode(), prepare=True)
    if answer.description is None:
        table = pa.table({"status": [answer.statusmessage or ""]})
    else:
        rows = answer.fetchall()
        names = [column.name for column in answer.description]
        texts = [
            [None if row[at] is None else str(row[at]) for row in rows] for at in range(len(names))
        ]
        table = pa.Table.from_arrays([pa.array(each, pa.string()) for each in texts], names=names)
    server.commit()
    return table.to_reader()
