"""The tables: what the gateway remembers. They import nothing of ours."""

from services.gateway.records.accounts import RefreshToken, Role, SignIn, User, is_username
from services.gateway.records.analysis import Analysis
from services.gateway.records.attempts import FailedAttempts, FamiliarPlace
from services.gateway.records.base import Record, is_id, new_id, now
from services.gateway.records.organisation import (
    DEFAULT_ORGANISATION,
    Belonging,
    Organisation,
    Owned,
)

__all__ = [
    "DEFAULT_ORGANISATION",
    "Analysis",
    "Belonging",
    "FailedAttempts",
    "FamiliarPlace",
    "Organisation",
    "Owned",
    "Record",
    "RefreshToken",
    "Role",
    "SignIn",
    "User",
    "is_id",
    "is_username",
    "new_id",
    "now",
]
