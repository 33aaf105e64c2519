"""What is counted of the calls."""

import grpc
from prometheus_client import CollectorRegistry, Counter, Histogram


class CallMetrics:
    """Counts and times calls by method and status."""

    def __init__(self, registry: CollectorRegistry, room: str) -> None:
        """Begin with nothing counted.

        Args:
            registry: where the figures are shown.
            room: prefix of their names.

        """
        self._calls = Counter(
            f"{room}_rpcs_total",
            "Calls answered, by method and gRPC status.",
            ["method", "code"],
            registry=registry,
        )
        self._seconds = Histogram(
            f"{room}_rpc_seconds",
            "Time to answer a call.",
            ["method"],
            registry=registry,
            buckets=(0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10),
        )

    def observe(self, method: str, code: grpc.StatusCode, seconds: float) -> None:
        """Note a call that has ended."""
        self._calls.labels(method, code.name).inc()
        self._seconds.labels(method).observe(seconds)
