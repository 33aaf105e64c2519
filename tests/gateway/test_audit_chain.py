"""Chains of audit rows: whatever is changed, removed, moved or slipped in is found, and where."""

# ruff: noqa: S608 - SQL of our own words

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.orm import Session

from services.gateway.audit import Keys, Ledger, Note
from services.gateway.audit.links import add
from services.gateway.audit.trail import fields
from services.gateway.audit.verification import Chain, anchors
from services.gateway.database import EVERYTHING, Database, Within, opened
from services.gateway.records import DEFAULT_ORGANISATION, Organisation

NONE = Keys.of("")
KEYS = Keys.of("a key of the chains that no database has")
OTHER = Organisation(name="other", shared=True)
EVERY = [
    {
        **fields(
            Note(
                action="patients.read",
                operation="patients",
                subject="patient",
                subject_ids=["1" * 32, f"{n:032}"],
                user_id="2" * 32,
                sign_in_id="3" * 32,
                api_key_id="4" * 32,
                organisation_id=DEFAULT_ORGANISATION,
                operator="root",
                address="203.0.113.7",
                request_id="r" * 32,
                problem="not-found",
                detail={"role": "admin"},
            ),
            "refused",
            404,
        ),
        "organisation_id": whose,
    }
    for n in range(6)
    for whose in (DEFAULT_ORGANISATION, OTHER.id)
]


async def written(records: Database, keys: Keys) -> None:
    """Write six rows to each of two chains."""

    def work(session: Session) -> None:
        if session.get(Organisation, OTHER.id) is None:
            session.add(Organisation(**OTHER.model_dump()))
            session.flush()

    await records.write(work)
    await records.write(partial(add, EVERY, keys))


async def verified(records: Database, keys: Keys, *kept: str) -> list[str]:
    chains = await Ledger(records).verify(keys, anchors(kept))
    return [str(finding) for chain in chains for finding in chain.findings]


async def tampered(records: Database, *statements: str, **values: Any) -> None:
    def work(session: Session) -> None:
        for statement in statements:
            session.execute(text(statement), values)

    await records.write(work, EVERYTHING)


async def snapshot(records: Database, table: str) -> Sequence[dict[str, Any]]:
    everything = text(f"SELECT * FROM {table}")
    return await records.read(
        lambda session: [dict(row) for row in session.execute(everything).mappings()], EVERYTHING
    )


@pytest.fixture(params=[NONE, KEYS], ids=["without a key", "with a key"])
def keys(request: pytest.FixtureRequest) -> Keys:
    found: Keys = request.param
    return found


WHERE = f"WHERE organisation_id = '{OTHER.id}' AND sequence"
SLIPPED_IN = (
    "INSERT INTO audit "
    "(organisation_id, sequence, at, action, operation, outcome, previous, hash) VALUES"
)
MISDEEDS: dict[str, tuple[str, ...]] = {
    "a changed row": (f"UPDATE audit SET outcome = 'done' {WHERE} = 3",),
    "a removed row": (f"DELETE FROM audit {WHERE} = 3",),
    "the first row removed": (f"DELETE FROM audit {WHERE} = 1",),
    "the last row removed": (f"DELETE FROM audit {WHERE} = 6",),
    "two rows in each other's place": (
        f"UPDATE audit SET sequence = 99 {WHERE} = 3",
        f"UPDATE audit SET sequence = 3 {WHERE} = 4",
        f"UPDATE audit SET sequence = 4 {WHERE} = 99",
    ),
    "a row in another chain": (
        f"UPDATE audit SET sequence = 99, organisation_id = '{DEFAULT_ORGANISATION}' {WHERE} = 3",
    ),
    "a row slipped in at the end": (f"{SLIPPED_IN} ('{OTHER.id}', 7, '', '', '', '', '', '')",),
    "a row slipped in before the first": (
        f"{SLIPPED_IN} ('{OTHER.id}', 0, '', '', '', '', '', '')",
    ),
    "a changed head": (f"UPDATE audit_heads SET sequence = 5 {WHERE} = 6",),
    "a removed head": (f"DELETE FROM audit_heads {WHERE} = 6",),
    "a whole chain removed": (
        f"DELETE FROM audit {WHERE} > 0",
        f"DELETE FROM audit_heads {WHERE} = 6",
    ),
}


@pytest.mark.parametrize("misdeed", MISDEEDS)
async def test_whatever_is_done_to_rows_behind_our_back_is_found(
    records: Database, keys: Keys, misdeed: str
) -> None:
    await written(records, keys)
    assert await verified(records, keys) == []

    await tampered(records, *MISDEEDS[misdeed])

    found = await verified(records, keys)
    assert found
    assert any(OTHER.id in each for each in found)


