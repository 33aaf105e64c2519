"""Many who work on the same records at once: each waits for others, and never two for each other.

PostgreSQL ends one of two that wait for each other, with an error; so any error is one too many.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import database, errors, storage_quotas
from services.gateway.batches import Batches
from services.gateway.clinical import Patients
from services.gateway.database import EVERYTHING, Database, Scope, Within, publish
from services.gateway.jobs import Queue
from services.gateway.jobs.held import Held
from services.gateway.jobs.queue import LostError
from services.gateway.metrics import Metrics
from services.gateway.records import (
    DEFAULT_ORGANISATION,
    Analysis,
    Batch,
    Delivery,
    Event,
    EventKind,
    Job,
    Role,
    Status,
    User,
    Webhook,
    new_id,
)
from services.gateway.storage_quotas import Amount
from services.gateway.webhooks.makers import Makers
from services.gateway.webhooks.queue import DeliveryQueue
from services.gateway.webhooks.sending import Outcome

TIMES = 30


@pytest.fixture
async def shared(postgres_url: str) -> AsyncIterator[Database]:
    """A database of several connections."""
    async with database.opened(postgres_url, 60) as opened:
        yield opened


@pytest.fixture
async def replicas(database_url: str) -> AsyncIterator[list[Database]]:
    """A database of each kind as two gateways have it open."""
    async with database.opened(database_url, 60) as one, database.opened(database_url, 60) as two:
        yield [one, two]


async def member(records: Database) -> Scope:
    user = User(organisation_id=DEFAULT_ORGANISATION, username="alice", password_hash="x")
    await records.write(lambda session: session.add(user), EVERYTHING)
    return Scope(DEFAULT_ORGANISATION, user.id, shared=True)


def hook(webhook: Webhook, deliveries: int, session: Session) -> None:
    """Add a webhook and what it is to be told."""
    session.add(webhook)
    session.flush()
    session.add_all(
        Delivery(
            organisation_id=webhook.organisation_id,
            webhook_id=webhook.id,
            message_id=new_id(),
            kind="webhook.test",
        )
        for _ in range(deliveries)
    )


async def test_patients_are_made_while_others_are_changed(shared: Database) -> None:
    patients, scope = Patients(shared), await member(shared)

    async def made() -> str:
        patient_id = new_id()
        values = {"identifier": patient_id, "issuer": "here", "name": "x"}
        return (await patients.create(scope, patient_id, values)).id

    async def make() -> None:
        for _ in range(TIMES):
            await made()

    async def change(patient_id: str) -> None:
        for _ in range(TIMES):
            await patients.change(scope, patient_id, None, {"name": new_id()})

    there = [await made() for _ in range(4)]
    await asyncio.gather(make(), *map(change, there))

    changed = [await patients.get(scope, patient_id) for patient_id in there]
    assert {patient.revision for patient in changed} == {1 + TIMES}


async def test_two_gateways_never_accept_the_same_revision_twice(replicas: list[Database]) -> None:
    both, scope = [Patients(each) for each in replicas], await member(replicas[0])
    values = {"identifier": "1", "issuer": "here", "name": "x"}
    patient = await both[0].create(scope, new_id(), values)
    accepted = []

    async def change(patients: Patients, revision: int) -> None:
        with contextlib.suppress(errors.ChangedMeanwhileError):
            await patients.change(scope, patient.id, frozenset({revision}), {"name": new_id()})
            accepted.append(revision)

    for revision in range(1, TIMES):
        await asyncio.gather(*(change(patients, revision) for patients in both))

    assert accepted == list(range(1, TIMES))


async def test_two_gateways_never_make_the_same_patient(replicas: list[Database]) -> None:
    both, scope = [Patients(each) for each in replicas], await member(replicas[0])
    made = []

    async def make(patients: Patients, number: int) -> None:
        values = {"identifier": str(number), "issuer": "here", "name": "x"}
        with contextlib.suppress(errors.ConflictError):
            await patients.create(scope, new_id(), values)
            made.append(number)

    for number in range(TIMES):
        await asyncio.gather(*(make(patients, number) for patients in both))

    assert made == list(range(TIMES))


async def test_webhooks_are_removed_while_their_deliveries_end(shared: Database) -> None:
    records, scope = Within(shared, EVERYTHING), await member(shared)
    queue = DeliveryQueue(records, Makers(frozenset(Role)), timedelta(seconds=30))

    def remove(webhook_id: str, session: Session) -> None:
        session.delete(session.get_one(Webhook, webhook_id, with_for_update=True))

    for _ in range(5):
        webhook = Webhook(
            organisation_id=scope.organisation_id, owner_id=scope.user_id, url="https://x"
        )
        await records.write(partial(hook, webhook, 60))
        jobs = await queue.take(10, 10, {})
        ended = [queue.finish(job, Outcome(None, 200)) for job in jobs]
        await asyncio.gather(*ended[:6], records.write(partial(remove, webhook.id)), *ended[6:])

        assert await queue.waiting() == (0, timedelta())


def ended(analysis_id: str, session: Session) -> None:
    """End a picture as whoever works on it does."""
    ending = update(Analysis).where(col(Analysis.id) == analysis_id)
    record = session.scalar(ending.values(status=Status.FAILED).returning(Analysis))
    assert record is not None
    publish(session, EventKind.ANALYSIS_FAILED, record, record.id)


async def test_of_two_that_end_the_last_pictures_of_a_batch_one_tells_of_its_end(
    replicas: list[Database],
) -> None:
    one, two = replicas
    scope = await member(one)
    for _ in range(TIMES):
        batch, names = Batch(pictures=2), [new_id(), new_id()]
        its = [Analysis(id=name, status=Status.RUNNING) for name in names]

        def begin(session: Session, batch: Batch = batch, its: list[Analysis] = its) -> None:
            session.add(batch)
            session.flush()
            session.add_all(its)
            for each in its:
                each.batch = batch.id

        await one.write(begin, scope)
        await asyncio.gather(
            one.write(partial(ended, names[0]), EVERYTHING),
            two.write(partial(ended, names[1]), EVERYTHING),
        )

    finished = select(col(Event.subject_id)).where(col(Event.kind) == EventKind.BATCH_FINISHED)
    told = await one.read(lambda session: list(session.scalars(finished)), scope)
    assert len(told) == len(set(told)) == TIMES


async def waiting_batch(records: Database, scope: Scope, queue: Queue) -> str:
    """Put a batch of five into the line; returns its id."""
    batch, its = Batch(pictures=5), [Analysis(status=Status.QUEUED) for _ in range(5)]

    def work(session: Session) -> None:
        session.add(batch)
        session.flush()
        for each in its:
            each.batch = batch.id
        session.add_all(its)
        session.flush()
        queue.add(session, scope.user_id, [each.id for each in its], bulk=True)

    await records.write(work, scope)
    return batch.id


def succeeded(queue: Queue, held: Held, session: Session) -> None:
    """End a job as ``Files.complete`` does."""
    storage_quotas.add(held.scope, Amount(1), session)
    queue.end(session, held, {"status": Status.SUCCEEDED})


async def test_pictures_end_while_their_batch_is_cancelled_and_removed(
    replicas: list[Database],
) -> None:
    scope = await member(replicas[0])
    queues = [Queue(each, 1000, timedelta(minutes=1), Metrics()) for each in replicas * 2]
    batches = [Batches(each) for each in replicas]

    async def analyzed(records: Database, queue: Queue) -> None:
        while (held := await queue.take()) is not None:
            with contextlib.suppress(LostError):
                await records.write(partial(succeeded, queue, held), EVERYTHING)
            await queue.drop(held)

    async def cancelled(batches: Batches, batch: str) -> None:
        with contextlib.suppress(errors.NotFoundError):
            await batches.cancel(scope, batch)

    jobs = select(func.count()).select_from(Job)
    for _ in range(TIMES // 3):
        batch = await waiting_batch(replicas[0], scope, queues[0])
        await asyncio.gather(
            *map(analyzed, replicas * 2, queues),
            cancelled(batches[1], batch),
            batches[0].remove(scope, batch),
        )
        assert await replicas[0].read(lambda session: session.scalar(jobs), EVERYTHING) == 0
