"""What webhooks are sent, how often, and what follows when nobody takes it."""

from datetime import timedelta

import pytest

from services.gateway import records as tables
from services.gateway.webhooks import queue as queues
from services.gateway.webhooks import schedule
from tests.gateway.conftest import Gateway, Start
from tests.gateway.hooks import hooked, moment, seen, sent, settled
from tests.gateway.receivers import OK, answer, receiving


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages are tried again without a wait."""
    monkeypatch.setattr(schedule, "DELAYS", (timedelta(),) * len(schedule.DELAYS))


async def test_a_message_arrives_signed_as_the_standard_has_it(either: Gateway) -> None:
    admin = await either.admin()
    async with receiving() as receiver:
        hook = await hooked(admin, receiver)
        (path,) = await sent(admin, hook)
        await receiver.arrived()
        await settled(either)

    (message,) = receiver.received
    delivery = await seen(admin, path)
    assert message.verified(hook["secret"]) == {
        "type": "webhook.test",
        "timestamp": delivery["occurred_at"],
        "data": {},
    }
    assert message.path == "/hook?to=us"
    assert message.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert message.headers["content-type"] == "application/json"
    assert message.headers["webhook-id"] == delivery["message_id"]
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
    assert (delivery["status_code"], delivery["error"], delivery["next_at"]) == (204, None, None)


@pytest.mark.usefixtures("at_once")
async def test_a_message_is_tried_again_with_the_same_id_until_it_is_taken(either: Gateway) -> None:
    admin = await either.admin()
    async with receiving(answer(500), answer(404), OK) as receiver:
        hook = await hooked(admin, receiver)
        (path,) = await sent(admin, hook)
        await receiver.arrived(3)
        await settled(either)

    assert len({message.headers["webhook-id"] for message in receiver.received}) == 1
    assert all(message.verified(hook["secret"]) for message in receiver.received)
    delivery = await seen(admin, path)
    assert (delivery["state"], delivery["attempts"]) == ("delivered", 3)
    assert (await seen(admin, f"/v1/webhooks/{hook['id']}"))["failing_since"] is None


def test_the_attempts_are_ten_and_come_ever_later_for_three_days() -> None:
    waits = [schedule.delay(made) for made in range(1, 11)]

    assert waits.pop() is None
    assert all(wait is not None for wait in waits)
    least = [5, 5 * 60, 30 * 60, *(hours * 3600 for hours in (2, 5, 10, 14, 20, 24))]
    shares = [wait.total_seconds() / planned for wait, planned in zip(waits, least, strict=True)]  # type: ignore[union-attr]
    assert min(shares) >= 1
    assert max(shares) <= 1.2


@pytest.mark.usefixtures("at_once")
async def test_after_ten_attempts_a_message_has_failed_and_can_be_replayed(either: Gateway) -> None:
    admin = await either.admin()
    async with receiving(*[answer(500)] * 10, OK) as receiver:
        (path,) = await sent(admin, await hooked(admin, receiver))
        await receiver.arrived(10)
        await settled(either)
        failed = await seen(admin, path)

        replayed = await admin("POST", f"{path}/replay")
        await receiver.arrived(11)
        await settled(either)

    assert (failed["state"], failed["attempts"], failed["next_at"]) == ("failed", 10, None)
    assert (replayed.status_code, replayed.json()["state"]) == (202, "waiting")
    assert (await seen(admin, path))["state"] == "delivered"
    assert len({message.headers["webhook-id"] for message in receiver.received}) == 1


async def test_the_time_between_attempts_grows_over_three_days() -> None:
    waits = [schedule.delay(attempts) for attempts in range(1, 11)]

    assert waits[-1] is None
    planned = [wait for wait in waits if wait is not None]
    assert planned == sorted(planned)
    assert timedelta(seconds=5) <= planned[0] <= timedelta(seconds=6)
    assert timedelta(days=3) < sum(planned, timedelta()) < timedelta(days=4)
    assert len({schedule.delay(9) for _ in range(20)}) > 1
    assert schedule.delay(1, timedelta(hours=1)) == timedelta(hours=1)
    assert schedule.delay(1, timedelta(days=365)) == timedelta(hours=24)


async def test_a_receiver_that_is_gone_is_told_nothing_more(either: Gateway) -> None:
    admin = await either.admin()
    async with receiving(answer(410), OK) as receiver:
        hook = await hooked(admin, receiver)
        (path,) = await sent(admin, hook)
        await receiver.arrived()
        await settled(either)

        shown = await admin("GET", f"/v1/webhooks/{hook['id']}")
        refused = await admin("POST", f"/v1/webhooks/{hook['id']}/test")
        again = await admin("POST", f"{path}/replay")
        assert (shown.json()["disabled"], shown.json()["disabled_because"]) == (True, "gone")
        assert shown.headers["ETag"] == '"2"'
        assert (refused.status_code, again.status_code) == (409, 409)

        enabled = await admin(
            "PATCH",
            f"/v1/webhooks/{hook['id']}",
            json={"disabled": False},
            headers={"If-Match": '"2"'},
        )
        assert (enabled.status_code, enabled.json()["disabled_because"]) == (200, None)
        await admin("POST", f"{path}/replay")
        await receiver.arrived(2)
        await settled(either)

    assert (await seen(admin, path))["state"] == "delivered"


async def test_a_receiver_that_fails_for_five_days_is_given_up(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than the test takes, and shorter than what its clock is set on by.
    monkeypatch.setattr(schedule, "DELAYS", (timedelta(hours=1),) * len(schedule.DELAYS))
    admin = await either.admin()
    async with receiving(answer(500)) as receiver:
        hook = await hooked(admin, receiver)
        found = []
        for days, count in ((0, 1), (4.9, 3), (5.1, 4)):
            ahead = timedelta(days=days)
            monkeypatch.setattr(queues, "moment_of", lambda _, by=ahead: tables.now() + by)
            await sent(admin, hook)
            either.parts.dispatcher.wake()
            await receiver.arrived(count)
            await settled(either)
            found.append((await seen(admin, f"/v1/webhooks/{hook['id']}"))["disabled_because"])

    assert found == [None, None, "failing"]


async def test_a_receiver_that_asks_for_time_gets_it(either: Gateway) -> None:
    admin = await either.admin()
    async with receiving(answer(429, "Retry-After: 3600")) as receiver:
        hook = await hooked(admin, receiver)
        (first,) = await sent(admin, hook)
        await receiver.arrived()
        await settled(either)
        (second,) = await sent(admin, hook)
        await either.parts.dispatcher._begin_what_is_due()
        await settled(either)

    refused, other = await seen(admin, first), await seen(admin, second)
    waits = moment(refused["next_at"]) - moment(refused["attempted_at"])
    assert timedelta(hours=1) <= waits < timedelta(hours=1.1)
    assert (refused["attempts"], other["attempts"]) == (1, 0)
    assert len(receiver.received) == 1


async def test_both_secrets_sign_until_the_former_one_expires(either: Gateway) -> None:
    admin = await either.admin()
    async with receiving() as receiver:
        hook = await hooked(admin, receiver)
        path = f"/v1/webhooks/{hook['id']}/secrets"
        second = (await admin("POST", path, json={})).json()["secret"]
        await sent(admin, hook)
        await receiver.arrived()
        third = (await admin("POST", path, json={"overlap_hours": 0})).json()["secret"]
        await sent(admin, hook)
        await receiver.arrived(2)
        await settled(either)

    both, last = receiver.received
    assert both.verified(hook["secret"]) == both.verified(second)
    assert last.verified(third)
    assert len(both.headers["webhook-signature"].split()) == 2
    assert len(last.headers["webhook-signature"].split()) == 1
    for secret in (hook["secret"], second):
        with pytest.raises(Exception, match="No matching signature"):
            last.verified(secret)


async def test_a_secret_that_cannot_be_opened_signs_nothing_until_there_is_a_new_one(
    start: Start,
    database_url: str,
) -> None:
    async with receiving() as receiver:
        async with start(database_url=database_url) as gateway:
            hook = await hooked(await gateway.admin(), receiver)
        (gateway.settings.data_dir / "sealing-key.hex").unlink()
        async with start(database_url=database_url) as gateway:
            admin = await gateway.admin()
            (path,) = await sent(admin, hook)
            while (delivery := await seen(admin, path))["error"] is None:
                await settled(gateway)
            renewed = await admin(
                "POST", f"/v1/webhooks/{hook['id']}/secrets", json={"overlap_hours": 0}
            )
            await admin("POST", f"{path}/replay")
            await receiver.arrived()
            await settled(gateway)

    assert delivery["error"] == "secret"
    (message,) = receiver.received
    assert message.verified(renewed.json()["secret"])
