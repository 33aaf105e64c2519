"""How much is kept for whom, and which pictures are being removed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_QUOTAS = ("quota_bytes", "quota_pictures", "user_quota_bytes", "user_quota_pictures")


def upgrade() -> None:
    """Go to this schema; nobody knows how large pictures from before are, so they have no bytes."""
    for name in _QUOTAS:
        op.add_column("organisations", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("analyses", sa.Column("kept_bytes", sa.BigInteger(), nullable=True))
    op.create_table(
        "usage",
        _organisation(),
        sa.Column("holder_id", sa.String(32), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("pictures", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("holder_id", name="pk_usage"),
        _of_organisation("usage"),
    )
    for holder in ("owner_id", "organisation_id"):
        op.execute(
            "INSERT INTO usage (holder_id, organisation_id, bytes, pictures) "  # noqa: S608 - ours
            # Of a file that could not be used, no picture is kept.
            f"SELECT {holder}, organisation_id, 0, count(image_sha256) FROM analyses "
            f"GROUP BY {holder}, organisation_id"
        )
    op.create_table(
        "removals",
        _organisation(),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("marked_at", _MOMENT, nullable=False),
        sa.Column("done", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "name", name="pk_removals"),
        _of_organisation("removals"),
    )
    op.create_index("ix_removals_marked_at", "removals", ["marked_at"])


def downgrade() -> None:
    """Go back; nothing bounds what is kept."""
    op.drop_table("removals")
    op.drop_table("usage")
    op.drop_column("analyses", "kept_bytes")
    for name in _QUOTAS:
        op.drop_column("organisations", name)


def _organisation() -> sa.Column[str]:
    return sa.Column("organisation_id", sa.String(32), nullable=False)


def _of_organisation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organisation_id"],
        ["organisations.id"],
        name=f"fk_{table}_organisation_id",
        ondelete="RESTRICT",
    )
