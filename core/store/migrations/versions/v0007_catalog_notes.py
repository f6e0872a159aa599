"""Notes on tables and columns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "catalog_note",
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("catalog", sa.Text, nullable=False),
        sa.Column("schema", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("column", sa.Text, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("tags", sa.JSON, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("workspace", "digest", name="pk_catalog_note"),
    )
    op.create_index(
        "ix_catalog_note_workspace_updated_at", "catalog_note", ["workspace", "updated_at"]
    )
