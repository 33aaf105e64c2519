"""Who the callers are: accounts, sign-ins, and what a token gives access to."""

from services.gateway.identity.access import Access, Caller
from services.gateway.identity.accounts import Accounts
from services.gateway.identity.attempts import Attempts
from services.gateway.identity.organisations import Organisations
from services.gateway.identity.origin import Origin
from services.gateway.identity.passwords import Passwords
from services.gateway.identity.permissions import Permission
from services.gateway.identity.sign_ins import SignIns, TokenPair

__all__ = [
    "Access",
    "Accounts",
    "Attempts",
    "Caller",
    "Organisations",
    "Origin",
    "Passwords",
    "Permission",
    "SignIns",
    "TokenPair",
]
