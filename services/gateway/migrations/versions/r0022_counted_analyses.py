"""What statistics count has columns of its own."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from services.gateway.database.indexes import are_built_later

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_NEW: dict[str, sa.types.TypeEngine[Any]] = {
    "malignant_probability": sa.Float(),
    "suspicious": sa.Boolean(),
    "cannot_assess_reasons": sa.String(200),
    "total_ms": sa.Integer(),
}
_COUNTED = [
    "organisation_id",
    "created_at",
    "deleted_at",
    "owner_id",
    "status",
    "label",
    "suspicious",
    "cannot_assess_reasons",
    "verdict",
    "total_ms",
]
_UNFILLED = sa.text("status = 'succeeded' AND total_ms IS NULL AND findings IS NOT NULL")


def upgrade() -> None:
    """Go to this schema; the columns of answers that are there are filled afterwards."""
    for name, kind in _NEW.items():
        op.add_column("analyses", sa.Column(name, kind, nullable=True))
    if not are_built_later(op.get_bind()):
        op.create_index("ix_analyses_counted", "analyses", _COUNTED)
        op.create_index(
            "ix_analyses_unfilled",
            "analyses",
            ["id"],
            sqlite_where=_UNFILLED,
            postgresql_where=_UNFILLED,
        )


def downgrade() -> None:
    """Go back; the answers say it all."""
    for name in ("counted", "unfilled"):
        op.drop_index(f"ix_analyses_{name}", "analyses", if_exists=True)
    for name in _NEW:
        op.drop_column("analyses", name)
