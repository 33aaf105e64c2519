"""Migrations: they make what the tables say, lead back, and lose nothing."""

import asyncio
import contextlib
import sqlite3
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, inspect, select, text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from services.gateway import database, migrations
from services.gateway.database import EVERYTHING, AdvisoryLock, migrate, opening
from services.gateway.records import (
    DEFAULT_ORGANISATION,
    Analysis,
    Job,
    Record,
    Usage,
    new_id,
)
from tests.gateway import databases
from tests.gateway.test_database import a_user, add, an_analysis, connected, users

MIGRATIONS = list(Path(migrations.__path__[0], "versions").glob("r*.py"))

_INDEXES = {
    "postgresql": """
        SELECT indexname AS name, indexdef AS made_by FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    """,
    "sqlite": """
        SELECT name, sql AS made_by FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL
    """,
}


def differences(session: Session) -> list[object]:
    options = {"compare_server_default": True}
    context = MigrationContext.configure(session.connection(), opts=options)
    return list(compare_metadata(context, Record.metadata))


def indexes(session: Session) -> dict[str, str]:
    """The statement that makes each index, with its condition: Alembic compares none of those."""
    dialect = session.connection().dialect.name
    return {row.name: row.made_by for row in session.execute(text(_INDEXES[dialect]))}


def make_anew(session: Session) -> None:
    """Make all tables as the records say, without any migration."""
    Record.metadata.drop_all(session.connection())
    Record.metadata.create_all(session.connection())


def tables(session: Session) -> set[str]:
    return set(inspect(session.connection()).get_table_names())


async def test_the_migrations_make_what_the_tables_say_and_lead_back(
    empty_database_url: str,
) -> None:
    async with database.opened(empty_database_url, 10) as records:
        for _ in range(2):
            await records.write(migrate, EVERYTHING)
            assert await records.read(differences, EVERYTHING) == []
            assert await records.read(tables, EVERYTHING) == {
                *Record.metadata.tables,
                "alembic_version",
            }

            await records.write(partial(migrate, revision="base"), EVERYTHING)
            assert await records.read(tables, EVERYTHING) == {"alembic_version"}


async def test_the_migrations_make_the_indexes_that_the_tables_say_with_their_conditions(
    records: database.Database,
) -> None:
    migrated = await records.read(indexes, EVERYTHING)
    await records.write(make_anew, EVERYTHING)

    assert migrated == await records.read(indexes, EVERYTHING)


async def test_an_index_that_lost_its_condition_is_told_from_the_one_of_the_tables(
    records: database.Database,
) -> None:
    """What is compared above would show it, where Alembic shows nothing."""
    before = await records.read(indexes, EVERYTHING)
    partial_ones = [name for name, made_by in before.items() if " WHERE " in made_by]
    named = partial_ones[0]

    def widen(session: Session) -> None:
        session.execute(text(f"DROP INDEX {named}"))
        session.execute(text(before[named].partition(" WHERE ")[0]))

    await records.write(widen, EVERYTHING)

    after = await records.read(indexes, EVERYTHING)
    assert {name for name in before if before[name] != after[name]} == {named}
    assert len(partial_ones) > 10


async def test_gateways_that_boot_at_once_migrate_one_after_the_other(
    empty_database_url: str,
) -> None:
    async def boot() -> None:
        async with database.opened(empty_database_url, 120) as records:
            assert await users(records) == []

    await asyncio.gather(*(boot() for _ in range(3)))


async def test_who_boots_waits_for_the_migrations_of_others_and_not_only_as_a_statement_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_PATIENCE_S", 0.01)
    path, reach, waits = tmp_path / "test.db", opening._reach, asyncio.Event()
    loop = asyncio.get_running_loop()

    async def boot() -> None:
        async with database.opened(f"sqlite:///{path}", 120) as records:
            assert await users(records) == []

    def begins(*executed: Any) -> None:
        if executed[2] == "BEGIN IMMEDIATE":
            loop.call_soon_threadsafe(waits.set)

    async def reached(*given: Any) -> None:
        await reach(*given)
        other.execute("BEGIN IMMEDIATE")

    monkeypatch.setattr(opening, "_reach", reached)
    event.listen(Engine, "before_cursor_execute", begins)
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            booting = asyncio.create_task(boot())
            await asyncio.wait_for(waits.wait(), 60)
            done, _ = await asyncio.wait([booting], timeout=0.5)
            assert not done

            other.execute("ROLLBACK")
            await booting
    finally:
        event.remove(Engine, "before_cursor_execute", begins)


async def test_a_schema_of_a_newer_version_is_left_alone(empty_database_url: str) -> None:
    newer = text("UPDATE alembic_version SET version_num = 'r9999'")
    async with database.opened(empty_database_url, 10) as records:
        await records.write(lambda session: session.execute(newer), EVERYTHING)

    with pytest.raises(database.DatabaseError, match="newer version"):
        async with database.opened(empty_database_url, 10):
            pass


