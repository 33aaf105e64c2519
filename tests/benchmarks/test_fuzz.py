"""Wrong messages over a real channel: only clean statuses, and the service answers on."""

import random
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from benchmarks import fuzz
from benchmarks.mutation import mutated
from services.inference.settings import Settings
from tests import tiny_models
from tests.inference.conftest import serving

MESSAGES = 600


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about broken EXIF
async def test_whatever_a_message_became_its_status_says_whose_fault_it_is(
    tmp_path: Path,
) -> None:
    settings = Settings(model_dir=tiny_models.write_models(tmp_path))
    async with serving(settings, CollectorRegistry()) as channel:
        feed = fuzz.Feed(seed=5, valid=await fuzz.valid_messages(channel))
        statuses = await fuzz.sent(channel, feed, MESSAGES)
        await fuzz.answers_right(channel)
    assert statuses.total() == MESSAGES
    assert not {call: number for call, number in statuses.items() if not fuzz.is_clean(call[1])}
    assert {"OK", "INVALID_ARGUMENT"} <= {code for _, code in statuses}


def test_the_same_seed_makes_the_same_messages() -> None:
    valid = [bytes(range(200))]
    made = [
        [mutated(random.Random(seed), valid) for seed in range(20)]  # noqa: S311 - not secret
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert len(set(made[0])) == 20
    assert valid[0] not in made[0]
