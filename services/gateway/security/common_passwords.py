"""Passwords that are tried first: those that many people have, and those that this place suggests.

The list of common ones is that of zxcvbn (MIT), counted in passwords that became public: 11,611
of its entries are long enough to be chosen here.
"""

import functools
import importlib
import string

CONTEXT = frozenset(
    {
        "admin",
        "administrator",
        "clinic",
        "clinician",
        "dermatology",
        "dermatoscopy",
        "dermoscopy",
        "dermserve",
        "hospital",
        "melanoma",
        "password",
    }
)
"""Words that this place suggests (OWASP ASVS 5.0, 6.1.2): no password is one with digits and
signs around it; nor is it the username."""

_AROUND = string.digits + string.punctuation + string.whitespace


def is_common(password: str, username: str) -> bool:
    """Say whether a password would be among the first that somebody tries for a user."""
    plain = password.casefold()
    bare = plain.strip(_AROUND)
    name = username.casefold()
    # Of a username of digits nothing is left: then all passwords of digits would be that name.
    is_name = plain == name or (bare != "" and bare == name.strip(_AROUND))
    return plain in _known() or is_name or bare in CONTEXT


@functools.cache
def _known() -> frozenset[str]:
    # Looked up by whoever chooses a password; others need not hold it in memory.
    lists = importlib.import_module("zxcvbn.frequency_lists").FREQUENCY_LISTS
    return frozenset(lists["passwords"])
