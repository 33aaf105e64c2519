"""SQLite and PostgreSQL: the same schema, the same behaviour, opened within a bounded time."""

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as QueueTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.orm import Session
from sqlmodel import col

from services.gateway import database
from services.gateway.database import EVERYTHING, Database, opening
from services.gateway.records import (
    DEFAULT_ORGANISATION,
    Analysis,
    Record,
    RefreshToken,
    SignIn,
    User,
    new_id,
)
from tests.gateway import databases
from tests.gateway.clocks import quickest


async def add(records: Database, *rows: Record) -> None:
    await records.write(lambda session: session.add_all(rows), EVERYTHING)


async def users(records: Database) -> list[User]:
    return await records.read(lambda session: list(session.scalars(select(User))), EVERYTHING)


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection beside the gateway's, whose statements count at once."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def a_user(**values: Any) -> User:
    given = {"organisation_id": DEFAULT_ORGANISATION, "username": "alice", "password_hash": "x"}
    return User(**(given | values))


def an_analysis(owner: User) -> Analysis:
    return Analysis(
        organisation_id=owner.organisation_id,
        owner_id=owner.id,
        status="succeeded",
        outcome="assessed",
        image_sha256="0" * 64,
        image_format="png",
        width=1,
        height=1,
        findings={},
    )


async def test_work_that_fails_changes_nothing(records: Database) -> None:
    def half(session: Session) -> None:
        session.add(a_user())
        session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await records.write(half, EVERYTHING)

    assert await users(records) == []


async def test_readers_of_sqlite_do_not_wait_for_a_writer_and_no_loop_for_either(
    tmp_path: Path,
) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(session: Session) -> bool:
        session.add(a_user())
        session.flush()
        begun.set()
        return go_on.wait(60)

    async with database.opened(f"sqlite:///{tmp_path / 'test.db'}", 60) as records:
        writing = asyncio.create_task(records.write(slow, EVERYTHING))
        assert await asyncio.to_thread(begun.wait, 60)
        assert await users(records) == []

        go_on.set()
        assert await writing
        assert len(await users(records)) == 1


async def test_moments_come_back_in_utc_from_whatever_zone(records: Database) -> None:
    moment = datetime(2026, 7, 1, 14, 30, 0, 123456, timezone(timedelta(hours=2)))
    await add(records, a_user(created_at=moment))

    (user,) = await users(records)

    assert user.created_at == moment
    assert user.created_at.tzinfo == UTC


async def test_a_moment_without_a_zone_is_a_mistake(records: Database) -> None:
    naive = datetime(2026, 7, 1)  # noqa: DTZ001 - the point of the test
    with pytest.raises(StatementError, match="time zone"):
        await add(records, a_user(created_at=naive))


async def test_what_belongs_to_a_user_goes_with_them(records: Database) -> None:
    user = a_user()
    sign_in = SignIn(user_id=user.id, expires_at=datetime.now(UTC))
    await add(records, user)
    await add(records, sign_in, an_analysis(user))
    await add(records, RefreshToken(digest="0" * 64, sign_in_id=sign_in.id))
    removal = delete(User).where(col(User.id) == user.id)

    await records.write(lambda session: session.execute(removal))

    for table in (SignIn, RefreshToken, Analysis):
        count = select(func.count()).select_from(table)
        assert await records.read(partial(Session.scalar, statement=count)) == 0


async def test_a_record_of_nobody_is_refused(records: Database) -> None:
    with pytest.raises(IntegrityError):
        await add(records, an_analysis(a_user()))


async def test_a_record_of_nobody_is_refused_after_a_migration_too(records: Database) -> None:
    await records.write(database.migrate, EVERYTHING)

    with pytest.raises(IntegrityError):
        await add(records, an_analysis(a_user()))


async def test_who_writes_to_sqlite_after_a_commit_that_was_refused_changes_something(
    tmp_path: Path,
) -> None:
    def refused_in_the_end(session: Session) -> None:
        session.execute(text("PRAGMA defer_foreign_keys = ON"))
        session.add(an_analysis(a_user()))

    async with database.opened(f"sqlite:///{tmp_path / 'gateway.db'}", 60) as records:
        with pytest.raises(IntegrityError):
            await records.write(refused_in_the_end, EVERYTHING)
        await add(records, a_user())
        assert len(await users(records)) == 1


