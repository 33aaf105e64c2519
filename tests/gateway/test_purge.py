"""What was removed is purged, where there is no other command line."""

import asyncio
import contextlib
import io
import os
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from services.cli import records as command
from services.gateway import purge
from services.gateway.analyses.retention import due
from services.gateway.boot import open_records
from services.gateway.database import Database
from services.gateway.records import DEFAULT_ORGANISATION, Analysis, Lesion, Patient, now
from tests.gateway.conftest import Start
from tests.gateway.installation import settings_for
from tests.gateway.test_database import a_user, an_analysis


async def removed(
    folder: Path, *days_ago: int, since_days: int = 31, database_url: str = ""
) -> None:
    """Keep analyses that a user, who came some days ago, removed some days ago."""
    async with open_records(settings_for(folder, database_url=database_url)) as records:
        user = a_user(created_at=now() - timedelta(days=since_days))
        await records.write(partial(Session.add, instance=user))
        for days in days_ago:
            analysis = an_analysis(user)
            analysis.deleted_at = now() - timedelta(days=days)
            await records.write(partial(Session.add, instance=analysis))


@pytest.fixture
def retaining(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int], None]:
    """Sets the days that removed records stay, for commands on a database of each kind."""
    monkeypatch.setenv("DERMSERVE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DERMSERVE_GATEWAY_DATABASE_URL", database_url)
    return lambda days: monkeypatch.setenv("DERMSERVE_GATEWAY_RETENTION_DAYS", str(days))


def in_a_container() -> str:
    """What the command without a command line says."""
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert purge.main() == 0
    return said.getvalue()


def on_the_command_line() -> str:
    """What ``dermserve records purge`` says."""
    done = CliRunner().invoke(command.app, ["purge"])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("purged", [in_a_container, on_the_command_line])
def test_what_was_removed_longer_ago_than_the_retention_is_purged(
    tmp_path: Path,
    database_url: str,
    retaining: Callable[[int], None],
    purged: Callable[[], str],
) -> None:
    asyncio.run(removed(tmp_path, 9, 8, 8, 6, database_url=database_url))

    said = []
    for days in (30, 7, 7, 5):
        retaining(days)
        said += purged().splitlines()

    assert said == [f"{gone} analyses are gone for good" for gone in (0, 3, 0, 1)]


@pytest.mark.parametrize("table", [Analysis, Lesion, Patient])
async def test_what_a_purge_looks_for_has_an_index(
    records: Database, table: type[Analysis | Lesion | Patient]
) -> None:
    def plan(session: Session) -> str:
        dialect = session.connection().dialect
        explain = "EXPLAIN QUERY PLAN"
        if dialect.name == "postgresql":
            explain = "EXPLAIN"
            # So few rows are read faster without one. It holds for a transaction.
            session.execute(text("SET LOCAL enable_seqscan = off"))
        asked = due(table, now()).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
        return "\n".join(str(row) for row in session.execute(text(f"{explain} {asked}")))

    assert f"ix_{table.__tablename__}_deleted_at" in await records.write(plan)


async def test_each_gateway_of_a_database_is_purged_of_its_own_pictures(
    start: Start, database_url: str, tmp_path: Path
) -> None:
    """Also after one purge removed all records, as one that is killed before the pictures does."""
    elsewhere = {"DERMSERVE_DATA_DIR": tmp_path / "elsewhere"}
    async with (
        start(database_url=database_url) as one,
        start(database_url=database_url, **elsewhere) as other,
    ):
        for gateway, username in ((one, "alice"), (other, "bob")):
            user = await gateway.signed_in(username)
            await user("DELETE", (await user.analyze()).headers["Location"])

        assert await one.purge() == 2
        assert (len(one.kept_files()), len(other.kept_files())) == (0, 3)
        assert await other.purge() == 0
        assert other.kept_files() == []


@pytest.mark.parametrize(("days", "left"), [(29, 2), (31, 0)])
def test_a_database_too_young_to_have_purged_anything_is_not_believed_about_pictures(
    tmp_path: Path, database_url: str, retaining: Callable[[int], None], days: int, left: int
) -> None:
    asyncio.run(removed(tmp_path, since_days=days, database_url=database_url))
    kept = tmp_path / "pictures"
    pictures = [kept / DEFAULT_ORGANISATION / "aa" / ("a" * 64), kept / "staged" / "picture"]
    for picture in pictures:
        picture.parent.mkdir(parents=True)
        picture.touch()
        os.utime(picture, (0, 0))
    retaining(30)

    assert in_a_container() == "0 analyses are gone for good\n"

    assert sum(picture.exists() for picture in pictures) == left


def test_a_purge_of_nothing_that_can_be_used_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("DERMSERVE_DATA_DIR", str(tmp_path / "file" / "data"))

    assert purge.main() == 2
    assert "DERMSERVE_DATA_DIR" in capsys.readouterr().err
