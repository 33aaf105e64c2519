"""Events reach webhooks: all of them, once made into a message, and only those one may see."""

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.boot import open_records
from services.gateway.identity import Organisations
from services.gateway.records import Delivery, Role, now
from services.gateway.webhooks import fan_out, schedule
from tests.gateway import processes
from tests.gateway.cast import joined
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.hooks import hooked, settled
from tests.gateway.installation import ADMIN_PASSWORD, settings_for
from tests.gateway.receivers import OK, Receiver, answer, receiving
from tests.gateway.test_batches import finished, sent
from tests.gateway.test_suspects import PICTURES

Told = list[tuple[str, str]]


async def patient(who: Client, number: int = 1) -> str:
    answer = await who("POST", "/v1/patients", json={"identifier": f"Planted {number}"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def spread(*gateways: Gateway) -> None:
    """Make events into messages, and wait until these are gone."""
    for gateway in gateways:
        await gateway.parts.dispatcher._fan_out.spread()
        await gateway.parts.dispatcher._begin_what_is_due()
    for gateway in gateways:
        await settled(gateway)


async def made_due(gateway: Gateway) -> None:
    """As if the time had passed for which messages wait to be tried again; then spread."""
    due = update(Delivery).where(col(Delivery.next_at).is_not(None)).values(next_at=now())
    async with open_records(gateway.settings) as records:
        await records.write(lambda session: session.execute(due))
    await spread(gateway)


def told(receiver: Receiver, secret: str) -> Told:
    """Kind and subject of every message, the signature verified."""
    said: list[Any] = [message.verified(secret) for message in receiver.received]
    return sorted((each["type"], each["data"]["id"]) for each in said)


async def test_a_change_is_told_with_ids_and_nothing_of_the_patient(either: Gateway) -> None:
    admin = await either.admin()
    async with receiving() as receiver:
        hook = await hooked(admin, receiver)
        someone = await patient(admin)
        analysis = await admin.analyze(patient=someone)
        await spread(either)
        await receiver.arrived(2)
        await settled(either)

    assert told(receiver, hook["secret"]) == [
        ("analysis.succeeded", analysis.json()["id"]),
        ("patient.created", someone),
    ]
    for message in receiver.received:
        assert b"Planted" not in message.body
        assert set(message.verified(hook["secret"])) == {"type", "timestamp", "data"}  # type: ignore[call-overload]


async def test_the_end_of_a_batch_is_told_once(either: Gateway) -> None:
    admin = await either.admin()
    async with receiving() as receiver:
        hook = await hooked(admin, receiver, kinds=["batch.finished"])
        path = (await sent(admin, *PICTURES)).headers["Location"]
        await finished(admin, path)
        await spread(either)
        await receiver.arrived(1)
        await spread(either)

    assert told(receiver, hook["secret"]) == [("batch.finished", path.rpartition("/")[2])]


async def test_only_kinds_that_were_asked_for_are_told(either: Gateway) -> None:
    admin = await either.admin()
    async with receiving() as receiver:
        hook = await hooked(admin, receiver, kinds=["patient.removed"])
        someone = await patient(admin)
        await admin("DELETE", f"/v1/patients/{someone}", headers={"If-Match": "*"})
        await spread(either)
        await receiver.arrived()
        await settled(either)

    assert told(receiver, hook["secret"]) == [("patient.removed", someone)]


async def test_a_webhook_is_told_what_its_owner_may_see(either: Gateway) -> None:
    async with open_records(either.settings) as records:
        ours = await Organisations(records).create("ours", shared=True)
        admin = await joined(either, records, Role.ADMIN, ours.id)
        doctor = await joined(either, records, Role.CLINICIAN, ours.id)
    alone, other = await either.admin(), await either.signed_in()
    async with receiving() as sharing, receiving() as private:
        shared_hook, private_hook = await hooked(admin, sharing), await hooked(alone, private)
        colleagues = await patient(doctor)
        await patient(other)
        own = await patient(alone)
        await spread(either)
        await sharing.arrived()
        await private.arrived()
        await settled(either)

    assert told(sharing, shared_hook["secret"]) == [("patient.created", colleagues)]
    assert told(private, private_hook["secret"]) == [("patient.created", own)]


async def test_a_webhook_is_not_told_what_was_before_it_or_while_it_was_disabled(
    either: Gateway,
) -> None:
    admin = await either.admin()
    await patient(admin, 1)
    async with receiving() as receiver:
        hook = await hooked(admin, receiver)
        path, any_revision = f"/v1/webhooks/{hook['id']}", {"If-Match": "*"}
        await admin("PATCH", path, json={"disabled": True}, headers=any_revision)
        await patient(admin, 2)
        await spread(either)
        await admin("PATCH", path, json={"disabled": False}, headers=any_revision)
        seen = await patient(admin, 3)
        await spread(either)
        await receiver.arrived()
        await settled(either)

    assert told(receiver, hook["secret"]) == [("patient.created", seen)]


@pytest.mark.parametrize("change", [{"disabled": True}, {"role": "clinician"}])
async def test_a_webhook_is_told_nothing_while_its_maker_may_not_have_it(
    either: Gateway, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "DELAYS", (timedelta(days=1),) * len(schedule.DELAYS))
    async with open_records(either.settings) as records:
        ours = await Organisations(records).create("ours", shared=True)
        maker, other = [await joined(either, records, Role.ADMIN, ours.id) for _ in range(2)]
    path = f"/v1/users/{(await maker('GET', '/v1/me')).json()['id']}"
    async with receiving(answer(500), OK) as receiver:
        hook = await hooked(maker, receiver)
        tried = await patient(other, 1)
        await spread(either)
        await other("PATCH", path, json=change, headers={"If-Match": "*"})
        meanwhile = await patient(other, 2)
        await made_due(either)
        assert len(receiver.received) == 1

        await other(
            "PATCH", path, json={"disabled": False, "role": "admin"}, headers={"If-Match": "*"}
        )
        await spread(either)
        await receiver.arrived(3)
        await settled(either)

    assert told(receiver, hook["secret"])[1:] == sorted(
        ("patient.created", each) for each in (tried, meanwhile)
    )


async def test_many_events_are_told_in_parts_and_each_once_by_two_replicas(
    start: Start, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fan_out, "_EVENTS_AT_ONCE", 3)
    async with (
        start(database_url=database_url) as one,
        start(database_url=database_url) as other,
        receiving() as receiver,
    ):
        admin = await one.admin()
        hook = await hooked(admin, receiver)
        made = [await patient(admin, number) for number in range(10)]
        await asyncio.gather(
            one.parts.dispatcher._fan_out.spread(), other.parts.dispatcher._fan_out.spread()
        )
        while len(receiver.received) < len(made):
            await spread(one, other)

    assert told(receiver, hook["secret"]) == sorted(("patient.created", each) for each in made)


async def test_a_gateway_that_is_killed_loses_no_message(tmp_path: Any, database_url: str) -> None:
    variables = {
        "DERMSERVE_GATEWAY_DATABASE_URL": database_url,
        "DERMSERVE_GATEWAY_ADMIN_PASSWORD": ADMIN_PASSWORD,
        "DERMSERVE_GATEWAY_WEBHOOK_NETWORKS": "127.0.0.1",
        "DERMSERVE_GATEWAY_WEBHOOK_PORTS": "1-65535",
        "DERMSERVE_GATEWAY_WEBHOOK_PLAIN_HTTP": "true",
    }
    folder = tmp_path / "data"
    async with receiving(OK) as receiver:
        async with (
            processes.running(folder, **variables) as first,
            httpx.AsyncClient(base_url=first.url, timeout=60) as http,
        ):
            form = {"username": "admin", "password": ADMIN_PASSWORD}
            token = (await http.post("/v1/auth/token", data=form)).json()["access_token"]
            admin = Client(http, token)
            hook = await hooked(admin, receiver)
            receiver.may_answer.clear()
            made = [await patient(admin, number) for number in range(3)]
            await receiver.arrived()
            made += [await patient(admin, number) for number in range(3, 6)]
            first.process.kill()
            await asyncio.wait_for(first.process.wait(), 60)
        receiver.may_answer.set()
        # As if the time had passed for which the process had taken messages in hand.
        over = update(Delivery).where(Delivery.holder.is_not(None)).values(next_at=now())  # type: ignore[union-attr]
        async with open_records(settings_for(folder, database_url=database_url)) as records:
            await records.write(partial(Session.execute, statement=over))
        async with processes.running(folder, **variables):
            while len({message.headers["webhook-id"] for message in receiver.received}) < len(made):
                await receiver.arrived(len(receiver.received) + 1)

    assert set(told(receiver, hook["secret"])) == {("patient.created", each) for each in made}
