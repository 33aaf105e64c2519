"""Versions come, answer and go while the service serves: real models, a real server."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import itertools
import random
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from prometheus_client import CollectorRegistry

from services.inference import labels
from services.inference.engine import engine
from services.inference.labels import Canary, Labels
from services.inference.model_file import ModelError
from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
from services.pb import inference_pb2_grpc
from tests import specimens, tiny_models
from tests.inference.conftest import serving

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.inference_pb2_grpc import InferenceServiceAsyncStub as Stub

PICTURE = specimens.lesion_jpeg((300, 200))
POLL_S = 0.01


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    """Two versions of each model that answer differently; the first are stable."""
    tiny_models.write_models(tmp_path)
    tiny_models.publish(tiny_models.another_classifier(), tmp_path / "classifier" / "2")
    tiny_models.publish(tiny_models.another_segmenter(), tmp_path / "segmenter" / "2")
    for name in ("classifier", "segmenter"):
        labels.write(tmp_path / name, Labels(stable=1))
    return tmp_path


@asynccontextmanager
async def served(model_dir: Path, registry: CollectorRegistry | None = None) -> AsyncIterator[Stub]:
    settings = Settings(model_dir=model_dir, runners=2, model_poll_s=POLL_S)
    async with serving(settings, registry or CollectorRegistry()) as channel:
        yield inference_pb2_grpc.InferenceServiceStub(channel)


async def listed(
    stub: Stub, when: Callable[[pb.ListModelsResponse], bool]
) -> pb.ListModelsResponse:
    """Ask for the models until what is awaited has come about."""
    async with asyncio.timeout(30):
        while not when(found := await stub.ListModels(pb.ListModelsRequest(), timeout=10)):
            pass
    return found


def serves(name: str, version: str) -> Callable[[pb.ListModelsResponse], bool]:
    """Say whether a version is stable, and nothing of the model is left to do."""

    def look(found: pb.ListModelsResponse) -> bool:
        (*versions,) = (each for each in found.models if each.name == name)
        (stable,) = (each for each in versions if each.version_label == pb.VERSION_LABEL_STABLE)
        at_rest = all(each.version_state == pb.VERSION_STATE_SERVING for each in versions)
        return stable.version == version and at_rest

    return look


def refused(found: pb.ListModelsResponse) -> bool:
    return any(each.version_state == pb.VERSION_STATE_REFUSED for each in found.pending)


def version_of(answer: pb.AnalyzeResponse, name: str) -> str:
    (version,) = (model.version for model in answer.models if model.name == name)
    return version


async def analyze(stub: Stub, picture: bytes = PICTURE) -> pb.AnalyzeResponse:
    return await stub.Analyze(pb.AnalyzeRequest(image=picture), timeout=30)


def finding(answer: pb.AnalyzeResponse) -> tuple[float, float]:
    """Return what tells which segmenter and which classifier really answered."""
    first = answer.classification.probabilities[0].probability
    return round(answer.segmentation.area_fraction, 6), round(first, 6)


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
            async with asyncio.timeout(30):
                while not slot.draining:  # noqa: ASYNC110
                    await asyncio.sleep(POLL_S)
            assert (await pipeline.analyze(PICTURE)).models[1].version == "2"
            # Whoever began before still gets its answer, from the version that it began with.
            row = np.zeros((tiny_models.SIZE, tiny_models.SIZE, 3), np.uint8)
            assert (await leased.stage.submit(row)).output["probabilities"].shape == (7,)
        async with asyncio.timeout(30):
            while slot.draining:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)


def wrong_hash(folder: Path) -> None:
    tiny_models.publish(tiny_models.another_classifier(seed=5), folder)
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"\0")


def no_model(folder: Path) -> None:
    folder.mkdir()
    (folder / "model.onnx").write_bytes(b"not a model")
    digest = hashlib.sha256(b"not a model").hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  model.onnx\n")


def another_model(folder: Path) -> None:
    tiny_models.publish(tiny_models.segmenter(), folder)


def other_labels(folder: Path) -> None:
    tiny_models.publish(tiny_models.classifier(labels='["nv", "mel"]'), folder)


def nothing(folder: Path) -> None:
    assert not folder.exists()


def no_number(folder: Path) -> None:
    tiny_models.publish(_with_weights(np.full((3, 7), np.nan, np.float32)), folder)


def eight_labels(folder: Path) -> None:
    tiny_models.publish(_with_weights(np.ones((3, 8), np.float32)), folder)


def _with_weights(values: np.ndarray) -> onnx.ModelProto:
    model = tiny_models.classifier()
    weights = next(each for each in model.graph.initializer if each.name == "weights")
    weights.CopyFrom(numpy_helper.from_array(values, "weights"))
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[-1].dim_value = values.shape[1]
    return model


@pytest.mark.parametrize(
    ("publish", "reason"),
    [
        (wrong_hash, "not the published model"),
        (no_model, "cannot be loaded"),
        (another_model, "is not a classifier"),
        (other_labels, "answers .*nv.* instead of"),
        (nothing, "cannot be read"),
        (no_number, "no number"),
        (eight_labels, r"probabilities of shape \(8,\) instead of \(7,\)"),
    ],
)
async def test_a_bad_version_leaves_the_old_one_serving_and_says_why(
    model_dir: Path,
    registry: CollectorRegistry,
    logged: pytest.LogCaptureFixture,
    publish: Callable[[Path], None],
    reason: str,
) -> None:
    publish(model_dir / "classifier" / "9")
    async with served(model_dir, registry) as stub:
        labels.write(model_dir / "classifier", Labels(stable=9))
        found = await listed(stub, refused)
        (pending,) = found.pending
        assert (pending.name, pending.version) == ("classifier", "9")
        assert pending.version_label == pb.VERSION_LABEL_STABLE
        assert pending.reason in logged.text.replace("\\\\", "\\").replace("\\'", "'")
        with pytest.raises(ModelError, match=reason):
            raise ModelError(pending.reason)
        assert version_of(await analyze(stub), "classifier") == "1"
        problems = {"model": "classifier"}
        assert registry.get_sample_value("inference_model_problems", problems) == 1
        labels.write(model_dir / "classifier", Labels(stable=2))
        await listed(stub, serves("classifier", "2"))
        assert registry.get_sample_value("inference_model_problems", problems) == 0
        assert version_of(await analyze(stub), "classifier") == "2"


async def test_a_refused_version_serves_once_it_has_been_mended(model_dir: Path) -> None:
    folder = model_dir / "classifier" / "3"
    wrong_hash(folder)
    async with served(model_dir) as stub:
        labels.write(model_dir / "classifier", Labels(stable=3))
        await listed(stub, refused)
        tiny_models.publish(tiny_models.another_classifier(seed=5), folder)
        await listed(stub, serves("classifier", "3"))
        assert version_of(await analyze(stub), "classifier") == "3"


async def test_labels_of_no_use_leave_everything_as_it_is_and_are_shown(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    async with served(model_dir, registry) as stub:
        (model_dir / "classifier" / "labels.json").write_text('{"stable": "two"}')
        (pending,) = (await listed(stub, refused)).pending
        assert "labels.json cannot be used: stable" in pending.reason
        assert pending.version == ""
        assert version_of(await analyze(stub), "classifier") == "1"
        labels.write(model_dir / "classifier", Labels(stable=1))
        await listed(stub, lambda found: not found.pending)


async def test_a_service_does_not_start_on_labels_of_no_use(model_dir: Path) -> None:
    (model_dir / "segmenter" / "labels.json").write_text("stable: 1")
    with pytest.raises(ModelError, match=r"labels.json cannot be used"):
        async with served(model_dir):
            pass


async def test_without_labels_a_new_highest_version_is_taken_up(model_dir: Path) -> None:
    (model_dir / "classifier" / "labels.json").unlink()
    async with served(model_dir) as stub:
        assert version_of(await analyze(stub), "classifier") == "2"
        tiny_models.publish(tiny_models.another_classifier(seed=5), model_dir / "classifier" / "3")
        await listed(stub, serves("classifier", "3"))
        assert version_of(await analyze(stub), "classifier") == "3"


async def test_a_canary_answers_its_share_and_the_same_pictures_every_time(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    pictures = [specimens.lesion_jpeg((200, 150), seed) for seed in range(40)]
    canary = Canary(version=2, share=0.4)
    labels.write(model_dir / "classifier", Labels(stable=1, canary=canary))

    async def choices() -> list[str]:
        async with served(model_dir, registry) as stub:
            found = await listed(stub, lambda _: True)
            shares = {each.version: each.traffic_share for each in found.models[1:]}
            assert shares == {"1": pytest.approx(0.6), "2": pytest.approx(0.4)}
            answers = await asyncio.gather(*(analyze(stub, each) for each in pictures))
        return [version_of(answer, "classifier") for answer in answers]

    first = await choices()
    answered = {
        version: registry.get_sample_value(
            "inference_model_pictures_total",
            {"model": "classifier", "version": version, "result": "answered"},
        )
        or 0
        for version in ("1", "2")
    }
    assert answered == dict(Counter(first))
    assert 8 <= answered["2"] <= 24
    registry = CollectorRegistry()
    assert await choices() == first


async def test_a_larger_share_keeps_the_pictures_of_a_smaller_one(model_dir: Path) -> None:
    contents = [number.to_bytes(4) * 100 for number in range(4000)]
    settings = Settings(model_dir=model_dir, model_poll_s=0)

    async def chosen(name: str, share: float) -> set[bytes]:
        canary = Labels(stable=1, canary=Canary(version=2, share=share))
        labels.write(model_dir / name, canary)
        async with engine(settings, CollectorRegistry()) as pipeline:
            choose = getattr(pipeline, name).choose
            return {each for each in contents if choose(each).number == 2}

    small, large = await chosen("classifier", 0.05), await chosen("classifier", 0.3)
    assert len(small) / len(contents) == pytest.approx(0.05, abs=0.015)
    assert len(large) / len(contents) == pytest.approx(0.3, abs=0.03)
    assert small < large
    # The other model draws for itself: its canary does not always meet this one's.
    other = await chosen("segmenter", 0.3)
    assert len(other & large) / len(contents) == pytest.approx(0.09, abs=0.02)


async def test_a_canary_that_is_refused_leaves_all_pictures_to_the_stable_version(
    model_dir: Path,
) -> None:
    wrong_hash(model_dir / "classifier" / "3")
    labels.write(model_dir / "classifier", Labels(stable=1, canary=Canary(version=3, share=0.9)))
    async with served(model_dir) as stub:
        (pending,) = (await listed(stub, refused)).pending
        assert pending.version_label == pb.VERSION_LABEL_CANARY
        assert version_of(await analyze(stub), "classifier") == "1"


async def test_a_canary_becomes_stable_without_being_loaded_again(model_dir: Path) -> None:
    labels.write(model_dir / "classifier", Labels(stable=1, canary=Canary(version=2, share=0.5)))
    settings = Settings(model_dir=model_dir, model_poll_s=POLL_S)
    async with engine(settings, CollectorRegistry()) as pipeline:
        slot = pipeline.classifier
        canary = slot.lineup.canary
        labels.write(model_dir / "classifier", Labels(stable=2))
        async with asyncio.timeout(30):
            while slot.lineup.stable is not canary:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
        assert slot.lineup.canary is None


async def test_a_version_that_was_replaced_leaves_the_memory(model_dir: Path) -> None:
    settings = Settings(model_dir=model_dir, model_poll_s=POLL_S)
    async with engine(settings, CollectorRegistry()) as pipeline:
        await pipeline.analyze(PICTURE)
        gone = weakref.ref(pipeline.classifier.lineup.stable.stage.model)
        labels.write(model_dir / "classifier", Labels(stable=2))
        async with asyncio.timeout(30):
            while gone() is not None:
                await asyncio.sleep(POLL_S)
                gc.collect()
