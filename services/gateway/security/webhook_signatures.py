"""Signatures of Standard Webhooks 1.0, the symmetric scheme ``v1``.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: the
HMAC-SHA256 of id, timestamp and body, joined by full stops. The id must not hold one.
"""

import base64
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> bytes:
    """Return a secret that nobody guesses; the standard asks for 24 to 64 bytes."""
    return secrets.token_bytes(_BYTES)


def shown(secret: bytes) -> str:
    """Return a secret as receivers and their libraries take it."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(
    message_id: str, timestamp: int, body: bytes, secrets_now: Iterable[bytes]
) -> dict[str, str]:
    """Return what a message is sent with.

    Args:
        message_id: the same however often it is sent.
        timestamp: of this attempt, in seconds since 1970.
        body: as it is sent, byte for byte.
        secrets_now: each signs, so that a receiver may still have the former one.

    """
    content = f"{message_id}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(s, content, "sha256")) for s in secrets_now)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{signature.decode()}" for signature in signatures),
    }
