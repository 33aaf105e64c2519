"""Webhooks, their secrets and what is delivered to them."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go to this schema."""
    _webhooks()
    _secrets()
    _deliveries()


def downgrade() -> None:
    """Go back; nobody is told any more."""
    for table in ("webhook_deliveries", "webhook_secrets", "webhooks"):
        op.drop_table(table)


def _webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.String(32), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("description", sa.String(200), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("disabled", sa.String(16), nullable=True),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("failing_since", _MOMENT, nullable=True),
        sa.Column("resting_until", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
        _reference("webhooks", "organisation_id", "organisations.id", "RESTRICT"),
        _reference("webhooks", "owner_id", "users.id", "CASCADE"),
    )
    for whose in ("organisation_id", "owner_id"):
        op.create_index(
            f"ix_webhooks_{whose}_created_at_id", "webhooks", [whose, "created_at", "id"]
        )


def _secrets() -> None:
    op.create_table(
        "webhook_secrets",
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("webhook_id", sa.String(32), nullable=False),
        sa.Column("sealed", sa.String(200), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("expires_at", _MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_secrets"),
        _reference("webhook_secrets", "organisation_id", "organisations.id", "RESTRICT"),
        _reference("webhook_secrets", "webhook_id", "webhooks.id", "CASCADE"),
    )
    op.create_index("ix_webhook_secrets_webhook_id", "webhook_secrets", ["webhook_id"])


def _deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("webhook_id", sa.String(32), nullable=False),
        sa.Column("message_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("subject_id", sa.String(32), nullable=True),
        sa.Column("occurred_at", _MOMENT, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempted_at", _MOMENT, nullable=True),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(16), nullable=True),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.Column("holder", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_deliveries"),
        _reference("webhook_deliveries", "organisation_id", "organisations.id", "RESTRICT"),
        _reference("webhook_deliveries", "webhook_id", "webhooks.id", "CASCADE"),
    )
    columns = ["webhook_id", "created_at", "id"]
    op.create_index("ix_webhook_deliveries_webhook_id_created_at_id", "webhook_deliveries", columns)
    op.create_index("ix_webhook_deliveries_created_at", "webhook_deliveries", ["created_at"])
    waits = sa.text("next_at IS NOT NULL")
    op.create_index(
        "ix_webhook_deliveries_webhook_id_next_at",
        "webhook_deliveries",
        ["webhook_id", "next_at"],
        sqlite_where=waits,
        postgresql_where=waits,
    )


def _reference(table: str, column: str, to: str, gone: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [to], name=f"fk_{table}_{column}", ondelete=gone)
