"""The second step of a sign-in at the pages: by a ticket, and without the password."""

import re
from datetime import timedelta

import httpx
import pytest

from services.gateway.dependencies import DEVICE_COOKIE, SESSION_COOKIE
from services.gateway.identity.sign_in_tickets import LIFETIME
from services.gateway.records import now
from services.gateway.web.arrivals import STEP_COOKIE
from tests.gateway.audited import rows
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.leaks import WATCH
from tests.gateway.telephones import Clock, Telephone, set_up, standing
from tests.gateway.test_page_sessions import PAGE
from tests.gateway.test_password_resets import issued, redeemed
from tests.gateway.test_passwords import NEW, change
from tests.gateway.test_second_factors import said

REQUIRED = {"second_factor": "required"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.standing(monkeypatch)


async def sent(gateway: Gateway, path: str, jar: dict[str, str], **form: str) -> httpx.Response:
    """Send a form as a browser with these cookies does, which has those of the answer then."""
    cookies = "; ".join(f"{name}={value}" for name, value in jar.items())
    headers = PAGE | ({"Cookie": cookies} if jar else {})
    answer = await gateway.http.post(path, data=form, headers=headers)
    jar.update(answer.cookies)
    WATCH.see({"data": form}, answer)
    gateway.http.cookies.clear()
    return answer


async def password_shown(gateway: Gateway, jar: dict[str, str], **form: str) -> httpx.Response:
    return await sent(gateway, "/sign-in", jar, username="alice", password=PASSWORD, **form)


async def looked(gateway: Gateway, jar: dict[str, str]) -> int:
    """Whether somebody is signed in."""
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}
    return (await gateway.http.get("/v1/me", headers=headers)).status_code


async def test_the_page_asks_for_the_code_after_the_password_and_does_not_repeat_that(
    either: Gateway, clock: Clock
) -> None:
    telephone = await set_up(await either.signed_in(), clock)
    jar: dict[str, str] = {}
    first = await password_shown(either, jar, next="/patients")
    halfway = set(jar), await looked(either, jar)
    wrong = await sent(either, "/sign-in/code", jar, code=telephone.wrong(), next="/patients")
    right = await sent(either, "/sign-in/code", jar, code=telephone.code(), next="/patients")

    assert (first.status_code, wrong.status_code, right.status_code) == (401, 401, 303)
    assert 'action="/sign-in/code"' in first.text
    assert PASSWORD not in first.text + wrong.text
    assert halfway == ({STEP_COOKIE}, 401)
    assert right.headers["Location"] == "/patients"
    assert jar.keys() >= {SESSION_COOKIE, DEVICE_COOKIE}
    assert await looked(either, jar) == 200


async def test_the_cookie_of_the_second_step_is_for_this_host_alone_and_signs_nobody_in(
    either: Gateway, clock: Clock
) -> None:
    await set_up(await either.signed_in(), clock)
    jar: dict[str, str] = {}
    answer = await password_shown(either, jar)

    (cookie,) = answer.headers.get_list("Set-Cookie")
    assert cookie.startswith("__Host-")
    for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/", "Max-Age=600"):
        assert word in cookie
    ticket = jar[STEP_COOKIE]
    assert await looked(either, {SESSION_COOKIE: ticket}) == 401
    assert (await Client(either.http, ticket)("GET", "/v1/me")).status_code == 401
    body = {"refresh_token": ticket}
    assert (await either.anonymous("POST", "/v1/auth/refresh", json=body)).status_code == 401


async def test_a_ticket_is_good_for_one_sign_in(either: Gateway, clock: Clock) -> None:
    telephone = await set_up(await either.signed_in(), clock)
    jar: dict[str, str] = {}
    await password_shown(either, jar)
    ticket = {STEP_COOKIE: jar[STEP_COOKIE]}
    first = await sent(either, "/sign-in/code", dict(ticket), code=telephone.code())
    again = await sent(either, "/sign-in/code", dict(ticket), code=telephone.recovery_codes[0])

    assert (first.status_code, again.status_code) == (303, 401)
    assert 'action="/sign-in"' in again.text
    assert await standing(await signed_in_with(either, telephone.recovery_codes[0])) == (True, 9)


async def signed_in_with(gateway: Gateway, code: str) -> Client:
    form = {"username": "alice", "password": PASSWORD, "code": code}
    answer = await gateway.anonymous("POST", "/v1/auth/token", data=form)
    assert answer.status_code == 200, answer.text
    return Client(gateway.http, answer.json()["access_token"])


