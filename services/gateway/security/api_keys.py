"""Keys of services: random, and recognisable by whoever searches files for secrets.

A key is ``dsk_``, 43 random letters and digits (256 bits), and 6 that are the CRC-32 of all before
them in base 62. A scanner finds it by its beginning, and by its end knows that it is one. GitHub's
tokens are made so: https://github.blog/2021-04-05-behind-githubs-new-authentication-token-formats/.
Only a digest of it is ever kept.
"""

import re
import secrets
import string
import zlib

PREFIX = "dsk_"
SHOWN = len(PREFIX) + 4
"""How much of a key may be shown for people to tell it from others."""

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM, _CHECK = 43, 6
_FORM = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{_RANDOM + _CHECK}}}", re.ASCII)


def new_key() -> str:
    """Return a key that nobody guesses."""
    body = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM))
    return body + _checksum(body)


def is_key(text: str) -> bool:
    """Say whether a text is formed as a key, its checksum included."""
    return _FORM.fullmatch(text) is not None and _checksum(text[:-_CHECK]) == text[-_CHECK:]


def _checksum(body: str) -> str:
    value, digits = zlib.crc32(body.encode("ascii")), ""
    for _ in range(_CHECK):
        value, digit = divmod(value, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
