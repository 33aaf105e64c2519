"""What the room counts and times. Labels are models, reasons and outcomes, never a caller."""

from collections.abc import Callable, Mapping
from functools import cache, partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from services import telemetry
from services.inference.onnx_model import Provenance

_ROWS = (1, 2, 4, 8, 16, 32, 64)
_DIFFERENCES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 0.7, 1)
_DICE = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 1)

# Two versions of a model may answer side by side. Where they run, and what file they are, is
# said once, by `inference_model_info`, and joined by these two labels.
_OF_A_VERSION = ("model", "version")


class Metrics:
    """The room's instruments, in one registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Begin with nothing counted."""
        seconds = partial(Histogram, registry=registry, buckets=telemetry.SECONDS)
        rows = partial(Histogram, registry=registry, buckets=_ROWS)
        counter = partial(Counter, registry=registry)
        gauge = partial(Gauge, registry=registry)

        def counted_by(label: str, name: str, what: str) -> Callable[[str], Counter]:
            # Looking a label up costs more than counting: each is looked up once.
            return cache(counter(name, what, (label,)).labels)

        # The way of a picture.
        self.analysis_seconds = seconds(
            "inference_analysis_seconds", "From the whole picture to the finished answer."
        )
        self.imaging_queue_seconds = seconds(
            "inference_imaging_queue_seconds",
            "Waiting for a thread that decodes, measures or draws.",
        )
        self.decode_seconds = seconds(
            "inference_decode_seconds", "Decoding a picture and scaling it for the models."
        )
        self.queue_seconds = seconds(
            "inference_queue_seconds", "Waiting for a free runner.", _OF_A_VERSION
        )
        self.run_seconds = seconds(
            "inference_run_seconds", "One batch inside the runtime.", _OF_A_VERSION
        )
        self.postprocess_seconds = seconds(
            "inference_postprocess_seconds",
            "Measuring and drawing what the models found.",
        )
        self.in_one_go = counter(
            "inference_in_one_go_total",
            "Pictures answered by one thread from end to end, as every core was busy.",
        )
        self.analyses = counted_by(
            "outcome", "inference_analyses_total", "Pictures answered, by outcome."
        )
        self.cannot_assess = counted_by(
            "reason",
            "inference_cannot_assess_total",
            "Reasons for which pictures were not assessed.",
        )

        # What models do.
        self.batch_size = rows(
            "inference_batch_size", "Pictures in one batch, without padding.", _OF_A_VERSION
        )
        self.padded_rows = counter(
            "inference_padded_rows_total",
            "Copies that filled batches up to a shape.",
            _OF_A_VERSION,
        )
        self.failed_runs = counter(
            "inference_failed_runs_total", "Batches that the runtime failed on.", _OF_A_VERSION
        )
        self.model_pictures = counter(
            "inference_model_pictures_total",
            "Pictures that a version of a model was to answer: answered, or failed by its fault.",
            (*_OF_A_VERSION, "result"),
        )
        self._models = gauge(
            "inference_model_info",
            "1 for each version of a model that is loaded.",
            (*_OF_A_VERSION, "sha256", "execution_provider", "precision"),
        )
        self._failovers = counter(
            "inference_failovers_total",
            "Batches that failed on the backend that was chosen and were run again on the CPU.",
            ("model",),
        )
        self._traffic = gauge(
            "inference_model_traffic_share",
            "Share of the pictures that a version answers, 0 to 1; a shadow answers none.",
            _OF_A_VERSION,
        )
        self.model_problems = gauge(
            "inference_model_problems",
            "Labelled versions that cannot serve, or lie there no more as they were loaded, and "
            "labels that cannot be used.",
            ("model",),
        )

        # What shadows would have answered.
        self.shadow_runs = counter(
            "inference_shadow_runs_total",
            "Pictures offered to a shadow: compared, failed, or dropped as there was no room.",
            (*_OF_A_VERSION, "result"),
        )
        self.shadow_agreements = counter(
            "inference_shadow_agreements_total",
            "Pictures for which a shadow's most probable label was the stable one's: yes or no.",
            ("version", "agreed"),
        )
        self.shadow_difference = Histogram(
            "inference_shadow_probability_difference",
            "Largest difference between a shadow's seven probabilities and the stable ones.",
            ("version",),
            registry=registry,
            buckets=_DIFFERENCES,
        )
        self.shadow_dice = Histogram(
            "inference_shadow_dice",
            "Dice coefficient of a shadow's mask and the stable one.",
            ("version",),
            registry=registry,
            buckets=_DICE,
        )

        # How full it is.
        self.queue_size = gauge(
            "inference_queue_size", "Pictures that wait for a free runner now.", ("model",)
        )
        self.runners = gauge("inference_runners", "Batches that may run at the same time.")
        self.hung_runs = gauge(
            "inference_hung_runs", "Runs in threads that have not ended within the limit."
        )
        self.in_work = gauge(
            "inference_pictures_in_work", "Pictures that are being analyzed or wait for it now."
        )
        self.waiting = gauge(
            "inference_pictures_waiting", "Pictures that wait for a thread to begin with them now."
        )
        self.places = gauge(
            "inference_places", "Pictures that may be in work at the same time; more are refused."
        )
        self.refused = counted_by(
            "reason",
            "inference_refused_total",
            "Requests turned away: queue_full, deadline where they could not end in time, memory "
            "where it was short, or draining.",
        )
        self.dropped = counted_by(
            "reason",
            "inference_dropped_total",
            "Rows that left a line before they ran: expired or cancelled.",
        )

        self._shown: dict[str, frozenset[Provenance]] = {}
        self._show_noughts()

    def _show_noughts(self) -> None:
        """Show what has not happened yet as nought, so that its first time is seen to grow."""
        for reason in ("queue_full", "deadline", "memory", "draining"):
            self.refused(reason)
        for reason in ("expired", "cancelled"):
            self.dropped(reason)
        for outcome in ("assessed", "cannot_assess"):
            self.analyses(outcome)

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
        self._failovers.labels(name)

    def ran_elsewhere(self, chosen: Provenance, serves: Provenance) -> None:
        """Count a batch that failed, and show what answers from now on."""
        self._failovers.labels(chosen.name).inc()
        shown = self._shown.get(chosen.name, frozenset())
        if serves != chosen and chosen in shown:
            self._shown[chosen.name] = shown - {chosen} | {serves}
            self._models.remove(*_names(chosen))
            self._models.labels(*_names(serves)).set(1)

    def of_slot(
        self, name: str, queue_size: Callable[[], float], problems: Callable[[], float]
    ) -> None:
        """Show how a model does, whatever version answers for it."""
        self.queue_size.labels(name).set_function(queue_size)
        self.model_problems.labels(name).set_function(problems)


def _names(provenance: Provenance) -> tuple[str, ...]:
    return (
        provenance.name,
        provenance.version,
        provenance.sha256,
        provenance.execution_provider,
        provenance.precision,
    )
