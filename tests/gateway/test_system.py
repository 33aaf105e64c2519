"""How the installation is, as administrators are told."""

from importlib.metadata import version

from sqlalchemy import update
from sqlalchemy.orm import Session

from services.gateway.database import EVERYTHING
from services.gateway.records import Analysis, Status
from tests.gateway.conftest import Gateway


async def test_administrators_are_told_how_everything_is(either: Gateway) -> None:
    admin = await either.admin()

    answer = await admin("GET", "/v1/system")

    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["database"] in {"sqlite", "postgresql"}
    assert found["checks"] == dict.fromkeys(
        ("database", "pictures", "space", "inference", "reports"), "ok"
    )
    assert found["line"] == {"queued": 0, "running": 0, "oldest_at": None}
    assert found["version"] == version("dermserve")


async def test_what_waits_of_others_is_not_told(either: Gateway) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    mine = (await admin.analyze()).json()
    await alice.analyze()

    def all_wait(session: Session) -> None:
        session.execute(update(Analysis).values(status=Status.QUEUED))

    await either.parts.access._database.write(all_wait, EVERYTHING)

    line = (await admin("GET", "/v1/system")).json()["line"]
    assert line == {"queued": 1, "running": 0, "oldest_at": mine["created_at"]}


async def test_nobody_else_is_told(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    assert (await alice("GET", "/v1/system")).status_code == 403
    assert (await gateway.anonymous("GET", "/v1/system")).status_code == 401
