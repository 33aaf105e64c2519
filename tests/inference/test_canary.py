"""A canary answers its share of the pictures."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.inference import labels
from services.inference.engine import engine
from services.inference.labels import Canary, Labels
from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
from tests import specimens, tiny_models
from tests.inference.rollouts import (
    POLL_S,
    analyze,
    listed,
    refused,
    served,
    two_versions,
    version_of,
    wrong_hash,
)


@pytest.fixture
def model_dir(tmp_path: Path) -> Path:
    return two_versions(tmp_path)


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
    # Files of one camera begin alike: what tells them apart is their pixels.
    contents = [b"of one camera" * 1000 + number.to_bytes(4) * 100 for number in range(4000)]
    settings = Settings(model_dir=model_dir, model_poll_s=0)

    async def chosen(name: str, share: float, version: int = 2) -> set[bytes]:
        canary = Labels(stable=1, canary=Canary(version=version, share=share))
        labels.write(model_dir / name, canary)
        async with engine(settings, CollectorRegistry()) as pipeline:
            choose = getattr(pipeline, name).choose
            return {each for each in contents if choose(each).number == version}

    small, large = await chosen("classifier", 0.05), await chosen("classifier", 0.3)
    assert len(small) / len(contents) == pytest.approx(0.05, abs=0.015)
    assert len(large) / len(contents) == pytest.approx(0.3, abs=0.03)
    assert small < large
    # The other model draws for itself: its canary does not always meet this one's.
    other = await chosen("segmenter", 0.3)
    assert len(other & large) / len(contents) == pytest.approx(0.09, abs=0.02)
    # So does the next canary: it is not always the same pictures that get what is new.
    tiny_models.publish(tiny_models.another_classifier(), model_dir / "classifier" / "3")
    after = await chosen("classifier", 0.3, version=3)
    assert len(after & large) / len(contents) == pytest.approx(0.09, abs=0.02)


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
        async with asyncio.timeout(60):
            while slot.lineup.stable is not canary:  # noqa: ASYNC110
                await asyncio.sleep(POLL_S)
        assert slot.lineup.canary is None