@pytest.mark.parametrize("ending", ["time", "password", "reset", "disabled", "removed", "nobody's"])
async def test_a_ticket_is_no_good_any_more_after(
    either: Gateway, clock: Clock, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    admin, alice = await either.admin(), await either.signed_in()
    user = f"/v1/users/{(await alice('GET', '/v1/me')).json()['id']}"
    telephone = await set_up(alice, clock)
    jar: dict[str, str] = {}
    await password_shown(either, jar)
    if ending == "time":
        later = now() + LIFETIME + timedelta(seconds=1)
        monkeypatch.setattr("services.gateway.identity.sign_in_tickets.now", lambda: later)
    elif ending == "password":
        assert (await change(alice, PASSWORD, NEW)).status_code == 204
    elif ending == "reset":
        assert await redeemed(either, (await issued(admin, alice)).json()["code"]) == 204
    elif ending == "disabled":
        for disabled in (True, False):
            await admin("PATCH", user, json={"disabled": disabled})
    elif ending == "removed":
        assert (await admin("DELETE", f"{user}/second-factor")).status_code == 204
    else:
        jar[STEP_COOKIE] = "a" * 43

    answer = await sent(either, "/sign-in/code", jar, code=telephone.code())

    assert answer.status_code == 401
    assert await looked(either, jar) == 401


async def test_the_audit_says_that_the_first_step_signs_nobody_in(
    either: Gateway, clock: Clock
) -> None:
    telephone = await set_up(await either.signed_in(), clock)
    jar: dict[str, str] = {}
    await password_shown(either, jar)
    await sent(either, "/sign-in/code", jar, code=telephone.code())

    found = [
        (row["operation"], row["outcome"], row["problem"], said(row))
        for row in await rows(either, action="sign_ins.begin")
        if row["outcome"] != "begun"
    ]
    assert found == [
        ("register", "done", None, None),
        ("page_begin_session", "refused", "second-factor-needed", None),
        ("page_sign_in_code", "done", None, {"second_factor": "code"}),
    ]


async def test_the_audit_says_that_a_set_up_on_the_way_in_signs_somebody_in(
    start: Start, database_url: str, clock: Clock
) -> None:
    async with start(database_url=database_url, **REQUIRED) as gateway:
        jar: dict[str, str] = {}
        await sent(gateway, "/sign-up", jar, username="alice", password=PASSWORD)
        before = await rows(gateway, action="sign_ins.begin")
        telephone = await on_the_page(gateway, jar, clock)
        await sent(gateway, "/sign-in/set-up/confirm", jar, code=telephone.wrong())
        await sent(gateway, "/sign-in/set-up/confirm", jar, code=telephone.code())
        cookie = {"Cookie": f"{SESSION_COOKIE}={jar[SESSION_COOKIE]}"}
        me = (await gateway.http.get("/v1/me", headers=cookie)).json()
        (session,) = (await gateway.http.get("/v1/me/sessions", headers=cookie)).json()["items"]

        found = [
            (row["action"], row["outcome"], row["subject"], row["subject_ids"])
            for row in await rows(gateway, operation="page_confirm_set_up", user_id=me["id"])
            if row["outcome"] != "begun"
        ]
        assert before == []
        assert found == [
            ("second_factor.confirm", "refused", "user", me["id"]),
            ("second_factor.confirm", "done", "user", me["id"]),
            ("sign_ins.begin", "done", "session", session["id"]),
        ]


@pytest.mark.parametrize("code", ["", "1" * 65, "12\x003456"])
async def test_what_is_no_code_is_refused_on_the_page_and_leaves_the_ticket_good(
    either: Gateway, clock: Clock, code: str
) -> None:
    telephone = await set_up(await either.signed_in(), clock)
    jar: dict[str, str] = {}
    await password_shown(either, jar)
    answer = await sent(either, "/sign-in/code", jar, code=code)
    right = await sent(either, "/sign-in/code", jar, code=telephone.code())

    assert answer.status_code == (422 if code else 401)
    assert 'action="/sign-in/code"' in answer.text
    assert right.status_code == 303


async def on_the_page(gateway: Gateway, jar: dict[str, str], clock: Clock) -> Telephone:
    """Begin to set one up after the password; read the key off the page."""
    page = await sent(gateway, "/sign-in/set-up", jar)
    assert page.status_code == 200, page.text
    (secret,) = re.findall(r'id="secret">([A-Z2-7]{32})<', page.text)
    WATCH.plant(secret)
    assert "<svg" in page.text
    return Telephone(secret, clock)


async def test_where_one_is_required_whoever_has_none_sets_it_up_before_signing_in(
    start: Start, database_url: str, clock: Clock
) -> None:
    async with start(database_url=database_url) as before:
        await before.signed_in()
    async with start(database_url=database_url, **REQUIRED) as gateway:
        jar: dict[str, str] = {}
        first = await password_shown(gateway, jar)
        halfway = set(jar), await looked(gateway, jar)
        telephone = await on_the_page(gateway, jar, clock)
        wrong = await sent(gateway, "/sign-in/set-up/confirm", jar, code=telephone.wrong())
        still_out = await looked(gateway, jar)
        shown = await sent(gateway, "/sign-in/set-up/confirm", jar, code=telephone.code())
        codes = re.findall(r"<li><code>([a-z2-7-]{29})</code></li>", shown.text)
        WATCH.plant(*codes)

        assert (first.status_code, wrong.status_code, shown.status_code) == (403, 401, 200)
        assert (halfway, still_out) == (({STEP_COOKIE}, 401), 401)
        assert len(set(codes)) == 10
        assert telephone.secret not in wrong.text
        assert await looked(gateway, jar) == 200
        clock.go()
        assert await standing(await signed_in_with(gateway, telephone.code())) == (True, 10)


async def test_an_institution_with_a_long_name_has_a_code_that_can_be_drawn(
    start: Start, clock: Clock
) -> None:
    async with start(institution="皮" * 200, **REQUIRED) as gateway:
        jar: dict[str, str] = {}
        await sent(gateway, "/sign-up", jar, username="alice", password=PASSWORD)

        assert (await on_the_page(gateway, jar, clock)).secret


async def test_what_is_set_up_on_the_way_in_ends_sign_ins_with_the_password_alone(
    start: Start, database_url: str, clock: Clock
) -> None:
    async with start(database_url=database_url) as before:
        thief = await before.signed_in()
    async with start(database_url=database_url, **REQUIRED) as gateway:
        kept = Client(gateway.http, thief.token)
        until_then = (await kept("GET", "/v1/me")).status_code
        jar: dict[str, str] = {}
        await password_shown(gateway, jar)
        telephone = await on_the_page(gateway, jar, clock)
        await sent(gateway, "/sign-in/set-up/confirm", jar, code=telephone.code())

        assert (until_then, (await kept("GET", "/v1/me")).status_code) == (200, 401)
        assert await looked(gateway, jar) == 200


async def test_a_ticket_of_somebody_who_has_one_sets_up_no_other(
    start: Start, database_url: str, clock: Clock
) -> None:
    async with start(database_url=database_url, **REQUIRED) as gateway:
        jar: dict[str, str] = {}
        await sent(gateway, "/sign-up", jar, username="alice", password=PASSWORD)
        telephone = await on_the_page(gateway, jar, clock)
        await sent(gateway, "/sign-in/set-up/confirm", jar, code=telephone.code())
        clock.go()
        other: dict[str, str] = {}
        await password_shown(gateway, other)
        begun = await sent(gateway, "/sign-in/set-up", other)
        confirmed = await sent(gateway, "/sign-in/set-up/confirm", other, code=telephone.code())

        assert (begun.status_code, confirmed.status_code) == (409, 409)
        assert await looked(gateway, other) == 401
    async with start(database_url=database_url) as gateway:
        optional = await sent(gateway, "/sign-in/set-up", other)
    assert optional.status_code == 403


async def test_where_one_is_required_programs_are_told_how_and_api_keys_go_on(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url) as before:
        admin = await before.admin()
        new = {"username": "pacs", "password": PASSWORD, "role": "service"}
        service = (await admin("POST", "/v1/users", json=new)).json()
        wanted = {"user_id": service["id"], "name": "pacs", "permissions": ["records:read"]}
        key = (await admin("POST", "/v1/api-keys", json=wanted)).json()["key"]
    async with start(database_url=database_url, **REQUIRED) as gateway:
        form = {"username": "pacs", "password": PASSWORD}
        refused = await gateway.anonymous("POST", "/v1/auth/token", data=form)
        account = {"username": "alice", "password": PASSWORD}
        registered = await gateway.anonymous("POST", "/v1/auth/register", json=account)
        made = await password_shown(gateway, {})

        for answer in (refused, registered):
            assert answer.status_code == 403
            assert answer.json()["type"] == "/docs/problems#second-factor-missing"
            assert "/sign-" in answer.json()["detail"]
        assert made.status_code == 401  # nobody was registered
        assert (await Client(gateway.http, key)("GET", "/v1/patients")).status_code == 200
        wrong = form | {"password": "not the password"}
        answer = await gateway.anonymous("POST", "/v1/auth/token", data=wrong)
        assert answer.json()["type"] == "/docs/problems#unauthenticated"