async def test_a_finding_names_the_row(records: Database, keys: Keys) -> None:
    await written(records, keys)

    await tampered(records, MISDEEDS["a changed row"][0], f"DELETE FROM audit {WHERE} = 5")

    assert await verified(records, keys) == [
        f"chain {OTHER.id}, row 3: was changed: its hash does not fit it",
        f"chain {OTHER.id}, row 6: rows 5 to 5 before it are missing",
    ]


@pytest.fixture
async def chain(tmp_path: Path) -> Sequence[dict[str, Any]]:
    """The rows of a chain, as a database gives them back."""
    async with opened(f"sqlite:///{tmp_path / 'chain.db'}", 10) as database:
        records = Within(database, EVERYTHING)
        await written(records, KEYS)
        return [
            row
            for row in await snapshot(records, "audit")
            if row["organisation_id"] == DEFAULT_ORGANISATION
        ]


def _found(rows: Sequence[dict[str, Any]], head: dict[str, Any]) -> Sequence[object]:
    chain = Chain(DEFAULT_ORGANISATION, KEYS)
    for row in sorted(rows, key=lambda row: int(row["sequence"])):
        chain.take(row)
    chain.end(head)
    return chain.findings


def _head(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    last = rows[-1]
    head = {name: last[name] for name in ("organisation_id", "sequence", "hash", "key")}
    return head | {"seal": KEYS.digest(last["key"], head)}


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_no_byte_of_any_column_of_any_row_can_be_changed_unseen(
    chain: Sequence[dict[str, Any]], data: st.DataObject
) -> None:
    head = _head(chain)
    assert _found(chain, head) == []
    changed = [dict(row) for row in chain]
    row = data.draw(st.sampled_from(changed))
    column = data.draw(st.sampled_from([name for name, value in row.items() if value is not None]))
    if isinstance(row[column], int):
        row[column] += data.draw(st.integers(-9, 9).filter(bool))
    else:
        place = data.draw(st.integers(0, len(row[column]) - 1))
        other = data.draw(st.characters().filter(lambda it: it != row[column][place]))
        row[column] = row[column][:place] + other + row[column][place + 1 :]

    assert _found(changed, head)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
async def test_no_rows_can_be_removed_or_swapped_and_renumbered_unseen(
    chain: Sequence[dict[str, Any]], data: st.DataObject
) -> None:
    order = data.draw(st.lists(st.sampled_from(range(len(chain))), max_size=len(chain) + 2))
    moved = [dict(chain[place]) for place in order]
    if data.draw(st.booleans()):
        for sequence, row in enumerate(moved, 1):
            row["sequence"] = sequence

    unchanged = sorted(order) == list(range(len(chain))) and all(
        row == chain[row["sequence"] - 1] for row in moved
    )

    assert bool(_found(moved, _head(chain))) != unchanged


async def test_who_has_no_key_cannot_make_the_chain_anew(records: Database) -> None:
    """Somebody who can write to the database removes all and writes what they like."""
    await written(records, KEYS)
    await tampered(records, "DELETE FROM audit", "DELETE FROM audit_heads")
    await written(records, NONE)

    assert await verified(records, NONE) == []
    found = await verified(records, KEYS)

    assert f"chain {OTHER.id}: it ends with a row that is hashed without a key" in found


async def test_keys_can_be_begun_with_and_replaced_and_not_given_up(records: Database) -> None:
    secret = next(iter(KEYS.secrets.values())).decode()
    both = Keys.of(f"the key that comes next and is long enough, {secret}")
    await written(records, NONE)
    await written(records, KEYS)
    await written(records, both)
    assert await verified(records, both) == []
    former = await verified(records, KEYS)
    without = await verified(records, NONE)

    await written(records, NONE)
    given_up = await verified(records, both)

    assert (
        f"chain {OTHER.id}, row 13: is hashed with a key {both.current!r} that is not at hand"
        in former
    )
    assert f"chain {OTHER.id}: 12 rows are hashed with a key, which is not at hand" in without
    assert (
        f"chain {OTHER.id}, row 19: is hashed without a key, and rows before it are not" in given_up
    )


async def test_a_chain_that_was_cut_off_is_found_by_what_was_written_down(
    records: Database,
) -> None:
    """Rows and head are put back to what they were, which no chain shows by itself."""
    await written(records, NONE)
    earlier = await snapshot(records, "audit_heads")
    await written(records, NONE)
    (later,) = (
        row for row in await snapshot(records, "audit_heads") if row["organisation_id"] == OTHER.id
    )
    for head in earlier:
        await tampered(
            records,
            "DELETE FROM audit WHERE organisation_id = :organisation_id AND sequence > :sequence",
            "UPDATE audit_heads SET sequence = :sequence, hash = :hash, seal = :seal "
            "WHERE organisation_id = :organisation_id",
            **head,
        )
    assert await verified(records, NONE) == []

    assert await verified(records, NONE, json.dumps(dict(later))) == [
        f"chain {OTHER.id}, row 12: is missing: the chain was cut off before it"
    ]
