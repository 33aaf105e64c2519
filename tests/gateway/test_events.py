"""Every change of a record leaves one event, in its own transaction and in its order."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway.database import EVERYTHING, Database, Scope, opened, publish
from services.gateway.events import Feed
from services.gateway.records import (
    Analysis,
    Event,
    EventKind,
    Organisation,
    Patient,
    Record,
    now,
)
from tests.gateway.conftest import Client, Gateway
from tests.gateway.test_database import a_user, add, an_analysis

WEEK = timedelta(days=7)
ANN = {"identifier": "4711", "name": "Ann"}


async def told(gateway: Gateway, client: Client) -> list[tuple[str, str]]:
    """Kind and subject of all that somebody may know of."""
    me = (await client("GET", "/v1/me")).json()
    shared = (await client("GET", "/v1/organisation")).json()["shared"]
    scope = Scope(me["organisation_id"], me["id"], shared)
    found = await gateway.parts.feed.after(scope, 0, 100)
    return [(event.kind, event.subject_id) for event in found]


async def made(answer: Any) -> str:
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_each_change_of_a_record_leaves_one_event(either: Gateway) -> None:
    alice = await either.signed_in()
    any_revision = {"If-Match": "*"}

    patient = await made(await alice("POST", "/v1/patients", json=ANN))
    lesion = await made(await alice("POST", "/v1/lesions", json={"patient": patient}))
    first = await made(await alice.analyze(lesion=lesion))
    second = await made(await alice.analyze(patient=patient))
    for path in (f"/v1/patients/{patient}", f"/v1/lesions/{lesion}"):
        change = {"name": "Eve"} if "patients" in path else {"note": "new"}
        assert (await alice("PATCH", path, json=change, headers=any_revision)).status_code == 200
    await alice("DELETE", f"/v1/analyses/{first}")
    await alice("DELETE", f"/v1/patients/{patient}", headers=any_revision)

    assert await told(either, alice) == [
        ("patient.created", patient),
        ("lesion.created", lesion),
        ("analysis.succeeded", first),
        ("analysis.succeeded", second),
        ("patient.changed", patient),
        ("lesion.changed", lesion),
        ("analysis.removed", first),
        ("patient.removed", patient),
        ("lesion.removed", lesion),
        ("analysis.removed", second),
    ]


async def test_a_change_that_is_refused_leaves_none(either: Gateway) -> None:
    alice = await either.signed_in()
    patient = await made(await alice("POST", "/v1/patients", json=ANN))

    assert (await alice("POST", "/v1/patients", json=ANN)).status_code == 409
    stale = {"If-Match": '"99"'}
    change = await alice("PATCH", f"/v1/patients/{patient}", json={}, headers=stale)
    lesion = await alice("POST", "/v1/lesions", json={"patient": "0" * 32})

    assert (change.status_code, lesion.status_code) == (412, 422)
    assert await told(either, alice) == [("patient.created", patient)]


OURS = Organisation(name="ours", shared=True)
ALICE = a_user(username="alice", organisation_id=OURS.id)
SCOPE = Scope(OURS.id, ALICE.id, shared=True)


_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def somebody_waits(url: str) -> None:
    """Return when somebody waits for a lock in a database."""
    # Within a transaction the same would be seen again and again.
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with asyncio.timeout(60), engine.connect() as connection:
        while not await connection.scalar(_WAITING):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)
    await engine.dispose()


async def populate(records: Database) -> None:
    for row in (OURS, ALICE):
        copy: Any = type(row)(**row.model_dump())
        await add(records, copy)


@pytest.fixture
async def peopled(records: Database) -> Database:
    await populate(records)
    return records


async def events(records: Database, scope: Scope = SCOPE) -> list[Event]:
    return await Feed(records, WEEK).after(scope, 0, 10_000)


async def test_numbers_count_what_happened_in_the_order_in_which_it_was_committed(
    peopled: Database,
) -> None:
    """Whoever goes on after the last number they saw misses nothing, whoever writes meanwhile."""
    writes = asyncio.gather(*(add(peopled, an_analysis(ALICE)) for _ in range(40)))
    seen: list[int] = []
    while len(seen) < 40:
        last = seen[-1] if seen else 0
        seen += [event.number for event in await Feed(peopled, WEEK).after(SCOPE, last, 10)]
    await writes

    assert seen == list(range(1, 41))


async def test_nobody_sees_a_number_before_all_smaller_ones(postgres_url: str) -> None:
    """Those of a sequence become visible as soon as their own transaction is committed."""
    slow = text("UPDATE event_counts SET count = count + 1")
    async with opened(postgres_url, 60) as records:
        await populate(records)
        await add(records, an_analysis(ALICE))
        engine = create_async_engine(postgres_url)
        async with engine.begin() as other:
            await other.execute(slow)
            writing = asyncio.create_task(add(records, an_analysis(ALICE)))
            await somebody_waits(postgres_url)
            assert [event.number for event in await events(records)] == [1]
        await writing
        await engine.dispose()

        assert [event.number for event in await events(records)] == [1, 3]


async def test_what_was_rolled_back_leaves_no_event_and_no_gap(peopled: Database) -> None:
    def half(session: Session) -> None:
        session.add(an_analysis(ALICE))
        session.flush()
        raise RuntimeError

    await add(peopled, an_analysis(ALICE))
    with pytest.raises(RuntimeError):
        await peopled.write(half)
    await add(peopled, an_analysis(ALICE))

    assert [event.number for event in await events(peopled)] == [1, 2]


_rows = an_analysis(ALICE)
CHANGES: dict[str, tuple[Callable[[Session], object], list[str]]] = {
    "an insert beside the records": (
        lambda session: session.execute(
            insert(Record.metadata.tables["analyses"]), an_analysis(ALICE).model_dump()
        ),
        ["analysis.succeeded"],
    ),
    "an insert of several": (
        lambda session: session.execute(
            insert(Analysis), [an_analysis(ALICE).model_dump() for _ in range(2)]
        ),
        ["analysis.succeeded", "analysis.succeeded"],
    ),
    "a removal by a statement": (
        lambda session: session.execute(update(Analysis).values(deleted_at=now())),
        ["analysis.removed"],
    ),
    "a change of a record that nobody is told of": (
        lambda session: session.execute(update(Analysis).values(note="seen")),
        [],
    ),
    "a record that is looked at": (
        lambda session: session.scalars(select(Analysis)).all(),
        [],
    ),
    "what somebody publishes by name": (
        lambda session: publish(session, EventKind.PATIENT_CHANGED, _rows, _rows.id),
        ["patient.changed"],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_whatever_changes_records_is_seen(peopled: Database, change: str) -> None:
    await add(peopled, an_analysis(ALICE))
    work, expected = CHANGES[change]

    await peopled.write(work, SCOPE)

    assert [event.kind for event in await events(peopled)] == ["analysis.succeeded", *expected]


async def test_an_insert_whose_rows_cannot_be_seen_fails(peopled: Database) -> None:
    hidden = insert(Analysis).values(an_analysis(ALICE).model_dump())

    with pytest.raises(TypeError, match="published"):
        await peopled.write(lambda session: session.execute(hidden), EVERYTHING)


async def test_what_is_changed_twice_in_a_transaction_is_one_event(peopled: Database) -> None:
    patient = Patient(organisation_id=OURS.id, owner_id=ALICE.id, identifier="4711")
    await add(peopled, patient)

    def twice(session: Session) -> None:
        found = session.scalars(select(Patient)).one()
        for name in ("Ann", "Eve"):
            found.name = name
            session.flush()

    await peopled.write(twice, SCOPE)

    assert [event.kind for event in await events(peopled)] == ["patient.created", "patient.changed"]


async def test_who_may_not_see_a_record_sees_no_event_of_it(peopled: Database) -> None:
    theirs = Organisation(name="theirs", shared=True)
    bob, eve = (
        a_user(username="bob", organisation_id=OURS.id),
        a_user(username="eve", organisation_id=theirs.id),
    )
    scopes = {
        "theirs": Scope(theirs.id, eve.id, shared=True),
        "colleague": Scope(OURS.id, bob.id, shared=True),
        "alone": Scope(OURS.id, bob.id),
        "herself": Scope(OURS.id, ALICE.id),
    }
    await add(peopled, theirs)
    await add(peopled, bob, eve)
    await add(peopled, an_analysis(ALICE))
    (event,) = await events(peopled)

    feed = Feed(peopled, WEEK)
    seen = {name: len(await feed.after(scope, 0, 10)) for name, scope in scopes.items()}
    known = {name: await feed.number_of(scope, event.id) for name, scope in scopes.items()}

    assert seen == {"theirs": 0, "colleague": 1, "alone": 0, "herself": 1}
    assert known == {"theirs": None, "colleague": 1, "alone": None, "herself": 1}


async def test_events_that_were_kept_for_long_enough_are_cleaned(peopled: Database) -> None:
    for _ in range(3):
        await add(peopled, an_analysis(ALICE))
    old = update(Event).where(col(Event.number) < 3).values(created_at=now() - 2 * WEEK)
    await peopled.write(lambda session: session.execute(old))
    feed = Feed(peopled, WEEK)

    removed = await feed.clean()
    await add(peopled, an_analysis(ALICE))

    assert removed == 2
    assert [event.number for event in await events(peopled)] == [3, 4]
    assert await feed.newest(OURS.id) == 4
