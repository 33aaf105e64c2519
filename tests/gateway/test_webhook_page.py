"""The page of a webhook: it is given another address, other kinds and a new secret."""

import asyncio
import html
import re
from datetime import timedelta

import httpx
import pytest

from services.gateway.webhooks import schedule
from tests.gateway.conftest import Client, Gateway
from tests.gateway.test_forms_in_work import boss, webhook
from tests.gateway.test_forms_twice import form_of

ELSEWHERE = {"url": "http://127.0.0.1:9/elsewhere", "description": "RIS"}
SECRET = re.compile(r'id="secret">(whsec_[^<]+)<')


async def there(admin: Client, made: str) -> tuple[str, str, list[str]]:
    """Return what is kept of a webhook."""
    found = (await admin("GET", f"/v1/webhooks/{made}")).json()
    return found["url"], found["description"], found["kinds"]


async def test_a_webhook_is_changed_at_its_page(gateway: Gateway) -> None:
    browser, made = await boss(gateway), await webhook(gateway)
    path = f"/admin/webhooks/{made}/change"
    form = await form_of(gateway, path, browser)
    written = form | ELSEWHERE | {"kinds": ["analysis.succeeded", "analysis.failed"]}

    for _ in range(2):
        answer = await gateway.http.post(path, data=written, headers=browser)
        led_to = f"/admin/webhooks/{made}?done=edited"
        assert (answer.status_code, answer.headers.get("Location")) == (303, led_to), answer.text

    assert await there(await gateway.admin(), made) == (*ELSEWHERE.values(), written["kinds"])
    shown = await gateway.http.get(led_to, headers=browser)
    assert "The change is kept" in shown.text


async def test_what_somebody_else_changed_meanwhile_is_shown_beside_what_was_written(
    gateway: Gateway,
) -> None:
    browser, made, admin = await boss(gateway), await webhook(gateway), await gateway.admin()
    path = f"/admin/webhooks/{made}/change"
    form = await form_of(gateway, path, browser)
    theirs = {"description": "somebody else's"}
    changed = await admin("PATCH", f"/v1/webhooks/{made}", json=theirs, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text

    refused = await gateway.http.post(path, data=form | ELSEWHERE, headers=browser)

    page = html.unescape(refused.text)
    assert refused.status_code == 412
    assert "Somebody changed this webhook meanwhile" in page
    assert "somebody else's" in page
    assert 'value="RIS"' in page
    assert (await there(admin, made))[1] == "somebody else's"
    again = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', refused.text))
    kept = await gateway.http.post(path, data=again | ELSEWHERE, headers=browser)
    assert kept.status_code == 303
    assert await there(admin, made) == (*ELSEWHERE.values(), [])


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({"url": "http://10.0.0.1/hook"}, "does not lead to an address"),
        ({"url": "not an address"}, "url"),
        ({"url": "http://127.0.0.1:9/hook", "kinds": "no.such"}, "Kinds"),
        ({"url": "http://127.0.0.1:9/hook", "description": "x" * 201}, "Description"),
    ],
)
async def test_a_change_that_is_refused_is_shown_again_as_it_was_written(
    gateway: Gateway, written: dict[str, str], told: str
) -> None:
    browser, made = await boss(gateway), await webhook(gateway)
    path = f"/admin/webhooks/{made}/change"
    form = await form_of(gateway, path, browser)

    answer = await gateway.http.post(path, data=form | written, headers=browser)

    assert answer.status_code == 422
    alert = answer.text.partition('role="alert"')[2].partition("</div>")[0]
    assert told.lower() in alert.lower()
    assert f'value="{written["url"]}"' in answer.text
    assert (await there(await gateway.admin(), made))[0] == "http://127.0.0.1:9/hook"


async def test_its_failures_are_forgotten_with_its_address_and_not_with_its_kinds(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None is tried again meanwhile.
    monkeypatch.setattr(schedule, "DELAYS", (timedelta(days=1),))
    browser, made, admin = await boss(gateway), await webhook(gateway), await gateway.admin()
    path = f"/admin/webhooks/{made}/change"
    assert (await admin("POST", f"/v1/webhooks/{made}/test")).status_code == 202

    async def failing_since() -> str | None:
        since: str | None = (await admin("GET", f"/v1/webhooks/{made}")).json()["failing_since"]
        return since

    async def changed(**written: str) -> None:
        form = await form_of(gateway, path, browser)
        answer = await gateway.http.post(path, data=form | written, headers=browser)
        assert answer.status_code == 303

    async with asyncio.timeout(120):
        while (before := await failing_since()) is None:  # noqa: ASYNC110 - the dispatcher's work
            await asyncio.sleep(0.05)
    await changed(url="http://127.0.0.1:9/hook", kinds="analysis.succeeded")
    assert await failing_since() == before
    await changed(url="http://127.0.0.1:9/elsewhere", kinds="analysis.succeeded")
    assert await failing_since() is None


async def test_a_new_secret_is_shown_once_and_made_once(gateway: Gateway) -> None:
    browser, made = await boss(gateway), await webhook(gateway)
    page = f"/admin/webhooks/{made}"
    form = await form_of(gateway, page, browser)

    async def sent(form: dict[str, str], **more: str) -> httpx.Response:
        asked = {"form": form["form"], **more}
        return await gateway.http.post(f"{page}/secrets", data=asked, headers=browser)

    first, second = await sent(form), await sent(form)
    other = await sent(await form_of(gateway, page, browser), overlap_hours="0")

    assert [answer.status_code for answer in (first, second, other)] == [201, 201, 201]
    secrets = [SECRET.findall(answer.text) for answer in (first, second, other)]
    assert [len(each) for each in secrets] == [1, 0, 1]
    assert secrets[0] != secrets[2]
    assert "cannot be shown again" in second.text
    assert not SECRET.search((await gateway.http.get(page, headers=browser)).text)


@pytest.mark.parametrize("hours", ["-1", "169"])
async def test_a_secret_signs_on_for_a_week_at_most(gateway: Gateway, hours: str) -> None:
    browser, made = await boss(gateway), await webhook(gateway)

    answer = await gateway.http.post(
        f"/admin/webhooks/{made}/secrets", data={"overlap_hours": hours}, headers=browser
    )

    assert answer.status_code == 422
    assert "Overlap hours" in answer.text
