"""Versions come, answer and go while the service serves: real models, a real server."""

from __future__ import annotations

import asyncio
import gc
import itertools
import random
import weakref
from collections import Counter
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from prometheus_client import CollectorRegistry

from services.inference import labels
from services.inference.engine import engine
from services.inference.labels import Canary, Labels
from services.inference.open_inference import tensors
from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc, open_inference_pb2_grpc
from services.pb import open_inference_pb2 as oip
from tests import tiny_models
from tests.inference.conftest import serving

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.inference_pb2_grpc import InferenceServiceAsyncStub as Stub
from tests.inference.rollouts import (
    PICTURE,
    POLL_S,
    analyze,
    finding,
    listed,
    served,
    serves,
    two_versions,
    version_of,
    wrong_hash,
)


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return two_versions(tmp_path)


async def test_a_swap_under_load_fails_nobody_and_every_answer_names_who_gave_it(
    model_dir: Path,
) -> None:
    seen: set[tuple[str, str, tuple[float, float]]] = set()
    answered: Counter[str] = Counter()
    swapped = asyncio.Event()

    async def caller(stub: Stub) -> None:
        while not swapped.is_set():
            answer = await analyze(stub)
            versions = version_of(answer, "segmenter"), version_of(answer, "classifier")
            seen.add((*versions, finding(answer)))
            answered["/".join(versions)] += 1

    async with served(model_dir) as stub:
        callers = [asyncio.create_task(caller(stub)) for _ in range(8)]
        for turn, name in itertools.product(("2", "1", "2"), ("classifier", "segmenter")):
            labels.write(model_dir / name, Labels(stable=int(turn)))
            await listed(stub, serves(name, turn))
            before = answered.total()
            while answered.total() < before + 8:
                await asyncio.wait(callers, timeout=0.01)
                assert not any(each.done() for each in callers)
        swapped.set()
        await asyncio.gather(*callers)
    # Each pair of versions has one answer to this picture, however many callers there were.
    assert {key[:2] for key in seen} == {("1", "1"), ("1", "2"), ("2", "2"), ("2", "1")}
    assert len(seen) == 4
    areas = {key[0]: key[2][0] for key in seen}
    probabilities = {key[1]: key[2][1] for key in seen}
    assert {(areas[one], probabilities[two]) for one, two, _ in seen} == {key[2] for key in seen}
    assert len(set(areas.values())) == len(set(probabilities.values())) == 2


async def test_a_storm_of_labels_under_load_fails_nobody(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    wrong_hash(model_dir / "classifier" / "3")
    rng = random.Random(5)  # noqa: S311 - a storm that can be had again
    numbers = [1, 2, 3]  # and 3 is not what was published
    over = asyncio.Event()

    async def caller(stub: Stub) -> None:
        while not over.is_set():
            assert version_of(await analyze(stub), "classifier") in {"1", "2"}

    async with served(model_dir, registry) as stub:
        callers = [asyncio.create_task(caller(stub)) for _ in range(4)]
        for _ in range(40):
            rng.shuffle(numbers)
            canary = Canary(version=numbers[1], share=0.5) if rng.random() < 0.5 else None
            storm = Labels(stable=numbers[0], canary=canary, shadow=numbers[2])
            labels.write(model_dir / "classifier", storm)
            if rng.random() < 0.2:
                (model_dir / "classifier" / "labels.json").write_text("{")
            await asyncio.wait(callers, timeout=rng.random() * 5 * POLL_S)
            assert not any(each.done() for each in callers)
        for last in ("1", "2"):
            labels.write(model_dir / "classifier", Labels(stable=int(last)))
            await listed(stub, serves("classifier", last))
        over.set()
        await asyncio.gather(*callers)
        gone, stays = (
            {"model": "classifier", "version": "1"},
            {"model": "classifier", "version": "2"},
        )
        assert registry.get_sample_value("inference_model_traffic_share", gone) is None
        assert registry.get_sample_value("inference_model_traffic_share", stays) == 1


@pytest.mark.parametrize(
    ("name", "larger"),
    [
        ("classifier", tiny_models.another_classifier(size=96)),
        ("segmenter", tiny_models.another_segmenter(size=96)),
    ],
)
async def test_a_model_may_take_another_size_than_the_one_it_replaces(
    model_dir: Path, name: str, larger: onnx.ModelProto
) -> None:
    tiny_models.publish(larger, model_dir / name / "3")
    async with served(model_dir) as stub:
        calls = [asyncio.ensure_future(analyze(stub)) for _ in range(16)]
        labels.write(model_dir / name, Labels(stable=3))
        await listed(stub, serves(name, "3"))
        answers = [await analyze(stub), *await asyncio.gather(*calls)]
    assert version_of(answers[0], name) == "3"
    assert all(answer.outcome == pb.OUTCOME_ASSESSED for answer in answers)


async def test_a_request_keeps_the_version_it_began_with_until_its_end(model_dir: Path) -> None:
    settings = Settings(model_dir=model_dir, model_poll_s=POLL_S)
    async with engine(settings, CollectorRegistry()) as pipeline:
        slot = pipeline.classifier
        with slot.lease(PICTURE) as leased:
            labels.write(model_dir / "classifier", Labels(stable=2))
            async with asyncio.timeout(60):
                while not slot.draining:  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S)
            assert (await pipeline.analyze(PICTURE)).models[1].version == "2"
            # Whoever began before still gets its answer, from the version that it began with.
            row = np.zeros((tiny_models.SIZE, tiny_models.SIZE, 3), np.uint8)
            assert (await leased.stage.submit(row)).output["probabilities"].shape == (7,)
        async with asyncio.timeout(60):
            while slot.draining:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)


