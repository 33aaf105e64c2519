"""What happened to records, for those who watch."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "events",
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.String(32), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("subject_id", sa.String(32), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("organisation_id", "number", name="uq_events_organisation_id_number"),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name="fk_events_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name="fk_events_owner_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_events_owner_id_number", "events", ["owner_id", "number"])
    op.create_index("ix_events_created_at", "events", ["created_at"])
    op.create_table(
        "event_counts",
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name="pk_event_counts"),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name="fk_event_counts_organisation_id",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    """Go back; what happened is forgotten."""
    op.drop_table("event_counts")
    op.drop_table("events")
