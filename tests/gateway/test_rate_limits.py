"""Who asks too often is told so, and when to come again; everybody is told what is left."""

import re
import time
from functools import partial
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from services.gateway import web
from services.gateway.dependencies import SESSION_COOKIE
from services.gateway.limits.costs import COSTS
from services.gateway.routes.oidc import TICKET_COOKIE
from services.gateway.security import api_keys
from tests.gateway.audited import rows
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.identity_providers import Browser
from tests.gateway.test_access_tokens import forged
from tests.gateway.test_api_keys import made, user
from tests.gateway.walking import operations

# What happens else has its own tests.
pytestmark = pytest.mark.usefixtures("quotas_are_counted")

LIMITED = re.compile(r'"(\w+)";r=(\d+);t=(\d+)')


def left(answer: httpx.Response) -> tuple[str, int]:
    found = LIMITED.fullmatch(answer.headers["RateLimit"])
    assert found, answer.headers["RateLimit"]
    assert 0 <= int(found[3]) <= 60
    return found[1], int(found[2])


async def ask(
    gateway: Gateway, address: str, method: str, path: str, **more: Any
) -> httpx.Response:
    transport = httpx.ASGITransport(gateway.app, client=(address, 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        return await http.request(method, path, **more)


async def test_who_asks_too_often_is_told_when_to_come_again(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url, caller_quota=5) as gateway:
        alice = await gateway.signed_in("alice")
        answers = [await alice("GET", "/v1/me") for _ in range(6)]
        bob = await gateway.signed_in("bob")

        assert [answer.status_code for answer in answers] == [200] * 5 + [429]
        assert [left(answer) for answer in answers] == [("caller", n) for n in (4, 3, 2, 1, 0, 0)]
        refused = answers[-1]
        assert refused.headers["RateLimit-Policy"] == '"caller";q=5;w=60'
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert refused.headers["Retry-After"] == refused.headers["RateLimit"].partition("t=")[2]
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert refused.json()["type"] == "/docs/problems#quota-exceeded"
        assert refused.json()["violated-policies"] == ["caller"]
        assert (await bob("GET", "/v1/me")).status_code == 200
        assert (await gateway.http.get("/livez")).status_code == 200


async def test_costly_work_takes_more_of_the_quota(either: Gateway) -> None:
    alice = await either.signed_in()

    _, first = left(await alice("GET", "/v1/me"))
    _, read = left(await alice("GET", "/v1/analyses"))
    _, changed = left(await alice("POST", "/v1/patients", json={}))
    _, analyzed = left(await alice.analyze())

    assert (first - read, read - changed, changed - analyzed) == (1, 2, 4)


async def test_every_key_has_a_quota_of_its_own(either: Gateway) -> None:
    admin = await either.admin()
    service = await user(admin)
    one, other = [(await made(admin, service, "records:read"))[0] for _ in range(2)]

    seen = [left(await key("GET", "/v1/analyses"))[1] for key in (one, one, other)]

    assert seen[0] == seen[2] == seen[1] + 1


async def test_strangers_are_limited_by_their_address_and_nobody_else_is(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url, address_quota=8) as gateway:
        alice = await gateway.signed_in()
        form = {"username": "alice", "password": PASSWORD}

        here = [
            (await ask(gateway, "203.0.113.7", "POST", "/v1/auth/token", data=form)).status_code
            for _ in range(5)
        ]
        other = await ask(gateway, "203.0.113.8", "POST", "/v1/auth/token", data=form)

        assert here == [200] * 4 + [429]
        assert (other.status_code, left(other)) == (200, ("address", 6))
        token = {"Authorization": f"Bearer {alice.token}"}
        signed_in = await ask(gateway, "203.0.113.7", "GET", "/v1/me", headers=token)
        assert (signed_in.status_code, left(signed_in)[0]) == (200, "caller")


async def test_an_address_of_ipv6_is_as_wide_as_what_one_customer_has(start: Start) -> None:
    async with start(address_quota=4) as gateway:
        statuses = [
            (await ask(gateway, address, "POST", "/v1/auth/refresh", json={})).status_code
            for address in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8::3", "2001:db8:0:1::1")
        ]

        assert statuses == [422, 422, 429, 422]


async def test_who_tries_keys_and_tokens_is_slowed_by_address(start: Start) -> None:
    async with start(address_quota=3) as gateway:
        statuses = []
        for token in [*(api_keys.new_key() for _ in range(3)), "no token"]:
            wrong = {"Authorization": f"Bearer {token}"}
            answer = await ask(gateway, "203.0.113.7", "GET", "/v1/me", headers=wrong)
            statuses.append(answer.status_code)

        assert statuses == [401, 401, 401, 429]


async def test_bad_tokens_from_an_address_keep_nobody_there_from_coming_and_going(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url, address_quota=8) as gateway:
        here = partial(ask, gateway, "203.0.113.7")
        form = {"username": "alice", "password": PASSWORD}
        await gateway.signed_in("alice")
        alice = (await here("POST", "/v1/auth/token", data=form)).json()
        bearer = {"Authorization": f"Bearer {alice['access_token']}"}
        for wrong in ({"refresh_token": "of nobody"}, {}):
            for path in ("/v1/auth/refresh", "/v1/auth/logout"):
                for _ in range(3):
                    await here("POST", path, json=wrong)
        bad = await here("GET", "/v1/me", headers={"Authorization": "Bearer bad"})

        refreshed = await here(
            "POST", "/v1/auth/refresh", json={"refresh_token": alice["refresh_token"]}
        )
        out = await here("POST", "/v1/auth/logout", headers=bearer)
        again = await here("POST", "/v1/auth/token", data=form)
        token = {"refresh_token": again.json()["refresh_token"]}
        out_again = await here("POST", "/v1/auth/logout", json=token)

    assert (bad.status_code, left(bad)) == (429, ("bad_token", 0))
    assert bad.json()["violated-policies"] == ["bad_token"]
    assert (refreshed.status_code, left(refreshed)[0]) == (200, "caller")
    assert (out.status_code, left(out)[0]) == (204, "caller")
    assert (again.status_code, left(again)[0]) == (200, "address")
    assert (out_again.status_code, left(out_again)[0]) == (204, "caller")


async def test_who_never_was_at_a_provider_keeps_nobody_there_from_signing_in(
    visitor: Browser,
) -> None:
    without = await visitor.tokens()
    with_one = await visitor.http.post(
        "/v1/auth/oidc/token", headers={"Cookie": f"{TICKET_COOKIE}=of nobody"}
    )

    assert (without.status_code, left(without)[0]) == (401, "bad_token")
    assert (with_one.status_code, left(with_one)[0]) == (401, "address")


async def test_who_goes_on_with_a_token_that_expired_leaves_others_there_their_401(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url, address_quota=3) as gateway:
        key, past = await gateway.parts.keys.newest(), int(time.time()) - 1000
        over = {"iat": past, "nbf": past, "exp": past + 900}
        dead, other = (forged(key, sid=sign_in, **over) for sign_in in ("one", "other"))
        here = partial(ask, gateway, "203.0.113.7", "GET", "/v1/me")
        statuses = [
            (await here(headers={"Authorization": f"Bearer {token}"})).status_code
            for token in (dead, dead, dead, dead, other, "bad")
        ]

    assert statuses == [401, 401, 401, 429, 401, 401]


async def test_who_is_signed_in_looks_at_the_first_pages_at_nobody_elses_cost(
    start: Start,
) -> None:
    async with start(address_quota=8) as gateway:
        await gateway.signed_in("alice")
        form = {"username": "alice", "password": PASSWORD}
        signed_in = await ask(gateway, "203.0.113.8", "POST", "/sign-in", data=form)
        cookie = {"Cookie": f"{SESSION_COOKIE}={signed_in.cookies[SESSION_COOKIE]}"}
        here = partial(ask, gateway, "203.0.113.7", "GET")

        shown = [await here(path, headers=cookie) for path in ("/", "/sign-in") * 5]
        strangers = [(await here("/")).status_code for _ in range(9)]

    assert [answer.status_code for answer in shown] == [200, 303] * 5
    assert strangers == [200] * 8 + [429]


async def test_who_goes_on_with_a_session_that_has_ended_leaves_others_there_their_401(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url, address_quota=6) as gateway:
        await gateway.signed_in("alice")
        form = {"username": "alice", "password": PASSWORD}
        signed_in = await ask(gateway, "203.0.113.8", "POST", "/sign-in", data=form)
        cookie = {"Cookie": f"{SESSION_COOKIE}={signed_in.cookies[SESSION_COOKIE]}"}
        here = partial(ask, gateway, "203.0.113.7", "GET", "/v1/me")
        there = await here(headers=cookie)
        await ask(gateway, "203.0.113.7", "POST", "/v1/auth/logout", headers=cookie)
        ended = [(await here(headers=cookie)).status_code for _ in range(7)]
        other = await here(headers={"Authorization": "Bearer bad"})

    assert (there.status_code, ended) == (200, [401] * 6 + [429])
    assert (other.status_code, left(other)) == (401, ("bad_token", 5))


async def test_a_refresh_token_of_a_sign_in_that_has_ended_is_a_bad_one(either: Gateway) -> None:
    await either.signed_in("alice")
    form = {"username": "alice", "password": PASSWORD}
    pair = (await either.anonymous("POST", "/v1/auth/token", data=form)).json()
    token = {"refresh_token": pair["refresh_token"]}
    policies = [
        left(await either.anonymous("POST", path, json=token))[0]
        for path in ("/v1/auth/logout", "/v1/auth/logout", "/v1/auth/refresh")
    ]

    assert policies == ["caller", "bad_token", "bad_token"]


@pytest.mark.parametrize("with_body", [True, False])
async def test_a_spent_quota_keeps_nobody_from_ending_their_sign_in(
    start: Start, database_url: str, *, with_body: bool
) -> None:
    async with start(database_url=database_url, caller_quota=3) as gateway:
        await gateway.signed_in("alice")
        form = {"username": "alice", "password": PASSWORD}
        pair = (await gateway.anonymous("POST", "/v1/auth/token", data=form)).json()
        stolen = Client(gateway.http, pair["access_token"])
        while (spent := await stolen("GET", "/v1/me")).status_code == 200:
            pass
        wrong = [await stolen("POST", "/v1/auth/logout?x=1") for _ in range(9)]
        rows_of_wrong = await rows(gateway, operation="sign_out", status=422)

        token = {"refresh_token": pair["refresh_token"]}
        asking = gateway.anonymous if with_body else stolen
        out = await asking("POST", "/v1/auth/logout", **({"json": token} if with_body else {}))

        assert (spent.status_code, out.status_code, left(out)) == (429, 204, ("caller", 0))
        assert (await stolen("GET", "/v1/me")).status_code == 401
        # Nothing bounds these.
        assert ({answer.status_code for answer in wrong}, len(rows_of_wrong)) == ({422}, 1)


async def test_a_key_has_no_sign_in_to_end_beyond_its_quota(start: Start) -> None:
    async with start(caller_quota=12) as gateway:
        admin = await gateway.admin()
        key, _ = await made(admin, await user(admin), "records:read")
        statuses = [(await key("POST", "/v1/auth/logout")).status_code for _ in range(8)]

    assert statuses == [403] * 6 + [429] * 2


async def test_where_there_is_no_limit_none_is_told(start: Start) -> None:
    async with start(caller_quota=0, address_quota=0) as gateway:
        alice = await gateway.signed_in()
        answer = await alice("GET", "/v1/me")

        assert answer.status_code == 200
        assert not {"RateLimit", "RateLimit-Policy"} & answer.headers.keys()


UNCOUNTED = {"live", "metrics", "public_keys", "ready"}


@pytest.mark.parametrize("who", ["anonymous", "admin"])
async def test_every_operation_but_health_counts(gateway: Gateway, who: str) -> None:
    client = gateway.anonymous if who == "anonymous" else await gateway.admin()
    for operation in operations(gateway):
        path = operation.path.format_map(dict.fromkeys(re.findall(r"{(\w+)}", operation.path), "x"))
        answer = await client(operation.method, path, json={})

        assert ("RateLimit" in answer.headers) == (operation.name not in UNCOUNTED), operation
        assert (429 in operation.statuses) == (operation.name not in UNCOUNTED), operation


def test_only_operations_that_there_are_have_a_cost(gateway: Gateway) -> None:
    pages = (route for router in web.ROUTERS for route in router.routes)
    names = {route.name for route in pages if isinstance(route, APIRoute)}
    assert COSTS.keys() <= names | {operation.name for operation in operations(gateway)}
