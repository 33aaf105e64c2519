"""On which terms people sign in with a password here."""

from dataclasses import dataclass
from enum import StrEnum


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
