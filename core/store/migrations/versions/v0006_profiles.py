"""Profiles of tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "table_profile",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.Text, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=True),
        sa.Column("profile", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_table_profile"),
    )
    op.create_index("ix_table_profile_workspace_number", "table_profile", ["workspace", "number"])
