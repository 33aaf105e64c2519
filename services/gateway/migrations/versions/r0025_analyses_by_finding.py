"""Analyses are found by what was found in them, and listed by how likely it is malignant."""

import sqlalchemy as sa
from alembic import op

from services.gateway.database.indexes import are_built_later

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

# By name: which analyses, on SQLite where that differs, and the columns behind whose they are.
_INDEXES = {
    "body_site": ("body_site IS NOT NULL", None, ("body_site", "created_at", "id")),
    "cannot_assess": ("outcome = 'cannot_assess'", None, ("created_at", "id")),
    "suspicious": ("suspicious", "suspicious = 1", ("created_at", "id")),
    "malignant_probability": (
        "malignant_probability IS NOT NULL",
        None,
        ("malignant_probability", "id"),
    ),
}
_WHOSE = ("organisation_id", "owner_id")


def upgrade() -> None:
    """Go to this schema."""
    if are_built_later(op.get_bind()):
        return
    for name, (which, on_sqlite, columns) in _INDEXES.items():
        for whose in _WHOSE:
            op.create_index(
                f"ix_analyses_{whose}_{name}",
                "analyses",
                [whose, *columns],
                postgresql_where=sa.text(which),
                sqlite_where=sa.text(on_sqlite or which),
            )


def downgrade() -> None:
    """Go back; who asks for what is rare waits longer."""
    for name in _INDEXES:
        for whose in _WHOSE:
            op.drop_index(f"ix_analyses_{whose}_{name}", "analyses", if_exists=True)
