"""Patients and lesions, to which analyses are attached; what is removed is kept for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_LISTS = (["organisation_id", "created_at", "id"], ["owner_id", "created_at", "id"])


def upgrade() -> None:
    """Go to this schema."""
    _table(
        "patients",
        sa.Column("identifier", sa.String(64), nullable=False),
        sa.Column("issuer", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("sex", sa.String(8), nullable=True),
    )
    _index("patients", ["organisation_id", "identifier", "issuer"])
    _table(
        "lesions",
        sa.Column("patient", sa.String(32), nullable=False),
        sa.Column("body_site", sa.String(32), nullable=True),
        sa.Column("note", sa.String(2000), nullable=True),
        sa.ForeignKeyConstraint(
            ["patient"], ["patients.id"], name="fk_lesions_patient", ondelete="CASCADE"
        ),
    )
    _index("lesions", ["patient", "created_at", "id"])
    with op.batch_alter_table("analyses") as batch:
        batch.add_column(sa.Column("deleted_at", _MOMENT, nullable=True))
        for name, table in (("patient", "patients"), ("lesion", "lesions")):
            batch.add_column(sa.Column(name, sa.String(32), nullable=True))
            batch.create_foreign_key(
                f"fk_analyses_{name}", table, [name], ["id"], ondelete="SET NULL"
            )
    for name in ("patient", "lesion"):
        _index("analyses", [name, "created_at", "id"])


def downgrade() -> None:
    """Go back; analyses keep their pictures and lose what they were attached to."""
    # The older version would show what was removed.
    op.execute("DELETE FROM analyses WHERE deleted_at IS NOT NULL")
    for name in ("patient", "lesion"):
        op.drop_index(f"ix_analyses_{name}_created_at_id", "analyses")
    with op.batch_alter_table("analyses") as batch:
        for name in ("patient", "lesion"):
            batch.drop_constraint(f"fk_analyses_{name}", type_="foreignkey")
            batch.drop_column(name)
        batch.drop_column("deleted_at")
    op.drop_table("lesions")
    op.drop_table("patients")


def _table(name: str, *columns: sa.Column[object] | sa.ForeignKeyConstraint) -> None:
    op.create_table(
        name,
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("owner_id", sa.String(32), nullable=False),
        sa.Column("deleted_at", _MOMENT, nullable=True),
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=f"fk_{name}_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["users.id"], name=f"fk_{name}_owner_id", ondelete="CASCADE"
        ),
    )
    for columns_listed in _LISTS:
        _index(name, columns_listed)


def _index(table: str, columns: list[str]) -> None:
    op.create_index("_".join(["ix", table, *columns]), table, columns)
