"""On which terms people sign in with a password here."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, false, select
from sqlmodel import col

from services.gateway.records import LinkedIdentity, User


class PasswordsFor(StrEnum):
    """Whose passwords are good for a sign-in, where there is an identity provider."""

    ALL = "all"
    UNLINKED = "unlinked"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Terms:
    """Whose passwords are good, and whether they are good without a second factor."""

    passwords_for: PasswordsFor = PasswordsFor.ALL
    factor_required: bool = False

    def still(self, checked: str | None = None) -> ColumnElement[bool]:
        """Return what must hold of a user, who may have been changed since they were looked at.

        Args:
            checked: the hash that their password was held against; None where that was before.

        """
        if self.passwords_for == PasswordsFor.NONE:
            return false()
        still: ColumnElement[bool] = col(User.disabled).is_(False)
        if checked is not None:
            still &= col(User.password_hash) == checked
        if self.passwords_for == PasswordsFor.UNLINKED:
            still &= col(User.id).not_in(select(col(LinkedIdentity.user_id)))
        return still
