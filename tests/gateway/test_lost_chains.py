"""Whole chains that are gone: the chain of the default organisation tells of all others."""

from functools import partial

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.gateway.audit import Keys, Ledger, Note, moment
from services.gateway.audit.links import add
from services.gateway.audit.pruning import Pruning
from services.gateway.audit.trail import fields
from services.gateway.database import EVERYTHING, Database
from services.gateway.records import DEFAULT_ORGANISATION, Organisation, now

KEYS = Keys.of("a key of the chains that no database has")
OTHER = Organisation(name="other", shared=True)


async def written(records: Database, *chains: str) -> None:
    """Write a row to each of some chains."""

    def work(session: Session) -> None:
        if session.get(Organisation, OTHER.id) is None:
            session.add(Organisation(**OTHER.model_dump()))
            session.flush()

    await records.write(work)
    note = Note(action="patients.read", operation="patients", subject="patient")
    rows = [fields(note, "done", 200) | {"organisation_id": chain} for chain in chains]
    await records.write(partial(add, rows, KEYS))


async def lost(records: Database, chain: str) -> None:
    """Remove a chain as somebody does who can write to the database."""

    def work(session: Session) -> None:
        for table in ("audit", "audit_heads"):
            removal = text(f"DELETE FROM {table} WHERE organisation_id = :chain")  # noqa: S608
            session.execute(removal, {"chain": chain})

    await records.write(work, EVERYTHING)


async def found(records: Database) -> list[str]:
    chains = await Ledger(records).verify(KEYS)
    return [str(finding) for chain in chains for finding in chain.findings]


async def test_that_the_chain_which_tells_of_others_is_gone_is_found(records: Database) -> None:
    await written(records, DEFAULT_ORGANISATION, OTHER.id)
    assert await found(records) == []

    await lost(records, DEFAULT_ORGANISATION)
    gone = await found(records)
    await written(records, DEFAULT_ORGANISATION)
    begun_anew = await found(records)

    assert gone == [f"chain {DEFAULT_ORGANISATION}: it had begun, and is missing"]
    assert begun_anew == [
        (
            f"chain {DEFAULT_ORGANISATION}: it does not tell that chain {OTHER.id} began, "
            "so it was begun anew"
        )
    ]


async def pruned(records: Database) -> None:
    pruning = Pruning(moment(now()), "root", "dermserve audit prune", KEYS)
    assert await pruning.of(DEFAULT_ORGANISATION, records)


@pytest.mark.parametrize("prunings", [0, 1, 2])
@pytest.mark.parametrize("before", [True, False])
async def test_that_a_chain_was_begun_anew_is_found(
    records: Database, prunings: int, *, before: bool
) -> None:
    await written(records, DEFAULT_ORGANISATION, OTHER.id)
    if before:
        for _ in range(prunings):
            await pruned(records)
    await lost(records, OTHER.id)
    await written(records, DEFAULT_ORGANISATION, OTHER.id)
    if not before:
        for _ in range(prunings):
            await pruned(records)

    (told,) = await found(records)
    assert told.startswith(f"chain {DEFAULT_ORGANISATION}, row ")
    assert told.endswith(f": chain {OTHER.id} began a second time, so it was removed before")


@pytest.mark.parametrize("times", [1, 2])
async def test_that_a_chain_is_gone_is_found_after_a_pruning_of_the_row_of_its_beginning_too(
    records: Database, times: int
) -> None:
    await written(records, DEFAULT_ORGANISATION, OTHER.id)
    for _ in range(times):
        await written(records, DEFAULT_ORGANISATION)
        await pruned(records)
    assert await found(records) == []

    await lost(records, OTHER.id)

    assert await found(records) == [f"chain {OTHER.id}: it had begun, and is missing"]
