"""MySQL and MariaDB: attached through DuckDB, asked directly by PyMySQL.

Reading is the server's own rule: each of our sessions, and each transaction of DuckDB's, is
read-only unless the options allow writing. A determined person can lift that where SQL of the
server's own is passed on; a user who may only SELECT is what cannot be lifted, and the test says
so of one who may do everything.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from connectors._catalogs import detach
from connectors._my_arrow import to_arrow
from connectors._my_errors import asking, explained
from connectors._my_session import MysqlOptions, Server, connected, kill, kill_scans
from connectors._my_structures import read_structures
from connectors._servers import reach
from core.connector import Checked, Connector, Grants, Report, literal, quoted
from core.errors import ConnectError
from core.structure import Structure

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_INEXACT = """
SELECT concat(table_schema, '.', table_name, '.', column_name) FROM information_schema.columns
WHERE table_schema = database() AND data_type = 'decimal' AND numeric_precision > 38
ORDER BY 1 LIMIT 4
"""

_MAY_ALL = re.compile(r"GRANT [^\n]*\b(?:ALL PRIVILEGES|SUPER|FILE)\b[^\n]* ON \*\.\*")

# As DuckDB's driver understands them: its `required` makes sure of the certificate as well.
_SCANNERS = {
    "disabled": "disabled",
    "preferred": "preferred",
    "required": "preferred",
    "verify_identity": "verify_identity",
}


class MysqlFamily(Connector[MysqlOptions]):
    """What MySQL and MariaDB share: all but their names."""

    icon = "database"
    group = "database"
    Options = MysqlOptions
    extensions = ("mysql_scanner",)
    remote = True
    writable = True
    push_down = True
    statistics = True
    dialect = "mysql"

    def grants(self, options: MysqlOptions) -> Grants:
        return options.grants

    def place(self, options: MysqlOptions) -> str:
        return f"{options.user}@{options.address}/{options.database}"

    def test(self, con: duckdb.DuckDBPyConnection, options: MysqlOptions) -> Checked:
        started = time.perf_counter()
        reach(options)
        with connected(options) as session, asking(""), session.cursor() as cursor:
            server = Server.of(session)
            cursor.execute("SELECT coalesce(database(), ''), current_user(), @@global.read_only")
            database, user, copy = cursor.fetchone() or ("", "", 0)
            cursor.execute("SHOW STATUS LIKE 'Ssl_cipher'")
            cipher = str((cursor.fetchone() or ("", ""))[1])
            notes = [*self._notes(cursor, server, str(user))]
        reads = "a copy that is only read" if copy else "writing too"
        return Checked(
            time.perf_counter() - started,
            server.version,
            (
                ("Database", str(database)),
                ("User", str(user)),
                ("Encryption", cipher or "none"),
                ("Open for", reads if options.allow_writing else "reading only"),
            ),
            tuple(notes),
        )

    def _notes(self, cursor: Any, server: Server, user: str) -> Iterator[str]:
        """Say what will not be as one may think."""
        yield "Dates that no calendar has, such as 0000-00-00, arrive as NULL."
        if server.product != self.label:
            yield f"This server is {server.version}, and is asked as {server.product} is."
        cursor.execute(_INEXACT)
        wide = [str(row[0]) for row in cursor.fetchall()]
        if wide:
            listed = ", ".join(wide[:3]) + (" and others" if len(wide) > 3 else "")
            yield f"More than 38 digits, so they arrive as DOUBLE: {listed}."
        cursor.execute("SHOW GRANTS")
        if any(_MAY_ALL.search(str(row[0])) for row in cursor.fetchall()):
            yield f"{user} may do everything on this server. Use one who may only SELECT."

    def inspect(self, con: duckdb.DuckDBPyConnection, options: MysqlOptions, alias: str) -> Report:
        found = self.structures(options, None, None)
        return Report(tuple(f"{alias}.{each.schema}.{each.name}" for each in found))

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: MysqlOptions,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        # DuckDB's own driver waits for ever for a server that says nothing: ours goes first.
        with connected(options) as session:
            host = session._sock.getpeername()[0]
        detach(con, alias)  # replacing keeps what has the same path, and all have the same
        told = {
            "HOST": host if options.host.lower() == "localhost" else options.host,
            "PORT": str(options.port),
            "DATABASE": options.database,
            "USER": options.user,
            "PASSWORD": options.password.get_secret_value(),
            "SSL_MODE": _SCANNERS[options.tls],
        }
        if options.tls == "verify_identity" and options.tls_authority and cache is not None:
            told["SSL_CA"] = str(_kept(options.tls_authority, cache))
        _attach(con, options, alias, told)

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        detach(con, alias)

    def alive(self, con: duckdb.DuckDBPyConnection, options: MysqlOptions, alias: str) -> None:
        with explained(options):
            con.execute(f"FROM mysql_query({literal(alias)}, 'SELECT 1')").fetchall()

    def stop(self, options: MysqlOptions, alias: str, seconds: float) -> None:
        kill_scans(options, seconds)

    def structures(
        self, options: MysqlOptions, schema: str | None, name: str | None
    ) -> list[Structure]:
        with connected(options) as session, asking(""):
            return read_structures(session, schema, name)

    @contextmanager
    def fetch(
        self,
        con: duckdb.DuckDBPyConnection,
        options: MysqlOptions,
        sql: str,
        on_cancel: Callable[[Callable[[], None]], None],
    ) -> Iterator[pa.RecordBatchReader]:
        with connected(options, plain=False) as session:
            on_cancel(lambda: kill(options, session.thread_id()))
            yield to_arrow(session, sql.strip().rstrip(";").rstrip())
        if options.allow_writing:  # what it made would not be found otherwise
            con.execute("CALL mysql_clear_cache()")


def _attach(
    con: duckdb.DuckDBPyConnection, options: MysqlOptions, alias: str, told: dict[str, str]
) -> None:
    """Attach by way of a secret, because the text of ATTACH can be read by SQL."""
    secret = f"millpond_{uuid4().hex}"
    mode = "" if options.allow_writing else ", READ_ONLY"
    named = ", ".join(f"{key} ${key}" for key in told)
    with explained(options):
        con.execute(f"CREATE TEMPORARY SECRET {secret} (TYPE mysql, {named})", told)
        try:
            con.execute(f"ATTACH '' AS {quoted(alias)} (TYPE mysql, SECRET {secret}{mode})")
        finally:
            con.execute(f"DROP SECRET IF EXISTS {secret}")
        if options.tls == "required" and not _is_encrypted(con, alias):
            detach(con, alias)
            raise ConnectError(
                f"{options.address} offers no encryption.",
                hint="Choose preferred or disabled under Encryption, if you trust the network.",
            )


def _is_encrypted(con: duckdb.DuckDBPyConnection, alias: str) -> bool:
    asked = "SHOW STATUS LIKE ''Ssl_cipher''"
    row = con.execute(f"SELECT Value FROM mysql_query({literal(alias)}, '{asked}')").fetchone()
    return bool(row and row[0])


def _kept(authority: str, cache: Path) -> Path:
    """Write a certificate where DuckDB's driver, which reads no text, finds it."""
    file = cache / f"authority-{hashlib.sha256(authority.encode()).hexdigest()[:16]}.pem"
    if not file.exists():
        cache.mkdir(parents=True, exist_ok=True)
        file.write_text(authority)
    return file
