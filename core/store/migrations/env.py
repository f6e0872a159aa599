"""Run by Alembic: the steps go into the transaction that `core.store.upgrade` has begun."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
    transactional_ddl=True,  # on SQLite too: BEGIN is sent by hand there
    render_as_batch=True,
)
context.run_migrations()