async def test_a_migration_of_another_process_is_waited_for_longer_than_a_boot_may_take(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reach = opening._reach
    # That the server answers may take longer: it is the wait that is to be longer than a boot.
    monkeypatch.setattr(opening, "_reach", lambda address, _: reach(address, 60))

    async def boot(url: str) -> None:
        async with database.opened(url, 0.5) as records:
            assert await users(records) == []

    waits = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    async with databases.fresh(postgres) as url, connected(url) as other:
        await other.execute(text(f"SELECT pg_advisory_lock({AdvisoryLock.MIGRATION:d})"))
        booting = asyncio.create_task(boot(url))
        async with asyncio.timeout(60):
            while not await other.scalar(waits):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
        done, _ = await asyncio.wait([booting], timeout=1)
        assert not done

        await other.execute(text(f"SELECT pg_advisory_unlock({AdvisoryLock.MIGRATION:d})"))
        await booting


async def test_an_installation_from_before_organisations_keeps_all_that_it_has(
    empty_database_url: str,
) -> None:
    """Going there and back loses no row, though SQLite makes tables anew on the way."""
    user, analysis = "0" * 32, "1" * 32
    person = "INSERT INTO users VALUES (:user, 'old', 'x', 'user', false, '2026-01-01')"
    theirs = """
        INSERT INTO analyses (id, owner_id, created_at, status, outcome, image_sha256,
            image_format, width, height, findings)
        VALUES (:analysis, :user, '2026-01-01', 'succeeded', 'assessed', 'x', 'png', 1, 1, '{}')
    """

    def old(session: Session) -> None:
        session.execute(text(person), {"user": user})
        session.execute(text(theirs), {"user": user, "analysis": analysis})

    def kept(session: Session) -> list[object]:
        found = "SELECT role, analyses.id FROM analyses JOIN users ON owner_id = users.id"
        return [tuple(row) for row in session.execute(text(found))]

    async with database.opened(empty_database_url, 10) as records:
        for revision in ("base", "0001"):
            await records.write(partial(migrate, revision=revision), EVERYTHING)
        await records.write(old, EVERYTHING)
        await records.write(migrate, EVERYTHING)
        assert await records.read(kept, EVERYTHING) == [("clinician", analysis)]
        (found,) = await users(records)
        assert found.organisation_id == DEFAULT_ORGANISATION
        for revision in ["-1"] * (len(MIGRATIONS) - 1):
            await records.write(partial(migrate, revision=revision), EVERYTHING)
        assert await records.read(kept, EVERYTHING) == [("user", analysis)]


async def test_a_gateway_of_the_version_before_can_still_add_to_the_line(
    records: database.Database,
) -> None:
    owner = a_user()
    waiting = an_analysis(owner)
    before = text("""
        INSERT INTO jobs (analysis_id, created_at, turn_at, due_at, strikes, bulk)
        VALUES (:id, :now, :now, :now, 0, false)
    """).bindparams(id=waiting.id, now=datetime.now(UTC))
    await add(records, owner)
    await add(records, waiting)

    await records.write(lambda session: session.execute(before), EVERYTHING)

    (job,) = await records.read(lambda session: session.scalars(select(Job)).all(), EVERYTHING)
    assert (job.deferrals, job.refusals) == (0, 0)


async def test_a_gateway_of_the_version_before_can_still_make_users(
    records: database.Database,
) -> None:
    before = text("""
        INSERT INTO users (id, organisation_id, username, password_hash, role, disabled, created_at)
        VALUES (:id, :organisation, 'old', 'x', 'viewer', false, :now)
    """).bindparams(id=new_id(), organisation=DEFAULT_ORGANISATION, now=datetime.now(UTC))

    await records.write(lambda session: session.execute(before), EVERYTHING)

    assert [user.revision for user in await users(records)] == [1]


async def test_files_that_could_not_be_used_are_counted_as_kept_pictures_no_more(
    records: database.Database,
) -> None:
    owner = a_user()
    unusable = an_analysis(owner).model_copy(update={"id": new_id(), "image_sha256": None})
    whose: dict[str, Any] = {"organisation_id": owner.organisation_id, "bytes": 7, "pictures": 2}
    holders = (owner.id, owner.organisation_id)
    await add(records, owner)
    await add(records, an_analysis(owner), Analysis(**unusable.model_dump()))
    back_to_0019 = f"-{len(MIGRATIONS) - 19}"
    await records.write(partial(migrate, revision=back_to_0019), EVERYTHING)
    await add(records, *(Usage(holder_id=each, **whose) for each in holders))

    await records.write(migrate, EVERYTHING)

    kept = await records.read(lambda session: session.scalars(select(Usage)).all(), EVERYTHING)
    assert {each.holder_id: (each.bytes, each.pictures) for each in kept} == dict.fromkeys(
        holders, (7, 1)
    )
