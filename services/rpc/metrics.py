"""What is counted of the calls."""

import functools

import grpc
from prometheus_client import CollectorRegistry, Counter, Histogram

from services import telemetry


class CallMetrics:
    """Counts and times calls by method and status."""

    def __init__(self, registry: CollectorRegistry, room: str) -> None:
        """Begin with nothing counted.

        Args:
            registry: where the figures are shown.
            room: prefix of their names.

        """
        calls = Counter(
            f"{room}_rpcs_total",
            "Calls answered, by method and gRPC status.",
            ["method", "code"],
            registry=registry,
        )
        seconds = Histogram(
            f"{room}_rpc_seconds",
            "Time to answer a call.",
            ["method"],
            registry=registry,
            buckets=telemetry.SECONDS,
        )
        # Looking labels up costs more than counting: each is looked up once.
        self._calls = functools.cache(calls.labels)
        self._seconds = functools.cache(seconds.labels)

    def observe(self, method: str, code: grpc.StatusCode, seconds: float) -> None:
        """Note a call that has ended."""
        self._calls(method, code.name).inc()
        self._seconds(method).observe(seconds)
