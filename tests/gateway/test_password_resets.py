"""Forgotten passwords: an administrator hands over a code, good once and for a while."""

import asyncio

import httpx
import pytest
from sqlalchemy import update
from sqlmodel import col

from services.gateway.boot import open_records
from services.gateway.records import PasswordReset, User, now
from tests.gateway.audited import rows
from tests.gateway.conftest import PASSWORD, Client, Gateway
from tests.gateway.test_passwords import NEW, change, sign_in


async def issued(admin: Client, user: Client) -> httpx.Response:
    me = (await user("GET", "/v1/me")).json()
    return await admin("PUT", f"/v1/users/{me['id']}/password-reset")


async def redeemed(gateway: Gateway, code: str, password: str = NEW) -> int:
    body = {"code": code, "new_password": password}
    return (await gateway.anonymous("POST", "/v1/auth/password-reset", json=body)).status_code


async def test_a_code_replaces_the_password_once_and_ends_all_sign_ins(either: Gateway) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    bob = await either.signed_in("bob")
    code = (await issued(admin, alice)).json()["code"]

    before = (await alice("GET", "/v1/me")).status_code
    statuses = [await redeemed(either, code) for _ in range(2)]

    assert (before, statuses) == (200, [204, 401])
    assert (await alice("GET", "/v1/me")).status_code == 401
    assert (await bob("GET", "/v1/me")).status_code == 200
    assert (await sign_in(either, "alice", PASSWORD)).status_code == 401
    assert (await sign_in(either, "alice", NEW)).status_code == 200


async def test_of_two_codes_the_newer_one_is_good_and_for_an_hour(either: Gateway) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    older, newer = [(await issued(admin, alice)).json()["code"] for _ in range(2)]
    replaced = await redeemed(either, older)
    async with open_records(either.settings) as records:
        ageing = update(PasswordReset).values(expires_at=now())
        await records.write(lambda session: session.execute(ageing))

    assert [replaced, await redeemed(either, newer)] == [401, 401]
    assert (await sign_in(either, "alice", PASSWORD)).status_code == 200


async def test_of_codes_that_are_asked_for_at_once_each_is_given_and_one_is_good(
    either: Gateway,
) -> None:
    admin, alice = await either.admin(), await either.signed_in()

    given = await asyncio.gather(*(issued(admin, alice) for _ in range(4)))

    assert {answer.status_code for answer in given} == {200}
    statuses = [await redeemed(either, answer.json()["code"]) for answer in given]
    assert sorted(statuses) == [204, 401, 401, 401]


async def test_who_changes_their_password_after_all_makes_the_code_no_good(
    either: Gateway,
) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    code = (await issued(admin, alice)).json()["code"]

    assert (await change(alice, PASSWORD, NEW)).status_code == 204

    assert await redeemed(either, code, "one more for the road") == 401
    assert (await sign_in(either, "alice", NEW)).status_code == 200


async def test_a_bad_password_leaves_the_code_good(either: Gateway) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    code = (await issued(admin, alice)).json()["code"]

    assert [await redeemed(either, code, each) for each in ("password1", NEW)] == [422, 204]


async def test_who_is_kept_out_does_not_come_in_with_a_code_then_or_later(either: Gateway) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    user_id = (await alice("GET", "/v1/me")).json()["id"]
    code = (await issued(admin, alice)).json()["code"]
    await admin("PATCH", f"/v1/users/{user_id}", json={"disabled": True}, headers={"If-Match": "*"})
    kept_out = await redeemed(either, code)
    await admin(
        "PATCH", f"/v1/users/{user_id}", json={"disabled": False}, headers={"If-Match": "*"}
    )

    assert [kept_out, await redeemed(either, code)] == [401, 401]
    assert (await sign_in(either, "alice", PASSWORD)).status_code == 200


async def test_who_is_disabled_is_given_no_code(either: Gateway) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    user_id = (await alice("GET", "/v1/me")).json()["id"]
    await admin("PATCH", f"/v1/users/{user_id}", json={"disabled": True}, headers={"If-Match": "*"})

    refused = await admin("PUT", f"/v1/users/{user_id}/password-reset")
    await admin(
        "PATCH", f"/v1/users/{user_id}", json={"disabled": False}, headers={"If-Match": "*"}
    )
    given = await admin("PUT", f"/v1/users/{user_id}/password-reset")

    assert (refused.status_code, given.status_code) == (409, 200)
    assert refused.json()["detail"].endswith("Enable them first.")


@pytest.mark.parametrize("code", ["", "of nobody", "a" * 43])
async def test_a_code_that_nobody_was_given_is_no_good(either: Gateway, code: str) -> None:
    await either.signed_in()

    assert await redeemed(either, code) == 401


async def test_administrators_reset_neither_their_own_password_nor_one_that_there_is_not(
    either: Gateway,
) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    own = await issued(admin, admin)
    async with open_records(either.settings) as records:
        vouched = update(User).where(col(User.username) == "alice").values(password_hash="")
        await records.write(lambda session: session.execute(vouched))
    without = await issued(admin, alice)

    assert (own.status_code, without.status_code) == (403, 409)
    assert "identity provider" in without.json()["detail"]


async def test_the_audit_says_who_gave_a_code_and_whose_password_it_replaced(
    either: Gateway,
) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    ids = [(await each("GET", "/v1/me")).json()["id"] for each in (admin, alice)]
    code = (await issued(admin, alice)).json()["code"]
    await redeemed(either, code)

    (given,) = await rows(either, action="password.reset.begin", outcome="done")
    (used,) = await rows(either, action="password.reset", outcome="done")
    assert (given["user_id"], given["subject_ids"]) == (ids[0], ids[1])
    assert (used["user_id"], used["subject_ids"]) == (ids[1], ids[1])
    assert code not in str(await rows(either))
