"""Dialling a room."""

import json

from grpc import aio

from services.rpc.limits import MAX_MESSAGE_BYTES
from services.rpc.request_id import RequestIdInterceptor
from services.rpc.trace import TraceInterceptor

_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # Rooms are neighbors: a proxy that the environment names is for the world outside.
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
)


def dial(address: str) -> aio.Channel:
    """Open a channel to a room; unary calls on it carry request id and trace.

    Args:
        address: ``host:port``, or any name that gRPC resolves to several replicas.

    """
    return aio.insecure_channel(
        address, options=_OPTIONS, interceptors=[RequestIdInterceptor(), TraceInterceptor()]
    )
