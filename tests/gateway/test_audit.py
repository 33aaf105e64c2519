"""Who did what, when, from where, and what became of it: a row before the answer leaves."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.gateway.boot import open_records
from services.gateway.database import EVERYTHING
from services.gateway.dependencies import SESSION_COOKIE
from services.gateway.records import DEFAULT_ORGANISATION
from tests.gateway.audited import findings, last, rows, verified
from tests.gateway.conftest import PASSWORD, Gateway, Start
from tests.gateway.installation import ADMIN_PASSWORD
from tests.gateway.test_page_sessions import PAGE


async def test_a_row_says_who_what_when_where_and_what_became_of_it(either: Gateway) -> None:
    alice = await either.signed_in()
    me = (await alice("GET", "/v1/me")).json()
    (session,) = (await alice("GET", "/v1/me/sessions")).json()["items"]
    made = await alice.analyze()

    before = datetime.now(UTC)
    await alice("GET", made.headers["Location"], headers={"X-Request-Id": "from-the-desk"})
    after = datetime.now(UTC)

    row = await last(either)
    assert before <= datetime.fromisoformat(row.pop("at")) <= after
    assert {name: value for name, value in row.items() if value is not None} == {
        "organisation_id": DEFAULT_ORGANISATION,
        "sequence": row["sequence"],
        "user_id": me["id"],
        "sign_in_id": session["id"],
        "action": "analyses.read",
        "operation": "analysis",
        "subject": "analysis",
        "subject_ids": made.json()["id"],
        "address": "127.0.0.1",
        "request_id": "from-the-desk",
        "outcome": "done",
        "status": 200,
        "previous": row["previous"],
        "hash": row["hash"],
    }
    assert await findings(either) == []


async def test_what_changes_something_is_recorded_before_and_after(either: Gateway) -> None:
    alice = await either.signed_in()

    made = await alice("POST", "/v1/patients", json={"identifier": "4711-planted"})
    refused = await alice("POST", "/v1/patients", json={"identifier": "4711-planted"})

    before, after, again, no = await rows(either, action="patients.create")
    assert (made.status_code, refused.status_code) == (201, 409)
    assert [row["outcome"] for row in (before, after, again, no)] == [
        "begun",
        "done",
        "begun",
        "refused",
    ]
    assert (after["subject"], after["subject_ids"]) == ("patient", made.json()["id"])
    assert (no["status"], no["problem"], no["subject_ids"]) == (409, "conflict", None)


async def test_a_list_is_recorded_with_the_ids_that_it_showed(either: Gateway) -> None:
    alice = await either.signed_in()
    ids = [
        (await alice("POST", "/v1/patients", json={"identifier": f"p{n}"})).json()["id"]
        for n in range(3)
    ]

    await alice("GET", "/v1/patients", params={"limit": 2})

    assert (await last(either))["subject_ids"].split() == [ids[2], ids[1]]


async def test_a_failed_sign_in_names_the_account_if_there_is_one_and_never_what_was_typed(
    either: Gateway,
) -> None:
    for username in ("admin", "hunter2-typed-here"):
        form = {"username": username, "password": "wrong-but-nearly"}
        await either.anonymous("POST", "/v1/auth/token", data=form)
    admin = (await (await either.admin())("GET", "/v1/me")).json()

    known, unknown = await rows(either, action="sign_ins.begin", outcome="refused")
    everything = str(await rows(either))

    assert (known["user_id"], unknown["user_id"]) == (admin["id"], None)
    assert known["status"] == unknown["status"] == 401
    assert not [word for word in ("hunter2", "wrong-but-nearly") if word in everything]


async def test_a_sign_in_is_followed_from_its_beginning_to_its_end(either: Gateway) -> None:
    form = {"username": "admin", "password": ADMIN_PASSWORD}
    pair = (await either.anonymous("POST", "/v1/auth/token", data=form)).json()
    again = {"refresh_token": pair["refresh_token"]}
    await either.anonymous("POST", "/v1/auth/refresh", json=again)
    await either.anonymous("POST", "/v1/auth/logout", json=again)
    await either.anonymous("POST", "/v1/auth/refresh", json=again)

    found = [row for row in await rows(either) if row["action"].startswith("sign_ins.")]
    told = [(row["action"], row["outcome"]) for row in found if row["outcome"] != "begun"]
    assert told == [
        ("sign_ins.begin", "done"),
        ("sign_ins.refresh", "done"),
        ("sign_ins.end", "done"),
        ("sign_ins.refresh", "refused"),
    ]
    (sign_in,) = {row["subject_ids"] for row in found if row["outcome"] != "begun"}
    assert sign_in
    assert len({row["user_id"] for row in found[:2]}) == 1


@pytest.mark.parametrize(
    ("path", "shown"), [("/v1/auth/register", "json"), ("/sign-up", "data")], ids=["REST", "page"]
)
async def test_whoever_registers_leaves_a_row_of_their_sign_in_too(
    either: Gateway, path: str, shown: str
) -> None:
    account: dict[str, Any] = {shown: {"username": "alice", "password": PASSWORD}}
    answer = await either.http.post(path, headers=PAGE, **account)
    me = (await either.http.get("/v1/me", headers=showing(answer))).json()
    (session,) = (await either.http.get("/v1/me/sessions", headers=showing(answer))).json()["items"]

    made, entered = [
        row
        for row in await rows(either, user_id=me["id"], outcome="done")
        if row["action"] in {"users.register", "sign_ins.begin"}
    ]
    assert (made["action"], made["subject"], made["subject_ids"]) == (
        "users.register",
        "user",
        me["id"],
    )
    assert (entered["action"], entered["subject"], entered["subject_ids"]) == (
        "sign_ins.begin",
        "session",
        session["id"],
    )
    assert entered["operation"] == made["operation"]
    assert entered["detail"] is None
    assert await findings(either) == []


def showing(answer: httpx.Response) -> dict[str, str]:
    """What says who one is, after a registration over REST or at a page."""
    if SESSION_COOKIE in answer.cookies:
        return {"Cookie": f"{SESSION_COOKIE}={answer.cookies[SESSION_COOKIE]}"}
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_refusals_are_recorded_whatever_was_asked_for(either: Gateway) -> None:
    alice = await either.signed_in()
    missing = "0" * 32

    await either.anonymous("GET", "/v1/me")
    await alice("GET", "/v1/users")
    await alice("GET", f"/v1/analyses/{missing}/report.pdf")
    await alice("GET", "/v1/patients/Jane%20Planted")

    unknown, forbidden, other, odd = (await rows(either))[-4:]
    assert (unknown["action"], unknown["status"]) == ("me.read", 401)
    assert (forbidden["action"], forbidden["problem"]) == ("users.read", "forbidden")
    assert forbidden["user_id"] is not None
    assert (other["action"], other["subject_ids"]) == ("analyses.report.read", missing)
    assert other["status"] == odd["status"] == 404
    assert odd["subject_ids"] is None


async def test_a_changed_role_is_recorded_with_the_new_one(either: Gateway) -> None:
    alice, admin = await either.signed_in(), await either.admin()
    me = (await alice("GET", "/v1/me")).json()

    await admin(
        "PATCH", f"/v1/users/{me['id']}", json={"role": "viewer"}, headers={"If-Match": "*"}
    )

    row = await last(either, action="users.change")
    assert row["subject_ids"] == me["id"]
    assert row["detail"] == '{"disabled": false, "role": "viewer"}'


async def test_a_service_is_recorded_with_the_key_that_it_came_by(either: Gateway) -> None:
    admin = await either.admin()
    new = {"username": "pacs", "password": PASSWORD, "role": "service"}
    service = (await admin("POST", "/v1/users", json=new)).json()
    asked = {"user_id": service["id"], "name": "PACS", "permissions": ["records:read"]}
    key = (await admin("POST", "/v1/api-keys", json=asked)).json()

    headers = {"Authorization": f"Bearer {key['key']}"}
    await either.anonymous("GET", "/v1/analyses", headers=headers)

    row = await last(either)
    assert (row["user_id"], row["api_key_id"]) == (service["id"], key["id"])
    assert (row["sign_in_id"], row["subject_ids"]) == (None, None)
    assert key["key"] not in str(await rows(either))


async def test_what_cannot_be_recorded_is_not_done_and_not_shown(either: Gateway) -> None:
    alice = await either.signed_in()
    await alice("POST", "/v1/patients", json={"identifier": "first"})
    async with open_records(either.settings) as records:
        rename = "ALTER TABLE audit RENAME TO elsewhere"
        await records.write(lambda session: session.execute(text(rename)), EVERYTHING)

        looked = await alice("GET", "/v1/patients")
        made = await alice("POST", "/v1/patients", json={"identifier": "second"})

        back = "ALTER TABLE elsewhere RENAME TO audit"
        await records.write(lambda session: session.execute(text(back)), EVERYTHING)

    now = await alice("GET", "/v1/patients")
    assert (looked.status_code, made.status_code, now.status_code) == (503, 503, 200)
    assert looked.headers["Retry-After"] == "1"
    assert looked.headers["X-Frame-Options"] == "DENY"
    assert looked.json()["type"] == "/docs/problems#unavailable"
    assert [each["identifier"] for each in now.json()["items"]] == ["first"]
    assert await findings(either) == []


async def test_a_fault_of_ours_is_recorded_as_failed(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    monkeypatch.setattr(either.parts.patients, "page", None)

    answer = await alice("GET", "/v1/patients")

    row = await last(either)
    assert (answer.status_code, row["status"], row["outcome"]) == (500, 500, "failed")


async def test_requests_at_once_go_into_few_transactions_and_one_chain(either: Gateway) -> None:
    alice = await either.signed_in()
    before = len(await rows(either))

    await asyncio.gather(*(alice("GET", "/v1/analyses") for _ in range(40)))

    (chain,) = await verified(either)
    assert (chain.findings, chain.rows) == ([], before + 40)


async def test_two_replicas_write_one_chain(start: Start, database_url: str) -> None:
    async with start(database_url=database_url) as one, start(database_url=database_url) as two:
        alice = await one.signed_in()
        bob = await two.signed_in("bob")
        asked = [client("GET", "/v1/patients") for client in (alice, bob) for _ in range(20)]
        answers = await asyncio.gather(*asked)

        (chain,) = await verified(one)

    assert {answer.status_code for answer in answers} == {200}
    assert (chain.findings, chain.sequence) == ([], chain.rows)


async def test_health_and_documents_leave_no_row(gateway: Gateway) -> None:
    before = await rows(gateway)

    for path in ("/livez", "/readyz", "/metrics", "/docs", "/.well-known/jwks.json", "/nowhere"):
        await gateway.anonymous("GET", path)

    assert await rows(gateway) == before
