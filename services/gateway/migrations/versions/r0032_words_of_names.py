"""Patients are found by the words of their names."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_UNWORDED = sa.text("coalesce(worded, '') <> coalesce(name, '')")


def upgrade() -> None:
    """Go to this schema; the words of names that are there are filled afterwards."""
    op.create_table(
        "patient_words",
        sa.Column("organisation_id", sa.String(32), nullable=False),
        sa.Column("patient", sa.String(32), nullable=False),
        sa.Column(
            "word",
            sa.String(200).with_variant(sa.String(200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("patient", "word", name="pk_patient_words"),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name="fk_patient_words_organisation_id",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["patient"], ["patients.id"], name="fk_patient_words_patient", ondelete="CASCADE"
        ),
    )
    op.create_index(
        "ix_patient_words_organisation_id_word_patient",
        "patient_words",
        ["organisation_id", "word", "patient"],
    )
    op.add_column("patients", sa.Column("worded", sa.String(200), nullable=True))
    op.create_index(
        "ix_patients_unworded",
        "patients",
        ["id"],
        sqlite_where=_UNWORDED,
        postgresql_where=_UNWORDED,
    )


def downgrade() -> None:
    """Go back; the names say it all."""
    op.drop_index("ix_patients_unworded", "patients")
    op.drop_column("patients", "worded")
    op.drop_table("patient_words")
