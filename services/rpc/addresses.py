"""Addresses that are listened on."""

import socket

from services import telemetry


def authority(host: str, port: int) -> str:
    """Join a host and a port as addresses are written, with brackets around IPv6 (RFC 3986)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def refuse_taken(host: str, port: int) -> None:
    """Ask before gRPC does, whose core would write a line of its own past our logging.

    Raises:
        telemetry.ListenerError: the address cannot be listened on.

    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        message = f"cannot listen on {authority(host, port)}: {error.strerror}"
        raise telemetry.ListenerError(message) from error
