"""An analysis asked for again: whether the answer still holds."""

from typing import Any

import grpc
import httpx
import pytest
from PIL import Image

from services.gateway.analyses.replay import _unlike
from services.pb import inference_pb2 as pb
from tests import specimens
from tests.gateway.conftest import Client, Gateway
from tests.gateway.counterparts import PROBABILITIES, assessed, cannot_assess, gray_png

METHOD = pb.Method(preprocessing="one way", thresholds={"suspicious": 0.3, "mask": 0.5})


async def analyzed(client: Client) -> str:
    """Analyze a picture; return where its analysis is."""
    answer = await client.analyze()
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


async def replayed(client: Client, where: str) -> dict[str, Any]:
    answer: httpx.Response = await client("POST", f"{where}/replay")
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def moved(by: float) -> pb.AnalyzeResponse:
    """The answer with some probability moved from the likeliest label to another."""
    answer = assessed()
    moved = {pb.LABEL_NV: -by, pb.LABEL_BKL: by}
    for each in answer.classification.probabilities:
        each.probability = PROBABILITIES[each.label] + moved.get(each.label, 0.0)
    return answer


async def test_the_same_answer_agrees_and_the_kept_picture_is_what_was_asked_about(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    where = await analyzed(alice)
    shown = await replayed(alice, where)
    assert shown["agrees"]
    assert shown["picture_intact"]
    assert shown["same_method"]
    assert shown["same_outcome"]
    assert shown["probability_difference"] == shown["mask_difference"] == 0
    assert shown["tolerance"] == {"probability": 0.02, "mask": 0.02}
    first, second = either.inference.requests
    assert first.image == second.image


async def test_probabilities_may_differ_within_the_tolerance_and_no_further(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    where = await analyzed(alice)
    for by, agrees in ((0.015, True), (0.025, False)):
        either.inference.answer = moved(by)
        shown = await replayed(alice, where)
        assert shown["probability_difference"] == pytest.approx(by)
        assert shown["agrees"] is agrees
        assert shown["same_outcome"]
        assert shown["now"]["classification"]["probabilities"]["bkl"] == pytest.approx(0.03 + by)


async def test_what_is_marked_as_suspicious_then_and_not_now_does_not_agree(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    where = await analyzed(alice)
    lowered = assessed()
    lowered.classification.suspicious = True
    lowered.classification.suspicious_threshold = 0.05
    either.inference.answer = lowered
    shown = await replayed(alice, where)
    assert shown["probability_difference"] == 0
    assert not shown["same_outcome"]
    assert not shown["agrees"]


async def test_masks_may_differ_within_the_tolerance_and_no_further(either: Gateway) -> None:
    alice = await either.signed_in()
    where = await analyzed(alice)
    other = assessed()
    other.segmentation.mask_png = specimens.encoded(Image.new("L", specimens.SIZE, 255), "PNG")
    either.inference.answer = other
    shown = await replayed(alice, where)
    # A sixteenth of the picture against all of it: 1 - 2 (1/16) / (1 + 1/16).
    assert shown["mask_difference"] == pytest.approx(1 - 2 / 17, abs=0.01)
    assert not shown["agrees"]


async def test_a_lesion_that_is_not_found_again_is_as_far_off_as_can_be(either: Gateway) -> None:
    alice = await either.signed_in()
    where = await analyzed(alice)
    either.inference.answer = cannot_assess(pb.REASON_NO_LESION)
    shown = await replayed(alice, where)
    assert shown["mask_difference"] == 1
    assert shown["probability_difference"] is None
    assert not shown["same_outcome"]
    assert not shown["agrees"]


async def test_what_could_not_be_assessed_agrees_when_it_cannot_be_again_for_the_same_reason(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    either.inference.answer = cannot_assess(pb.REASON_BLURRED)
    where = await analyzed(alice)
    assert (await replayed(alice, where))["agrees"]
    either.inference.answer = cannot_assess(pb.REASON_TOO_DARK)
    assert not (await replayed(alice, where))["agrees"]


async def test_another_model_or_method_is_told_and_another_runtime_is_none(
    either: Gateway,
) -> None:
    either.inference.answer = with_method()
    alice = await either.signed_in()
    where = await analyzed(alice)
    shown = (await alice("GET", where)).json()["method"]
    assert shown == {"preprocessing": "one way", "thresholds": {"suspicious": 0.3, "mask": 0.5}}
    for change in ("model", "preprocessing", "threshold", "runtime"):
        either.inference.answer = changed(change)
        shown = await replayed(alice, where)
        assert shown["same_method"] is (change == "runtime"), change
        assert shown["agrees"], change


def with_method() -> pb.AnalyzeResponse:
    """The answer, with how it was come to."""
    answer = assessed()
    answer.method.CopyFrom(METHOD)
    return answer


def changed(what: str) -> pb.AnalyzeResponse:
    """The same answer, come to in another way."""
    now = with_method()
    if what == "model":
        now.models[0].sha256 = "d" * 64
    elif what == "preprocessing":
        now.method.preprocessing = "another way"
    elif what == "threshold":
        now.method.thresholds["suspicious"] = 0.4
    else:
        now.models[0].execution_provider = "CUDAExecutionProvider"
    return now


@pytest.mark.parametrize("what", ["image", "mask"])
@pytest.mark.parametrize("now", [specimens.lesion_jpeg(seed=99), b"no picture any more", None])
async def test_what_was_changed_or_lost_since_it_was_kept_is_told_and_not_judged(
    gateway: Gateway, what: str, now: bytes | None
) -> None:
    alice = await gateway.signed_in()
    where = await analyzed(alice)
    kept = await gateway.parts.history.get(
        (await gateway.parts.access.identify(alice.token)).scope, where.rpartition("/")[2]
    )
    name = kept.image_sha256 if what == "image" else kept.mask_sha256
    (path,) = (path for path in gateway.kept_files() if path.name.startswith(str(name)))
    path.chmod(0o600)
    path.unlink() if now is None else path.write_bytes(now)
    shown = await replayed(alice, where)
    assert not shown["picture_intact"]
    assert not shown["agrees"]
    assert shown["now"] is None
    assert len(gateway.inference.requests) == 1


async def test_a_replay_with_a_body_is_answered_and_with_far_too_much_of_one_refused(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    where = await analyzed(alice)
    assert (await alice("POST", f"{where}/replay", content=b"{}")).status_code == 200
    refused = await alice("POST", f"{where}/replay", content=b" " * 10_000_000)
    assert refused.status_code == 413
    assert refused.headers["Content-Type"] == "application/problem+json"


async def test_a_replay_changes_no_record_and_keeps_no_file(either: Gateway) -> None:
    alice = await either.signed_in()
    where = await analyzed(alice)
    before = (await alice("GET", "/v1/analyses")).json(), either.kept_files()
    either.inference.answer = moved(0.3)
    await replayed(alice, where)
    assert ((await alice("GET", "/v1/analyses")).json(), either.kept_files()) == before


async def test_a_replay_of_what_is_somebody_elses_asks_inference_nothing(either: Gateway) -> None:
    where = await analyzed(await either.signed_in("alice"))
    bob = await either.signed_in("bob", "a password of bob's")
    assert (await bob("POST", f"{where}/replay")).status_code == 404
    assert len(either.inference.requests) == 1


async def test_a_replay_while_inference_is_down_is_a_503(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    where = await analyzed(alice)
    gateway.inference.failure = (grpc.StatusCode.UNAVAILABLE, "draining")
    assert (await alice("POST", f"{where}/replay")).status_code == 503


def test_half_of_a_mask_is_a_third_away_from_the_whole() -> None:
    whole = gray_png((400, 400), 255)
    half = Image.new("L", (400, 400), 0)
    half.paste(255, (100, 100, 150, 200))
    assert _unlike(whole, specimens.encoded(half, "PNG")) == pytest.approx(1 / 3)
