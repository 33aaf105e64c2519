"""Who did what: rows that are chained, and where each chain ends."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _organisation(table: str) -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    return (
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=f"fk_{table}_organisation_id",
            ondelete="RESTRICT",
        ),
    )


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "audit",
        *_organisation("audit"),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=True),
        sa.Column("sign_in_id", sa.String(32), nullable=True),
        sa.Column("api_key_id", sa.String(32), nullable=True),
        sa.Column("operator", sa.String(64), nullable=True),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("operation", sa.String(64), nullable=False),
        sa.Column("subject", sa.String(32), nullable=True),
        sa.Column("subject_ids", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("address", sa.String(64), nullable=True),
        sa.Column("request_id", sa.String(64), nullable=True),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("problem", sa.String(64), nullable=True),
        sa.Column("key", sa.String(16), nullable=True),
        sa.Column("previous", sa.String(64), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "sequence", name="pk_audit"),
    )
    op.create_index("ix_audit_organisation_id_at", "audit", ["organisation_id", "at"])
    op.create_index(
        "ix_audit_organisation_id_user_id_sequence",
        "audit",
        ["organisation_id", "user_id", "sequence"],
    )
    op.create_table(
        "audit_heads",
        *_organisation("audit_heads"),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("key", sa.String(16), nullable=True),
        sa.Column("seal", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", name="pk_audit_heads"),
    )


def downgrade() -> None:
    """Go back; what was recorded is lost."""
    op.drop_table("audit_heads")
    op.drop_table("audit")
