"""What the room counts about its own work; calls are counted by ``services.rpc``."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services import telemetry


class Metrics:
    """Render time, pages made, callers waiting and the memory of their messages."""

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
        self._held = Gauge(
            "reports_held_bytes",
            "Bytes of the messages of reports that wait or are in work.",
            registry=registry,
        )

    def rendered(self, seconds: float, pages: int) -> None:
        """Count one finished report."""
        self._seconds.observe(seconds)
        self._pages.inc(pages)

    def watch(self, waiting: Callable[[], float], held_bytes: Callable[[], float]) -> None:
        """Read from their owner at every scrape how many reports wait, and what all hold."""
        self._waiting.set_function(waiting)
        self._held.set_function(held_bytes)
