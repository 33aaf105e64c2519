"""Replicas whose clocks differ: when a message is due does not depend on who wrote it down."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.gateway.webhooks import DeliveryQueue, schedule
from tests.gateway.clocks import HOUR, set_ahead
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.hooks import Hook, hooked, moment, seen, sent, settled
from tests.gateway.receivers import Receiver, answer, receiving

SOON = timedelta(minutes=10)
"""Late enough that nothing is tried again before the test has looked."""


async def due(admin: Client, hook: Hook) -> list[timedelta]:
    """How much later than now each message is due."""
    shown = (await admin("GET", f"/v1/webhooks/{hook['id']}/deliveries")).json()["items"]
    now = datetime.now(UTC)
    return [moment(each["next_at"]) - now for each in shown]


async def nobody_takes(*_: Any) -> list[Any]:
    return []


async def failed_once(gateway: Gateway, admin: Client, receiver: Receiver, hook: Hook) -> None:
    (path,) = await sent(admin, hook)
    await receiver.arrived()
    while (await seen(admin, path))["error"] is None:
        await settled(gateway)


async def test_messages_of_a_gateway_whose_clock_is_ahead_are_due_as_those_of_others(
    start: Start, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New ones, those that somebody has sent again, and those that were not taken."""
    set_ahead(monkeypatch)
    monkeypatch.setattr(schedule, "DELAYS", (SOON,) * len(schedule.DELAYS))
    monkeypatch.setattr(schedule, "_JITTER", 0)
    async with start(database_url=postgres_url) as gateway, receiving(answer(500)) as receiver:
        admin = await gateway.admin()
        hook = await hooked(admin, receiver)
        await failed_once(gateway, admin, receiver, hook)
        (again,) = await due(admin, hook)
        monkeypatch.setattr(DeliveryQueue, "take", nobody_takes)
        (path,) = await sent(admin, hook)
        await admin("POST", "/v1/patients", json={"identifier": "1"})
        await gateway.parts.dispatcher._fan_out.spread()
        new = await due(admin, hook)
        assert (await admin("POST", f"{path}/replay")).is_success
        replayed = await due(admin, hook)

    assert again <= SOON
    assert max(new, default=HOUR) <= SOON
    assert len(new) > 2
    assert max(replayed) <= SOON
