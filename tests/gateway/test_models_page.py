"""The page of the models, with an inference service that a test writes the lines for."""

import re

import grpc
import pytest

from services.gateway import errors, kinds
from services.pb import inference_pb2 as pb
from tests.gateway.conftest import Gateway
from tests.gateway.counterparts import LISTED


async def page(gateway: Gateway) -> str:
    answer = await (await gateway.admin())("GET", "/admin/models")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>|&nbsp;", " ", answer.text))


async def test_a_shadow_is_listed_beside_what_answers(gateway: Gateway) -> None:
    shown = await page(gateway)
    assert "Classifier 5 stable serving Answers 100 % of pictures" in shown
    assert "Classifier 6 shadow serving Answers 0 % of pictures" in shown


async def test_a_version_that_was_refused_is_named_with_the_reason(gateway: Gateway) -> None:
    gateway.inference.pending = [
        pb.ModelPending(
            name="classifier",
            version="7",
            version_label=pb.VERSION_LABEL_CANARY,
            version_state=pb.VERSION_STATE_REFUSED,
            reason="it answers <nothing>.",
        ),
        pb.ModelPending(
            name="segmenter",
            version="4",
            version_label=pb.VERSION_LABEL_STABLE,
            version_state=pb.VERSION_STATE_LOADING,
        ),
    ]
    shown = await page(gateway)
    assert "Classifier 7 , canary, is refused: it answers &lt;nothing&gt;." in shown
    assert "Segmenter 4 , stable, is being loaded." in shown


async def test_an_inference_service_of_before_has_its_figures_shown_as_points(
    gateway: Gateway,
) -> None:
    before = pb.ModelInfo()
    before.CopyFrom(LISTED[0])
    before.ClearField("intervals")
    gateway.inference.listed = [before]
    shown = await page(gateway)
    assert "Balanced accuracy 0.750" in shown
    assert "95 % interval" not in shown
    assert "Calibration" not in shown


async def test_words_of_a_later_inference_service_keep_nobody_from_the_rest(
    gateway: Gateway,
) -> None:
    later = pb.ModelInfo()
    later.CopyFrom(LISTED[1])
    later.version_label, later.version_state = 99, 99  # type: ignore[assignment] # not yet
    gateway.inference.listed = [LISTED[0], later]
    assert "Classifier 6 other other" in await page(gateway)


async def test_that_inference_is_down_is_said_in_place_of_the_models(gateway: Gateway) -> None:
    gateway.inference.failure = (grpc.StatusCode.UNAVAILABLE, "gone")
    answer = await (await gateway.admin())("GET", "/admin/models")
    assert answer.status_code == 200
    (told,) = re.findall(r'role="alert">([^<]*)<', answer.text)
    assert told == "A service that this needs is down. Try again later."
    assert "Runs on" not in answer.text


@pytest.mark.parametrize("where", ["/admin", "/admin/models"])
async def test_what_inference_says_of_its_own_failure_is_not_for_pages(
    gateway: Gateway, where: str
) -> None:
    gateway.inference.failure = (grpc.StatusCode.INTERNAL, "words of another room")
    answer = await (await gateway.admin())("GET", where)
    assert answer.status_code == 200
    (told,) = re.findall(r'role="alert">([^<]*)<', answer.text)
    assert told == kinds.KINDS[errors.UpstreamError].detail
