"""The page of metrics names what the services show, all of it and nothing else."""

import re
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from services.gateway.metrics import Metrics as GatewayMetrics
from services.inference.metrics import Metrics as InferenceMetrics
from services.reports.metrics import Metrics as ReportsMetrics
from services.rpc.metrics import CallMetrics
from tests.deploy import images

PAGE = images.CHECKOUT / "docs" / "metrics.md"


def shown() -> Iterator[str]:
    """Return the row of every instrument, as the page should have it."""
    registry = CollectorRegistry()
    for room in ("inference", "reports"):
        CallMetrics(registry, room)
    InferenceMetrics(registry)
    ReportsMetrics(registry)
    for owner in (registry, GatewayMetrics().registry):
        for instrument in owner._collector_to_names:
            if isinstance(instrument, MetricWrapperBase):
                (family,) = instrument.describe()
                name = f"{family.name}_total" if family.type == "counter" else family.name
                labels = ", ".join(f"`{label}`" for label in instrument._labelnames)
                yield f"| `{name}` | {family.type} | {labels} | {family.documentation} |"


def test_the_page_has_every_metric_as_it_is() -> None:
    rows = re.findall(r"^\| `.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(shown())
