"""Forms that come twice from a browser without scripts: the second is answered as the first."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.gateway.boot import open_records
from tests.gateway.conftest import Gateway
from tests.gateway.test_forms_in_work import boss, webhook

KINDS = ("analyses", "lesions", "patients", "webhooks")


async def removable(gateway: Gateway, kind: str) -> tuple[str, str]:
    """Make something; return the address of its page, and where its removal leads."""
    admin = await gateway.admin()

    async def made(path: str, **options: Any) -> str:
        answer = await admin("POST", path, **options)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    if kind == "webhooks":
        return f"/admin/webhooks/{await webhook(gateway)}", "/admin/webhooks?done=removed"
    if kind == "analyses":
        return f"/analyses/{(await admin.analyze()).json()['id']}", "/analyses"
    patient = await made("/v1/patients", json={"identifier": "made up 5"})
    if kind == "patients":
        return f"/patients/{patient}", "/patients"
    return (
        f"/lesions/{await made('/v1/lesions', json={'patient': patient})}",
        f"/patients/{patient}",
    )


async def form_of(gateway: Gateway, path: str, browser: dict[str, str]) -> dict[str, str]:
    """Return the hidden fields of the form at an address."""
    page = await gateway.http.get(path, headers=browser)
    assert page.status_code == 200, page.text
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_removal_that_comes_twice_leads_twice_to_where_one_does(
    gateway: Gateway, kind: str
) -> None:
    browser = await boss(gateway)
    page, led_to = await removable(gateway, kind)
    form = await form_of(gateway, f"{page}/remove", browser)

    async def sent() -> httpx.Response:
        return await gateway.http.post(f"{page}/remove", data=form, headers=browser)

    both = await asyncio.gather(sent(), sent())
    later = await sent()

    for answer in (*both, later):
        assert (answer.status_code, answer.headers.get("Location")) == (303, led_to)
    assert (await gateway.http.get(led_to, headers=browser)).status_code == 200
    assert (await gateway.http.get(page, headers=browser)).status_code == 404


@pytest.mark.parametrize("kind", KINDS)
async def test_another_form_for_what_was_removed_is_told_that_it_is_not_there(
    gateway: Gateway, kind: str
) -> None:
    browser = await boss(gateway)
    page, _ = await removable(gateway, kind)
    first, second = [await form_of(gateway, f"{page}/remove", browser) for _ in range(2)]
    await gateway.http.post(f"{page}/remove", data=first, headers=browser)

    answer = await gateway.http.post(f"{page}/remove", data=second, headers=browser)

    assert answer.status_code == 404


async def test_a_message_is_sent_again_once_by_a_form_that_comes_twice(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = await boss(gateway)
    page = f"/admin/webhooks/{await webhook(gateway)}"
    admin = await gateway.admin()
    tested = await admin("POST", f"/v1{page.removeprefix('/admin')}/test")
    form = await form_of(gateway, page, browser)
    replay, replayed = gateway.parts.deliveries.replay, []

    async def counted(*values: Any) -> Any:
        replayed.append(values)
        return await replay(*values)

    monkeypatch.setattr(gateway.parts.deliveries, "replay", counted)

    async def sent(form: dict[str, str]) -> httpx.Response:
        path = f"{page}/deliveries/{tested.json()['id']}/replay"
        return await gateway.http.post(path, data={"form": form["form"]}, headers=browser)

    answers = [*await asyncio.gather(sent(form), sent(form)), await sent(form)]
    assert {answer.status_code for answer in answers} == {303}
    led_to = sorted(answer.headers["Location"] for answer in answers)
    assert led_to == [f"{page}?done=replayed", *[f"{page}?done=replayed-before"] * 2]
    assert len(replayed) == 1
    await sent(await form_of(gateway, page, browser))
    assert len(replayed) == 2


@pytest.mark.parametrize("what", ["test", "replay"])
async def test_a_form_of_before_does_not_say_that_it_sends_another_message(
    gateway: Gateway, what: str
) -> None:
    """As from a page that a browser has kept, to which somebody came back."""
    browser = await boss(gateway)
    page = f"/admin/webhooks/{await webhook(gateway)}"
    tested = await (await gateway.admin())("POST", f"/v1{page.removeprefix('/admin')}/test")
    path = {"test": "test", "replay": f"deliveries/{tested.json()['id']}/replay"}[what]
    form = {"form": (await form_of(gateway, page, browser))["form"]}

    async def said() -> str:
        answer = await gateway.http.post(f"{page}/{path}", data=form, headers=browser)
        assert answer.status_code == 303, answer.text
        shown = await gateway.http.get(answer.headers["Location"], headers=browser)
        return shown.text.partition('role="status">')[2].partition("<")[0]

    first, second = await said(), await said()

    assert "on its way" in first or "is sent again" in first
    assert "no second" in second


NOTHING_IS_MARKED = """
    CREATE TRIGGER unmarked BEFORE UPDATE ON keyed_requests WHEN NEW.done
    BEGIN SELECT RAISE(ABORT, 'it is not marked'); END
"""


@pytest.mark.parametrize("kind", KINDS)
async def test_a_removal_that_was_done_and_not_marked_leads_to_where_one_does(
    gateway: Gateway, kind: str
) -> None:
    browser = await boss(gateway)
    page, led_to = await removable(gateway, kind)
    form = await form_of(gateway, f"{page}/remove", browser)
    async with open_records(gateway.settings) as records:
        await records.write(lambda session: session.execute(text(NOTHING_IS_MARKED)))
        first = await gateway.http.post(f"{page}/remove", data=form, headers=browser)
        await records.write(lambda session: session.execute(text("DROP TRIGGER unmarked")))
    shown = await gateway.http.get(page, headers=browser)

    again = await gateway.http.post(f"{page}/remove", data=form, headers=browser)

    assert (first.status_code, shown.status_code) == (500, 404)
    assert (again.status_code, again.headers.get("Location")) == (303, led_to)
