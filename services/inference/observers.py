"""Who tells metrics and traces what batchers do; labels are looked up once, as stages are built."""

from typing import Any

from prometheus_client import Histogram

from services.inference.batch import Batch
from services.inference.line import Waiting
from services.inference.metrics import Metrics
from services.inference.onnx_model import Provenance
from services.inference.spans import ModelSpans, RowSpans


class LineObserver:
    """Observes one line of rows and what runs them."""

    def __init__(
        self,
        metrics: Metrics,
        queue_seconds: Histogram,
        run_seconds: Histogram,
        spans: RowSpans,
    ) -> None:
        """Build from where the two times are shown, and where traced rows are written."""
        self._queue_seconds = queue_seconds
        self._run_seconds = run_seconds
        self._expired = metrics.dropped("expired")
        self._cancelled = metrics.dropped("cancelled")
        self._spans = spans
        self.caller = spans.caller

    def ran(self, batch: Batch[Any, Any], shape: int, seconds: float, *, well: bool) -> None:
        """Observe a batch."""
        self._run_seconds.observe(seconds)
        for waiting in batch.rows:
            if waiting.queued:
                self._queue_seconds.observe(batch.began - waiting.arrived)
        self._spans.ran(batch, shape, seconds, well=well)

    def expired(self, waiting: Waiting[Any]) -> None:
        """Count a row whose time was up."""
        self._expired.inc()
        self._spans.left(waiting)

    def cancelled(self, waiting: Waiting[Any]) -> None:
        """Count a row whose caller left."""
        self._cancelled.inc()
        self._spans.left(waiting)


class ModelObserver(LineObserver):
    """Observes the batches of one version of a model."""

    def __init__(self, metrics: Metrics, provenance: Provenance) -> None:
        """Build from where the figures are shown, and of which version."""
        labels = (provenance.name, provenance.version)
        super().__init__(
            metrics,
            metrics.queue_seconds.labels(*labels),
            metrics.run_seconds.labels(*labels),
            ModelSpans(*labels),
        )
        self._batch_size = metrics.batch_size.labels(*labels)
        self._padded_rows = metrics.padded_rows.labels(*labels)
        self._failed_runs = metrics.failed_runs.labels(*labels)

    def ran(self, batch: Batch[Any, Any], shape: int, seconds: float, *, well: bool) -> None:
        """Observe a batch."""
        super().ran(batch, shape, seconds, well=well)
        rows = len(batch.rows)
        self._batch_size.observe(rows)
        if shape > rows:
            self._padded_rows.inc(shape - rows)
        if not well:
            self._failed_runs.inc()
