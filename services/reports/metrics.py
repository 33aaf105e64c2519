"""What the room counts about its own work; calls are counted by ``services.rpc``."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services import telemetry


class Metrics:
    """Render time, pages made and callers waiting."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._seconds = Histogram(
            "reports_render_seconds",
            "Time to render one report, without waiting.",
            registry=registry,
            buckets=telemetry.SECONDS,
        )
        self._pages = Counter("reports_pages_total", "Pages rendered.", registry=registry)
        self._waiting = Gauge(
            "reports_waiting", "Reports that wait for a renderer.", registry=registry
        )

    def rendered(self, seconds: float, pages: int) -> None:
        """Count one finished report."""
        self._seconds.observe(seconds)
        self._pages.inc(pages)

    def watch_waiting(self, waiting: Callable[[], float]) -> None:
        """Read the number of waiting reports from its owner at every scrape."""
        self._waiting.set_function(waiting)
