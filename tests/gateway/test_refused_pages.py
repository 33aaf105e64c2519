"""Pages that refuse: the audit has the kind of problem, as where a program is refused."""

import re
from collections.abc import Mapping

import httpx
import pytest

from services.gateway.dependencies import SESSION_COOKIE
from services.gateway.security.tokens import new_refresh_token
from tests.gateway.audited import last
from tests.gateway.conftest import PASSWORD, Gateway, Start
from tests.gateway.test_forms_in_work import boss, webhook
from tests.gateway.test_forms_twice import form_of
from tests.gateway.test_page_sessions import PAGE, entered
from tests.gateway.test_pages_on_their_way import OF_THE_API, held, said, sent
from tests.gateway.test_password_resets import issued

__all__ = ["held"]

FORMS: tuple[tuple[str, Mapping[str, str], int, str], ...] = (
    ("/sign-in", {"username": "admin", "password": "not hers"}, 401, "unauthenticated"),
    (
        "/sign-in/reset",
        {"code": "no code", "new_password": "no matter what"},
        401,
        "unauthenticated",
    ),
    ("/sign-up", {"username": "newcomer", "password": "short"}, 422, "invalid-request"),
    ("/account/password", {"current_password": "x", "new_password": "x"}, 422, "invalid-request"),
    ("/admin/users", {"username": "admin", "password": "long enough to be one"}, 409, "conflict"),
    ("/admin/keys", {"name": "", "user_id": "nobody"}, 422, "invalid-request"),
    ("/admin/webhooks", {"url": "no address"}, 422, "invalid-request"),
    ("/patients", {"identifier": ""}, 422, "invalid-request"),
)
"""Forms that cannot be carried out as they are sent: the status, and the kind of problem."""

QUESTIONS = (
    ("/analyses?since=someday", 422, "invalid-request"),
    ("/statistics?since=someday", 422, "invalid-request"),
    ("/admin/audit?user=nobody-of-that-name", 404, "not-found"),
)
"""Pages that cannot be asked so, and are shown with everything beside why."""


def is_signed_in(page: httpx.Response) -> bool:
    """Say whether the head of a page is for somebody who is signed in, or for who is not."""
    head = page.text.partition("<header")[2].partition("</header>")[0]
    offers = [each in head for each in ('action="/sign-out"', 'aria-label="Main"')]
    assert all(offers) or not any(offers), head
    assert ("Sign in" in head) <= (not any(offers)), head
    return all(offers)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/patients/{'0' * 32}", 404),
        ("/nowhere/at/all", 404),
        ("/admin/users", 403),
        ("/patients?number=1", 422),
        (f"/account?page_of={'0' * 32}", 409),
        ("/account/password", 405),
    ],
)
async def test_the_page_of_an_error_offers_who_is_signed_in_what_every_page_does(
    gateway: Gateway, path: str, status: int
) -> None:
    await gateway.signed_in()
    browser = await entered(gateway)
    answers = [await gateway.http.get(path, headers=each) for each in (browser, PAGE)]

    assert (answers[0].status_code, is_signed_in(answers[0])) == (status, True)
    assert not is_signed_in(answers[1])


@pytest.mark.usefixtures("quotas_last")
async def test_whose_quota_is_spent_is_told_so_on_a_page_of_their_own(start: Start) -> None:
    async with start(caller_quota=6) as gateway:
        await gateway.signed_in()
        browser = await entered(gateway)
        for _ in range(7):
            spent = await gateway.http.get("/account", headers=browser)

        assert (spent.status_code, is_signed_in(spent)) == (429, True)


async def test_the_page_of_what_comes_from_elsewhere_is_one_of_whoever_is_signed_in(
    gateway: Gateway,
) -> None:
    await gateway.signed_in()
    browser = await entered(gateway) | {"Sec-Fetch-Site": "cross-site"}
    answer = await gateway.http.post("/account/password", headers=browser)

    assert (answer.status_code, is_signed_in(answer)) == (403, True)


@pytest.mark.usefixtures("quotas_last")
async def test_to_be_known_where_there_is_no_page_is_paid_of_the_own_quota(start: Start) -> None:
    async with start(caller_quota=6) as gateway:
        await gateway.signed_in()
        browser = await entered(gateway)
        shown = [await gateway.http.get("/nowhere/at/all", headers=browser) for _ in range(7)]
        spent = await gateway.http.get("/account", headers=browser)

        assert {answer.status_code for answer in shown} == {404}
        assert [is_signed_in(answer) for answer in shown] == [True] * 6 + [False]
        assert spent.status_code == 429


@pytest.mark.usefixtures("quotas_last")
@pytest.mark.parametrize("has_been_one", [False, True])
async def test_who_tries_sessions_where_there_is_no_page_pays_as_at_a_page(
    start: Start, *, has_been_one: bool
) -> None:
    async with start(address_quota=20) as gateway:
        await gateway.signed_in()
        ended = await entered(gateway)
        await gateway.http.post("/sign-out", headers=ended)
        never = PAGE | {"Cookie": f"{SESSION_COOKIE}={new_refresh_token()}"}
        browser = ended if has_been_one else never
        before = await gateway.http.get("/account", headers=browser)
        for _ in range(20):
            await gateway.http.get("/nowhere/at/all", headers=browser)
        after = await gateway.http.get("/account", headers=browser)

        assert (before.status_code, after.status_code) == (303, 429)


