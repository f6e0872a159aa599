"""A Supabase project: PostgreSQL behind poolers, with schemas that Supabase keeps for itself.

Where the server is, and as whom one asks, follows from the project and how it is reached. The
transaction pooler is refused: it hands each transaction to another session, so that reading only,
limits and cancelling, which are a session's, would not hold.
https://supabase.com/docs/guides/database/connecting-to-postgres
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field, field_validator, model_validator

from connectors._postgres import PostgresFamily, PostgresOptions
from connectors._servers import ServerOptions
from core.connector import Checked, Connector, Grants, Report
from core.errors import ConnectError
from core.structure import Structure

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# fmt: off
MANAGED = frozenset((
    "_analytics", "_realtime", "_supavisor", "auth", "cron", "extensions", "graphql",
    "graphql_public", "net", "pgbouncer", "pgmq", "pgsodium", "pgsodium_masks", "realtime",
    "storage", "supabase_functions", "supabase_migrations", "vault",
))
# fmt: on
"""Schemas that Supabase makes and changes itself."""

_REFERENCE = re.compile(r"^(?:https?://)?(?:db\.)?([a-z0-9]{20})(?:\.supabase\.co/?)?$")
_REGION = re.compile(r"^[a-z]{2}-[a-z]+-\d$")
_NO_SESSION = "The transaction pooler keeps no session for what is asked."


class SupabaseOptions(ServerOptions):
    """A project, how it is reached, and who asks; or the host of a Supabase of one's own."""

    project: str = Field(
        "",
        title="Project",
        description="Its reference of 20 letters, or the address that holds it.",
    )
    mode: Literal["session", "direct", "transaction"] = Field(
        "session",
        title="Reached by",
        description="The session pooler is right for nearly all; direct needs IPv6.",
    )
    pooler: str = Field(
        "",
        title="Pooler",
        description="Its host, as Connect shows it in the dashboard, or the project's region.",
    )
    host: str = Field(
        "", title="Host", description="Only of a Supabase of your own: a project has its own."
    )
    port: int = Field(
        5432,
        title="Port",
        description="Only of a Supabase of your own: a project has its own.",
        ge=1,
        le=65535,
    )
    database: str = Field("postgres", title="Database", description="Its name on the server.")
    user: str = Field(
        "postgres",
        title="User",
        description="One who may only SELECT is best; poolers are told the project as well.",
    )
    tls: Literal["require", "verify-full", "disable"] = Field(
        "require",
        title="Encryption",
        description="disable is for a Supabase of your own only.",
    )
    show_managed: bool = Field(
        False,
        title="Show managed schemas",
        description="Those that Supabase keeps for itself, such as auth and storage.",
    )

    @field_validator("project")
    @classmethod
    def _reference(cls, value: str) -> str:
        if not value.strip():
            return ""
        found = _REFERENCE.match(value.strip())
        if found is None:
            raise ValueError("a reference has 20 letters; it is part of the project's address")
        return found[1]

    @field_validator("pooler")
    @classmethod
    def _pooler_host(cls, value: str) -> str:
        value = value.strip().lower()
        if _REGION.match(value):
            return f"aws-0-{value}.pooler.supabase.com"
        if value and not re.fullmatch(r"[a-z0-9.-]+", value):
            raise ValueError("give the host alone, as aws-0-eu-central-1.pooler.supabase.com")
        return value

    @model_validator(mode="after")
    def _somewhere(self) -> SupabaseOptions:
        if not (self.project or self.host):
            raise ValueError("give the project's reference, or the host of a Supabase of your own")
        if self.project and not self.host:
            if self.mode != "direct" and not self.pooler:
                raise ValueError("give the pooler's host, which Connect in the dashboard shows")
            if self.tls == "disable":
                raise ValueError("a project of supabase.com is reached encrypted only")
        return self

    @property
    def server(self) -> PostgresOptions:
        """The PostgreSQL that this comes to."""
        host, port, user = self.host, self.port, self.user
        if not host and self.mode == "direct":
            host, port = f"db.{self.project}.supabase.co", 5432
        elif not host:
            host, port = self.pooler, 6543 if self.mode == "transaction" else 5432
            user = user if "." in user else f"{user}.{self.project}"
        return PostgresOptions(
            host=host,
            port=port,
            user=user,
            database=self.database,
            password=self.password,
            tls=self.tls,
            allow_writing=self.allow_writing,
            statement_timeout=self.statement_timeout,
            connect_timeout=self.connect_timeout,
        )


