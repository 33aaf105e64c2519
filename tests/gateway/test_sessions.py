"""One's own sign-ins: seen, and ended one by one."""

from datetime import timedelta
from typing import Any

import pytest

from services.gateway import records as tables
from tests.gateway.conftest import PASSWORD, Client, Gateway


async def signed_in_again(gateway: Gateway) -> tuple[Client, str]:
    form = {"username": "alice", "password": PASSWORD}
    tokens = (await gateway.anonymous("POST", "/v1/auth/token", data=form)).json()
    return Client(gateway.http, tokens["access_token"]), tokens["refresh_token"]


async def sessions(client: Client, **query: str) -> list[dict[str, Any]]:
    answer = await client("GET", "/v1/me/sessions", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_a_user_sees_their_own_sign_ins_and_which_one_they_are_in(either: Gateway) -> None:
    first = await either.signed_in()
    await either.signed_in("bob")
    second, _ = await signed_in_again(either)

    seen, seen_later = await sessions(first), await sessions(second)

    assert [session["current"] for session in seen] == [False, True]
    assert [session["current"] for session in seen_later] == [True, False]
    assert [session["id"] for session in seen] == [session["id"] for session in seen_later]
    assert set(seen[0]) == {"id", "created_at", "used_at", "expires_at", "method", "current"}
    assert {session["method"] for session in seen} == {"password"}


async def test_a_sign_in_that_is_ended_is_out_at_once_with_all_its_tokens(either: Gateway) -> None:
    here = await either.signed_in()
    elsewhere, refresh_token = await signed_in_again(either)
    (theirs,) = [each["id"] for each in await sessions(here) if not each["current"]]

    ended = await here("DELETE", f"/v1/me/sessions/{theirs}")

    assert ended.status_code == 204
    assert (await elsewhere("GET", "/v1/me")).status_code == 401
    body = {"refresh_token": refresh_token}
    assert (await elsewhere("POST", "/v1/auth/refresh", json=body)).status_code == 401
    assert [each["current"] for each in await sessions(here)] == [True]
    assert (await here("DELETE", f"/v1/me/sessions/{theirs}")).status_code == 404


async def test_nobody_ends_the_sign_in_of_another(either: Gateway) -> None:
    alice, admin = await either.signed_in(), await either.admin()
    (session,) = await sessions(alice)

    for session_id in (session["id"], "0" * 32, "no-id"):
        refused = await admin("DELETE", f"/v1/me/sessions/{session_id}")
        assert refused.status_code == 404

    assert (await alice("GET", "/v1/me")).status_code == 200


async def test_what_has_expired_is_not_listed(
    either: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = await either.signed_in()
    later = tables.now() + timedelta(seconds=either.settings.refresh_token_s + 1)

    monkeypatch.setattr("services.gateway.identity.own_sign_ins.now", lambda: later)

    assert await sessions(alice) == []


async def test_sign_ins_are_paged(either: Gateway) -> None:
    alice = await either.signed_in()
    for _ in range(2):
        await signed_in_again(either)

    page = (await alice("GET", "/v1/me/sessions", params={"limit": "2"})).json()
    rest = await sessions(alice, cursor=page["next_cursor"])

    assert [each["id"] for each in (*page["items"], *rest)] == [
        each["id"] for each in await sessions(alice)
    ]
    assert [each["current"] for each in rest] == [True]
