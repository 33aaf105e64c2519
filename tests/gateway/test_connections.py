"""Connections to PostgreSQL: no more than operators are told, kept, and replaced when lost."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError, InvalidRequestError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session

from services.gateway import database, kinds
from services.gateway.database import EVERYTHING, postgresql
from services.gateway.database.postgresql import CONNECTIONS, Postgresql
from services.gateway.records import User
from tests.deploy import images
from tests.gateway.patience import PATIENCE_S

GUIDE = (images.CHECKOUT / "deploy" / "README.md").read_text(encoding="utf-8")
AT_ONCE = 12


def which(session: Session) -> int:
    return int(session.execute(text("SELECT pg_backend_pid()")).scalar_one())


def end_others(session: Session) -> int:
    others = "FROM pg_stat_activity WHERE backend_type = 'client backend'"
    end = text(
        f"SELECT count(pg_terminate_backend(pid, 60000)) {others} AND pid <> pg_backend_pid()"
    )
    return int(session.execute(end).scalar_one())


@pytest.mark.usefixtures("locks_are_waited_for")
async def test_work_takes_as_many_connections_as_the_guide_says_and_then_waits(
    postgres_url: str,
) -> None:
    taken: list[int] = []
    full = asyncio.Event()

    def held(session: Session) -> None:
        taken.append(session.scalar(text("SELECT pg_backend_pid()")) or 0)
        if len(taken) == CONNECTIONS:
            full.set()
        session.execute(text("SELECT pg_advisory_xact_lock_shared(1)"))

    engine = create_async_engine(postgres_url)
    async with database.opened(postgres_url, PATIENCE_S) as records, engine.connect() as beside:
        await beside.execute(text("SELECT pg_advisory_lock(1)"))
        works = [
            asyncio.create_task(records.read(held, EVERYTHING)) for _ in range(2 * CONNECTIONS)
        ]
        async with asyncio.timeout(PATIENCE_S):
            await full.wait()
        assert len(set(taken)) == CONNECTIONS
        await beside.execute(text("SELECT pg_advisory_unlock(1)"))
        await asyncio.gather(*works)
    await engine.dispose()

    assert len(set(taken)) == CONNECTIONS
    assert f"up to {CONNECTIONS + 1} connections: {CONNECTIONS} that it makes when they" in GUIDE


@pytest.mark.parametrize("patience_s", [5, 7])
async def test_a_statement_waits_as_long_as_it_is_told_and_takes_twenty_seconds_at_most(
    postgres: str, patience_s: int
) -> None:
    def bounds(session: Session) -> list[Any]:
        asked = ("lock_timeout", "statement_timeout")
        return [session.execute(text(f"SHOW {each}")).scalar_one() for each in asked]

    database = Postgresql(make_url(postgres), patience_s)
    try:
        assert await database.read(bounds, EVERYTHING) == [f"{patience_s}s", "20s"]
    finally:
        await database.close()


async def test_those_who_come_at_once_are_given_the_connections_of_those_before_them(
    postgres: str,
) -> None:
    database = Postgresql(make_url(postgres), PATIENCE_S)
    try:
        first, then = [
            set(await asyncio.gather(*(database.read(which, EVERYTHING) for _ in range(AT_ONCE))))
            for _ in range(2)
        ]
    finally:
        await database.close()
    assert len(first) == AT_ONCE
    assert then <= first


@pytest.mark.parametrize("fresh_s", [5, -1], ids=["used lately", "unused for long"])
async def test_who_comes_after_the_server_ended_connections_is_given_new_ones(
    postgres: str, fresh_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_FRESH_S", fresh_s)
    database, other = (Postgresql(make_url(postgres), PATIENCE_S) for _ in range(2))
    try:
        first = [database.read(which, EVERYTHING) for _ in range(AT_ONCE)]
        before = set(await asyncio.gather(*first))
        assert await other.read(end_others, EVERYTHING) >= AT_ONCE
        again = [database.read(which, EVERYTHING) for _ in range(AT_ONCE)]
        after = set(await asyncio.gather(*again))
    finally:
        await database.close()
        await other.close()
    assert len(after) == AT_ONCE
    assert not before & after


@pytest.mark.parametrize("how", ["read", "write"])
async def test_a_server_that_ends_the_replacements_too_is_down_for_now(
    postgres: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*_: object) -> None:
        raise InvalidatePoolError

    monkeypatch.setattr(postgresql, "_see_that_it_is_there", ended)
    database = Postgresql(make_url(postgres), PATIENCE_S)
    try:
        with pytest.raises(ConnectionError) as raised:
            await getattr(database, how)(which, EVERYTHING)
    finally:
        await database.close()
    assert kinds.kind_of(raised.value).status == 503


async def test_a_wrong_use_of_a_session_is_no_server_that_is_down(postgres: str) -> None:
    database = Postgresql(make_url(postgres), PATIENCE_S)
    try:
        with pytest.raises(InvalidRequestError):
            await database.read(
                lambda session: session.refresh(User(username="a", password_hash="x")), EVERYTHING
            )
    finally:
        await database.close()
