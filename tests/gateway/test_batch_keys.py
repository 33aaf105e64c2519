"""A batch that comes again with its key is the one that it made."""

import asyncio

import pytest

from tests.gateway.conftest import Gateway, Start
from tests.gateway.test_batches import PICTURES, finished, sent, sent_zip, zipped
from tests.gateway.test_storage_quotas import usage


async def test_a_batch_that_is_sent_again_with_its_key_is_the_same(either: Gateway) -> None:
    alice = await either.signed_in()
    key = {"Idempotency-Key": "again"}

    first = await sent(alice, *PICTURES, headers=key)
    again = await sent(alice, *PICTURES, headers=key)
    other = await sent(alice, *PICTURES[:2], headers=key)
    await finished(alice, first.headers["Location"])

    assert first.headers["Location"] == again.headers["Location"]
    assert other.status_code == 422
    assert len((await alice("GET", "/v1/analyses")).json()["items"]) == 3
    assert len(either.inference.requests) == 3


@pytest.mark.parametrize("packed", [False, True])
async def test_other_bytes_are_another_batch_also_in_a_file_that_is_not_taken(
    gateway: Gateway, *, packed: bool
) -> None:
    alice = await gateway.signed_in()

    async def send(picture: bytes) -> int:
        # By its name it is what it is not.
        files, key = {"a.gif": picture}, {"Idempotency-Key": "again"}
        if packed:
            return (await sent_zip(alice, zipped(files), **key)).status_code
        form = [("images", each) for each in files.items()]
        return (await alice("POST", "/v1/batches", files=form, headers=key)).status_code

    one, another = PICTURES[:2]
    assert [await send(one), await send(one), await send(another)] == [202, 202, 422]


@pytest.mark.parametrize("bound", ["max_queued_pictures", "user_quota_pictures"])
async def test_what_a_key_has_made_is_shown_though_there_is_no_room_for_another(
    start: Start, database_url: str, bound: str
) -> None:
    # Alone, a user has half of the line.
    bounds = {
        "max_queued_pictures": {"max_queued_pictures": 6, "max_batch_pictures": 3},
        "user_quota_pictures": {"user_quota_pictures": 3},
    }
    async with start(database_url=database_url, job_workers=0, **bounds[bound]) as full:
        alice = await full.signed_in()
        key = {"Idempotency-Key": "again"}
        first = await sent(alice, *PICTURES, headers=key)

        again = await sent(alice, *PICTURES, headers=key)
        other = await sent(alice, *PICTURES[:2], headers=key)
        another = await sent(alice, *PICTURES)

        assert (again.status_code, other.status_code) == (202, 422)
        assert again.headers["Location"] == first.headers["Location"]
        assert another.status_code in {429, 507}
        assert (await usage(alice))["user"]["pictures"] == 3


async def test_what_is_sent_twice_at_once_with_a_key_is_one_batch(either: Gateway) -> None:
    alice = await either.signed_in()
    key = {"Idempotency-Key": "at-once"}

    answers = await asyncio.gather(*(sent(alice, *PICTURES, headers=key) for _ in range(3)))

    assert {answer.status_code for answer in answers} <= {202, 409}
    places = {answer.headers["Location"] for answer in answers if answer.status_code == 202}
    assert len(places) == 1
    assert len((await alice("GET", "/v1/analyses")).json()["items"]) == 3
