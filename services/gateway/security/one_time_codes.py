"""Codes of a second factor: of the moment (TOTP, RFC 6238), and for recovery.

The parameters are those that every app knows, and the only ones that all of them keep to: SHA-1,
six digits, a new code every thirty seconds. The code before and the one to come are taken too, for
clocks that differ and people who type.
"""

import base64
import hmac
import re
import secrets
from datetime import datetime

import pyotp

STEP_S = 30
RECOVERY_CODES = 10

_TOLERANCE = 1
# Twice in the address, each byte as three letters at most: telephones still read such a code.
_ISSUER_BYTES = 64
# 120 bits: with 112 and more a plain digest is enough (OWASP ASVS 5.0, 6.5.2).
_RECOVERY_BYTES = 15
_GROUP = 4
_OF_THE_MOMENT = re.compile(r"[0-9]{6}", re.ASCII)
_BETWEEN = re.compile(r"[\s-]")


def new_secret() -> str:
    """Return a secret of 160 random bits, as apps take it (base32)."""
    return pyotp.random_base32()


def address(secret: str, username: str, issuer: str) -> str:
    """Return the address that an app reads off a QR code; a long issuer is cut short."""
    shown = issuer.encode()[:_ISSUER_BYTES].decode(errors="ignore")
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=username, issuer_name=shown)


def typed(code: str) -> str:
    """Return a code as it is meant, however its groups were set apart."""
    return _BETWEEN.sub("", code).lower()


def is_of_the_moment(code: str) -> bool:
    """Say whether a typed code is one of the app's, rather than one for recovery."""
    return _OF_THE_MOMENT.fullmatch(code) is not None


def step_of(secret: str, code: str, moment: datetime) -> int | None:
    """Return the step of thirty seconds that a code is of; None if it is of none about now."""
    current = int(moment.timestamp()) // STEP_S
    known = pyotp.HOTP(secret)
    found = None
    for step in range(current - _TOLERANCE, current + _TOLERANCE + 1):
        if hmac.compare_digest(known.at(step).encode(), code.encode()):
            found = step
    return found


def new_recovery_codes() -> list[str]:
    """Return new codes, in groups that can be read off paper."""
    return [_new_recovery_code() for _ in range(RECOVERY_CODES)]


def _new_recovery_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))
