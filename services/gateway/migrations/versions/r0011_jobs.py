"""Analyses that are made later: batches, and the line in which pictures wait."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_UNKNOWN_AT_FIRST: dict[str, Any] = {
    "outcome": sa.String(16),
    "image_sha256": sa.String(64),
    "image_format": sa.String(8),
    "width": sa.Integer(),
    "height": sa.Integer(),
    "findings": sa.JSON(),
}


def upgrade() -> None:
    """Go to this schema."""
    _make_batches()
    with op.batch_alter_table("analyses") as table:
        table.add_column(sa.Column("batch", sa.String(32), nullable=True))
        table.add_column(sa.Column("file_name", sa.String(255), nullable=True))
        table.add_column(sa.Column("problem", sa.JSON(), nullable=True))
        table.create_foreign_key(
            "fk_analyses_batch", "batches", ["batch"], ["id"], ondelete="SET NULL"
        )
        for name, kind in _UNKNOWN_AT_FIRST.items():
            table.alter_column(name, existing_type=kind, nullable=True)
    batched = sa.text("batch IS NOT NULL")
    op.create_index(
        "ix_analyses_batch_created_at_id",
        "analyses",
        ["batch", "created_at", "id"],
        sqlite_where=batched,
        postgresql_where=batched,
    )
    _make_jobs()


def downgrade() -> None:
    """Go back; analyses that were not made, or failed, are lost."""
    op.drop_table("jobs")
    op.drop_index("ix_analyses_batch_created_at_id", "analyses")
    op.execute("DELETE FROM analyses WHERE findings IS NULL")
    with op.batch_alter_table("analyses") as table:
        table.drop_constraint("fk_analyses_batch", type_="foreignkey")
        for name in ("batch", "file_name", "problem"):
            table.drop_column(name)
        for name, kind in _UNKNOWN_AT_FIRST.items():
            table.alter_column(name, existing_type=kind, nullable=False)
    op.drop_table("batches")


def _make_batches() -> None:
    op.create_table(
        "batches",
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.String(32), nullable=False),
        sa.Column("deleted_at", _MOMENT, nullable=True),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_batches"),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name="fk_batches_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name="fk_batches_owner_id", ondelete="CASCADE"
        ),
    )
    for first in ("organisation_id", "owner_id"):
        op.create_index(f"ix_batches_{first}_created_at_id", "batches", [first, "created_at", "id"])
    removed = sa.text("deleted_at IS NOT NULL")
    op.create_index(
        "ix_batches_deleted_at",
        "batches",
        ["deleted_at"],
        sqlite_where=removed,
        postgresql_where=removed,
    )


def _make_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("analysis_id", sa.String(32), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("turn_at", _MOMENT, nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("holder", sa.String(32), nullable=True),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("bulk", sa.Boolean(), nullable=False),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.PrimaryKeyConstraint("analysis_id", name="pk_jobs"),
        sa.ForeignKeyConstraint(
            ["analysis_id"], ["analyses.id"], name="fk_jobs_analysis_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_jobs_turn_at", "jobs", ["turn_at"])
