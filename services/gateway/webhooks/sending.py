"""One attempt to deliver a message, within a bounded time, whatever the receiver does."""

import asyncio
import json
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from importlib.metadata import version
from typing import Any

import httpcore

from services.gateway import errors
from services.gateway.records import now
from services.gateway.security import webhook_signatures
from services.gateway.webhooks.dialling import Dialler, ForbiddenTargetError, Resolver
from services.gateway.webhooks.targets import Rules


class Fault(StrEnum):
    """What went wrong; nothing that a receiver says is kept but its status."""

    STATUS = "status"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    TLS = "tls"
    PROTOCOL = "protocol"
    FORBIDDEN = "forbidden"
    SECRET = "secret"  # noqa: S105 - the kind of a fault


@dataclass(frozen=True, slots=True)
class Message:
    """What a receiver is told: ids only, so that it asks for the rest and is asked who it is."""

    id: str
    kind: str
    subject_id: str | None
    occurred_at: datetime

    def body(self) -> bytes:
        """Return what is sent."""
        content: dict[str, Any] = {
            "type": self.kind,
            "timestamp": self.occurred_at.isoformat().replace("+00:00", "Z"),
            "data": {} if self.subject_id is None else {"id": self.subject_id},
        }
        return json.dumps(content, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    Attributes:
        fault: None where the receiver has the message.
        status_code: of its answer, if it gave one.
        wished: how long it asks us to wait.

    """

    fault: Fault | None
    status_code: int | None = None
    wished: timedelta | None = None


class Sender:
    """Sends messages, each over a connection of its own. No redirect is followed."""

    def __init__(
        self, rules: Rules, resolver: Resolver, trust: ssl.SSLContext, timeout_s: float
    ) -> None:
        """Build over the network.

        Args:
            rules: where messages may go.
            resolver: finds out where they go.
            trust: whose certificates are believed.
            timeout_s: of a whole attempt, the lookup of the name included.

        """
        self._rules = rules
        self._resolver = resolver
        self._trust = trust
        self._timeout_s = timeout_s
        # To find the version out reads files.
        self._agent = f"dermserve/{version('dermserve')}"

    async def send(
        self, organisation_id: str, url: str, message: Message, secrets: Sequence[bytes]
    ) -> Outcome:
        """Try to deliver a message of an organisation; what can go wrong outside is an outcome."""
        dialler = Dialler(self._resolver, organisation_id)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchange(dialler, url, message, secrets)
        except (errors.InvalidRequestError, ForbiddenTargetError):
            # The rules have changed since, or what the name resolves to.
            return Outcome(Fault.FORBIDDEN)
        except (TimeoutError, httpcore.TimeoutException):
            return Outcome(Fault.TIMEOUT)
        except httpcore.ConnectError as error:
            tls = isinstance(error.__cause__, ssl.SSLError)
            return Outcome(Fault.TLS if tls else Fault.CONNECTION)
        except (OSError, httpcore.NetworkError):
            return Outcome(Fault.CONNECTION)
        except (httpcore.ProtocolError, httpcore.UnsupportedProtocol):
            return Outcome(Fault.PROTOCOL)

    async def _exchange(
        self, dialler: Dialler, url: str, message: Message, secrets: Sequence[bytes]
    ) -> Outcome:
        target = self._rules.target(url)
        body = message.body()
        headers = {
            "host": target.authority,
            "content-type": "application/json",
            "content-length": str(len(body)),
            "user-agent": self._agent,
            **webhook_signatures.headers(message.id, int(time.time()), body, secrets),
        }
        address = httpcore.URL(
            scheme=target.scheme, host=target.host, port=target.port, target=target.path
        )
        async with (
            httpcore.AsyncHTTPConnection(
                address.origin, self._trust, network_backend=dialler
            ) as connection,
            connection.stream(
                "POST", address, headers=list(headers.items()), content=body
            ) as answer,
        ):
            # Nothing of what else it says is read: the connection is closed.
            return _outcome(answer)


def _outcome(answer: httpcore.Response) -> Outcome:
    if 200 <= answer.status < 300:  # noqa: PLR2004 - what HTTP calls success
        return Outcome(None, answer.status)
    return Outcome(Fault.STATUS, answer.status, _wish(answer))


def _wish(answer: httpcore.Response) -> timedelta | None:
    """Return what Retry-After says (RFC 9110, 10.2.3); what has no sense says nothing."""
    values = [value for name, value in answer.headers if name.lower() == b"retry-after"]
    text = values[0].decode("latin-1").strip() if values else ""
    try:
        if text.isascii() and text.isdigit():
            return timedelta(seconds=int(text))
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(moment.replace(tzinfo=moment.tzinfo or UTC) - now(), timedelta())
