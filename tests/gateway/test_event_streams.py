"""Server-sent events: in order, from where one was, for those only who may see them."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import update

from services.gateway.boot import open_records
from services.gateway.events import streams
from services.gateway.identity import Accounts, Attempts, Organisations, Passwords
from services.gateway.records import Event, Role, now
from tests.gateway.cast import joined
from tests.gateway.conftest import PASSWORD, Client, Served, Start
from tests.gateway.watching import (
    connection_to,
    dropped,
    flood,
    gone,
    nobody_watches,
    on_a_socket,
    patient,
    watching,
)


async def test_what_happens_is_told_as_it_happens(served: Served) -> None:
    alice = await served.gateway.signed_in()

    async with watching(served.url, alice) as watch:
        made = await patient(alice)
        event = await watch.event()
        analyzed = (await alice.analyze(patient=made)).json()["id"]
        second = await watch.event()

    assert event is not None
    assert second is not None
    assert (event.kind, event.subject) == ("patient.created", made)
    assert event.data.keys() == {"id", "kind", "subject_id", "created_at"}
    assert event.id == event.data["id"]
    assert (second.kind, second.subject) == ("analysis.succeeded", analyzed)
    assert watch.answer.headers["content-type"].startswith("text/event-stream")
    assert watch.answer.headers["cache-control"] == "no-store"
    assert watch.answer.headers["x-accel-buffering"] == "no"
    assert "content-length" not in watch.answer.headers


async def test_who_comes_back_is_told_what_they_missed_and_nothing_twice(served: Served) -> None:
    alice = await served.gateway.signed_in()
    async with watching(served.url, alice) as watch:
        made = [await patient(alice, number) for number in range(3)]
        seen = await watch.events(2)
    made += [await patient(alice, number) for number in range(3, 5)]

    async with watching(served.url, alice, seen[-1].id) as watch:
        made.append(await patient(alice, 5))
        rest = await watch.events(4)

    assert [event.subject for event in [*seen, *rest]] == made


async def test_more_than_is_held_for_a_client_is_told_all_the_same(
    start: Start, database_url: str
) -> None:
    async with (
        start(database_url=database_url, event_buffer=1) as gateway,
        on_a_socket(gateway) as url,
    ):
        alice = await gateway.signed_in()
        async with watching(url, alice) as watch:
            made = await patient(alice)
            for number in range(5):
                body = {"patient": made, "note": str(number)}
                assert (await alice("POST", "/v1/lesions", json=body)).status_code == 201
            # Twelve events in one transaction would not fit into a buffer of one.
            await alice("DELETE", f"/v1/patients/{made}", headers={"If-Match": "*"})
            kinds = [event.kind for event in await watch.events(12)]

    assert kinds == [
        "patient.created",
        *["lesion.created"] * 5,
        "patient.removed",
        *["lesion.removed"] * 5,
    ]


async def test_what_is_kept_can_be_asked_for_without_staying(served: Served) -> None:
    alice = await served.gateway.signed_in()
    await flood(served.gateway, alice, 250)
    made = await patient(alice)

    async with watching(served.url, alice, "0", follow="false") as watch:
        told = await watch.all()

    assert len({event.id for event in told}) == 251
    assert told[-1].subject == made


async def test_who_was_away_for_too_long_is_told_that_they_missed_something(
    served: Served,
) -> None:
    alice = await served.gateway.signed_in()
    bob = await served.gateway.signed_in("bob")
    async with watching(served.url, alice) as watch:
        await patient(alice)
        seen = await watch.event()
    assert seen is not None
    async with open_records(served.gateway.settings) as records:
        old = update(Event).values(created_at=now() - timedelta(days=8))
        await records.write(lambda session: session.execute(old))
    await served.gateway.parts.feed.clean()

    for client, last in ((alice, seen.id), (bob, "1" * 32), (bob, "nonsense")):
        async with watching(served.url, client, last) as watch:
            made = await patient(client, 7)
            missed, next_one = await watch.events(2)
            await client("DELETE", f"/v1/patients/{made}", headers={"If-Match": "*"})

        assert missed.data == {"kind": "stream.missed"}
        assert missed.id is None
        assert next_one.subject == made


async def test_an_event_of_others_is_no_place_to_go_on_from(served: Served) -> None:
    """It looks as one that is not there."""
    alice, bob = await served.gateway.signed_in(), await served.gateway.signed_in("bob")
    async with watching(served.url, alice) as watch:
        await patient(alice)
        seen = await watch.event()
    assert seen is not None

    async with watching(served.url, bob, seen.id, follow="false") as watch:
        told = await watch.all()

    assert [event.kind for event in told] == ["stream.missed"]


async def test_each_is_told_what_their_lists_have_and_nothing_else(served: Served) -> None:
    gateway = served.gateway
    async with open_records(gateway.settings) as records:
        ours = await Organisations(records).create("ours", shared=True)
        theirs = await Organisations(records).create("theirs", shared=True)
        people = {role: await joined(gateway, records, role, ours.id) for role in Role}
        stranger = await joined(gateway, records, Role.ADMIN, theirs.id)
    doctor, alone = people[Role.CLINICIAN], await gateway.signed_in()
    everybody = {str(role): client for role, client in people.items()}
    everybody |= {"stranger": stranger, "alone": alone}

    for number, (name, client) in enumerate(everybody.items()):
        last = await patient(doctor if name in set(Role) else client, number)
        async with watching(served.url, client, "0", follow="false") as watch:
            seen = [event.subject for event in await watch.all()]
        listed = (await client("GET", "/v1/patients")).json()["items"]
        assert seen == [each["id"] for each in reversed(listed)], name
        assert last in seen


async def test_one_user_has_so_many_streams_and_all_together_so_many(
    start: Start, database_url: str
) -> None:
    bounds = {"max_streams": 3, "max_streams_of_user": 2}
    async with start(database_url=database_url, **bounds) as gateway, on_a_socket(gateway) as url:
        alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
        async with watching(url, alice), watching(url, alice), watching(url, alice) as third:
            assert third.answer.status_code == 429
            assert third.answer.json()["type"] == "/docs/problems#too-many-streams"
            assert int(third.answer.headers["retry-after"]) > 0
            async with watching(url, bob), watching(url, bob) as fourth:
                assert fourth.answer.status_code == 503
        await nobody_watches(gateway, "sse")
        async with watching(url, alice) as again:
            assert again.answer.status_code == 200


async def test_a_stream_ends_with_what_it_was_opened_with(served: Served) -> None:
    """With its sign-in, its key, its user, or the right to read; not with its access token."""
    gateway = served.gateway
    admin = await gateway.admin()
    service = {"username": "bridge", "password": PASSWORD, "role": "service"}
    service_id = (await admin("POST", "/v1/users", json=service)).json()["id"]
    new = {"user_id": service_id, "name": "bridge", "permissions": ["records:read"]}
    key = (await admin("POST", "/v1/api-keys", json=new)).json()
    program = Client(gateway.http, key["key"])
    alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")

    async with (
        watching(served.url, alice) as of_alice,
        watching(served.url, bob) as of_bob,
        watching(served.url, program) as of_program,
        watching(served.url, admin) as of_admin,
    ):
        await alice("POST", "/v1/auth/logout")
        async with open_records(gateway.settings) as records:
            await Accounts(records, Passwords(records, Attempts(records))).disable("bob")
        await admin("DELETE", f"/v1/api-keys/{key['id']}")
        ends = [await watch.events(2) for watch in (of_alice, of_bob, of_program)]
        made = await patient(admin)
        still = await of_admin.event()

    for (end,) in ends:
        assert end.data == {"kind": "stream.ended", "reason": "signed_out"}
    assert still is not None
    assert still.subject == made


async def test_a_stream_says_that_it_is_there(start: Start) -> None:
    async with start(heartbeat_s=0.05) as gateway, on_a_socket(gateway) as url:
        alice = await gateway.signed_in()
        async with watching(url, alice) as watch:
            beats = [await watch.next() for _ in range(3)]

    assert [beat.comment for beat in beats if beat] == [": still here"] * 3


async def test_a_gateway_that_stops_ends_its_streams_at_once(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing else would wake them meanwhile.
    monkeypatch.setattr(streams, "_LOOK_EVERY_S", 600)
    async with start(heartbeat_s=600) as gateway, on_a_socket(gateway) as url:
        alice = await gateway.signed_in()
        async with watching(url, alice) as watch:
            gateway.parts.streams.close()
            end, nothing = await watch.event(), await watch.event()
            late = await alice("GET", "/v1/events")
    assert end is not None
    assert end.data == {"kind": "stream.ended", "reason": "shutdown"}
    assert nothing is None
    assert late.status_code == 503


async def test_a_client_that_takes_nothing_is_dropped_and_counted(
    start: Start, database_url: str
) -> None:
    async with (
        start(database_url=database_url, event_patience_s=0.3) as gateway,
        on_a_socket(gateway) as url,
    ):
        alice = await gateway.signed_in()
        reader, writer = await asyncio.open_connection(sock=connection_to(url), limit=4096)
        head = f"GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.token}\r\n\r\n"
        writer.write(head.encode())
        await reader.readuntil(b"retry: 2000")
        await flood(gateway, alice, 4000)
        await dropped(gateway, "sse")
        try:
            rest = await reader.read()
        except ConnectionError:
            rest = b""
        writer.close()
        await gone(writer)

        assert not rest.endswith(b"0\r\n\r\n"), "it looks as if it had ended"
        await nobody_watches(gateway, "sse")
