"""Secrets that must be read again, sealed: what is in the database is no good without a file.

AES-256 in GCM (NIST SP 800-38D), with a random nonce of 96 bits for each secret and a key that is
made at first boot. What a secret is of is sealed with it, so that it cannot be put in the place of
another one.
"""

import base64
import os
import re
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.gateway.security import keys

_KEY_BITS = 256
_NONCE_BYTES = 12
_FORM = re.compile(r"[0-9a-f]{64}\n?", re.ASCII)


class SealError(Exception):
    """What was sealed cannot be opened: with another key, or for something else."""


class Seal:
    """Seals secrets and opens them again."""

    def __init__(self, key: bytes) -> None:
        """Build with a key of 32 bytes."""
        self._cipher = AESGCM(key)

    @classmethod
    def from_file(cls, path: Path) -> "Seal":
        """Read the key, or make it if there is none yet; two processes agree on one.

        Args:
            path: a file of 64 hexadecimal digits; made readable for its owner only.

        Raises:
            KeyFileError: the file holds something else.
            OSError: the folder cannot be read or written.

        """
        if not path.exists():
            keys.make(path, f"{AESGCM.generate_key(_KEY_BITS).hex()}\n".encode())
        text = path.read_text("ascii", "replace")
        if _FORM.fullmatch(text) is None:
            raise keys.KeyFileError(
                f"{path} does not hold a key of 64 hexadecimal digits; restore it, or remove it "
                "to make a new one: webhooks then need new secrets, and second factors have to be "
                "removed and set up anew"
            )
        return cls(bytes.fromhex(text))

    def close(self, secret: bytes, of: str) -> str:
        """Return a secret sealed for what it is of."""
        nonce = os.urandom(_NONCE_BYTES)
        return base64.b64encode(nonce + self._cipher.encrypt(nonce, secret, of.encode())).decode()

    def open(self, sealed: str, of: str) -> bytes:
        """Return what was sealed.

        Raises:
            SealError: it was sealed with another key, or for something else.

        """
        try:
            raw = base64.b64decode(sealed, validate=True)
            return self._cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], of.encode())
        except (InvalidTag, ValueError) as error:
            raise SealError("sealed with another key") from error
