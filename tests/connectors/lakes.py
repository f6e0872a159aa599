"""Lakes as another program makes them: by DuckDB itself, and not through Millpond."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb

from core.connector import literal
from core.engine.extensions import extension_file

EXTENSIONS = ("ducklake", "sqlite_scanner", "postgres_scanner", "httpfs")


def opened(where: str, data: str, server: Mapping[str, Any] | None = None, **s3: str) -> Any:
    """Open a lake for writing as the catalog `lake`, made if there is none.

    `where` is the file of its list, after "sqlite:" if it is one; of the PostgreSQL `server` "".
    """
    con = duckdb.connect(config={"autoinstall_known_extensions": False, "threads": 1})
    for name in EXTENSIONS:
        con.execute(f"LOAD {literal(extension_file(name))}")
    if s3:
        told = ", ".join(f"{key} {literal(value)}" for key, value in s3.items())
        con.execute(f"CREATE SECRET store (TYPE s3, URL_STYLE 'path', USE_SSL false, {told})")
    parameters = ""
    if server is not None:
        told = ", ".join(f"{key} ${key}" for key in server)
        con.execute(f"CREATE SECRET server (TYPE postgres, {told})", dict(server))
        parameters = ", METADATA_PARAMETERS MAP {'TYPE': 'postgres', 'SECRET': 'server'}"
        where = ""
    con.execute(
        f"CREATE SECRET lake (TYPE ducklake, METADATA_PATH {literal(where)}, "
        f"DATA_PATH {literal(data)}{parameters})"
    )
    con.execute("ATTACH 'ducklake:lake' AS lake")
    return con


def filled(where: str, data: str, server: Mapping[str, Any] | None = None, **s3: str) -> Any:
    """Open a new lake with the table items: one row in version 2, and 100 more in version 3."""
    con = opened(where, data, server, **s3)
    con.execute("CREATE TABLE lake.items (id INTEGER, name VARCHAR)")
    con.execute("INSERT INTO lake.items VALUES (1, 'ä''\"')")
    con.execute("INSERT INTO lake.items SELECT range, NULL FROM range(100)")
    return con
