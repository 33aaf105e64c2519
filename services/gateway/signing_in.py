"""The part of the composition root that builds how people sign in with a password."""

from typing import NamedTuple

from services.gateway.database import Database
from services.gateway.identity import (
    Attempts,
    FactorCodes,
    Idleness,
    Passwords,
    PasswordSignIns,
    SecondFactors,
    SignIns,
    Terms,
)
from services.gateway.security.sealing import Seal
from services.gateway.security.tokens import AccessTokens
from services.gateway.settings import Settings
from services.gateway.vouching import passwords_for

_ISSUER = "dermserve"


class SigningIn(NamedTuple):
    """Sign-ins, those by password, and their second factors."""

    sign_ins: SignIns
    by_password: PasswordSignIns
    second_factors: SecondFactors


def signing_in(
    records: Database,
    passwords: Passwords,
    attempts: Attempts,
    access_tokens: AccessTokens,
    seal: Seal,
    settings: Settings,
) -> SigningIn:
    """Build how people sign in with a password.

    Args:
        records: across organisations.
        passwords: checks theirs.
        attempts: makes those wait who guess.
        access_tokens: signs the short-lived tokens.
        seal: of the secrets of second factors.
        settings: of the gateway.

    """
    idleness = Idleness.of(settings.idle_s, settings.access_token_s)
    sign_ins = SignIns(records, access_tokens, settings.refresh_token_s, idleness)
    codes = FactorCodes(seal)
    factors = SecondFactors(records, passwords, attempts, codes, settings.institution or _ISSUER)
    terms = Terms(passwords_for(settings), factor_required=settings.second_factor == "required")
    by_password = PasswordSignIns(records, passwords, attempts, sign_ins, codes, factors, terms)
    return SigningIn(sign_ins, by_password, factors)
