"""Where a second factor is required: it is set up on the way in, and nobody comes in without."""

import re

import pytest

from services.gateway.dependencies import SESSION_COOKIE
from services.gateway.identity import attempts
from services.gateway.records import now
from services.gateway.web.arrivals import STEP_COOKIE
from tests.gateway.audited import rows
from tests.gateway.conftest import PASSWORD, Client, Gateway, Start
from tests.gateway.leaks import WATCH
from tests.gateway.telephones import Clock, Telephone, standing
from tests.gateway.test_refused_pages import is_signed_in
from tests.gateway.test_second_step import looked, password_shown, sent, signed_in_with

REQUIRED = {"second_factor": "required"}


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.standing(monkeypatch)


async def on_the_page(gateway: Gateway, jar: dict[str, str], clock: Clock) -> Telephone:
    """Begin to set one up after the password; read the key off the page."""
    page = await sent(gateway, "/sign-in/set-up", jar)
    assert page.status_code == 200, page.text
    (secret,) = re.findall(r'id="secret">([A-Z2-7]{32})<', page.text)
    WATCH.plant(secret)
    assert "<svg" in page.text
    return Telephone(secret, clock)


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
        assert [is_signed_in(page) for page in (first, wrong, shown)] == [False, False, True]
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


async def test_a_code_that_nobody_looks_at_on_the_way_in_counts_as_no_guess(
    start: Start, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = now()
    monkeypatch.setattr("services.gateway.identity.attempts.moment_of", lambda _: moment)
    async with start(**REQUIRED) as gateway:
        jar: dict[str, str] = {}
        await sent(gateway, "/sign-up", jar, username="alice", password=PASSWORD)
        for _ in range(attempts.FREE + 2):
            ticket = dict(jar)
            unbegun = await sent(gateway, "/sign-in/set-up/confirm", ticket, code="123456")
            assert unbegun.status_code == 409
        telephone = await on_the_page(gateway, jar, clock)
        await sent(gateway, "/sign-in/set-up/confirm", jar, code=telephone.code())

        assert await looked(gateway, jar) == 200


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
