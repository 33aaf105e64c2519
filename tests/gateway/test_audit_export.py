"""The audit exported over REST: all of it, some rows at a time, and to nobody else."""

from datetime import UTC, datetime

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from services.gateway import errors
from services.gateway.audit import ledger, moment
from tests.gateway.audited import rows
from tests.gateway.conftest import Client, Gateway
from tests.gateway.test_auditing import busy, lines


async def test_an_export_reads_some_rows_at_a_time_and_all_of_them(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "AT_ONCE", 2)
    await busy(either, 4)
    admin = await either.admin()

    exported = await lines(admin)

    assert [row["sequence"] for row in exported] == list(range(1, len(exported) + 1))
    assert len(exported) == len(await rows(either)) - 1
    assert max(str(row["at"]) for row in exported) < moment(datetime.now(UTC))


@pytest.mark.parametrize(
    ("meanwhile", "expected"),
    [
        ("disabled", errors.UnauthenticatedError),
        ("signed out", errors.UnauthenticatedError),
        ("a viewer", errors.ForbiddenError),
    ],
)
async def test_an_export_is_broken_off_when_its_administrator_may_not_see_it_any_more(
    either: Gateway, monkeypatch: pytest.MonkeyPatch, meanwhile: str, expected: type[Exception]
) -> None:
    monkeypatch.setattr(ledger, "AT_ONCE", 2)
    await busy(either, 4)
    admin, boss = await either.admin(), await either.signed_in("boss")
    await either.parts.accounts.promote("boss")
    me = (await admin("GET", "/v1/me")).json()["id"]
    given = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            given.append(message.get("body", b""))
            if len(given) == 2:  # the head, and the first rows
                change = {"disabled": True} if meanwhile == "disabled" else {"role": "viewer"}
                if meanwhile == "signed out":
                    await admin("POST", "/v1/auth/logout")
                else:
                    changed = await boss(
                        "PATCH", f"/v1/users/{me}", json=change, headers={"If-Match": "*"}
                    )
                    assert changed.status_code == 200, changed.text
            await send(message)

        await either.app(scope, receive, told)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://gateway"
    ) as http:
        # What a server makes of an error in the midst of an answer: it breaks the connection.
        with pytest.raises(RuntimeError, match="already started") as broken:
            await lines(Client(http, admin.token))

    assert isinstance(broken.value.__cause__, expected)
    assert len(given) == 2
    assert len(given[1].splitlines()) == 2
