"""What a DuckLake consists of: its list of tables, and where its files are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from pydantic import Field, field_validator, model_validator

from connectors._errors import translated
from connectors._paths import absolute, read_head
from connectors._pg_errors import explained as explained_by_postgres
from connectors._postgres import PostgresOptions, application_name, server_settings
from connectors._s3 import Store, store_alive
from connectors._servers import plain, reach
from core.connector import Options, quoted
from core.errors import ConnectError
from core.secret import Secret

if TYPE_CHECKING:
    import duckdb

_S3 = "s3://"
_MORE: dict[str, Any] = {"more": True}
_MAGIC = {
    "duckdb": (8, b"DUCK", "a DuckDB file"),
    "sqlite": (0, b"SQLite format 3", "a SQLite file"),
}


class LakeOptions(Options):
    """Where a lake's list is, and where its files are."""

    catalog: Literal["duckdb", "sqlite", "postgres"] = Field(
        "duckdb",
        title="Its tables are listed in",
        description="A DuckDB file, a SQLite file, or a PostgreSQL database.",
    )
    path: str = Field("", title="File of the list", description="Full path; for DuckDB and SQLite.")
    data: str = Field(
        title="Data", description="The folder of its Parquet files, or s3://bucket/folder/."
    )
    host: str = Field(
        "", title="Host", description="Of PostgreSQL: a name or an address, without a port."
    )
    port: int = Field(5432, title="Port", description="Of PostgreSQL.", ge=1, le=65535)
    database: str = Field("", title="Database", description="Its name on the server.")
    user: str = Field("", title="User", description="A role that may only SELECT is enough.")
    password: Secret = Field(
        Secret(""), title="Password", description="It is sealed, and never shown again."
    )
    tls: Literal["prefer", "require", "verify-full", "disable"] = Field(
        "prefer", title="Encryption", description="Of PostgreSQL.", json_schema_extra=_MORE
    )
    endpoint: str = Field(
        "", title="S3 endpoint", description="Host, or host:port; empty for AWS.",
        json_schema_extra=_MORE,
    )  # fmt: skip
    region: str = Field(
        "us-east-1", title="S3 region", description="The bucket's own.", json_schema_extra=_MORE
    )
    key_id: str = Field(
        "", title="S3 key id", description="Empty for a public bucket.", json_schema_extra=_MORE
    )
    secret_key: Secret = Field(
        Secret(""),
        title="S3 secret key",
        description="It is sealed, and never shown again.",
        json_schema_extra=_MORE,
    )
    s3_tls: bool = Field(
        True, title="S3 encryption", description="Off only for a store of your own.",
        json_schema_extra=_MORE,
    )  # fmt: skip
    version: int | None = Field(
        None,
        title="Version",
        description="The lake as it was then; empty: as it is now.",
        ge=0,
        json_schema_extra=_MORE,
    )
    connect_timeout: int = Field(
        10,
        title="Longest wait to connect, in s",
        description="After that, the server counts as being away.",
        ge=1,
        le=15,
        json_schema_extra=_MORE,
    )

    @field_validator("path")
    @classmethod
    def _full(cls, value: str) -> str:
        return absolute(value) if value.strip() else ""

    @field_validator("data")
    @classmethod
    def _place(cls, value: str) -> str:
        value = plain(value)
        if value.startswith(_S3):
            return _S3 + value.removeprefix(_S3).strip("/") + "/"
        return absolute(value)

    @model_validator(mode="after")
    def _whole(self) -> LakeOptions:
        if self.catalog != "postgres" and not self.path:
            raise ValueError("name the file that lists the tables")
        if self.catalog == "postgres" and not (self.host and self.database and self.user):
            raise ValueError("name host, database and user of PostgreSQL")
        # Both are made here, so that what is wrong with them is said with the options.
        _ = self.server, self.store
        return self

    @cached_property
    def server(self) -> PostgresOptions | None:
        """The PostgreSQL that has the list, if it is one."""
        if self.catalog != "postgres":
            return None
        return PostgresOptions(
            host=self.host,
            port=self.port,
            database=self.database,
            user=self.user,
            password=self.password,
            tls=self.tls,
            connect_timeout=self.connect_timeout,
        )

    @cached_property
    def store(self) -> Store | None:
        """The store that has the files, if it is one."""
        if not self.data.startswith(_S3):
            return None
        bucket, _, prefix = self.data.removeprefix(_S3).partition("/")
        return Store(
            bucket=bucket,
            prefix=prefix,
            endpoint=self.endpoint,
            region=self.region,
            key_id=self.key_id,
            secret_key=self.secret_key,
            tls=self.s3_tls,
        )

    @property
    def listed(self) -> str:
        """Where the list is, for people."""
        server = self.server
        return self.path if server is None else f"{server.address}/{server.database}"

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.listed}, files in {self.data}"


