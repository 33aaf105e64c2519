"""Ports for processes that tests start."""

import secrets
import socket

_FIRST, _LAST = 20_000, 32_000
"""Below those that the system gives away by itself (32768 and more on Linux), also to connections
on their way out: one of these that is free now may be somebody's a moment later."""

_KEPT: list[int] = []
"""Locks, open until this process ends."""


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on.

    No other process of tests gets it while this one lives, however late somebody listens there.
    """
    while True:
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        if _is_free(port) and _locked(port):
            return port


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _locked(port: int) -> bool:
    """Take the name of a port, which one process at a time can have; say whether it was free."""
    lock = socket.socket(socket.AF_UNIX)
    try:
        # A name that is no file, and gone with the process.
        lock.bind(f"\0dermserve-test-port-{port}")
    except OSError:
        lock.close()
        return False
    _KEPT.append(lock.detach())
    return True
