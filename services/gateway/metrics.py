"""What is counted and timed, in a registry of the process's own."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

_KIB = 1024


class Metrics:
    """The gateway's figures. No label ever names a user, a patient, a path or a picture."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.requests = Counter(
            "gateway_requests_total",
            "Requests answered, by method, route template and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "gateway_request_seconds",
            "Time from a request's head to the end of its answer.",
            ["method", "route"],
            registry=self.registry,
            buckets=(0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5, 10),
        )
        self.analyses = Counter(
            "gateway_analyses_total",
            "Analyses recorded, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        self.upload_bytes = Histogram(
            "gateway_upload_bytes",
            "Size of the picture files that arrived.",
            registry=self.registry,
            buckets=tuple(_KIB * 4**exponent for exponent in range(2, 8)),
        )
