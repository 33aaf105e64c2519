"""The second step of a sign-in at the pages: by a ticket, and without the password."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from services.gateway.dependencies import DEVICE_COOKIE, SESSION_COOKIE
from services.gateway.identity import attempts
from services.gateway.identity.sign_in_tickets import LIFETIME
from services.gateway.records import now
from services.gateway.web.arrivals import STEP_COOKIE
from tests.gateway.audited import rows
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.leaks import WATCH
from tests.gateway.telephones import Clock, set_up, standing
from tests.gateway.test_page_sessions import PAGE
from tests.gateway.test_password_resets import issued, redeemed
from tests.gateway.test_passwords import NEW, change
from tests.gateway.test_second_factors import said


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
            await admin("PATCH", user, json={"disabled": disabled}, headers={"If-Match": "*"})
    elif ending == "removed":
        assert (await admin("DELETE", f"{user}/second-factor")).status_code == 204
    else:
        jar[STEP_COOKIE] = "a" * 43

    answer = await sent(either, "/sign-in/code", jar, code=telephone.code())

    # It is the ticket that is refused, and not the code.
    assert answer.status_code == 401
    assert 'action="/sign-in"' in answer.text
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


async def test_where_no_code_can_be_checked_pages_say_so_beside_their_forms_and_count_no_guess(
    start: Start, database_url: str, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = now()
    monkeypatch.setattr("services.gateway.identity.attempts.moment_of", lambda _: moment)
    async with start(database_url=database_url) as gateway:
        telephone = await set_up(await gateway.signed_in(), clock)
    elsewhere = {"database_url": database_url, "DERMSERVE_DATA_DIR": tmp_path / "other"}
    async with start(**elsewhere) as gateway:
        jar: dict[str, str] = {}
        await password_shown(gateway, jar)
        for _ in range(attempts.FREE + 2):
            step = await sent(gateway, "/sign-in/code", jar, code=telephone.code())
            assert step.status_code == 503
        await sent(gateway, "/sign-in/code", jar, code=telephone.recovery_codes[0])
        both = {"current_password": PASSWORD, "code": telephone.code()}
        for _ in range(attempts.FREE + 2):
            account = await sent(gateway, "/account/second-factor/remove", jar, **both)
            assert account.status_code == 503

    assert 'action="/sign-in/code"' in step.text
    assert 'action="/account/second-factor/remove' in account.text
    for answer in (step, account):
        assert "The code cannot be checked here. Use a recovery code" in answer.text
