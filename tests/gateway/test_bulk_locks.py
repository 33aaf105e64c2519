"""Changes of many records at once hold them in one order, so that two never wait for each other."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from services.gateway.batches import Batches
from services.gateway.clinical import Lesions, Patients
from services.gateway.database import EVERYTHING, Database, Scope
from services.gateway.records import Analysis, Batch, Job, Lesion, Owned, Patient, new_id
from tests.gateway.test_database import connected
from tests.gateway.test_locks import member, shared

__all__ = ["shared"]

WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
_HOLDS = {
    "analysis": "SELECT id FROM analyses WHERE id = :id FOR UPDATE",
    "job": "SELECT analysis_id FROM jobs WHERE analysis_id = :id FOR UPDATE",
}

CHANGES: dict[str, Callable[[Database, Scope, str], Awaitable[object]]] = {
    "patient removed": lambda records, scope, its: Patients(records).remove(scope, its, None),
    "lesion removed": lambda records, scope, its: Lesions(records).remove(scope, its, None),
    "batch removed": lambda records, scope, its: Batches(records).remove(scope, its),
    "batch cancelled": lambda records, scope, its: Batches(records).cancel(scope, its),
}


pytestmark = pytest.mark.usefixtures("locks_are_waited_for")


async def keep(records: Database, *rows: Owned | Job) -> None:
    await records.write(lambda session: session.add_all(rows), EVERYTHING)


async def analyses(records: Database, scope: Scope, its: str) -> tuple[str, str]:
    """Keep two that wait, of a patient, lesion and batch of this id, the later one first."""
    owned: dict[str, Any] = {"organisation_id": scope.organisation_id, "owner_id": scope.user_id}
    await keep(records, Patient(id=its, identifier="1", issuer="here", name="x", **owned))
    await keep(records, Lesion(id=its, patient=its, **owned), Batch(id=its, pictures=2, **owned))
    first, later = sorted([new_id(), new_id()])
    for each in (later, first):
        below: dict[str, Any] = {"patient": its, "lesion": its, "batch": its, "status": "queued"}
        await keep(records, Analysis(id=each, **below, **owned))
        await keep(records, Job(analysis_id=each))
    return first, later


@pytest.mark.parametrize("hold", _HOLDS.values(), ids=_HOLDS.keys())
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
async def test_who_waits_for_the_first_holds_none_of_the_later(
    shared: Database,
    postgres_url: str,
    change: Callable[[Database, Scope, str], Awaitable[object]],
    hold: str,
) -> None:
    scope, its = await member(shared), new_id()
    first, later = await analyses(shared, scope, its)

    async with connected(postgres_url) as other, connected(postgres_url) as watch:
        await other.execute(text("BEGIN"))
        await other.execute(text(hold), {"id": first})
        changing = asyncio.ensure_future(change(shared, scope, its))
        while not (await watch.scalar(WAITING) or changing.done()):  # noqa: ASYNC110 - asks a server
            await asyncio.sleep(0)
        held = await other.scalar(text(f"{hold} NOWAIT"), {"id": later})
        await other.execute(text("COMMIT"))
        await changing

    assert held == later
