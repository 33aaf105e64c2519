"""Passwords at rest: argon2id with the parameters of the OWASP Password Storage Cheat Sheet.

Hashing takes tens of milliseconds and 19 MiB by design: callers run it in a thread, a bounded
number at a time.
"""

import secrets

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import hash_secret_raw

from services.gateway.security.breached_passwords import BreachedPasswords
from services.gateway.security.common_passwords import is_common

MIN_LENGTH = 8
MAX_LENGTH = 128
"""In characters, as OWASP ASVS 5.0 asks (6.2.1, 6.2.9); no rules about their kinds (6.2.5)."""

_hasher = PasswordHasher(
    time_cost=2, memory_cost=19_456, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
)

# Made with the same parameters, from a random password that nobody has: what a password is
# checked against when there is no such user, so that the answer takes as long.
_NOBODY = (
    "$argon2id$v=19$m=19456,t=2,p=1$1JISZfuPkV6d0MWQicp0bw$"
    "mFznJxQVM5vBlTzRNJttNFSZ3VCG1Qj4qVQZHrSSHtk"
)


def hashed(password: str) -> str:
    """Return the argon2id hash of a password, with its parameters and a fresh salt."""
    return _hasher.hash(password)


def stretched(secret: bytes, salt: bytes) -> bytes:
    """Return what the same secret and salt always have, as costly to try as a hash.

    Args:
        secret: may hold a password.
        salt: 8 bytes or more.

    """
    return hash_secret_raw(
        secret,
        salt,
        time_cost=_hasher.time_cost,
        memory_cost=_hasher.memory_cost,
        parallelism=_hasher.parallelism,
        hash_len=_hasher.hash_len,
        type=_hasher.type,
    )


def matches(password: str, stored: str | None) -> bool:
    """Say whether a password is the one that was hashed.

    Args:
        password: what somebody typed.
        stored: the hash; None or empty when there is no such user, or they have no password: the
            work is done all the same.

    """
    try:
        return _hasher.verify(stored or _NOBODY, password) and bool(stored)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Say whether a hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def fault_of(password: str, username: str, breached: BreachedPasswords | None = None) -> str | None:
    """Return what is wrong with a password that a user wants, as a sentence; None for nothing.

    Args:
        password: what they want.
        username: theirs.
        breached: what became public elsewhere; None where the operator has no such file.

    Raises:
        OSError, UnusableFileError: that file cannot be asked.

    """
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters."
    if is_common(password, username):
        return "This password is among the first that others would try. Choose another one."
    if breached is not None and breached.has(password):
        return "This password became public in a breach elsewhere. Choose another one."
    return None


def invented() -> str:
    """Return a random password of 120 bits that can be typed."""
    return secrets.token_urlsafe(15)
