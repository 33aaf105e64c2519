"""What the room counts and times. Labels are models, reasons and outcomes, never a caller."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services.inference.onnx_model import Provenance

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.2, 2.5, 5)
_ROWS = (1, 2, 4, 8, 16, 32, 64)
_DIFFERENCES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1)
_DICE = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 1)


class Metrics:
    """The room's instruments, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def histogram(name: str, what: str, *labels: str) -> Histogram:
            return Histogram(name, what, labels, registry=registry, buckets=_SECONDS)

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(name, what, labels, registry=registry)

        def gauge(name: str, what: str, *labels: str) -> Gauge:
            return Gauge(name, what, labels, registry=registry)

        self.imaging_queue_seconds = histogram(
            "inference_imaging_queue_seconds",
            "Waiting for a thread that decodes, measures or draws.",
        )
        self.decode_seconds = histogram(
            "inference_decode_seconds", "Decoding a picture and scaling it for the models."
        )
        self.queue_seconds = histogram(
            "inference_queue_seconds", "Waiting for a free runner.", "model"
        )
        self.run_seconds = histogram(
            "inference_run_seconds", "One batch inside the runtime.", "model", "version"
        )
        self.postprocess_seconds = histogram(
            "inference_postprocess_seconds",
            "Measuring or drawing what a model found; twice a picture.",
        )
        self.analysis_seconds = histogram(
            "inference_analysis_seconds", "From the whole picture to the finished answer."
        )
        self.batch_size = Histogram(
            "inference_batch_size",
            "Pictures in one batch, without padding.",
            ["model"],
            registry=registry,
            buckets=_ROWS,
        )
        self.queue_size = gauge(
            "inference_queue_size", "Pictures that wait for a free runner now.", "model"
        )
        self.in_work = gauge(
            "inference_pictures_in_work", "Pictures that are being analyzed or wait for it now."
        )
        self.analyses = counter(
            "inference_analyses_total", "Pictures answered, by outcome.", "outcome"
        )
        self.cannot_assess = counter(
            "inference_cannot_assess_total",
            "Reasons for which pictures were not assessed.",
            "reason",
        )
        self.refused = counter(
            "inference_refused_total",
            "Requests turned away: queue_full, or deadline where they could not end in time.",
            "reason",
        )
        self.dropped = counter(
            "inference_dropped_total",
            "Rows that left a line before they ran: expired or cancelled.",
            "reason",
        )
        self.padded_rows = counter(
            "inference_padded_rows_total", "Copies that filled batches up to a shape.", "model"
        )
        self.model_pictures = counter(
            "inference_model_pictures_total",
            "Pictures that a version of a model was to answer: answered, or failed by its fault.",
            "model",
            "version",
            "result",
        )
        self._models = gauge(
            "inference_model_info",
            "1 for each version of a model that is loaded.",
            "model",
            "version",
            "sha256",
            "execution_provider",
        )
        self._traffic = gauge(
            "inference_model_traffic_share",
            "Share of the pictures that a version answers, 0 to 1; a shadow answers none.",
            "model",
            "version",
        )
        self.model_problems = gauge(
            "inference_model_problems",
            "Labelled versions that cannot serve, and labels that cannot be used.",
            "model",
        )
        self.shadow_runs = counter(
            "inference_shadow_runs_total",
            "Pictures offered to a shadow: compared, failed, or dropped as there was no room.",
            "model",
            "version",
            "result",
        )
        self.shadow_agreements = counter(
            "inference_shadow_agreements_total",
            "Pictures for which a shadow's most probable label was the stable one's: yes or no.",
            "version",
            "agreed",
        )
        self.shadow_difference = Histogram(
            "inference_shadow_probability_difference",
            "Largest difference between a shadow's seven probabilities and the stable ones.",
            ["version"],
            registry=registry,
            buckets=_DIFFERENCES,
        )
        self.shadow_dice = Histogram(
            "inference_shadow_dice",
            "Dice coefficient of a shadow's mask and the stable one.",
            ["version"],
            registry=registry,
            buckets=_DICE,
        )
        self._shown: dict[str, frozenset[Provenance]] = {}
        for reason in ("queue_full", "deadline"):
            self.refused.labels(reason)
        for reason in ("expired", "cancelled"):
            self.dropped.labels(reason)

    def models_serve(self, name: str, shares: Mapping[Provenance, float]) -> None:
        """Show which versions of a model are loaded, and what share each answers."""
        gone = self._shown.get(name, frozenset()) - shares.keys()
        for provenance in gone:
            self._models.remove(*_names(provenance))
            if provenance.version not in {each.version for each in shares}:
                self._traffic.remove(name, provenance.version)
        for provenance, share in shares.items():
            self._models.labels(*_names(provenance)).set(1)
            self._traffic.labels(name, provenance.version).set(share)
        self._shown[name] = frozenset(shares)

    def of_slot(
        self, name: str, queue_size: Callable[[], float], problems: Callable[[], float]
    ) -> None:
        """Show how a model does, whatever version answers for it."""
        self.queue_size.labels(name).set_function(queue_size)
        self.model_problems.labels(name).set_function(problems)

    def of_model(self, provenance: Provenance) -> "ModelObserver":
        """Return what observes the batches of one version of a model."""
        return ModelObserver(self, provenance.name, provenance.version)

    def of_imaging(self, seconds: Histogram) -> "ImagingObserver":
        """Return what observes one step of imaging."""
        return ImagingObserver(self, seconds)


class _LineObserver:
    """Counts who left a line before it ran."""

    def __init__(self, metrics: Metrics, queue_seconds: Histogram) -> None:
        self._queue_seconds = queue_seconds
        self._expired = metrics.dropped.labels("expired")
        self._cancelled = metrics.dropped.labels("cancelled")

    def waited(self, seconds: float) -> None:
        """Observe a wait."""
        self._queue_seconds.observe(seconds)

    def expired(self) -> None:
        """Count a row whose time was up."""
        self._expired.inc()

    def cancelled(self) -> None:
        """Count a row whose caller left."""
        self._cancelled.inc()


class ModelObserver(_LineObserver):
    """Observes the batches of one model."""

    def __init__(self, metrics: Metrics, model: str, version: str) -> None:
        super().__init__(metrics, metrics.queue_seconds.labels(model))
        self._run_seconds = metrics.run_seconds.labels(model, version)
        self._batch_size = metrics.batch_size.labels(model)
        self._padded_rows = metrics.padded_rows.labels(model)

    def ran(self, rows: int, padding: int, seconds: float) -> None:
        """Observe a batch."""
        self._run_seconds.observe(seconds)
        self._batch_size.observe(rows)
        self._padded_rows.inc(padding)


class ImagingObserver(_LineObserver):
    """Observes one step of imaging, a picture at a time."""

    def __init__(self, metrics: Metrics, seconds: Histogram) -> None:
        super().__init__(metrics, metrics.imaging_queue_seconds)
        self._seconds = seconds

    def ran(self, rows: int, padding: int, seconds: float) -> None:
        """Observe a step."""
        del rows, padding
        self._seconds.observe(seconds)


def _names(provenance: Provenance) -> tuple[str, str, str, str]:
    return (
        provenance.name,
        provenance.version,
        provenance.sha256,
        provenance.execution_provider,
    )
