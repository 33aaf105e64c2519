from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from PIL import Image
from prometheus_client import CollectorRegistry

from services.inference.server import SERVICES
from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens, tiny_models
from tests.inference.asking import ask
from tests.inference.conftest import serving

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.inference_pb2_grpc import InferenceServiceAsyncStub as Stub


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


async def test_one_picture_comes_back_with_everything_that_is_known_of_it(stub: Stub) -> None:
    answer = await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=60)
    assert answer.outcome == pb.OUTCOME_ASSESSED
    assert (answer.image.width_px, answer.image.height_px, answer.image.format) == (
        600,
        450,
        "jpeg",
    )
    assert [entry.label for entry in answer.classification.probabilities] == list(range(1, 8))
    assert sum(e.probability for e in answer.classification.probabilities) == pytest.approx(
        1, abs=1e-9
    )
    assert [model.name for model in answer.models] == ["segmenter", "classifier"]
    assert all(len(model.sha256) == 64 for model in answer.models)
    assert answer.notice == "Research and decision support only. Not a diagnosis."
    assert answer.timings.run_ms > 0


async def test_runs_that_come_one_after_the_other_are_a_part_of_the_whole_time(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    async with serving(Settings(model_dir=model_dir, runners=1), registry) as channel:
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        timings = (await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=60)).timings
    assert 0 < timings.run_ms < timings.total_ms


async def test_the_malignant_probability_is_the_sum_of_its_three_labels(stub: Stub) -> None:
    answer = (await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=60)).classification
    by_label = {entry.label: entry.probability for entry in answer.probabilities}
    expected = by_label[pb.LABEL_AKIEC] + by_label[pb.LABEL_BCC] + by_label[pb.LABEL_MEL]
    assert answer.malignant_probability == pytest.approx(expected)
    assert answer.suspicious == (expected >= answer.suspicious_threshold)


async def test_the_mask_has_the_pictures_size_and_the_explanation_its_shape(stub: Stub) -> None:
    answer = await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=60)
    mask = pixels(answer.segmentation.mask_png)
    assert mask.shape == (450, 600)
    assert pixels(answer.classification.explanation_png).shape == (192, 256)
    assert set(np.unique(mask)) == {0, 255}
    assert mask[225, 300] == 255
    assert (mask > 0).mean() == pytest.approx(answer.segmentation.area_fraction, abs=0.02)


async def test_pictures_that_are_not_wanted_are_not_sent(stub: Stub) -> None:
    request = ask(specimens.lesion_jpeg(), omit_mask=True, omit_explanation=True)
    answer = await stub.Analyze(request, timeout=60)
    assert answer.segmentation.mask_png == answer.classification.explanation_png == b""
    assert answer.segmentation.area_fraction > 0


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (Image.new("RGB", (1, 1), (180, 120, 100)), pb.REASON_TOO_SMALL),
        (Image.new("RGB", (600, 450), (9, 9, 9)), pb.REASON_TOO_DARK),
        (Image.new("RGB", (600, 450), (250, 250, 250)), pb.REASON_TOO_BRIGHT),
        (Image.new("RGB", (600, 450), (180, 140, 120)), pb.REASON_LOW_CONTRAST),
    ],
    ids=["1x1", "dark", "bright", "flat"],
)
async def test_a_picture_that_shows_nothing_cannot_be_assessed(
    stub: Stub, image: Image.Image, reason: int
) -> None:
    answer = await stub.Analyze(ask(specimens.encoded(image, "PNG")), timeout=60)
    assert answer.outcome == pb.OUTCOME_CANNOT_ASSESS
    assert answer.quality.reasons[0] == reason
    assert not answer.HasField("classification")


async def test_a_picture_without_a_lesion_cannot_be_assessed(stub: Stub) -> None:
    grain = np.random.default_rng(1).normal(0, 6, (60, 60, 3)).repeat(5, axis=0).repeat(5, axis=1)
    light = (np.linspace(175, 235, 300)[None, :, None] + grain).astype(np.uint8)
    answer = await stub.Analyze(ask(specimens.encoded(Image.fromarray(light), "PNG")), timeout=60)
    assert list(answer.quality.reasons) == [pb.REASON_NO_LESION]
    assert not answer.HasField("segmentation")


async def test_bytes_that_are_no_picture_are_an_invalid_argument_and_hurt_nobody(
    stub: Stub,
) -> None:
    with pytest.raises(aio.AioRpcError) as refused:
        await stub.Analyze(ask(b"a letter"), timeout=60)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "JPEG or PNG" in (refused.value.details() or "")
    assert (await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=60)).notice


async def test_a_picture_of_several_megabytes_passes(stub: Stub) -> None:
    noise = np.random.default_rng(2).integers(60, 200, (1500, 2000, 3), dtype=np.uint8)
    file = specimens.encoded(Image.fromarray(noise), "PNG")
    assert len(file) > 6_000_000
    assert (await stub.Analyze(ask(file), timeout=60)).image.width_px == 2000


async def test_callers_side_by_side_each_get_their_own_answer(stub: Stub) -> None:
    sizes = [(400 + 10 * number, 300) for number in range(24)]
    files = [specimens.lesion_jpeg(size, seed) for seed, size in enumerate(sizes)]
    answers = await asyncio.gather(*(stub.Analyze(ask(file), timeout=60) for file in files))
    assert [(answer.image.width_px, answer.image.height_px) for answer in answers] == sizes