def list_alive(options: LakeOptions) -> None:
    """Look for what lists the tables, and for a folder of files. Raises ConnectError, Forbidden."""
    if options.server is not None:
        reach(options.server)
    else:
        at, magic, kind = _MAGIC[options.catalog]
        if not read_head(options.path)[at:].startswith(magic):
            raise ConnectError(
                f"{options.path} is not {kind}.", hint="Choose the other kind of list."
            )
    if options.store is not None:
        store_alive(options.store, options.connect_timeout)
    elif not os.path.isdir(options.data):
        raise ConnectError(
            f"There is no folder {options.data}.", hint="Enter where the lake's files are."
        )


def attach_lake(con: duckdb.DuckDBPyConnection, options: LakeOptions, alias: str) -> None:
    """Attach a lake for reading. Raises ConnectError, Forbidden.

    By way of secrets that are gone afterwards: the text of ATTACH can be read by SQL.
    """
    names = [f"millpond_{uuid4().hex}" for _ in range(2)]
    lake, server = names
    told, where = {"data": options.data}, f"{options.catalog}:{options.path}"
    more = ""
    with explained(options):
        try:
            if options.server is not None:
                _tell_server(con, options.server, server)
                settings = server_settings(options.server, application_name(alias))
                where = " ".join(f"{key}='{value}'" for key, value in settings.items())
                more = f", METADATA_PARAMETERS MAP {{'TYPE': 'postgres', 'SECRET': '{server}'}}"
            con.execute(
                f"CREATE TEMPORARY SECRET {lake} (TYPE ducklake, METADATA_PATH $where, "
                f"DATA_PATH $data{more})",
                told | {"where": where},
            )
            version = "" if options.version is None else f", SNAPSHOT_VERSION {options.version}"
            con.execute(f"ATTACH 'ducklake:{lake}' AS {quoted(alias)} (READ_ONLY{version})")
        finally:
            for name in names:
                con.execute(f"DROP SECRET IF EXISTS {name}")


def _tell_server(con: duckdb.DuckDBPyConnection, server: PostgresOptions, name: str) -> None:
    con.execute(
        f"CREATE TEMPORARY SECRET {name} (TYPE postgres, HOST $host, PORT $port, "
        "DATABASE $database, USER $user, PASSWORD $password)",
        {
            "host": server.host,
            "port": server.port,
            "database": server.database,
            "user": server.user,
            "password": server.password.get_secret_value(),
        },
    )


_REASONS = (
    (
        r"does not exist - and creating",
        "There is no DuckLake in {listed}.",
        "It may be another database; a lake's list has a table ducklake_metadata.",
    ),
    (
        r"does not match existing data path in the catalog \"([^\"]+)\"",
        "The lake's files are in {0}, not in {data}.",
        "Enter that place as Data.",
    ),
    (
        r"[Nn]o snapshot found at version|[Ss]napshot.*not found",
        "The lake has no version {version}.",
        "Leave it empty for the lake as it is now.",
    ),
    (
        r"is not a database",
        "{listed} is damaged: it is not a database.",
        "Put back a copy of it.",
    ),
)


@contextmanager
def explained(options: LakeOptions) -> Iterator[None]:
    """Turn what DuckDB says of a lake into ConnectError or Forbidden."""
    import duckdb

    try:
        yield
    except (duckdb.InterruptException, duckdb.OutOfMemoryException):
        raise
    except duckdb.Error as error:
        known = {"listed": options.listed, "data": options.data, "version": options.version}
        for pattern, sentence, hint in _REASONS:
            if match := re.search(pattern, str(error)):
                raise ConnectError(sentence.format(*match.groups(), **known), hint=hint) from error
        if options.store is not None and "HTTP" in str(error):
            raise  # the worker says what a store means
        if options.server is not None and "Permission denied" not in str(error):
            with explained_by_postgres(options.server):
                raise
        raise translated(error, options.data) from error
