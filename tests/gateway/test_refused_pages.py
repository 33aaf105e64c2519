"""Pages that refuse: the audit has the kind of problem, as where a program is refused."""

import pytest

from tests.gateway.audited import last
from tests.gateway.conftest import Gateway
from tests.gateway.test_forms_in_work import boss, webhook
from tests.gateway.test_forms_twice import form_of
from tests.gateway.test_pages_on_their_way import held, sent

__all__ = ["held"]


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
