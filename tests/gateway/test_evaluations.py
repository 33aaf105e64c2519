"""How well models did, as reports say it: seldom asked for, and never waited for in vain."""

import asyncio
from typing import Any

import grpc
import pytest

from services.gateway import evaluations
from services.pb import inference_pb2 as pb
from tests.gateway.conftest import Gateway
from tests.gateway.counterparts import LISTED
from tests.gateway.test_reports import of_analysis

EVALUATED = [
    pb.ModelInfo(
        name="classifier",
        version="5",
        # What runs by now need not be the file that made the answer, if it is the same model.
        sha256="c" * 64,
        metrics={"suspicious_sensitivity": 0.93, "suspicious_specificity": 0.68, "macro_auc": 0.9},
        evaluated_on="fold 4",
        traffic_share=1,
        intervals={
            "suspicious_sensitivity": pb.Interval(low=0.9, high=0.96),
            "macro_auc": pb.Interval(low=0.88, high=0.92),
        },
    )
]


pytestmark = pytest.mark.usefixtures("figures_are_waited_for")


async def test_a_report_says_how_well_its_models_did(gateway: Gateway) -> None:
    gateway.inference.listed = EVALUATED
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]

    report = await of_analysis(gateway, alice, where)

    point = report.classification.operating_point
    assert (point.sensitivity, point.specificity) == (0.93, 0.68)
    assert point.measured_on == "fold 4"
    segmenter, classifier = report.models
    assert (segmenter.evaluated_on, len(segmenter.metrics)) == ("", 0)
    assert classifier.evaluated_on == "fold 4"
    assert {each.name: each.value for each in classifier.metrics} == EVALUATED[0].metrics


async def test_a_report_says_how_sure_figures_are_where_that_is_known(gateway: Gateway) -> None:
    gateway.inference.listed = EVALUATED
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]

    report = await of_analysis(gateway, alice, where)

    point = report.classification.operating_point
    assert (point.sensitivity_interval.low, point.sensitivity_interval.high) == (0.9, 0.96)
    assert not point.HasField("specificity_interval")
    said = {each.name: each for each in report.models[1].metrics}
    assert (said["macro_auc"].interval.low, said["macro_auc"].interval.high) == (0.88, 0.92)
    assert not said["suspicious_specificity"].HasField("interval")


async def test_inference_is_asked_once_for_the_evaluation_of_many_reports(
    gateway: Gateway,
) -> None:
    gateway.inference.listed = EVALUATED
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]

    reports = [of_analysis(gateway, alice, where) for _ in range(4)]
    shown = await asyncio.gather(*reports)

    asked = [each for each in gateway.inference.requests if isinstance(each, pb.ListModelsRequest)]
    assert len(asked) == 1
    assert all(each.classification.HasField("operating_point") for each in shown)


async def test_without_inference_a_report_lacks_the_evaluation_and_nothing_else(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]
    gateway.inference.failure = (grpc.StatusCode.UNAVAILABLE, "gone")

    report = await of_analysis(gateway, alice, where)

    assert not report.classification.HasField("operating_point")
    assert [each.evaluated_on for each in report.models] == ["", ""]
    assert report.classification.label == "nv"


async def test_figures_of_another_model_are_not_taken_for_those_of_this_one(
    gateway: Gateway,
) -> None:
    other = pb.ModelInfo()
    other.CopyFrom(EVALUATED[0])
    other.sha256 = "d" * 64
    gateway.inference.listed = [other, *LISTED]
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]

    report = await of_analysis(gateway, alice, where)

    assert not report.classification.HasField("operating_point")


async def test_a_replica_of_before_does_not_take_the_intervals_away(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluations, "_FRESH_S", -1.0)
    gateway.inference.listed = EVALUATED
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]
    newer = await of_analysis(gateway, alice, where)
    before = pb.ModelInfo()
    before.CopyFrom(EVALUATED[0])
    before.ClearField("intervals")
    gateway.inference.listed = [before]

    older = await of_analysis(gateway, alice, where)

    asked = [each for each in gateway.inference.requests if isinstance(each, pb.ListModelsRequest)]
    assert len(asked) == 2
    assert older.models == newer.models
    assert older.classification.operating_point == newer.classification.operating_point


@pytest.mark.parametrize("changes", [{"evaluated_on": "fold 5"}, {"metrics": {"macro_auc": 0.8}}])
async def test_other_figures_are_told_though_how_sure_they_are_is_not_known(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    monkeypatch.setattr(evaluations, "_FRESH_S", -1.0)
    gateway.inference.listed = EVALUATED
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]
    await of_analysis(gateway, alice, where)
    corrected = pb.ModelInfo()
    corrected.CopyFrom(EVALUATED[0])
    corrected.ClearField("intervals")
    for name in changes:
        corrected.ClearField(name)
    corrected.MergeFrom(pb.ModelInfo(**changes))
    gateway.inference.listed = [corrected]

    # Told once, it may be by a replica of before.
    await of_analysis(gateway, alice, where)
    told = (await of_analysis(gateway, alice, where)).models[1]

    assert told.evaluated_on == corrected.evaluated_on
    assert {each.name: each.value for each in told.metrics} == corrected.metrics
    assert not any(each.HasField("interval") for each in told.metrics)


async def test_a_replica_of_before_does_not_take_corrected_figures_back(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluations, "_FRESH_S", -1.0)
    alice = await gateway.signed_in()
    where = (await alice.analyze()).headers["Location"]
    before = pb.ModelInfo()
    before.CopyFrom(EVALUATED[0])
    before.ClearField("intervals")
    before.metrics["macro_auc"] = 0.8
    said = []

    for listed in (EVALUATED, [before], EVALUATED, [before], EVALUATED):
        gateway.inference.listed = listed
        said.append((await of_analysis(gateway, alice, where)).models[1])

    assert [{each.name: each.value for each in told.metrics} for told in said] == [
        EVALUATED[0].metrics
    ] * 5
