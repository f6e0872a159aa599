"""Jobs that people schedule, and every run of anything that happens later or long."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    _create_job()
    _create_job_run()


def _create_job() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("cron", sa.Text, nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reckoned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timeout", sa.Double, nullable=False),
        sa.Column("retries", sa.Integer, nullable=False),
        sa.Column("back_off", sa.Double, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("key_limit", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
    )
    op.create_index("ix_job_workspace", "job", ["workspace"])
    op.create_index("ix_job_next_at", "job", ["next_at"])
    op.create_index("ix_job_reckoned_at", "job", ["reckoned_at"])


def _create_job_run() -> None:
    op.create_table(
        "job_run",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("workspace", sa.String(64), nullable=False),
        sa.Column("job", sa.String(64), nullable=True),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("retries", sa.Integer, nullable=False),
        sa.Column("timeout", sa.Double, nullable=False),
        sa.Column("back_off", sa.Double, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("key_limit", sa.Integer, nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested", sa.Boolean, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("done", sa.Double, nullable=False),
        sa.Column("total", sa.Double, nullable=True),
        sa.Column("rate", sa.Double, nullable=True),
        sa.Column("outcome", sa.Text, nullable=True),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("log", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_job_run"),
        sa.UniqueConstraint("id", name="uq_job_run_id"),
        sa.UniqueConstraint("job", "due", name="uq_job_run_job_due"),
    )
    op.create_index("ix_job_run_workspace_number", "job_run", ["workspace", "number"])
    for state, column in (("running", "workspace"), ("waiting", "not_before")):
        there = sa.text(f"state = '{state}'")
        op.create_index(
            f"ix_job_run_{state}",
            "job_run",
            [column],
            sqlite_where=there,
            postgresql_where=there,
        )
