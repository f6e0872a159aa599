"""Connections with secrets, that can be switched off, and how they last were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("connection") as table:
        table.add_column(sa.Column("sealed", sa.JSON, nullable=False, server_default="{}"))
        table.add_column(sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()))
        table.add_column(sa.Column("health", sa.JSON, nullable=True))
        table.add_column(sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("updated_by", sa.Text, nullable=True))
    op.execute("UPDATE connection SET updated_at = created_at, updated_by = created_by")
    with op.batch_alter_table("connection") as table:
        table.alter_column("updated_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        table.alter_column("updated_by", existing_type=sa.Text, nullable=False)
        table.alter_column("sealed", existing_type=sa.JSON, server_default=None)
        table.alter_column("enabled", existing_type=sa.Boolean, server_default=None)
