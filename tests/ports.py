"""Ports for processes that tests start."""

import secrets
import socket

_FIRST, _LAST = 20_000, 32_000
"""Below those that the system gives away by itself (32768 and more on Linux), also to connections
on their way out: one of these that is free now may be somebody's a moment later."""

_TRIES = 1000
"""Of which none is free only where none can be had at all."""

_KEPT: list[int] = []
"""Locks, open until this process ends."""


def free_port() -> int:
    """Return a TCP port of the loopback interface that nobody listens on.

    No other process of tests gets it while this one lives, however late somebody listens there.

    Raises:
        OSError: there is none, and why the last that was tried is not.

    """
    for left in reversed(range(_TRIES)):
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        try:
            socket.create_server(("127.0.0.1", port)).close()
            _lock(port)
        except OSError:
            if not left:
                raise
        else:
            return port
    raise AssertionError("there is at least one try")


def _lock(port: int) -> None:
    """Take the name of a port, which one process at a time can have."""
    with socket.socket(socket.AF_UNIX) as lock:
        # A name that is no file, and gone with the process.
        lock.bind(f"\0dermserve-test-port-{port}")
        _KEPT.append(lock.detach())