async def test_a_database_that_is_not_there_is_given_up_in_time(tmp_path: Path) -> None:
    for url, least, most in (
        ("postgresql+asyncpg://gateway:hush@127.0.0.1:1/none", 0.5, 3),
        (f"sqlite:///{tmp_path}/no/such/folder.db", 0, 3),
    ):

        async def refused(url: str = url) -> None:
            with pytest.raises(
                database.DatabaseError, match="DERMSERVE_GATEWAY_DATABASE_URL"
            ) as told:
                async with database.opened(url, 1):
                    pass
            assert "hush" not in str(told.value)

        assert least <= await quickest(refused, most) < most


async def test_a_postgresql_that_does_not_know_us_is_not_waited_for(postgres: str) -> None:
    elsewhere = make_url(postgres).set(database="no_such_name")
    began = time.monotonic()

    with pytest.raises(database.DatabaseError, match="no_such_name"):
        async with database.opened(elsewhere.render_as_string(hide_password=False), 120):
            pass

    assert time.monotonic() - began < 60


async def test_a_role_that_may_make_no_tables_is_told_in_a_sentence(postgres: str) -> None:
    async with databases.fresh(postgres) as of_owner, connected(of_owner) as owner:
        await owner.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
        # A role is known to all databases of a server.
        name = f"reader_{new_id()}"
        await owner.execute(text(f"CREATE ROLE {name} LOGIN PASSWORD 'hush'"))
        url = make_url(of_owner).set(username=name, password="hush")

        with pytest.raises(database.DatabaseError, match="permission denied") as told:
            async with database.opened(url.render_as_string(hide_password=False), 60):
                pass

    assert "hush" not in str(told.value)


async def test_who_waited_sees_what_it_was_waited_for_whatever_the_server_is_set_to(
    postgres_url: str,
) -> None:
    name = make_url(postgres_url).database
    async with connected(postgres_url) as operator:
        await operator.execute(
            text(f"ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'serializable'")
        )
    async with database.opened(postgres_url, 60) as records:
        level = await records.write(
            lambda session: session.scalar(text("SHOW transaction_isolation")), EVERYTHING
        )

    assert level == "read committed"


async def test_options_that_the_driver_does_not_know_are_told_in_a_sentence(
    postgres: str,
) -> None:
    url = make_url(postgres).update_query_dict({"sslroot": "x", "password": "hush"})

    with pytest.raises(database.DatabaseError, match="sslroot") as told:
        async with database.opened(url.render_as_string(hide_password=False), 60):
            pass

    assert "hush" not in str(told.value)


async def test_a_locked_database_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    url = f"sqlite:///{path}"
    async with database.opened(url, 60):
        pass
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(database.DatabaseError, match="locked"):
            async with database.opened(url, 0.6):
                pass
        asyncio.get_running_loop().call_later(0.3, holder.execute, "COMMIT")
        async with database.opened(url, 60) as records:
            assert await users(records) == []
    finally:
        holder.close()


async def test_a_queue_of_writers_does_not_add_up_their_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_PATIENCE_S", 3.0)
    path = tmp_path / "test.db"
    async with database.opened(f"sqlite:///{path}", 60) as records:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            writes = (add(records, a_user(username=f"user{n}")) for n in range(20))
            failures = await asyncio.gather(*writes, return_exceptions=True)
            took = time.monotonic() - begun

        assert {type(failure) for failure in failures} == {OperationalError, QueueTimeoutError}
        assert took < 30
        await add(records, a_user())


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    first = new_id()
    time.sleep(0.002)  # so that the clock of the ids, in milliseconds, has moved on
    second = new_id()

    assert first < second
    assert (first[12], len(first)) == ("7", 32)
    assert first[16] in "89ab"
    assert len({new_id() for _ in range(1000)}) == 1000
