"""Dialling a room."""

import json

import grpc
from grpc import aio

from services.certificates import Certificates
from services.rpc.limits import MAX_MESSAGE_BYTES
from services.rpc.request_id import RequestIdInterceptor
from services.rpc.trace import TraceInterceptor

_RETRIES = {
    "maxAttempts": 3,
    "initialBackoff": "0.1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
"""Of calls that nobody took, or whose server went away.

Rooms answer from what they are asked and keep nothing, so a second try cannot do anything twice.
Each is made on another replica, where there is one; few, because what made one server go away may
do so again. A server that leaves says how long to wait (gRFC A6).
"""

_SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    # Who says NOT_SERVING still answers for some seconds, so whoever listens misses nothing.
    "healthCheckConfig": {"serviceName": ""},
    "methodConfig": [
        {"name": [{}], "retryPolicy": _RETRIES},
        # Whoever asks whether a room is there wants to know how it is now.
        {"name": [{"service": "grpc.health.v1.Health"}]},
    ],
}

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    # What is larger than this is not tried again; gRPC's own default is 256 KiB.
    ("grpc.per_rpc_retry_buffer_size", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # Rooms are neighbors: a proxy that the environment names is for the world outside.
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # A replica that was replaced has another address: gRPC's own default is half a minute.
    ("grpc.dns_min_time_between_resolutions_ms", 1_000),
    ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
)


def dial(address: str, certificates: Certificates | None = None) -> aio.Channel:
    """Open a channel to a room; unary calls on it carry request id and trace.

    Calls go to the replicas that say they are ready, in turns, and those that a replica turns
    away as it leaves are tried on another.

    Args:
        address: ``host:port``, or any name that gRPC resolves to several replicas.
        certificates: the room must show one for the host of the address, signed by the authority,
            and is shown ours; None for plain gRPC.

    """
    interceptors = [RequestIdInterceptor(), TraceInterceptor()]
    if certificates is None:
        return aio.insecure_channel(address, options=_OPTIONS, interceptors=interceptors)
    credentials = grpc.ssl_channel_credentials(
        certificates.authority, certificates.key, certificates.chain
    )
    return aio.secure_channel(address, credentials, options=_OPTIONS, interceptors=interceptors)
