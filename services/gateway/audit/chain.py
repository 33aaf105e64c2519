"""The chain of an organisation: what is hashed of a row, and with what."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from services.gateway.errors import GatewayError

GENESIS = "0" * 64
"""What stands before the first row of a chain."""

_NAME_LENGTH = 16


class UnknownKeyError(GatewayError):
    """A row was hashed with a key that is not at hand."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the chains, which no database has; without any, hashes are plain SHA-256.

    Attributes:
        current: name of the one that is written with; None for none.
        secrets: all that are believed, by name.

    """

    current: str | None
    secrets: Mapping[str, bytes]

    @classmethod
    def of(cls, listed: str) -> Self:
        """Return the keys of a list with commas; the first is the current one."""
        found = {_name(key): key.encode() for key in map(str.strip, listed.split(",")) if key}
        return cls(next(iter(found), None), found)

    def digest(self, name: str | None, content: Mapping[str, Any]) -> str:
        """Return the hash of a content under a key.

        Raises:
            UnknownKeyError: the key is not at hand.

        """
        written = canonical(content)
        if name is None:
            return hashlib.sha256(written).hexdigest()
        if name not in self.secrets:
            raise UnknownKeyError(name)
        return hmac.digest(self.secrets[name], written, "sha256").hex()


def canonical(content: Mapping[str, Any]) -> bytes:
    """Return the one form of a content that is hashed: JSON by RFC 8785's rules.

    That is: names sorted, nothing between, UTF-8. What is null is left out, so that a column that
    comes later changes no hash.
    """
    there = {name: value for name, value in content.items() if value is not None}
    written = json.dumps(
        there, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=repr
    )
    return written.encode("utf-8", "surrogatepass")


def moment(at: datetime) -> str:
    """Return a moment as rows write it, so that their order is that of texts; UTC unless it says.

    This is RFC 3339 with microseconds.
    """
    known = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return known.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _name(key: str) -> str:
    """Return a name by which a key is known, and from which it is not found."""
    return hmac.digest(key.encode(), b"name of an audit key", "sha256").hex()[:_NAME_LENGTH]
