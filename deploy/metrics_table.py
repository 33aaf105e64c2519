"""Write docs/metrics.md from the services' instruments: ``python -m deploy.metrics_table``."""

from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from services import telemetry
from services.gateway.metrics import Metrics as GatewayMetrics
from services.inference.metrics import Metrics as InferenceMetrics
from services.reports.metrics import Metrics as ReportsMetrics
from services.rpc.metrics import CallMetrics

PAGE = Path(__file__).resolve().parents[1] / "docs" / "metrics.md"

_HEAD = """\
# Metrics

Generated from the services' instruments by `python -m deploy.metrics_table`.

What each service shows to Prometheus, in base units. A label never names a user, a patient, a
picture or a path. A histogram `x` comes as `x_bucket`, `x_sum` and `x_count`. The usual figures
of the process (`process_*`, `python_*`) come on top.

"""

_ABOUT_BUCKETS = """
## Buckets

The upper bounds of every histogram of seconds:
{bounds}.

They reach from a step of a lone picture to the patience of a caller, each at most 2.5 times the
one before, so a quantile read from them is never further off than that, and stages can be laid
over each other. Where an alert compares a quantile with 1 s or 2.5 s the answer is exact,
because these are bounds themselves.

## Reading them

A figure of a model carries its `model` and `version`. What it runs on and which file it is are
said once, by `inference_model_info`, and joined where they are needed:

```promql
sum by (model, version, execution_provider) (
    rate(inference_run_seconds_sum[5m])
    * on (instance, model, version) group_left (execution_provider) inference_model_info
)
```

More questions that are often asked:

```promql
# How long do pictures wait for a model, one in twenty? (Where one thread takes them from end to end
# they wait only once, to be begun: that is in inference_imaging_queue_seconds.)
histogram_quantile(0.95, sum by (le, model) (rate(inference_queue_seconds_bucket[5m])))

# How busy are the runners, from 0 to 1?
sum by (instance) (rate(inference_run_seconds_sum[5m])) / on (instance) inference_runners

# How large are batches, and how many rows of each are padding?
rate(inference_batch_size_sum[5m]) / rate(inference_batch_size_count[5m])
rate(inference_padded_rows_total[5m]) / rate(inference_batch_size_count[5m])

# How much work was saved because nobody waited for it any more?
sum by (reason) (rate(inference_dropped_total[5m]))
```
"""

_COLUMNS = "| Metric | Kind | Labels | What it says |\n|---|---|---|---|\n"


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page: a line for each instrument of each room."""
    bounds = ", ".join(f"{bound:g}" for bound in telemetry.SECONDS)
    rows = "\n".join(_row(instrument) for instrument in instruments())
    return f"{_HEAD}{_COLUMNS}{rows}\n{_ABOUT_BUCKETS.format(bounds=bounds)}"


def instruments() -> Iterable[MetricWrapperBase]:
    """Return every instrument of every room, in the order in which they are made."""
    registry = CollectorRegistry()
    CallMetrics(registry, "inference")
    InferenceMetrics(registry)
    CallMetrics(registry, "reports")
    ReportsMetrics(registry)
    for owner in (GatewayMetrics().registry, registry):
        for collector in owner._collector_to_names:  # noqa: SLF001 - nothing public lists them
            if isinstance(collector, MetricWrapperBase):
                yield collector


def name_of(instrument: MetricWrapperBase) -> str:
    """Return an instrument's name as scrapes have it."""
    (family,) = instrument.describe()
    return f"{family.name}_total" if family.type == "counter" else str(family.name)


def _row(instrument: MetricWrapperBase) -> str:
    (family,) = instrument.describe()
    labels = ", ".join(f"`{label}`" for label in instrument._labelnames)  # noqa: SLF001 - the same
    return f"| `{name_of(instrument)}` | {family.type} | {labels} | {family.documentation} |"


if __name__ == "__main__":
    main()
