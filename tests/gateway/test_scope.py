"""Nothing of another organisation can be seen or touched, whatever a query asks for."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    alias,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    table,
    text,
    union,
    update,
)
from sqlalchemy.orm import Session, aliased
from sqlmodel import col

import services.gateway
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
    "an organisation that has one": lambda session: session.scalars(
        select(col(Organisation.id)).where(select(col(Analysis.id)).exists())
    ).all(),
    "what is named in a condition only": lambda session: session.scalars(
        select(col(Organisation.id)).where(col(Analysis.organisation_id) == col(Organisation.id))
    ).all(),
    "a change by what a subquery finds": lambda session: session.scalars(
        update(Organisation)
        .where(col(Organisation.id).in_(select(col(Analysis.organisation_id))))
        .values(name="ours")
        .returning(col(Organisation.id))
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
    for kind, key in ((Analysis, analysis.id), (User, ALICE.id)):

        def get(session: Session, kind: Any = kind, key: str = key) -> object:
            return session.get(kind, key)

        assert await records.read(get, EVES) is None
        assert await records.read(get, Scope(OURS.id, ALICE.id)) is not None


@pytest.mark.parametrize("look", LOOKS)
async def test_a_query_without_a_scope_fails(database_url: str, look: str) -> None:
    async with opened(database_url, 10) as records:
        with pytest.raises(ScopeError):
            await records.write(LOOKS[look])


_record: Any = Analysis
_bare = Analysis.metadata.tables["analyses"]
_of_theirs = col(Organisation.id) == _bare.c.organisation_id
_organisations = select(col(Organisation.id))
UNREACHABLE: dict[str, Any] = {
    "text": text("SELECT * FROM analyses"),
    "text in a condition": select(Analysis).where(text("1 = 1")),
    "text as a column": select(col(User.id), literal_column("(SELECT 1 FROM analyses)")),
    "a bare table": select(_bare),
    "a bare table beside records": select(col(User.id), _bare.c.note),
    "a bare table in a subquery": _organisations.where(select(_bare.c.id).exists()),
    "a bare table in a subquery, without columns": _organisations.where(
        select(literal(1)).select_from(_bare).exists()
    ),
    "a bare table under another name": _organisations.where(_of_theirs).select_from(_bare.alias()),
    "a record's table under another name": _organisations.select_from(alias(_record)),
    "a join of bare tables": _organisations.select_from(
        User.metadata.tables["users"].join(_bare, literal(value=True))
    ),
    "a bare table that is joined": _organisations.join(_bare, _of_theirs),
    "a table by its name": select(col(User.id), table("analyses", column("note")).c.note),
    "records from another statement": select(Analysis).from_statement(select(_bare)),
    "records from text": select(Analysis).from_statement(text("SELECT * FROM analyses")),
    "an insert of rows": insert(_bare).values(an_analysis(ALICE).model_dump()),
    "an insert of what is read": insert(Organisation).from_select(
        ["id", "name", "shared", "created_at"],
        select(col(Analysis.id), col(Analysis.note), col(User.disabled), col(User.created_at)),
    ),
    "a change by what others have": update(Organisation)
    .where(col(Organisation.id) == col(Analysis.organisation_id))
    .values(name="hacked"),
    "a change of a bare table": update(_bare).values(note="hacked"),
}


@pytest.mark.parametrize("statement", UNREACHABLE)
async def test_a_statement_that_cannot_be_narrowed_fails(
    records: Database, analysis: Analysis, statement: str
) -> None:
    del analysis
    with pytest.raises(ScopeError):
        await records.write(lambda session: session.execute(UNREACHABLE[statement]), EVES)


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


def test_only_the_one_way_past_the_scope_takes_a_connection() -> None:
    """Whoever takes that way is named in the import contracts."""
    gateway = Path(services.gateway.__path__[0])
    taking = {
        str(path.relative_to(gateway))
        for path in gateway.rglob("*.py")
        if re.search(r"\.connection\(|session\.get_bind\(\)(?!\.dialect)", path.read_text())
    }

    assert taking == {
        "database/migration.py",  # makes the tables
        "database/moment.py",  # sets the isolation of a transaction, and says nothing over it
        "database/unscoped.py",
    }
