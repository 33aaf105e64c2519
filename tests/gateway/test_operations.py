"""Alive, ready, and what is down."""

import asyncio
import os
import time
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from services.gateway.boot import open_accounts
from services.gateway.database import postgresql
from services.gateway.records import DEFAULT_ORGANISATION, Role
from tests.gateway import databases
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.installation import settings_for

NOWHERE = "127.0.0.1:1"


async def test_a_gateway_with_all_it_needs_is_ready(gateway: Gateway) -> None:
    answer = await gateway.http.get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": {
            "database": "ok",
            "pictures": "ok",
            "space": "ok",
            "inference": "ok",
            "reports": "ok",
        },
    }


async def test_without_inference_it_is_alive_and_not_ready(start: Start) -> None:
    async with start(inference_address=NOWHERE) as gateway:
        ready = await gateway.http.get("/readyz")
        live = await gateway.http.get("/livez")

    assert (ready.status_code, live.status_code) == (503, 200)
    assert ready.json()["detail"] == "Down: inference."
    assert ready.json()["type"] == "/docs/problems#unavailable"
    assert ready.headers["Retry-After"] == "1"
    assert ready.json()["checks"] == {
        "database": "ok",
        "pictures": "ok",
        "space": "ok",
        "inference": "unavailable",
        "reports": "ok",
    }


async def test_without_reports_it_is_ready_and_says_so(start: Start) -> None:
    async with start(reports_address=NOWHERE) as gateway:
        answer = await gateway.http.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["reports"] == "unavailable"


async def test_the_first_password_is_shown_once_and_only_when_it_was_invented(
    start: Start, capsys: pytest.CaptureFixture[str]
) -> None:
    async with start(admin_password=None) as gateway:
        shown = capsys.readouterr().out
        password = shown.partition("password ")[2].split()[0]
        signed_in = await gateway.anonymous(
            "POST", "/v1/auth/token", data={"username": "admin", "password": password}
        )
    async with start(admin_password=None):
        again = capsys.readouterr().out

    assert signed_in.status_code == 200
    assert "admin" in shown
    assert again == ""


async def test_accounts_can_be_managed_without_a_server_and_stay_their_owners_own(
    tmp_path: Path,
) -> None:
    async with open_accounts(settings_for(tmp_path / "data")) as accounts:
        await accounts.create("root", PASSWORD, Role.ADMIN)
        await accounts.create("Carol", PASSWORD)
        promoted = await accounts.promote("carol")
        disabled = await accounts.disable("root")

    assert promoted.role == Role.ADMIN
    assert disabled.disabled
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "data").rglob("*")} == {0}


async def test_a_gateway_works_on_postgresql_and_says_so_when_it_goes_away(
    start: Start,
) -> None:
    with databases.folder() as folder, databases.postgres(folder) as url:
        async with start(database_url=url) as gateway:
            alice = await gateway.signed_in()
            analyzed = await alice.analyze(patient_name="Zoë")
            listed = await alice("GET", "/v1/analyses")
            databases.stop(folder)

            me = await alice("GET", "/v1/me")
            ready = await gateway.http.get("/readyz")
            refused = await alice.analyze()

    assert listed.json()["items"] == [analyzed.json()]
    assert (me.status_code, ready.status_code, refused.status_code) == (503, 503, 503)
    assert me.json()["detail"] == "The database does not answer. Try again later."
    assert ready.json()["checks"]["database"] == "unavailable"


@pytest.mark.parametrize("ended", [True, False])
async def test_a_statement_that_postgresql_ends_is_said_to_be_worth_another_try(
    start: Start, postgres_url: str, monkeypatch: pytest.MonkeyPatch, *, ended: bool
) -> None:
    """A table is locked: the statement is ended by an operator, or by the bound on waiting."""
    # The bounds of the statements of the server alone: whoever connects has the time they need.
    bounds = {"lock_timeout": "0" if ended else "500"}
    monkeypatch.setattr(postgresql, "_settings", lambda _: bounds)
    async with start(database_url=postgres_url) as gateway:
        alice = await gateway.signed_in()
        locking = create_async_engine(postgres_url)
        async with locking.begin() as holder:
            await holder.execute(text("LOCK TABLE users IN ACCESS EXCLUSIVE MODE"))
            asking = asyncio.create_task(alice("GET", "/v1/me"))
            if ended:
                await end_waiting(postgres_url)
            answer = await asyncio.wait_for(asking, 60)
        again = await alice("GET", "/v1/me")
        await locking.dispose()

    assert (answer.status_code, again.status_code) == (503, 200)
    assert answer.headers["Retry-After"] == "1"


async def end_waiting(url: str) -> None:
    """End the backend that waits for a lock in a database, as soon as there is one."""
    end = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with asyncio.timeout(60), engine.connect() as connection:
        while not (await connection.execute(end)).all():  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    await engine.dispose()


async def test_pictures_of_no_record_are_swept_at_boot_unless_the_database_looks_like_another(
    start: Start, tmp_path: Path
) -> None:
    """A process can be killed after its pictures are published and before their record is."""
    pictures = tmp_path / "data" / "pictures"
    ours = pictures / DEFAULT_ORGANISATION
    old, new = ours / "aa" / ("a" * 64), ours / "bb" / ("b" * 64)
    async with start() as gateway:
        await (await gateway.signed_in()).analyze()
        kept = set(gateway.kept_files())
    for path in (old, new):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    ago = time.time() - 7200
    for path in kept | {old}:
        os.utime(path, (ago, ago))

    async with start(database_url=f"sqlite:///{tmp_path / 'another.db'}") as mistaken:
        assert set(mistaken.kept_files()) == kept | {old, new}
    async with start() as again:
        assert set(again.kept_files()) == kept | {new}


async def test_pictures_of_a_former_installation_are_brought_into_order_at_boot(
    start: Start, tmp_path: Path
) -> None:
    pictures = tmp_path / "data" / "pictures"
    async with start() as gateway:
        alice = await gateway.signed_in()
        where = (await alice.analyze()).headers["Location"]
        now = {path.name: path for path in gateway.kept_files()}
    for name, path in now.items():
        (pictures / name[:2]).mkdir()
        path.rename(pictures / name[:2] / name)
    lost, new = pictures / "aa" / ("a" * 64), pictures / "bb" / ("b" * 64)
    for path in (lost, new):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    os.utime(lost, (0, 0))

    async with start() as again:
        shown = await Client(again.http, alice.token)("GET", f"{where}/image")
        left = set(again.kept_files())

    assert shown.status_code == 200, shown.text
    assert left == {*now.values(), new}
