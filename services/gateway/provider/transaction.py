"""One try to sign in at the provider, carried by the browser that began it."""

import base64
import binascii
import hashlib
import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Self

LIFETIME_S = 600
"""How long somebody may take at the provider."""

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Transaction:
    """What the browser shows again when it comes back; nothing of it is kept by the gateway.

    State, nonce and PKCE verifier are derived from the secret, each with a purpose of its own, so
    none of them tells another. Each also stands for the moment and the path: a cookie in which one
    of these was changed belongs to no answer.

    Attributes:
        secret: random, for this try.
        began: seconds since 1970.
        return_to: path to go to in the end; empty for none.

    """

    secret: str
    began: int
    return_to: str

    @classmethod
    def begin(cls, return_to: str) -> Self:
        """Return a new one."""
        return cls(secrets.token_urlsafe(_SECRET_BYTES), int(time.time()), return_to)

    @classmethod
    def read(cls, cookie: str) -> Self | None:
        """Return what a cookie carries, None if it is none of ours or too old."""
        parts = cookie.split(".")
        try:
            secret, began, return_to = parts[0], int(parts[1]), _unpacked(parts[2])
        except (IndexError, ValueError, binascii.Error):
            return None
        return cls(secret, began, return_to) if time.time() < began + LIFETIME_S else None

    @property
    def cookie(self) -> str:
        """What the browser keeps."""
        packed = base64.urlsafe_b64encode(self.return_to.encode()).decode()
        return f"{self.secret}.{self.began}.{packed}"

    @property
    def state(self) -> str:
        """What the answer must bring back."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the ID token must hold."""
        return self._derived("nonce")

    @property
    def code_verifier(self) -> str:
        """What proves that the code was asked for here (PKCE, RFC 7636)."""
        return self._derived("code_verifier")

    def _derived(self, purpose: str) -> str:
        whole = f"{purpose}\n{self.began}\n{self.return_to}"
        mac = hmac.digest(self.secret.encode(), whole.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


def _unpacked(text: str) -> str:
    return base64.b64decode(text, altchars=b"-_", validate=True).decode()
