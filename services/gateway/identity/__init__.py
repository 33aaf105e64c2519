"""Who the callers are: accounts, sign-ins, and what a token gives access to."""

from services.gateway.identity.access import Access, Caller
from services.gateway.identity.accounts import Accounts
from services.gateway.identity.organisations import Organisations
from services.gateway.identity.passwords import Passwords
from services.gateway.identity.permissions import Permission
from services.gateway.identity.sign_ins import SignIns, TokenPair

__all__ = [
    "Access",
    "Accounts",
    "Caller",
    "Organisations",
    "Passwords",
    "Permission",
    "SignIns",
    "TokenPair",
]
