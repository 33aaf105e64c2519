"""Organisations, of which whatever was there before makes the first."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_DEFAULT = "00000000000070008000000000000000"
_MOMENT = sa.DateTime(timezone=True)
_LISTS = (["created_at", "id"], ["label", "created_at", "id"], ["patient_id", "created_at", "id"])


def upgrade() -> None:
    """Go to this schema."""
    organisations = op.create_table(
        "organisations",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_organisations"),
        sa.UniqueConstraint("name", name="uq_organisations_name"),
    )
    # What users have kept to themselves so far stays theirs.
    first = {"id": _DEFAULT, "name": "default", "shared": False, "created_at": datetime.now(UTC)}
    op.bulk_insert(organisations, [first])
    for table in ("users", "analyses"):
        _give_organisation(table)
    op.execute("UPDATE users SET role = 'clinician' WHERE role = 'user'")
    op.drop_index("ix_users_created_at_id", "users")
    op.create_index(
        "ix_users_organisation_id_created_at_id", "users", ["organisation_id", "created_at", "id"]
    )
    for columns in _LISTS:
        names = ["organisation_id", *columns]
        op.create_index("_".join(["ix_analyses", *names]), "analyses", names)


def downgrade() -> None:
    """Go back: all users are of one gateway again, each still with their own records."""
    for columns in _LISTS:
        op.drop_index("_".join(["ix_analyses_organisation_id", *columns]), "analyses")
    op.drop_index("ix_users_organisation_id_created_at_id", "users")
    op.create_index("ix_users_created_at_id", "users", ["created_at", "id"])
    op.execute("UPDATE users SET role = 'user' WHERE role <> 'admin'")
    for table in ("analyses", "users"):
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(f"fk_{table}_organisation_id", type_="foreignkey")
            batch.drop_column("organisation_id")
    op.drop_table("organisations")


def _give_organisation(table: str) -> None:
    op.add_column(table, sa.Column("organisation_id", sa.String(32), nullable=True))
    op.execute(f"UPDATE {table} SET organisation_id = '{_DEFAULT}'")  # noqa: S608 - both ours
    with op.batch_alter_table(table) as batch:
        batch.alter_column("organisation_id", existing_type=sa.String(32), nullable=False)
        batch.create_foreign_key(
            f"fk_{table}_organisation_id",
            "organisations",
            ["organisation_id"],
            ["id"],
            ondelete="RESTRICT",
        )
