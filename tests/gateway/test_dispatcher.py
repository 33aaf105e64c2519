"""Who delivers: replicas, processes that stop, figures and logs."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import records as tables
from services.gateway.database import EVERYTHING
from services.gateway.webhooks import dispatcher, schedule
from services.gateway.webhooks import queue as queues
from tests.gateway.conftest import Gateway, Start
from tests.gateway.hooks import hooked, seen, sent, settled, went
from tests.gateway.leaks import WATCH
from tests.gateway.receivers import OK, answer, receiving


async def test_what_is_in_hand_is_finished_when_the_gateway_stops(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "_DRAIN_S", 60)
    async with receiving() as receiver:
        receiver.may_answer.clear()
        async with start() as gateway:
            admin = await gateway.admin()
            (path,) = await sent(admin, await hooked(admin, receiver))
            await receiver.arrived()
            stopping, drain = gateway.parts.dispatcher, gateway.parts.dispatcher._drain

            async def drain_and_then_answer() -> None:
                asyncio.get_running_loop().call_soon(receiver.may_answer.set)
                await drain()

            monkeypatch.setattr(stopping, "_drain", drain_and_then_answer)
        async with start() as gateway:
            delivery = await seen(await gateway.admin(), path)

    assert (delivery["state"], len(receiver.received)) == ("delivered", 1)


async def test_what_does_not_end_in_time_is_left_to_the_next_process(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "_DRAIN_S", 0.1)
    async with receiving() as receiver:
        receiver.may_answer.clear()
        async with start() as gateway:
            admin = await gateway.admin()
            (path,) = await sent(admin, await hooked(admin, receiver))
            await receiver.arrived()
        receiver.may_answer.set()
        async with start() as gateway:
            await receiver.arrived(2)
            await settled(gateway)
            delivery = await seen(await gateway.admin(), path)

    assert (delivery["state"], delivery["attempts"]) == ("delivered", 1)
    assert len({message.headers["webhook-id"] for message in receiver.received}) == 1


async def test_replicas_deliver_a_message_once(start: Start, database_url: str) -> None:
    shared = {"database_url": database_url, "webhook_timeout_s": 60}
    async with (
        start(**shared) as one,
        start(**shared) as other,
        receiving() as receiver,
    ):
        admin = await one.admin()
        hook = await hooked(admin, receiver)
        receiver.may_answer.clear()
        await sent(admin, hook, 4)
        for _ in range(3):
            await one.parts.dispatcher._begin_what_is_due()
            await other.parts.dispatcher._begin_what_is_due()
        receiver.may_answer.set()
        await receiver.arrived(4)
        for each in (one, other, one):
            await settled(each)

    assert len({message.headers["webhook-id"] for message in receiver.received}) == 4
    assert len(receiver.received) == 4


async def test_old_deliveries_are_forgotten(either: Gateway) -> None:
    admin = await either.admin()
    async with receiving() as receiver:
        hook = await hooked(admin, receiver)
        old, new = await sent(admin, hook, 2)
        await receiver.arrived(2)
        await settled(either)
    aged = (
        update(tables.Delivery)
        .where(col(tables.Delivery.id) == old.rsplit("/", 1)[1])
        .values(created_at=tables.now() - queues.KEPT - timedelta(hours=1))
    )
    queue = either.parts.dispatcher._queue
    await queue._database.write(partial(Session.execute, statement=aged), EVERYTHING)

    await queue.clean()

    assert (await admin("GET", old)).status_code == 404
    assert (await admin("GET", new)).status_code == 200


async def test_figures_say_how_attempts_end_and_how_much_waits(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "DELAYS", (timedelta(hours=1),))
    admin = await either.admin()
    async with receiving(OK, answer(500)) as receiver:
        hook = await hooked(admin, receiver)
        await sent(admin, hook, 2)
        await receiver.arrived(2)
        await settled(either)
    queue = either.parts.dispatcher._queue
    waits = select(tables.Delivery).where(col(tables.Delivery.next_at).is_not(None))
    waiting = await queue._database.read(lambda session: session.scalars(waits).one(), EVERYTHING)
    later = waiting.created_at + timedelta(seconds=42)
    monkeypatch.setattr(queues, "now", lambda: later)
    either.parts.dispatcher._measure_at = 0
    await either.parts.dispatcher._keep_house()

    figures = (await either.http.get("/metrics")).text
    assert 'gateway_webhook_attempts_total{outcome="delivered"} 1.0' in figures
    assert 'gateway_webhook_attempts_total{outcome="status"} 1.0' in figures
    assert "gateway_webhook_deliveries_waiting 1.0" in figures
    assert "gateway_webhook_oldest_waiting_seconds 42.0" in figures


async def test_no_log_line_has_a_secret_or_where_a_message_goes(gateway: Gateway) -> None:
    admin = await gateway.admin()
    with WATCH.captured() as lines:
        async with receiving(answer(500), OK) as receiver:
            hook = await hooked(admin, receiver)
            await sent(admin, hook, 2)
            await receiver.arrived(2)
            await settled(gateway)

    assert lines
    assert not [word for word in (hook["secret"], "/hook", "to=us") if word in str(lines)]


async def test_a_look_that_fails_is_not_the_last_one(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    spread, failed = gateway.parts.dispatcher._fan_out.spread, asyncio.Event()

    async def fail_once() -> None:
        monkeypatch.setattr(gateway.parts.dispatcher._fan_out, "spread", spread)
        failed.set()
        raise ZeroDivisionError

    monkeypatch.setattr(gateway.parts.dispatcher._fan_out, "spread", fail_once)
    gateway.parts.dispatcher.wake()
    await asyncio.wait_for(failed.wait(), 60)
    async with receiving() as receiver:
        delivery = await went(gateway, await gateway.admin(), receiver)

    assert delivery["state"] == "delivered"
