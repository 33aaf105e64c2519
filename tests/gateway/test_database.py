"""SQLite and PostgreSQL: the same schema, the same behaviour, opened within a bounded time."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, delete, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlmodel import col

from services.gateway import database
from services.gateway.database import Sessions
from services.gateway.records import Analysis, Record, RefreshToken, SignIn, User, new_id
from tests.gateway import databases


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, Record.metadata))


def tables(connection: Connection) -> set[str]:
    return set(inspect(connection).get_table_names())


@contextlib.asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection beside the gateway's, whose statements count at once."""
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def a_user(username: str = "alice") -> User:
    return User(username=username, password_hash="x")


def an_analysis(owner: User) -> Analysis:
    return Analysis(
        owner_id=owner.id,
        status="succeeded",
        outcome="assessed",
        image_sha256="0" * 64,
        image_format="png",
        width=1,
        height=1,
        findings={},
    )


async def test_the_migrations_make_what_the_tables_say_and_lead_back(database_url: str) -> None:
    engine = create_async_engine(database_url)
    try:
        for _ in range(2):
            await database.migrate(engine)
            async with engine.connect() as connection:
                assert await connection.run_sync(differences) == []
                made = await connection.run_sync(tables)
            assert made == {*Record.metadata.tables, "alembic_version"}

            await database.migrate(engine, "base")
            async with engine.connect() as connection:
                assert await connection.run_sync(tables) == {"alembic_version"}
    finally:
        await engine.dispose()


async def test_gateways_that_boot_at_once_migrate_one_after_the_other(database_url: str) -> None:
    async def boot() -> None:
        async with database.opened(database_url, 10) as sessions, sessions() as session:
            assert (await session.scalars(select(User))).all() == []

    await asyncio.gather(*(boot() for _ in range(3)))


async def test_moments_come_back_in_utc_from_whatever_zone(sessions: Sessions) -> None:
    moment = datetime(2026, 7, 1, 14, 30, 0, 123456, timezone(timedelta(hours=2)))
    async with sessions.begin() as session:
        session.add(User(username="alice", password_hash="x", created_at=moment))

    async with sessions() as session:
        read = (await session.scalars(select(User))).one().created_at

    assert read == moment
    assert read.tzinfo == UTC


async def test_a_moment_without_a_zone_is_a_mistake(sessions: Sessions) -> None:
    naive = datetime(2026, 7, 1)  # noqa: DTZ001 - the point of the test
    with pytest.raises(StatementError, match="time zone"):
        async with sessions.begin() as session:
            session.add(User(username="alice", password_hash="x", created_at=naive))


async def test_what_belongs_to_a_user_goes_with_them(sessions: Sessions) -> None:
    user = a_user()
    sign_in = SignIn(user_id=user.id, expires_at=datetime.now(UTC))
    for records in (
        [user],
        [sign_in, an_analysis(user)],
        [RefreshToken(digest="0" * 64, sign_in_id=sign_in.id)],
    ):
        async with sessions.begin() as session:
            session.add_all(records)

    async with sessions.begin() as session:
        await session.execute(delete(User).where(col(User.id) == user.id))

    async with sessions() as session:
        for table in (SignIn, RefreshToken, Analysis):
            assert (await session.scalars(select(table))).all() == []


async def test_a_record_of_nobody_is_refused(sessions: Sessions) -> None:
    with pytest.raises(IntegrityError):
        async with sessions.begin() as session:
            session.add(an_analysis(a_user()))


async def test_a_database_that_is_not_there_is_given_up_in_time(tmp_path: Path) -> None:
    for url, least, most in (
        ("postgresql+asyncpg://gateway:hush@127.0.0.1:1/none", 0.5, 3),
        (f"sqlite+aiosqlite:///{tmp_path}/no/such/folder.db", 0, 3),
    ):
        began = time.monotonic()
        with pytest.raises(database.DatabaseError, match="DERMSERVE_GATEWAY_DATABASE_URL") as told:
            async with database.opened(url, 1):
                pass
        assert least <= time.monotonic() - began < most
        assert "hush" not in str(told.value)


async def test_a_postgresql_that_does_not_know_us_is_not_waited_for(postgres: str) -> None:
    elsewhere = make_url(postgres).set(database="no_such_name")
    began = time.monotonic()

    with pytest.raises(database.DatabaseError, match="no_such_name"):
        async with database.opened(elsewhere.render_as_string(hide_password=False), 30):
            pass

    assert time.monotonic() - began < 15


async def test_a_role_that_may_make_no_tables_is_told_in_a_sentence(postgres: str) -> None:
    async with databases.fresh(postgres) as of_owner, connected(of_owner) as owner:
        await owner.execute(text("REVOKE CREATE ON SCHEMA public FROM PUBLIC"))
        await owner.execute(text("CREATE ROLE reader LOGIN PASSWORD 'hush'"))
        url = make_url(of_owner).set(username="reader", password="hush")

        with pytest.raises(database.DatabaseError, match="permission denied") as told:
            async with database.opened(url.render_as_string(hide_password=False), 10):
                pass

    assert "hush" not in str(told.value)


async def test_a_schema_of_a_newer_version_is_left_alone(database_url: str) -> None:
    async with database.opened(database_url, 10) as sessions, sessions.begin() as session:
        await session.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))

    with pytest.raises(database.DatabaseError, match="newer version"):
        async with database.opened(database_url, 10):
            pass


async def test_a_migration_that_another_process_does_not_end_is_given_up(postgres: str) -> None:
    async with databases.fresh(postgres) as url, connected(url) as other:
        await other.execute(text(f"SELECT pg_advisory_lock({database._MIGRATION_LOCK})"))
        began = time.monotonic()

        with pytest.raises(database.DatabaseError, match="lock timeout"):
            async with database.opened(url, 1):
                pass

        assert time.monotonic() - began < 4


async def test_options_that_the_driver_does_not_know_are_told_in_a_sentence(
    postgres: str,
) -> None:
    url = make_url(postgres).update_query_dict({"sslroot": "x", "password": "hush"})

    with pytest.raises(database.DatabaseError, match="sslroot") as told:
        async with database.opened(url.render_as_string(hide_password=False), 30):
            pass

    assert "hush" not in str(told.value)


async def test_a_locked_database_is_waited_for_and_then_given_up(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    url = f"sqlite+aiosqlite:///{path}"
    async with database.opened(url, 10):
        pass
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(database.DatabaseError, match="locked"):
            async with database.opened(url, 0.6):
                pass
        asyncio.get_running_loop().call_later(0.3, holder.execute, "COMMIT")
        async with database.opened(url, 5) as sessions, sessions() as session:
            assert (await session.scalars(select(User))).all() == []
    finally:
        holder.close()


def test_ids_are_uuids_of_version_7_that_sort_by_time() -> None:
    first = new_id()
    time.sleep(0.002)  # so that the clock of the ids, in milliseconds, has moved on
    second = new_id()

    assert first < second
    assert (first[12], len(first)) == ("7", 32)
    assert first[16] in "89ab"
    assert len({new_id() for _ in range(1000)}) == 1000
