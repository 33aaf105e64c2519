"""A shadow runs when there is room, is compared, and is never answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import onnx
import pytest
from prometheus_client import CollectorRegistry

from services.inference import labels, shadow
from services.inference.batcher import Batcher
from services.inference.engine import engine
from services.inference.imaging import Pixels
from services.inference.labels import Canary, Labels
from services.inference.onnx_model import ModelOutputs
from services.inference.pipeline import Pipeline
from services.inference.priority import Priority
from services.inference.settings import Settings
from tests import specimens, tiny_models
from tests.inference.batching import Gate
from tests.inference.hardware import Tally

PICTURE = specimens.lesion_jpeg((300, 200))


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return tiny_models.write_models(tmp_path)


def put_in_the_shadow(model_dir: Path, name: str, model: onnx.ModelProto) -> None:
    tiny_models.publish(model, model_dir / name / "2")
    labels.write(model_dir / name, Labels(stable=1, shadow=2))


@asynccontextmanager
async def running(model_dir: Path, registry: CollectorRegistry) -> AsyncIterator[Pipeline]:
    async with engine(Settings(model_dir=model_dir, runners=2), registry) as pipeline:
        yield pipeline


def runs(registry: CollectorRegistry, name: str) -> dict[str, float]:
    """Return what became of the pictures that a shadow was offered."""
    counted = {
        result: registry.get_sample_value(
            "inference_shadow_runs_total", {"model": name, "version": "2", "result": result}
        )
        for result in ("compared", "dropped", "failed")
    }
    return {result: count for result, count in counted.items() if count}


async def shown(registry: CollectorRegistry, name: str, pictures: int) -> dict[str, float]:
    """Wait until so many pictures were compared, dropped or failed."""
    async with asyncio.timeout(60):
        while sum((found := runs(registry, name)).values()) < pictures:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    return found


async def test_a_shadow_is_compared_with_the_answer_and_does_not_change_it(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    async with running(model_dir, CollectorRegistry()) as pipeline:
        alone = await pipeline.analyze(PICTURE)
    put_in_the_shadow(model_dir, "classifier", tiny_models.another_classifier())
    async with running(model_dir, registry) as pipeline:
        answer = await pipeline.analyze(PICTURE)
        assert await shown(registry, "classifier", 1) == {"compared": 1}
    assert answer.models == alone.models
    assert answer.findings.classification == alone.findings.classification
    labels.write(model_dir / "classifier", Labels(stable=2))
    async with running(model_dir, CollectorRegistry()) as pipeline:
        other = (await pipeline.analyze(PICTURE)).findings.classification
    ours = alone.findings.classification
    assert ours is not None
    assert other is not None
    difference = max(
        abs(ours.probabilities[code] - other.probabilities[code]) for code in ours.probabilities
    )
    measured = registry.get_sample_value(
        "inference_shadow_probability_difference_sum", {"version": "2"}
    )
    assert measured == pytest.approx(difference, abs=1e-5)
    agreed = {"version": "2", "agreed": "yes" if ours.label == other.label else "no"}
    assert registry.get_sample_value("inference_shadow_agreements_total", agreed) == 1


async def test_a_shadow_that_is_the_same_model_agrees_in_everything(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    put_in_the_shadow(model_dir, "classifier", tiny_models.classifier())
    put_in_the_shadow(model_dir, "segmenter", tiny_models.segmenter())
    async with running(model_dir, registry) as pipeline:
        await pipeline.analyze(PICTURE)
        await shown(registry, "classifier", 1)
        await shown(registry, "segmenter", 1)
    agreed = {"version": "2", "agreed": "yes"}
    assert registry.get_sample_value("inference_shadow_agreements_total", agreed) == 1
    assert registry.get_sample_value("inference_shadow_dice_sum", {"version": "2"}) == 1
    difference = registry.get_sample_value(
        "inference_shadow_probability_difference_sum", {"version": "2"}
    )
    assert difference == 0


@pytest.mark.parametrize("name", ["segmenter", "classifier"])
async def test_a_shadow_may_take_another_size(
    model_dir: Path, registry: CollectorRegistry, name: str
) -> None:
    larger = {
        "segmenter": tiny_models.another_segmenter(size=96),
        "classifier": tiny_models.another_classifier(size=96),
    }
    put_in_the_shadow(model_dir, name, larger[name])
    async with running(model_dir, registry) as pipeline:
        await pipeline.analyze(PICTURE)
        assert await shown(registry, name, 1) == {"compared": 1}
    if name == "segmenter":  # which sees more lesion in every picture
        overlap = registry.get_sample_value("inference_shadow_dice_sum", {"version": "2"})
        assert overlap is not None
        assert 0.3 < overlap < 0.99


async def test_a_shadow_that_fails_is_logged_once_and_no_callers_trouble(
    model_dir: Path, registry: CollectorRegistry, logged: pytest.LogCaptureFixture
) -> None:
    put_in_the_shadow(model_dir, "classifier", tiny_models.brittle_classifier())
    async with running(model_dir, registry) as pipeline:
        for number in range(1, 4):
            assert (await pipeline.analyze(PICTURE)).findings.classification
            assert await shown(registry, "classifier", number) == {"failed": number}
    assert logged.text.count("shadow failed") == 1
    # Whoever is called out at night is called because of pictures that had to be answered.
    of_shadow = {"model": "classifier", "version": "2", "result": "failed"}
    assert registry.get_sample_value("inference_model_pictures_total", of_shadow) == 0
    of_runs = {"model": "classifier", "version": "2"}
    assert registry.get_sample_value("inference_failed_runs_total", of_runs) == 3
    assert "answered something that is no number" in logged.text


async def test_where_there_is_no_room_a_shadow_is_dropped_and_not_kept_for_later(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    pictures = 24
    put_in_the_shadow(model_dir, "classifier", tiny_models.another_classifier())
    async with running(model_dir, registry) as pipeline:
        slot = pipeline.classifier
        assert slot.lineup.shadow is not None
        waiting = slot.lineup.shadow.stage
        calls = [asyncio.ensure_future(pipeline.analyze(PICTURE)) for _ in range(pictures)]
        for call in asyncio.as_completed(calls):
            await call
            # While others are in work, nothing is begun that they would have to wait for.
            assert not (pipeline.admission.in_work and waiting.queue_size)
        found = await shown(registry, "classifier", pictures)
    assert found["dropped"] >= pictures - 2
    assert sum(found.values()) == pictures


async def test_a_shadow_is_dropped_while_another_picture_is_in_work(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    put_in_the_shadow(model_dir, "classifier", tiny_models.another_classifier())
    async with running(model_dir, registry) as pipeline:
        # It is being sent, or read: no runner has it yet.
        with pipeline.admission.place(partial(pipeline.forecast, Priority.INTERACTIVE)):
            await pipeline.analyze(PICTURE)
            assert await shown(registry, "classifier", 1) == {"dropped": 1}
        await pipeline.analyze(PICTURE)
        assert await shown(registry, "classifier", 2) == {"compared": 1, "dropped": 1}


async def test_a_shadow_is_dropped_while_a_run_goes_on_whose_caller_has_left(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    put_in_the_shadow(model_dir, "classifier", tiny_models.another_classifier())
    gate = Gate()
    async with running(model_dir, registry) as pipeline:
        runners = pipeline.ways.steps.decode.runners
        others = Batcher(gate.run, runners, Tally(), max_batch_size=1)
        left = asyncio.create_task(others.submit(0))
        await gate.began.acquire()
        left.cancel()
        await pipeline.analyze(PICTURE)
        assert await shown(registry, "classifier", 1) == {"dropped": 1}
        gate.let_through(1)
        await others.close()


async def test_a_picture_that_comes_while_one_shadow_runs_keeps_the_next_from_beginning(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    put_in_the_shadow(model_dir, "segmenter", tiny_models.segmenter())
    put_in_the_shadow(model_dir, "classifier", tiny_models.classifier())
    async with running(model_dir, registry) as pipeline:
        first = pipeline.segmenter.lineup.shadow
        assert first is not None
        runs_at_once, begun, go_on = first.stage.work, Event(), Event()

        def run(rows: Sequence[Pixels]) -> Sequence[ModelOutputs | None]:
            begun.set()
            assert go_on.wait(60)
            return runs_at_once(rows)

        first.stage.work = run
        await pipeline.analyze(PICTURE)
        await asyncio.to_thread(begun.wait, 60)
        with pipeline.admission.place(partial(pipeline.forecast, Priority.INTERACTIVE)):
            go_on.set()
            assert await shown(registry, "segmenter", 1) == {"compared": 1}
            assert await shown(registry, "classifier", 1) == {"dropped": 1}


async def test_one_picture_at_a_time_is_compared(
    model_dir: Path, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_the_shadow(model_dir, "classifier", tiny_models.another_classifier())
    offer = shadow.Shadows.offer

    def as_if_two_were_answered_at_once(*offered: Any) -> None:
        offer(*offered)
        offer(*offered)

    monkeypatch.setattr(shadow.Shadows, "offer", as_if_two_were_answered_at_once)
    async with running(model_dir, registry) as pipeline:
        await pipeline.analyze(PICTURE)
        assert await shown(registry, "classifier", 2) == {"compared": 1, "dropped": 1}


async def test_what_a_canary_answered_is_no_measure_for_a_shadow(
    model_dir: Path, registry: CollectorRegistry
) -> None:
    tiny_models.publish(tiny_models.another_classifier(), model_dir / "classifier" / "3")
    put_in_the_shadow(model_dir, "classifier", tiny_models.classifier())
    canary = Labels(stable=1, canary=Canary(version=3, share=0.5), shadow=2)
    labels.write(model_dir / "classifier", canary)
    pictures = [specimens.lesion_jpeg((200, 150), seed) for seed in range(12)]
    async with running(model_dir, registry) as pipeline:
        stable = 0
        for picture in pictures:
            answer = await pipeline.analyze(picture)
            stable += answer.models[1].version == "1"
            await shown(registry, "classifier", stable)
    assert 0 < stable < len(pictures)
    # The shadow is the stable model again: beside the canary's answers it would not agree.
    agreed = {"version": "2", "agreed": "yes"}
    assert registry.get_sample_value("inference_shadow_agreements_total", agreed) == stable
    assert sum(runs(registry, "classifier").values()) == stable


def test_dice_is_twice_what_is_common_over_what_there_is() -> None:
    one = np.array([[1, 1], [0, 0]], np.float32)
    assert shadow.dice(one, one) == 1
    assert shadow.dice(one, 1 - one) == 0
    assert shadow.dice(one, np.array([[1, 0], [0, 0]], np.float32)) == pytest.approx(2 / 3)
    assert shadow.dice(one * 0, one * 0) == 1
    assert shadow.dice(one, np.kron(one, np.ones((8, 8), np.float32))) == 1
