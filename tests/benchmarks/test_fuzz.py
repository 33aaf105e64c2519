"""Wrong messages over a real channel: only clean statuses, and the service answers on."""

import contextlib
import random
from pathlib import Path

import pytest
from google.protobuf.message import DecodeError
from prometheus_client import CollectorRegistry

from benchmarks import fuzz, wire
from benchmarks.mutation import mutated
from services.inference.settings import Settings
from services.pb import inference_pb2 as pb
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
    valid = [pb.AnalyzeRequest(image=bytes(range(200))).SerializeToString()]
    made = [
        [mutated(random.Random(seed), valid) for seed in range(20)]  # noqa: S311 - not secret
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert len(set(made[0])) > 10


def test_a_message_is_taken_apart_and_put_together_as_it_was() -> None:
    options = pb.AnalyzeOptions(omit_mask=True, priority=pb.PRIORITY_BULK)
    request = pb.AnalyzeStreamRequest(
        id="caller's own", request=pb.AnalyzeRequest(image=b"a picture", options=options)
    )
    encoded = request.SerializeToString()
    parts = wire.fields(encoded)
    assert [(number, kind) for number, kind, _ in parts] == [(1, wire.LENGTH), (2, wire.LENGTH)]
    assert wire.joined(parts) == encoded
    for broken in (encoded[:-1], b"\x00", b"\x0f", b"\xff" * 11):
        with pytest.raises(ValueError, match=r"cut off|wire type|does not end"):
            wire.fields(broken)


def test_half_of_the_messages_have_wrong_fields_and_can_still_be_read() -> None:
    rng = random.Random(1)  # noqa: S311 - not secret
    valid = pb.AnalyzeRequest(image=bytes(300), options=pb.AnalyzeOptions(omit_mask=True))
    read = 0
    for _ in range(400):
        with contextlib.suppress(DecodeError):
            pb.AnalyzeRequest.FromString(mutated(rng, [valid.SerializeToString()]))
            read += 1
    assert 200 <= read < 400
