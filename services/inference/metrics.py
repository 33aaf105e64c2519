"""What the room counts and times. Labels are models, reasons and outcomes, never a caller."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.inference.onnx_model import Provenance

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5)


class Metrics:
    """The room's instruments, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.decode_seconds = Histogram(
            "inference_decode_seconds",
            "Decoding a picture and scaling it for the models.",
            registry=registry,
            buckets=_SECONDS,
        )
        self.queue_seconds = Histogram(
            "inference_queue_seconds",
            "Waiting for a free runner.",
            ["model"],
            registry=registry,
            buckets=_SECONDS,
        )
        self.run_seconds = Histogram(
            "inference_run_seconds",
            "One batch inside the runtime.",
            ["model"],
            registry=registry,
            buckets=_SECONDS,
        )
        self.batch_size = Histogram(
            "inference_batch_size",
            "Pictures in one batch.",
            ["model"],
            registry=registry,
            buckets=(1, 2, 4, 8, 16, 32, 64),
        )
        self.queue_size = Gauge(
            "inference_queue_size",
            "Pictures that wait for a free runner now.",
            ["model"],
            registry=registry,
        )
        self.in_work = Gauge(
            "inference_pictures_in_work",
            "Pictures that are being analyzed or wait for it now.",
            registry=registry,
        )
        self.analyses = Counter(
            "inference_analyses_total",
            "Pictures answered, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self.cannot_assess = Counter(
            "inference_cannot_assess_total",
            "Reasons for which pictures were not assessed.",
            ["reason"],
            registry=registry,
        )
        self._models = Gauge(
            "inference_model_info",
            "1 for each model that answers.",
            ["model", "version", "sha256", "execution_provider"],
            registry=registry,
        )

    def model_serves(self, provenance: Provenance) -> None:
        """Show that a model answers."""
        self._models.labels(
            provenance.name,
            provenance.version,
            provenance.sha256,
            provenance.execution_provider,
        ).set(1)
