"""Second factors of sign-ins by password."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("sealed", sa.String(255), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name="pk_second_factors"),
        _of_a_user("second_factors"),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_recovery_codes"),
        _of_a_user("recovery_codes"),
    )
    op.create_index("ix_recovery_codes_user_id", "recovery_codes", ["user_id"])
    op.create_table(
        "sign_in_tickets",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_sign_in_tickets"),
        _of_a_user("sign_in_tickets"),
    )
    for column in ("user_id", "expires_at"):
        op.create_index(f"ix_sign_in_tickets_{column}", "sign_in_tickets", [column])


def downgrade() -> None:
    """Go back; whoever had a second factor signs in with the password alone."""
    for table in ("sign_in_tickets", "recovery_codes", "second_factors"):
        op.drop_table(table)


def _of_a_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["users.id"], name=f"fk_{table}_user_id", ondelete="CASCADE"
    )
