"""Nothing of another organisation can be seen or touched, whatever a query asks for."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import delete, func, insert, select, text, union, update
from sqlalchemy.orm import Session, aliased
from sqlmodel import col

from services.gateway.database import EVERYTHING, Database, Scope, ScopeError, opened
from services.gateway.records import DEFAULT_ORGANISATION, Analysis, Organisation, User
from tests.gateway.test_database import a_user, an_analysis

OURS = Organisation(name="ours", shared=True)
THEIRS = Organisation(name="theirs", shared=True)
ALICE = a_user(username="alice", organisation_id=OURS.id)
BOB = a_user(username="bob", organisation_id=OURS.id)
EVE = a_user(username="eve", organisation_id=THEIRS.id)
EVES = Scope(THEIRS.id, EVE.id, shared=True)

_other = aliased(Analysis)
_either: Any = union(select(col(Analysis.id)), select(col(Analysis.owner_id)))
LOOKS: dict[str, Callable[[Session], object]] = {
    "rows": lambda session: session.scalars(select(Analysis)).all(),
    "a column": lambda session: session.scalars(select(col(Analysis.id))).all(),
    "a count": lambda session: session.scalar(select(func.count()).select_from(Analysis)),
    "an alias": lambda session: session.scalars(select(_other)).all(),
    "a join": lambda session: session.scalars(
        select(col(User.id)).join(Analysis, col(Analysis.owner_id) == col(User.id))
    ).all(),
    "a subquery": lambda session: session.scalars(
        select(col(Organisation.id)).where(
            col(Organisation.id).in_(select(col(Analysis.organisation_id)))
        )
    ).all(),
    "a union": lambda session: session.scalars(_either).all(),
    "the change of all": lambda session: session.scalars(
        update(Analysis).values(note="hacked").returning(col(Analysis.id))
    ).all(),
    "the removal of all": lambda session: session.scalars(
        delete(Analysis).returning(col(Analysis.id))
    ).all(),
}


@pytest.fixture
async def analysis(records: Database) -> Analysis:
    """One of Alice's."""
    made = an_analysis(ALICE)
    for rows in ((OURS, THEIRS), (ALICE, BOB, EVE), (made,)):
        copies: list[Any] = [type(row)(**row.model_dump()) for row in rows]
        await records.write(partial(Session.add_all, instances=copies))
    return made


@pytest.mark.parametrize("look", LOOKS)
async def test_whatever_is_asked_stays_within_the_organisation(
    records: Database, analysis: Analysis, look: str
) -> None:
    ours = Scope(OURS.id, BOB.id, shared=True)
    private = Scope(OURS.id, BOB.id, shared=False)

    assert not await records.write(LOOKS[look], EVES)
    assert not await records.write(LOOKS[look], private)
    assert await records.write(LOOKS[look], ours)
    kept = await records.read(lambda session: session.get(Analysis, analysis.id), EVERYTHING)
    assert (kept is None) == (look == "the removal of all")


async def test_a_row_of_another_organisation_is_not_found_by_its_key(
    records: Database, analysis: Analysis
) -> None:
    for table, key in ((Analysis, analysis.id), (User, ALICE.id)):

        def get(session: Session, table: Any = table, key: str = key) -> object:
            return session.get(table, key)

        assert await records.read(get, EVES) is None
        assert await records.read(get, Scope(OURS.id, ALICE.id)) is not None


@pytest.mark.parametrize("look", LOOKS)
async def test_a_query_without_a_scope_fails(database_url: str, look: str) -> None:
    async with opened(database_url, 10) as records:
        with pytest.raises(ScopeError):
            await records.write(LOOKS[look])


@pytest.mark.parametrize(
    "statement",
    [
        text("SELECT * FROM analyses"),
        select(Analysis.metadata.tables["analyses"]),
        insert(Analysis.metadata.tables["analyses"]).values(an_analysis(ALICE).model_dump()),
    ],
)
async def test_a_statement_that_cannot_be_narrowed_fails(
    records: Database, analysis: Analysis, statement: Any
) -> None:
    del analysis
    with pytest.raises(ScopeError):
        await records.write(lambda session: session.execute(statement), EVES)


async def test_a_new_row_is_stamped_and_none_gets_into_another_organisation(
    records: Database, analysis: Analysis
) -> None:
    del analysis
    mine, smuggled = an_analysis(EVE), an_analysis(ALICE)
    mine.organisation_id = mine.owner_id = ""

    await records.write(lambda session: session.add(mine), EVES)
    with pytest.raises(ScopeError):
        await records.write(lambda session: session.add(smuggled), EVES)

    assert (mine.organisation_id, mine.owner_id) == (THEIRS.id, EVE.id)


def _default(session: Session) -> Organisation | None:
    return session.get(Organisation, DEFAULT_ORGANISATION)


async def test_the_default_organisation_is_there_and_private(records: Database) -> None:
    found = await records.read(_default)

    assert found is not None
    assert (found.name, found.shared) == ("default", False)
