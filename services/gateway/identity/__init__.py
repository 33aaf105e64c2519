"""Who the callers are: accounts, sign-ins, and what a token gives access to."""

from services.gateway.identity.access import Access, Caller, Session, SignedIn
from services.gateway.identity.accounts import Accounts
from services.gateway.identity.api_keys import ApiKeys
from services.gateway.identity.attempts import Attempts
from services.gateway.identity.factor_codes import FactorCodes
from services.gateway.identity.idleness import Idleness
from services.gateway.identity.last_use import LastUse
from services.gateway.identity.links import Links
from services.gateway.identity.organisations import Organisations
from services.gateway.identity.origin import Origin
from services.gateway.identity.own_sign_ins import OwnSignIns
from services.gateway.identity.password_resets import PasswordResets, ResetCode
from services.gateway.identity.password_sign_ins import PasswordSignIns
from services.gateway.identity.passwords import Passwords
from services.gateway.identity.permissions import Permission
from services.gateway.identity.second_factors import NewSecret, SecondFactors, Standing
from services.gateway.identity.sign_in_terms import PasswordsFor, Terms
from services.gateway.identity.sign_in_tickets import Unfinished
from services.gateway.identity.sign_ins import SignIns, TokenPair
from services.gateway.identity.tickets import Ticket, Tickets
from services.gateway.identity.vouched_sign_ins import VouchedSignIns

__all__ = [
    "Access",
    "Accounts",
    "ApiKeys",
    "Attempts",
    "Caller",
    "FactorCodes",
    "Idleness",
    "LastUse",
    "Links",
    "NewSecret",
    "Organisations",
    "Origin",
    "OwnSignIns",
    "PasswordResets",
    "PasswordSignIns",
    "Passwords",
    "PasswordsFor",
    "Permission",
    "ResetCode",
    "SecondFactors",
    "Session",
    "SignIns",
    "SignedIn",
    "Standing",
    "Terms",
    "Ticket",
    "Tickets",
    "TokenPair",
    "Unfinished",
    "VouchedSignIns",
]
