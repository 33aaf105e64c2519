"""Pages that refuse: the audit has the kind of problem, as where a program is refused."""

from collections.abc import Mapping

import pytest

from tests.gateway.audited import last
from tests.gateway.conftest import Gateway
from tests.gateway.test_forms_in_work import boss, webhook
from tests.gateway.test_forms_twice import form_of
from tests.gateway.test_page_sessions import PAGE
from tests.gateway.test_pages_on_their_way import held, sent

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
