"""The table of metrics is the one that the instruments make."""

import itertools
import re

import pytest
from prometheus_client import Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from deploy import metrics_table
from services import telemetry

INSTRUMENTS = list(metrics_table.instruments())
NAMES = {metrics_table.name_of(instrument) for instrument in INSTRUMENTS}


def test_the_committed_table_is_current() -> None:
    committed = metrics_table.PAGE.read_text(encoding="utf-8")
    assert committed == metrics_table.page(), "run: python -m deploy.metrics_table"


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=metrics_table.name_of)
def test_a_metric_is_named_by_room_and_base_unit_and_says_what_it_is(
    instrument: MetricWrapperBase,
) -> None:
    name = metrics_table.name_of(instrument)
    (family,) = instrument.describe()
    assert re.match(r"(gateway|inference|reports)_", name)
    assert not re.search(r"_(ms|milliseconds|minutes|kb|mb|percent)(_|$)", name)
    assert name.endswith("_total") == (family.type == "counter")
    assert family.documentation.endswith(".")


def test_every_histogram_of_time_has_the_same_buckets() -> None:
    # How long something lasts by now is one number, and has no buckets.
    spread = (each for each in INSTRUMENTS if not isinstance(each, Gauge))
    timed = [each for each in spread if metrics_table.name_of(each).endswith("_seconds")]
    assert timed
    for instrument in timed:
        assert isinstance(instrument, Histogram)
        assert instrument._kwargs["buckets"] == telemetry.SECONDS


def test_buckets_of_time_are_close_enough_together_for_what_the_page_says() -> None:
    assert (telemetry.SECONDS[0], telemetry.SECONDS[-1]) == (0.001, 10)
    assert all(high / low <= 2.5 for low, high in itertools.pairwise(telemetry.SECONDS))


def test_the_page_asks_only_for_metrics_that_exist() -> None:
    asked = set(re.findall(r"\b(?:gateway|inference|reports)_[a-z_]+", metrics_table.page()))
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in asked} == NAMES
