"""What all rooms share of their metrics: the registry, the buckets and the listener."""

from collections.abc import Callable

import prometheus_client
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    start_http_server,
)

SECONDS = (
    *(0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064),
    *(0.125, 0.25, 0.5, 1, 2.5, 5, 10),
)
"""Upper bounds in seconds of the buckets of every histogram of time.

From a step of a lone picture (1 ms) to the patience of a caller (10 s), each at most 2.5 times
the one before: a quantile read from them is never further off than that, and figures of all
stages can be laid over each other. The bounds that alerts compare with (1 s, 2.5 s) are among
them, so there the answer is exact. Native histograms would do without bounds, but the client
library cannot make them yet (https://github.com/prometheus/client_python/issues/918).
"""


class ListenerError(Exception):
    """An address cannot be listened on, most often because the port is taken."""


def new_registry() -> CollectorRegistry:
    """Return a registry that shows the figures of the process, and none of a room yet."""
    # When a figure began would be one more series for each; nobody asks for them.
    leave_out_beginnings: Callable[[], None] = prometheus_client.disable_created_metrics
    leave_out_beginnings()
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


def serve_metrics(host: str, port: int, registry: CollectorRegistry) -> Callable[[], None]:
    """Answer Prometheus scrapes on a port of their own, in a thread of their own.

    Returns:
        A function that closes the listener.

    Raises:
        ListenerError: the address cannot be listened on.

    """
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        message = f"cannot listen for metrics on {host}:{port}: {error.strerror}"
        raise ListenerError(message) from error

    def close() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return close
