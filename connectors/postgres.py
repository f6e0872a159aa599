"""A PostgreSQL database as a catalog: read in place, joined with everything else."""

from __future__ import annotations

from connectors._postgres import PostgresFamily, PostgresOptions


class Postgres(PostgresFamily[PostgresOptions]):
    name = "postgres"
    label = "PostgreSQL"
    help = "A database on a PostgreSQL server, read in place; its own engine can run SQL as well."
    Options = PostgresOptions