class Supabase(Connector[SupabaseOptions]):
    name = "supabase"
    label = "Supabase"
    help = "The database of a Supabase project, read in place; its own engine can run SQL as well."
    Options = SupabaseOptions
    icon = "bolt"
    group = PostgresFamily.group
    extensions = PostgresFamily.extensions
    remote = True
    writable = True
    push_down = True
    statistics = True
    dialect = PostgresFamily.dialect

    _postgres: PostgresFamily[PostgresOptions] = PostgresFamily()

    def grants(self, options: SupabaseOptions) -> Grants:
        return options.server.grants

    def place(self, options: SupabaseOptions) -> str:
        return self._postgres.place(options.server)

    def dump_refused(self, options: SupabaseOptions) -> str:
        if options.mode == "transaction" or options.server.port == 6543:
            return f"{_NO_SESSION} Choose the session pooler, port 5432."
        return ""

    def test(self, con: duckdb.DuckDBPyConnection, options: SupabaseOptions) -> Checked:
        with self._answered(options):
            checked = self._postgres.test(con, options.server)
            found = self._postgres.structures(options.server, None, None)
        managed = sorted({each.schema for each in found} & MANAGED)
        notes = checked.notes
        if managed and not options.show_managed:
            notes += (f"Kept by Supabase for itself, and left out: {', '.join(managed)}.",)
        by = "a host of your own" if options.host else f"the {options.mode} pooler"
        by = "its own address" if options.mode == "direct" and not options.host else by
        return replace(checked, facts=(*checked.facts, ("Reached by", by)), notes=notes)

    def inspect(
        self, con: duckdb.DuckDBPyConnection, options: SupabaseOptions, alias: str
    ) -> Report:
        found = self.structures(options, None, None)
        return Report(tuple(f"{alias}.{each.schema}.{each.name}" for each in found))

    def attach(
        self,
        con: duckdb.DuckDBPyConnection,
        options: SupabaseOptions,
        alias: str,
        *,
        cache: Path | None = None,
    ) -> None:
        with self._answered(options):
            self._postgres.attach(con, options.server, alias)

    def detach(self, con: duckdb.DuckDBPyConnection, alias: str) -> None:
        self._postgres.detach(con, alias)

    def alive(self, con: duckdb.DuckDBPyConnection, options: SupabaseOptions, alias: str) -> None:
        self._postgres.alive(con, options.server, alias)

    def stop(self, options: SupabaseOptions, alias: str, seconds: float) -> None:
        self._postgres.stop(options.server, alias, seconds)

    def structures(
        self, options: SupabaseOptions, schema: str | None, name: str | None
    ) -> list[Structure]:
        with self._answered(options):
            found = self._postgres.structures(options.server, schema, name)
        return [
            _marked(each)
            for each in found
            if each.schema not in MANAGED or options.show_managed or schema is not None
        ]

    def fetch(
        self,
        con: duckdb.DuckDBPyConnection,
        options: SupabaseOptions,
        sql: str,
        on_cancel: Callable[[Callable[[], None]], None],
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        with self._answered(options):
            return self._postgres.fetch(con, options.server, sql, on_cancel)

    @contextmanager
    def _answered(self, options: SupabaseOptions) -> Iterator[None]:
        """Say of what goes wrong what is Supabase's own."""
        if self.dump_refused(options):
            raise ConnectError(
                f"{_NO_SESSION} Reading only and limits would not hold.",
                hint="Choose the session pooler, port 5432.",
            )
        try:
            yield
        except ConnectError as error:
            for said, sentence, hint in _REASONS:
                if re.search(said, error.message, re.IGNORECASE):
                    told = sentence.format(project=options.project, pooler=options.pooler)
                    raise ConnectError(told, hint=hint) from error
            raise


_REASONS = (
    (
        "tenant or user not found",
        "The pooler {pooler} knows no project {project}.",
        "Take the host that Connect shows in the dashboard: it differs even within a region.",
    ),
    (
        "max clients",
        "The session pooler of {project} has no connection free.",
        "Close others, or raise the pool's size in the dashboard.",
    ),
    (
        r"^db\.\S+ cannot be reached",  # no route, or no address of that kind
        "The project's own address is IPv6 only, and this machine found no way there.",
        "Choose the session pooler: it has IPv4 as well.",
    ),
    (
        r"no host named db\.",
        "There is no address of the project {project}.",
        "Check the reference; a project that is paused or gone has none.",
    ),
)


def _marked(table: Structure) -> Structure:
    if table.schema not in MANAGED:
        return table
    return replace(table, comment=f"{table.comment} (managed by Supabase)".strip())
