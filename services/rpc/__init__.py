"""How the rooms meet on the wire: serving and dialling gRPC well.

A server made here has health, reflection, request ids, counted and timed calls, one table
that maps domain errors to statuses, and an orderly end. A channel made here balances over
replicas, notices dead peers and hands the request id on.
"""

from services.rpc.addresses import authority
from services.rpc.channel import dial
from services.rpc.deadlines import deadline_of
from services.rpc.drain import ClosingError
from services.rpc.health import LIVENESS
from services.rpc.limits import MAX_MESSAGE_BYTES
from services.rpc.pushback import PUSHBACK_TRAILER, pushback_ms
from services.rpc.reason import REASON_TRAILER, reason_in, reason_of
from services.rpc.request_id import REQUEST_ID_HEADER
from services.rpc.server import Server
from services.rpc.signals import until_told_to_stop
from services.rpc.statuses import Statuses, answer_to, status_of
from services.rpc.trace import TRACEPARENT

__all__ = [
    "LIVENESS",
    "MAX_MESSAGE_BYTES",
    "PUSHBACK_TRAILER",
    "REASON_TRAILER",
    "REQUEST_ID_HEADER",
    "TRACEPARENT",
    "ClosingError",
    "Server",
    "Statuses",
    "answer_to",
    "authority",
    "deadline_of",
    "dial",
    "pushback_ms",
    "reason_in",
    "reason_of",
    "status_of",
    "until_told_to_stop",
]
