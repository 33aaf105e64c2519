"""What clinicians say of our answers: beside them, one at a time, with its history."""

import asyncio
from typing import Any

import grpc
import httpx
import pytest
from sqlalchemy import select

from services.gateway.boot import open_records
from services.gateway.database import EVERYTHING
from services.gateway.identity import Permission
from services.gateway.identity.permissions import roles_with
from services.gateway.records import Assessment, Role
from tests.gateway.conftest import PASSWORD, Client, Gateway
from tests.gateway.counterparts import cannot_assess
from tests.gateway.test_analyses import analyzed
from tests.gateway.test_jobs import finished, submitted
from tests.gateway.test_patients import share

NEW = {"If-None-Match": "*"}
ASSESSORS = roles_with(Permission.ASSESS)


async def said(client: Client, path: str, tag: str | None = None, **body: Any) -> httpx.Response:
    """Say something of an analysis: for the first time, or for what has this tag."""
    headers = {"If-Match": tag} if tag else NEW
    return await client("PUT", f"{path}/assessment", json=body, headers=headers)


async def test_an_assessment_stands_beside_our_answer_and_changes_nothing_of_it(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    before = await analyzed(alice)
    path = f"/v1/analyses/{before['id']}"

    made = await said(alice, path, verdict="mel", reason="Blue veil \u202eat 3 o'clock.")

    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    shown = made.json()
    assert shown["assessed_at"] > before["created_at"]
    assert {**shown, "assessed_at": None} == {
        "verdict": "mel",
        "agrees": False,
        "reason": "Blue veil \u202eat 3 o'clock.",
        "username": "alice",
        "assessed_at": None,
        "revision": 1,
    }
    assert (await alice("GET", f"{path}/assessment")).json() == shown
    assert (await alice("GET", path)).json() == before | {"assessment": shown}
    assert (await alice("GET", "/v1/analyses")).json()["items"][0]["assessment"] == shown


async def test_who_does_not_agree_says_why_and_who_agrees_need_not(either: Gateway) -> None:
    alice = await either.signed_in()
    ours = f"/v1/analyses/{(await analyzed(alice))['id']}"
    either.inference.answer = cannot_assess()
    unclear = f"/v1/analyses/{(await analyzed(alice))['id']}"

    for path, verdict in ((ours, "nv"), (unclear, "cannot_tell")):
        agreed = await said(alice, path, verdict=verdict)
        assert (agreed.status_code, agreed.json()["agrees"]) == (201, True)
    for path, verdict in ((ours, "cannot_tell"), (unclear, "nv")):
        silent = await said(alice, path, '"1"', verdict=verdict)
        assert silent.status_code == 422
        assert silent.json()["errors"][0]["field"] == "reason"
        other = await said(alice, path, '"1"', verdict=verdict, reason="By touch.")
        assert (other.status_code, other.json()["agrees"]) == (200, False)


async def test_nobody_overwrites_what_they_have_not_seen(either: Gateway) -> None:
    alice = await either.signed_in()
    path = f"/v1/analyses/{(await analyzed(alice))['id']}"
    anything = {"verdict": "nv"}

    blind = await alice("PUT", f"{path}/assessment", json=anything)
    nothing_there = [(await said(alice, path, t, **anything)).status_code for t in ("*", '"0"')]
    first, second = await asyncio.gather(*(said(alice, path, **anything) for _ in range(2)))
    changed = await said(alice, path, '"1"', verdict="bcc", reason="Histology.")
    stale = await said(alice, path, '"1"', **anything)
    both = await alice(
        "PUT", f"{path}/assessment", json=anything, headers=NEW | {"If-Match": '"1"'}
    )

    assert (blind.status_code, nothing_there) == (428, [412, 412])
    assert sorted((first.status_code, second.status_code)) == [201, 412]
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert (stale.status_code, both.status_code) == (412, 412)
    assert (await alice("GET", f"{path}/assessment")).json()["verdict"] == "bcc"


async def test_what_was_withdrawn_is_gone_and_can_be_made_anew_but_not_with_an_old_tag(
    either: Gateway,
) -> None:
    alice = await either.signed_in()
    before = await analyzed(alice)
    path = f"/v1/analyses/{before['id']}"
    await said(alice, path, verdict="nv")

    assert (await alice("DELETE", f"{path}/assessment")).status_code == 428
    gone = await alice("DELETE", f"{path}/assessment", headers={"If-Match": '"1"'})
    again = await alice("DELETE", f"{path}/assessment", headers={"If-Match": "*"})

    assert (gone.status_code, again.status_code) == (204, 404)
    assert (await alice("GET", f"{path}/assessment")).status_code == 404
    assert (await alice("GET", path)).json() == before
    assert (await said(alice, path, '"1"', verdict="nv")).status_code == 412
    assert (await said(alice, path, verdict="nv")).headers["ETag"] == '"3"'


async def test_the_history_has_who_said_what_newest_first(either: Gateway) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    path = f"/v1/analyses/{(await analyzed(alice))['id']}"
    assert (await said(bob, path, verdict="nv")).status_code == 404
    await share(either, shared=True)

    await said(alice, path, verdict="nv")
    await said(bob, path, '"1"', verdict="mel", reason="It bleeds.")
    await bob("DELETE", f"{path}/assessment", headers={"If-Match": '"2"'})

    first = (await alice("GET", f"{path}/assessments", params={"limit": "2"})).json()
    query = {"cursor": first["next_cursor"]}
    rest = (await alice("GET", f"{path}/assessments", params=query)).json()
    steps = [*first["items"], *rest["items"]]
    told = [(step["username"], step["verdict"], step["reason"]) for step in steps]
    assert told == [("bob", None, None), ("bob", "mel", "It bleeds."), ("alice", "nv", None)]
    assert steps[0]["user_id"] == (await bob("GET", "/v1/me")).json()["id"]
    assert rest["next_cursor"] is None


async def test_the_history_stays_with_its_analysis_when_an_organisation_stops_sharing(
    either: Gateway,
) -> None:
    alice, bob = await either.signed_in(), await either.signed_in("bob")
    path = f"/v1/analyses/{(await analyzed(alice))['id']}"
    await share(either, shared=True)
    await said(bob, path, verdict="mel", reason="It bleeds.")
    await said(alice, path, '"1"', verdict="nv")
    shared = (await alice("GET", f"{path}/assessments")).json()

    await share(either, shared=False)

    assert [step["username"] for step in shared["items"]] == ["alice", "bob"]
    assert (await alice("GET", f"{path}/assessments")).json() == shared
    assert (await bob("GET", f"{path}/assessments")).status_code == 404


@pytest.mark.parametrize("role", [role for role in Role if role not in ASSESSORS])
async def test_who_is_no_clinician_sees_what_was_said_and_can_neither_change_nor_withdraw_it(
    gateway: Gateway, role: Role
) -> None:
    alice, admin = await gateway.signed_in(), await gateway.admin()
    unsaid, path = [f"/analyses/{(await analyzed(alice))['id']}" for _ in range(2)]
    await said(alice, f"/v1{path}", verdict="nv")
    offered = (await alice("GET", path)).text
    me = (await alice("GET", "/v1/me")).json()["id"]
    await admin("PATCH", f"/v1/users/{me}", json={"role": role}, headers={"If-Match": "*"})

    changed = await said(alice, f"/v1{path}", '"1"', verdict="mel", reason="It bleeds.")
    withdrawn = await alice("DELETE", f"/v1{path}/assessment", headers={"If-Match": '"1"'})
    by_form = [
        await alice("POST", f"{path}/assessment", data={"verdict": "mel", "revision": "1"}),
        await alice("POST", f"{path}/assessment/withdraw", data={"revision": "1"}),
    ]
    page, nothing_there = [(await alice("GET", where)).text for where in (path, unsaid)]

    assert {each.status_code for each in (changed, withdrawn, *by_form)} == {403}
    assert "records:assess" in changed.json()["detail"]
    assert f'action="{path}/assessment' in offered
    assert f'action="{path}/assessment' not in page
    assert "Agrees" in page
    assert "Nobody has assessed it." in nothing_there
    assert (await alice("GET", f"/v1{path}/assessment")).json()["verdict"] == "nv"


async def test_no_api_key_can_be_made_that_assesses(gateway: Gateway) -> None:
    admin = await gateway.admin()
    bridge = {"username": "bridge", "password": PASSWORD, "role": "service"}
    service = (await admin("POST", "/v1/users", json=bridge)).json()["id"]
    asked = {"user_id": service, "name": "PACS", "permissions": ["records:read", "records:assess"]}

    refused = await admin("POST", "/v1/api-keys", json=asked)

    assert refused.status_code == 422
    assert "services do not have records:assess" in refused.json()["detail"]


async def test_what_has_no_answer_yet_or_never_will_cannot_be_assessed(either: Gateway) -> None:
    alice = await either.signed_in()
    either.inference.may_answer.clear()
    either.inference.failure = (grpc.StatusCode.INVALID_ARGUMENT, "no picture")
    path = await submitted(alice)

    early = await said(alice, path, verdict="nv")
    either.inference.may_answer.set()
    assert (await finished(alice, path))["status"] == "failed"
    late = await said(alice, path, verdict="nv")

    assert (early.status_code, late.status_code) == (409, 404)


WRONG: list[dict[str, Any]] = [
    {},
    {"verdict": "melanoma"},
    {"verdict": None},
    {"verdict": "mel", "reason": "x" * 2001},
    {"verdict": "mel", "reason": "   "},
    {"verdict": "mel", "reason": "a\0b"},
    {"verdict": "nv", "username": "bob"},
]


@pytest.mark.parametrize("body", WRONG)
async def test_an_assessment_that_breaks_the_rules_is_refused(
    gateway: Gateway, body: dict[str, Any]
) -> None:
    alice = await gateway.signed_in()
    path = f"/v1/analyses/{(await analyzed(alice))['id']}"

    assert (await said(alice, path, **body)).status_code == 422
    assert (await alice("GET", f"{path}/assessment")).status_code == 404


async def test_it_is_told_to_those_who_watch(either: Gateway) -> None:
    alice = await either.signed_in()
    analysis = await analyzed(alice)
    await said(alice, f"/v1/analyses/{analysis['id']}", verdict="nv")

    begin = {"Last-Event-ID": "0"}
    told = await alice("GET", "/v1/events", headers=begin)

    last = told.text.split("event: ")[-1]
    assert last.startswith("analysis.assessed")
    assert f'"subject_id":"{analysis["id"]}"' in last


async def test_it_goes_with_its_analysis_and_so_does_its_history(either: Gateway) -> None:
    alice = await either.signed_in()
    path = f"/v1/analyses/{(await analyzed(alice))['id']}"
    await said(alice, path, verdict="nv")

    await alice("DELETE", path)
    assert (await alice("GET", f"{path}/assessment")).status_code == 404
    assert (await alice("GET", f"{path}/assessments")).status_code == 404
    assert await either.purge() == 1

    async with open_records(either.settings) as records:
        rows = select(Assessment)
        assert await records.read(lambda session: session.scalar(rows), EVERYTHING) is None