async def test_a_session_that_has_ended_has_no_page_of_its_own_at_no_address(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    browser = await entered(gateway)
    await gateway.http.post("/sign-out", headers=browser)
    answer = await gateway.http.get("/nowhere/at/all", headers=browser)

    assert (answer.status_code, is_signed_in(answer)) == (404, False)
    assert (await alice("GET", "/v1/me")).status_code == 200


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/sign-in/reset", "/account/password"])
async def test_where_too_many_passwords_are_checked_the_form_is_shown_again(
    start: Start, path: str
) -> None:
    async with start(max_password_checks=1) as gateway:
        alice = await gateway.signed_in()
        code = (await issued(await gateway.admin(), alice)).json()["code"]
        browser = await entered(gateway)
        form = {
            "/sign-in": {"username": "alice", "password": PASSWORD, "next": "/patients"},
            "/sign-up": {"username": "bob", "password": PASSWORD},
            "/sign-in/reset": {"code": code, "new_password": "another one of hers"},
            "/account/password": {"current_password": PASSWORD, "new_password": "another of hers"},
        }[path]
        with gateway.parts.passwords.turn():
            answer = await gateway.http.post(path, data=form, headers=browser)

        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert f'action="{path}' in answer.text
        assert "Too many passwords are being checked. Try again shortly." in said(answer.text)
        assert (await last(gateway, status=503))["problem"] == "unavailable"


@pytest.mark.parametrize("chosen", [0, 1, 3])
@pytest.mark.parametrize("of_a_patient", [False, True])
async def test_another_number_than_two_to_compare_leads_back_to_the_list_as_it_was(
    gateway: Gateway, chosen: int, *, of_a_patient: bool
) -> None:
    admin, browser = await gateway.admin(), await boss(gateway)
    patient = (await admin("POST", "/v1/patients", json={"identifier": "made up"})).json()["id"]
    ids = [(await admin.analyze(patient=patient)).json()["id"] for _ in range(3)]
    other = (await admin.analyze()).json()["id"]
    page = f"/patients/{patient}" if of_a_patient else f"/analyses?patient={patient}&label=nv"
    shown = (await gateway.http.get(page, headers=browser)).text
    form = shown.partition('action="/comparison"')[2].partition("</form>")[0]
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
    asked = [*hidden, *(("of", each) for each in ids[:chosen])]

    answer = await gateway.http.get("/comparison", params=asked, headers=browser)

    boxes = re.findall(r'name="of" value="([0-9a-f]{32})"( checked)?', answer.text)
    assert answer.status_code == 422, answer.text
    assert "Choose two analyses to compare." in said(answer.text)
    assert {each for each, _ in boxes} == set(ids)
    assert {each for each, checked in boxes if checked} == set(ids[:chosen])
    assert other not in answer.text
    if not of_a_patient:
        assert '<option value="nv" selected>' in answer.text


@pytest.mark.parametrize(("path", "form", "status", "problem"), FORMS)
async def test_the_audit_names_the_problem_of_a_refused_form(
    gateway: Gateway, path: str, form: Mapping[str, str], status: int, problem: str
) -> None:
    browser = await boss(gateway)

    answer = await gateway.http.post(path, data=dict(form), headers=browser)

    row = await last(gateway, status=status)
    assert (answer.status_code, row["problem"]) == (status, problem)
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(("path", "status", "problem"), QUESTIONS)
async def test_the_audit_names_the_problem_of_a_page_that_cannot_be_asked_so(
    gateway: Gateway, path: str, status: int, problem: str
) -> None:
    browser = await boss(gateway)

    answer = await gateway.http.get(path, headers=browser)

    row = await last(gateway, status=status)
    assert (answer.status_code, row["problem"]) == (status, problem)


async def test_a_page_that_refuses_more_tries_says_when_to_come_again(gateway: Gateway) -> None:
    form = {"username": "admin", "password": "not hers"}
    tries = [await gateway.http.post("/sign-in", data=form, headers=PAGE) for _ in range(20)]

    refused = next(answer for answer in tries if answer.status_code == 429)

    assert int(refused.headers["Retry-After"]) > 0
    assert "Try again in 1 second." in said(refused.text)
    assert not OF_THE_API.search(said(refused.text))


async def test_the_audit_names_the_problem_of_a_refused_change_of_a_webhook(
    gateway: Gateway,
) -> None:
    browser, path = await boss(gateway), f"/admin/webhooks/{await webhook(gateway)}/change"
    form = await form_of(gateway, path, browser)

    await gateway.http.post(path, data=form | {"url": "not an address"}, headers=browser)

    assert (await last(gateway, status=422))["problem"] == "invalid-request"


async def test_the_audit_names_the_problem_of_a_test_message_of_a_webhook_that_is_paused(
    gateway: Gateway,
) -> None:
    browser, made = await boss(gateway), await webhook(gateway)
    off = {"disabled": True}
    change = (await gateway.admin())(
        "PATCH", f"/v1/webhooks/{made}", json=off, headers={"If-Match": "*"}
    )
    assert (await change).status_code == 200

    answer = await gateway.http.post(f"/admin/webhooks/{made}/test", headers=browser)

    row = await last(gateway, status=answer.status_code)
    assert (answer.status_code, row["problem"]) == (409, "conflict")


@pytest.mark.usefixtures("held")
async def test_the_audit_names_the_problem_of_a_comparison_with_what_is_on_its_way(
    gateway: Gateway,
) -> None:
    browser = await boss(gateway)
    first, second = [await sent(gateway) for _ in range(2)]

    answer = await gateway.http.get(f"/comparison?first={first}&second={second}", headers=browser)

    row = await last(gateway, status=409)
    assert (answer.status_code, row["problem"]) == (409, "not-finished")