async def test_tensors_keep_the_version_they_began_with_while_they_are_read(
    model_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, go_on, read = Event(), Event(), tensors.read

    def slowly(*request: Any) -> Any:
        reading.set()
        assert go_on.wait(60)
        return read(*request)

    def second_is_stable(found: pb.ListModelsResponse) -> bool:
        stable = [each for each in found.models if each.version_label == pb.VERSION_LABEL_STABLE]
        return {each.name: each.version for each in stable}["classifier"] == "2"

    monkeypatch.setattr(tensors, "read", slowly)
    size = tiny_models.SIZE
    image = oip.ModelInferRequest.InferInputTensor(
        name="image", datatype="UINT8", shape=[1, size, size, 3]
    )
    image.contents.uint_contents.extend([0] * (size * size * 3))
    request = oip.ModelInferRequest(model_name="classifier", inputs=[image])
    settings = Settings(model_dir=model_dir, model_poll_s=POLL_S)
    async with serving(settings, CollectorRegistry()) as channel:
        infer = open_inference_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer
        began = asyncio.ensure_future(infer(request, timeout=60))
        await asyncio.to_thread(reading.wait, 60)
        labels.write(model_dir / "classifier", Labels(stable=2))
        typed = inference_pb2_grpc.InferenceServiceStub(channel)
        found = await listed(typed, second_is_stable)
        draining = [
            each for each in found.models if each.version_state == pb.VERSION_STATE_DRAINING
        ]
        assert [(each.name, each.version) for each in draining] == [("classifier", "1")]
        go_on.set()
        assert (await began).model_version == "1"
        assert (await infer(request, timeout=60)).model_version == "2"


async def test_without_labels_a_new_highest_version_is_taken_up(model_dir: Path) -> None:
    (model_dir / "classifier" / "labels.json").unlink()
    async with served(model_dir) as stub:
        assert version_of(await analyze(stub), "classifier") == "2"
        tiny_models.publish(tiny_models.another_classifier(seed=5), model_dir / "classifier" / "3")
        await listed(stub, serves("classifier", "3"))
        assert version_of(await analyze(stub), "classifier") == "3"


async def test_a_version_that_was_replaced_leaves_the_memory(model_dir: Path) -> None:
    settings = Settings(model_dir=model_dir, model_poll_s=POLL_S)
    async with engine(settings, CollectorRegistry()) as pipeline:
        await pipeline.analyze(PICTURE)
        gone = weakref.ref(pipeline.classifier.lineup.stable.stage.model)
        labels.write(model_dir / "classifier", Labels(stable=2))
        async with asyncio.timeout(60):
            while gone() is not None:
                await asyncio.sleep(POLL_S)
                gc.collect()
