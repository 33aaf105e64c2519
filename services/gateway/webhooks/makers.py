"""Who made a webhook, and whether they still may: without that right it is told nothing."""

from sqlalchemy import ColumnElement, exists, or_
from sqlmodel import col

from services.gateway.records import Role, User, Webhook


class Makers:
    """Knows the rights of those who made webhooks, as they are at the moment of asking."""

    def __init__(self, roles: frozenset[Role]) -> None:
        """Take the roles that may have webhooks."""
        self._roles = roles

    def may(self) -> ColumnElement[bool]:
        """Return the condition that a webhook's maker is not disabled and has such a role."""
        return (
            exists()
            .where(
                col(User.id) == col(Webhook.owner_id),
                col(User.disabled).is_(False),
                or_(*(col(User.role) == role for role in sorted(self._roles))),
            )
            .correlate(Webhook)
        )
