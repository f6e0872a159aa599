"""The first tables: documents, the query log, connections, grants, facts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "document",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
    )
    op.create_index("ix_document_workspace_kind", "document", ["workspace", "kind"])
    op.create_table(
        "document_revision",
        sa.Column("document", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("document", "number", name="pk_document_revision"),
        sa.ForeignKeyConstraint(
            ["document"],
            ["document.id"],
            name="fk_document_revision_document",
            ondelete="CASCADE",
        ),
    )
    _create_query_log()
    _create_connections()


def _create_query_log() -> None:
    op.create_table(
        "query_log",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("connection", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("elapsed", sa.Double, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("sql", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_query_log"),
        sa.UniqueConstraint("id", name="uq_query_log_id"),
    )
    op.create_index("ix_query_log_workspace_number", "query_log", ["workspace", "number"])
    running = sa.text("state = 'running'")
    op.create_index(
        "ix_query_log_running",
        "query_log",
        ["workspace"],
        sqlite_where=running,
        postgresql_where=running,
    )


def _create_connections() -> None:
    op.create_table(
        "connection",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("alias", sa.Text, nullable=False),
        sa.Column("alias_key", sa.Text, nullable=False),
        sa.Column("connector", sa.Text, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("sample", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_connection"),
        sa.UniqueConstraint("workspace", "alias_key", name="uq_connection_workspace_alias_key"),
    )
    op.create_table(
        "folder_grant",
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("workspace", "path", name="pk_folder_grant"),
    )
    op.create_table(
        "workspace_fact",
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "key", name="pk_workspace_fact"),
    )
