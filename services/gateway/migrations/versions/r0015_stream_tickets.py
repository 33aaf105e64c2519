"""Tickets with which pages open streams of events."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "stream_tickets",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("sign_in_id", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_stream_tickets"),
        sa.ForeignKeyConstraint(
            ["sign_in_id"],
            ["sign_ins.id"],
            name="fk_stream_tickets_sign_in_id",
            ondelete="CASCADE",
        ),
    )
    for column in ("sign_in_id", "expires_at"):
        op.create_index(f"ix_stream_tickets_{column}", "stream_tickets", [column])


def downgrade() -> None:
    """Go back; who has a ticket asks for something else."""
    op.drop_table("stream_tickets")
