"""Answers of inference that make no sense."""

from collections.abc import Callable
from functools import partial

import pytest

from services.pb import inference_pb2 as pb
from tests.gateway.conftest import Gateway
from tests.gateway.counterparts import assessed, cannot_assess


def no_outcome() -> pb.AnalyzeResponse:
    return pb.AnalyzeResponse()


def assessed_without_classification() -> pb.AnalyzeResponse:
    answer = assessed()
    answer.ClearField("classification")
    return answer


def six_labels() -> pb.AnalyzeResponse:
    answer = assessed()
    del answer.classification.probabilities[0]
    return answer


def with_probabilities(*values: float) -> pb.AnalyzeResponse:
    """An answer whose first probabilities, from akiec on, are these."""
    answer = assessed()
    for each, value in zip(answer.classification.probabilities, values, strict=False):
        each.probability = value
    return answer


def malignant_beside_its_parts() -> pb.AnalyzeResponse:
    answer = assessed()
    answer.classification.malignant_probability = 0.6
    return answer


def no_reason() -> pb.AnalyzeResponse:
    answer = cannot_assess()
    answer.quality.ClearField("reasons")
    return answer


def half_a_hash() -> pb.AnalyzeResponse:
    answer = assessed()
    answer.models[0].sha256 = "a" * 32
    return answer


@pytest.mark.parametrize(
    "nonsense",
    [
        no_outcome,
        assessed_without_classification,
        six_labels,
        partial(with_probabilities, float("nan")),
        partial(with_probabilities, float("inf")),
        partial(with_probabilities, -0.01, 0.02),
        partial(with_probabilities, 0.5),
        malignant_beside_its_parts,
        no_reason,
        half_a_hash,
    ],
)
async def test_an_answer_that_makes_no_sense_is_not_recorded(
    gateway: Gateway, nonsense: Callable[[], pb.AnalyzeResponse]
) -> None:
    alice = await gateway.signed_in()
    gateway.inference.answer = nonsense()

    answer = await alice.analyze()

    assert answer.status_code == 502
    assert (await alice("GET", "/v1/analyses")).json()["items"] == []
