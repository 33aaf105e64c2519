"""Who users are at an identity provider."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go to this schema."""
    op.create_table(
        "linked_identities",
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("issuer", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_linked_identities"),
        sa.UniqueConstraint("issuer", "subject", name="uq_linked_identities_issuer_subject"),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name="fk_linked_identities_organisation_id",
            ondelete="RESTRICT",
        ),
        _of_user("linked_identities"),
    )
    op.create_index("ix_linked_identities_user_id", "linked_identities", ["user_id"])
    op.create_table(
        "vouched_sign_ins",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_id", sa.String(32), nullable=False),
        sa.Column("provider_session", sa.String(64), nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_vouched_sign_ins"),
        _of_user("vouched_sign_ins"),
    )
    op.create_index("ix_vouched_sign_ins_user_id", "vouched_sign_ins", ["user_id"])
    op.create_index("ix_vouched_sign_ins_created_at", "vouched_sign_ins", ["created_at"])
    with op.batch_alter_table("sign_ins") as batch:
        batch.add_column(
            sa.Column("method", sa.String(16), nullable=False, server_default="password")
        )
        batch.add_column(sa.Column("provider_session", sa.String(64), nullable=True))
    with op.batch_alter_table("sign_ins") as batch:
        batch.alter_column("method", existing_type=sa.String(16), server_default=None)
    op.create_index("ix_sign_ins_provider_session", "sign_ins", ["provider_session"])


def downgrade() -> None:
    """Go back: whom only a provider knew cannot sign in."""
    op.execute("DELETE FROM sign_ins WHERE method <> 'password'")
    op.drop_index("ix_sign_ins_provider_session", "sign_ins")
    with op.batch_alter_table("sign_ins") as batch:
        batch.drop_column("provider_session")
        batch.drop_column("method")
    op.drop_table("vouched_sign_ins")
    op.drop_table("linked_identities")


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["user_id"], ["users.id"], name=f"fk_{table}_user_id", ondelete="CASCADE"
    )
