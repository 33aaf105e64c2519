"""What is counted and timed, in a registry of the process's own."""

import functools

from prometheus_client import Counter, Histogram

from services import telemetry

_KIB = 1024


class Metrics:
    """The gateway's figures. No label ever names a user, a patient, a path or a picture."""

    def __init__(self) -> None:
        self.registry = telemetry.new_registry()
        requests = Counter(
            "gateway_requests_total",
            "Requests answered, by method, route template and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        request_seconds = Histogram(
            "gateway_request_seconds",
            "Time from a request's head to the end of its answer.",
            ["method", "route"],
            registry=self.registry,
            buckets=telemetry.SECONDS,
        )
        analyses = Counter(
            "gateway_analyses_total",
            "Analyses recorded, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
        # Looking labels up costs more than counting: each is looked up once.
        self.requests = functools.cache(requests.labels)
        self.request_seconds = functools.cache(request_seconds.labels)
        self.analyses = functools.cache(analyses.labels)
        self.upload_bytes = Histogram(
            "gateway_upload_bytes",
            "Size of the picture files that arrived.",
            registry=self.registry,
            buckets=tuple(_KIB * 4**exponent for exponent in range(2, 8)),
        )
