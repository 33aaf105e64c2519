"""Pictures that one thread takes all their way, as more are in work than there are cores."""

import asyncio
import gc
import threading
import time
import weakref
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from services import picture
from services.inference import imaging
from services.inference.analysis import Analysis
from services.inference.batch import BatchError
from services.inference.cost import Cost
from services.inference.engine import engine
from services.inference.forecast import Forecast
from services.inference.imaging import View
from services.inference.pipeline import Pipeline
from services.inference.priority import Priority, Urgency
from services.inference.refusal import DeadlinePassedError
from services.inference.settings import Settings
from tests import specimens, tiny_models
from tests.inference import clock

CORES = 2
PICTURES = [specimens.lesion_jpeg((300, 225), seed=seed) for seed in range(8)]
BLUE = specimens.encoded(specimens.bluish(specimens.lesion((300, 225))), "PNG")


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.inference.engine.available_cores", lambda: CORES)


@pytest.fixture
async def pipeline(model_dir: Path, registry: CollectorRegistry) -> AsyncIterator[Pipeline]:
    async with engine(Settings(model_dir=model_dir, runners=CORES), registry) as built:
        yield built


def failing_at_blue(folder: Path) -> Settings:
    """Publish models that cannot bear a picture that is more blue than red."""
    tiny_models.write_models(folder)
    tiny_models.publish(tiny_models.failing_classifier(), folder / "classifier" / "1")
    return Settings(model_dir=folder, runners=CORES)