async def test_a_stream_answers_every_picture_under_its_own_id(stub: Stub) -> None:
    async def requests() -> AsyncIterator[pb.AnalyzeStreamRequest]:
        for number in range(12):
            image = b"no picture" if number == 5 else specimens.lesion_jpeg((300 + number, 200))
            yield pb.AnalyzeStreamRequest(id=str(number), request=ask(image))

    answers = {answer.id: answer async for answer in stub.AnalyzeStream(requests(), timeout=60)}
    assert len(answers) == 12
    failed = answers.pop("5")
    assert failed.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert all(a.response.image.width_px == 300 + int(number) for number, a in answers.items())


async def test_a_caller_who_leaves_a_stream_leaves_nothing_behind(
    stub: Stub, registry: CollectorRegistry
) -> None:
    async def endless() -> AsyncIterator[pb.AnalyzeStreamRequest]:
        while True:
            yield pb.AnalyzeStreamRequest(request=ask(specimens.lesion_jpeg((300, 200))))

    call = stub.AnalyzeStream(endless(), timeout=60)
    async for _ in call:
        break
    call.cancel()
    while registry.get_sample_value("inference_pictures_in_work"):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert (await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=60)).notice


async def test_a_caller_who_does_not_read_its_answers_gets_no_further(
    stub: Stub, registry: CollectorRegistry
) -> None:
    picture = specimens.lesion_jpeg((300, 200))
    pictures, others = 2000, 100

    async def many() -> AsyncIterator[pb.AnalyzeStreamRequest]:
        for _ in range(pictures):
            yield pb.AnalyzeStreamRequest(request=ask(picture))

    def analyzed() -> float:
        outcome = {"outcome": "assessed"}
        return registry.get_sample_value("inference_analyses_total", outcome) or 0

    call = stub.AnalyzeStream(many())
    await anext(aiter(call))
    rounds, before = 0, -1.0
    # Until, while others are answered many times over, the stream stands still.
    while analyzed() - before != others:
        before = analyzed()
        for _ in range(others):
            await stub.Analyze(ask(picture, omit_mask=True), timeout=60)
        rounds += 1
    assert not call.done()
    assert analyzed() - rounds * others < pictures
    call.cancel()


async def test_a_model_that_fails_is_our_fault_and_the_log_says_why(
    tmp_path: Path, registry: CollectorRegistry, logged: pytest.LogCaptureFixture
) -> None:
    tiny_models.publish(tiny_models.segmenter(), tmp_path / "segmenter" / "1")
    tiny_models.publish(tiny_models.brittle_classifier(), tmp_path / "classifier" / "1")
    async with serving(Settings(model_dir=tmp_path), registry) as channel:
        stub = inference_pb2_grpc.InferenceServiceStub(channel)
        with pytest.raises(aio.AioRpcError) as failed:
            await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=60)
    of_model = {"model": "classifier", "version": "1"}
    assert registry.get_sample_value("inference_failed_runs_total", of_model) == 1
    assert failed.value.code() == grpc.StatusCode.INTERNAL
    assert "number" not in (failed.value.details() or "")
    assert "answered something that is no number" in logged.text


async def test_the_models_that_answer_are_listed(stub: Stub) -> None:
    listed = (await stub.ListModels(pb.ListModelsRequest(), timeout=60)).models
    assert [(model.name, model.version) for model in listed] == [
        ("segmenter", "1"),
        ("classifier", "1"),
    ]
    assert listed[1].execution_provider == "CPUExecutionProvider"
    assert list(listed[1].labels) == ["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"]


async def test_health_says_serving_and_reflection_names_the_services(channel: aio.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    for service in SERVICES:
        answer = await health.Check(health_pb2.HealthCheckRequest(service=service), timeout=60)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
    reflection = reflection_pb2_grpc.ServerReflectionStub(channel)
    question = reflection_pb2.ServerReflectionRequest(list_services="")
    answers = reflection.ServerReflectionInfo(iter([question]), timeout=60)
    (listing,) = [each async for each in answers]
    assert set(SERVICES) <= {each.name for each in listing.list_services_response.service}


async def test_what_was_done_can_be_read_from_the_metrics(
    stub: Stub, registry: CollectorRegistry
) -> None:
    await stub.Analyze(ask(specimens.lesion_jpeg()), timeout=60)
    for model in ("segmenter", "classifier"):
        version = {"model": model, "version": "1"}
        for name in ("queue_seconds", "run_seconds", "batch_size"):
            assert registry.get_sample_value(f"inference_{name}_count", version) == 1
        answered = {**version, "result": "answered"}
        assert registry.get_sample_value("inference_model_pictures_total", answered) == 1
    assert registry.get_sample_value("inference_decode_seconds_count") == 1
    assert registry.get_sample_value("inference_postprocess_seconds_count") == 1
    assert registry.get_sample_value("inference_imaging_queue_seconds_count") == 2
    assert registry.get_sample_value("inference_analysis_seconds_count") == 1
    for name, reason in (
        ("refused", "queue_full"),
        ("refused", "deadline"),
        ("refused", "draining"),
        ("dropped", "expired"),
        ("dropped", "cancelled"),
    ):
        assert registry.get_sample_value(f"inference_{name}_total", {"reason": reason}) == 0
    assert registry.get_sample_value("inference_analyses_total", {"outcome": "assessed"}) == 1
    calls = {"method": "Analyze", "code": "OK"}
    assert registry.get_sample_value("inference_rpcs_total", calls) == 1
