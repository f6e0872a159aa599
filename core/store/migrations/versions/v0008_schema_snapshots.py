"""Snapshots of schemas."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "schema_snapshot",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("catalog", sa.Text, nullable=False),
        sa.Column("schema", sa.Text, nullable=False),
        sa.Column("connector", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("tables", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.Text, nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_schema_snapshot"),
        sa.UniqueConstraint("id", name="uq_schema_snapshot_id"),
    )
    op.create_index(
        "ix_schema_snapshot_workspace_number", "schema_snapshot", ["workspace", "number"]
    )