class Gate:
    """Holds whoever decodes until the test lets them through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._decode = imaging.view
        self.held = threading.Semaphore(0)
        self.open = threading.Event()
        monkeypatch.setattr(imaging, "view", self._view)

    def _view(self, encoded: bytes, sizes: frozenset[int]) -> View:
        self.held.release()
        assert self.open.wait(60)
        return self._decode(encoded, sizes)


def count(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(f"inference_{name}", labels) or 0


def unusable() -> list[object]:
    """Return what is kept of pictures that could not be used; other tests may keep some too."""
    return [each for each in gc.get_objects() if issubclass(type(each), picture.PictureError)]


def said(analysis: Analysis) -> list[Any]:
    found = analysis.findings
    assert found.classification
    assert found.lesion
    return [found.classification, found.mask_png, found.lesion.outline.tolist(), analysis.models]


async def test_beyond_the_cores_pictures_go_in_one_and_are_answered_as_step_by_step(
    pipeline: Pipeline, registry: CollectorRegistry
) -> None:
    alone = [await pipeline.analyze(each) for each in PICTURES]
    assert count(registry, "in_one_go_total") == 0
    together = await asyncio.gather(*map(pipeline.analyze, PICTURES))
    assert count(registry, "in_one_go_total") == len(PICTURES) - CORES
    assert [said(each) for each in together] == [said(each) for each in alone]


async def test_every_step_of_a_picture_that_goes_in_one_is_counted_once(
    pipeline: Pipeline, registry: CollectorRegistry
) -> None:
    analyses = await asyncio.gather(*map(pipeline.analyze, PICTURES))
    version = {"model": "classifier", "version": "1"}
    for name in ("decode_seconds_count", "postprocess_seconds_count"):
        assert count(registry, name) == len(PICTURES)
    assert count(registry, "run_seconds_count", **version) == len(PICTURES)
    assert count(registry, "batch_size_count", **version) == len(PICTURES)
    assert count(registry, "model_pictures_total", result="answered", **version) == len(PICTURES)
    assert pipeline.classifier.lineup.stable.stage.requests.rows == len(PICTURES)
    assert all(analysis.timings.run_s > 0 for analysis in analyses)


@pytest.mark.parametrize("end", ["its caller leaves", "its time is up"])
async def test_of_a_picture_that_nobody_waits_for_any_more_the_rest_of_the_way_is_not_gone(
    pipeline: Pipeline, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    gate = Gate(monkeypatch)
    loop = asyncio.get_running_loop()
    with pipeline.admission.place(lambda: Forecast(0, 0), pictures=CORES):  # as if so many were
        deadline = loop.time() + 600
        asked = asyncio.create_task(
            pipeline.analyze(PICTURES[0], urgency=Urgency(deadline=deadline))
        )
        await asyncio.to_thread(gate.held.acquire)
        if end == "its caller leaves":
            asked.cancel()
        else:
            clock.move_on(monkeypatch, 600)
        with pytest.raises((asyncio.CancelledError, DeadlinePassedError)):
            await asked
        gate.open.set()
    await pipeline.close()
    assert count(registry, "decode_seconds_count") == 1
    for model in ("segmenter", "classifier"):
        assert count(registry, "run_seconds_count", model=model, version="1") == 0


async def test_a_bad_picture_among_many_is_told_what_is_wrong_with_it_and_only_it(
    pipeline: Pipeline,
) -> None:
    outcomes = await asyncio.gather(
        *map(pipeline.analyze, [*PICTURES, b"no picture", *PICTURES]), return_exceptions=True
    )
    bad = outcomes.pop(len(PICTURES))
    assert isinstance(bad, picture.PictureError)
    assert all(isinstance(each, Analysis) for each in outcomes)


async def test_a_dark_picture_among_many_cannot_be_assessed(pipeline: Pipeline) -> None:
    dark = specimens.encoded(specimens.lesion((300, 225)).point(lambda level: level // 20), "PNG")
    *_, last = await asyncio.gather(*map(pipeline.analyze, [*PICTURES, dark]))
    assert last.findings.reasons[0] == "too_dark"
    assert last.timings.queue_s == last.timings.run_s == 0


async def test_a_model_that_fails_on_one_of_many_is_counted_and_the_others_are_answered(
    tmp_path: Path, registry: CollectorRegistry
) -> None:
    async with engine(failing_at_blue(tmp_path), registry) as pipeline:
        *others, failed = await asyncio.gather(
            *map(pipeline.analyze, [*PICTURES, BLUE]), return_exceptions=True
        )
    assert isinstance(failed, BatchError)
    assert all(isinstance(each, Analysis) for each in others)
    version = {"model": "classifier", "version": "1"}
    assert count(registry, "failed_runs_total", **version) == 1
    assert count(registry, "model_pictures_total", result="failed", **version) == 1
    assert count(registry, "model_pictures_total", result="answered", **version) == len(PICTURES)


async def test_pictures_that_could_not_be_judged_do_not_make_others_look_cheap(
    pipeline: Pipeline,
) -> None:
    assert pipeline.ways.straight
    dark = specimens.encoded(specimens.lesion((300, 225)).point(lambda level: level // 20), "PNG")
    await asyncio.gather(*map(pipeline.analyze, PICTURES))
    models = (pipeline.segmenter, pipeline.classifier)
    for slot in models:
        slot.lineup.stable.stage.sizing.cost = Cost()
        slot.lineup.stable.stage.sizing.cost.learn(1, 4.0, time.monotonic())
    await asyncio.gather(*map(pipeline.analyze, [dark] * 20))
    assert pipeline.ways.straight.forecast(Priority.INTERACTIVE).own_s > 8


async def test_after_a_quiet_moment_a_picture_still_costs_what_its_parts_cost_last(
    pipeline: Pipeline,
) -> None:
    assert pipeline.ways.straight
    await asyncio.gather(*map(pipeline.analyze, PICTURES))
    for slot in (pipeline.segmenter, pipeline.classifier):
        cost = slot.lineup.stable.stage.sizing.cost = Cost()
        cost.learn(1, 4.0, time.monotonic() - 60)
    assert pipeline.ways.straight.forecast(Priority.INTERACTIVE).own_s > 8


async def test_only_the_wait_for_the_first_step_is_shown_as_one(
    pipeline: Pipeline, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pipeline.ways.straight
    gate, waiting = Gate(monkeypatch), len(PICTURES) - CORES
    with pipeline.admission.place(lambda: Forecast(0, 0), pictures=CORES):  # as if so many were
        asked = [asyncio.create_task(pipeline.analyze(each)) for each in PICTURES]
        for _ in range(CORES):
            await asyncio.to_thread(gate.held.acquire)
        while pipeline.ways.straight.stage.queue_size < waiting:  # noqa: ASYNC110
            await asyncio.sleep(0)
        began = time.monotonic()
        await asyncio.sleep(0.1)
        waited_s = time.monotonic() - began
        gate.open.set()
        await asyncio.gather(*asked)
    assert count(registry, "imaging_queue_seconds_count") == len(PICTURES)
    assert count(registry, "queue_seconds_count", model="classifier", version="1") == 0
    assert count(registry, "imaging_queue_seconds_sum") >= waiting * waited_s


@pytest.mark.parametrize(
    "last", [PICTURES[0], BLUE, PICTURES[0][:-2000]], ids=["answered", "failed", "cut off"]
)
async def test_nothing_keeps_a_picture_that_went_its_way_in_one(
    tmp_path: Path, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch, last: bytes
) -> None:
    decode, seen = imaging.view, []

    def view(encoded: bytes, sizes: frozenset[int]) -> View:
        decoded = decode(encoded, sizes)
        seen.append(weakref.ref(decoded.kept))
        return decoded

    monkeypatch.setattr(imaging, "view", view)
    async with engine(failing_at_blue(tmp_path), registry) as pipeline:
        gc.collect()
        gc.disable()
        before = unusable()
        try:
            await asyncio.gather(*map(pipeline.analyze, [*PICTURES, last]), return_exceptions=True)
            async with asyncio.timeout(60):  # the thread lets go a moment after the answer
                while any(kept() is not None for kept in seen):  # noqa: ASYNC110
                    await asyncio.sleep(0.001)
            assert len(seen) >= len(PICTURES)
            assert not [each for each in unusable() if not any(each is one for one in before)]
        finally:
            gc.enable()
