"""What is assessed, withdrawn, ended and revoked by forms that come twice."""

import asyncio
import re
from typing import NamedTuple

import httpx
import pytest

from tests.gateway.conftest import Gateway
from tests.gateway.installation import ADMIN_PASSWORD
from tests.gateway.test_forms_in_work import boss, service

KINDS = ("assessment", "key", "sign-in")


class Sent(NamedTuple):
    """A form: the page that has it, where it goes, and where that leads."""

    page: str
    path: str
    led_to: str


async def of_assessment(gateway: Gateway, browser: dict[str, str]) -> Sent:
    admin = await gateway.admin()
    page = f"/analyses/{(await admin.analyze()).json()['id']}"
    answer = await gateway.http.post(
        f"{page}/assessment", data={"verdict": "nv", "revision": "0"}, headers=browser
    )
    assert answer.status_code == 303, answer.text
    return Sent(page, f"{page}/assessment/withdraw", f"{page}#assessment")


async def of_key(gateway: Gateway, _: dict[str, str]) -> Sent:
    new = {
        "user_id": await service(gateway),
        "name": "n",
        "days": 9,
        "permissions": ["records:read"],
    }
    made = await (await gateway.admin())("POST", "/v1/api-keys", json=new)
    assert made.status_code == 201, made.text
    return Sent("/admin/keys", f"/admin/keys/{made.json()['id']}/revoke", "/admin/keys")


async def of_sign_in(gateway: Gateway, _: dict[str, str]) -> Sent:
    form = {"username": "admin", "password": ADMIN_PASSWORD}
    other = (await gateway.anonymous("POST", "/v1/auth/token", data=form)).json()
    gateway.http.cookies.clear()
    headers = {"Authorization": f"Bearer {other['access_token']}"}
    shown = (await gateway.http.get("/v1/me/sessions", headers=headers)).json()["items"]
    (current,) = [each["id"] for each in shown if each["current"]]
    return Sent("/account", f"/account/sign-ins/{current}/end", "/account")


MADE = {"assessment": of_assessment, "key": of_key, "sign-in": of_sign_in}


async def fields(gateway: Gateway, page: str, path: str, browser: dict[str, str]) -> dict[str, str]:
    """Return the hidden fields of the first form on a page that goes somewhere."""
    shown = await gateway.http.get(page, headers=browser)
    assert shown.status_code == 200, shown.text
    form = shown.text.partition(f'action="{path}?')[2].partition("</form>")[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_taken_back_twice_by_a_form_leads_twice_to_where_one_does(
    gateway: Gateway, kind: str
) -> None:
    browser = await boss(gateway)
    form = await MADE[kind](gateway, browser)
    hidden = await fields(gateway, form.page, form.path, browser)

    async def sent() -> httpx.Response:
        return await gateway.http.post(form.path, data=hidden, headers=browser)

    answers = [*await asyncio.gather(sent(), sent()), await sent()]

    led_to = [(answer.status_code, answer.headers.get("Location")) for answer in answers]
    assert led_to == [(303, form.led_to)] * 3
    assert not await fields(gateway, form.page, form.path, browser)


@pytest.mark.parametrize("kind", KINDS)
async def test_another_form_for_what_was_taken_back_is_told_that_it_is_not_there(
    gateway: Gateway, kind: str
) -> None:
    browser = await boss(gateway)
    form = await MADE[kind](gateway, browser)
    first, second = [await fields(gateway, form.page, form.path, browser) for _ in range(2)]
    await gateway.http.post(form.path, data=first, headers=browser)

    answer = await gateway.http.post(form.path, data=second, headers=browser)

    assert answer.status_code == 404


async def test_an_assessment_that_comes_twice_by_a_form_is_kept_once(gateway: Gateway) -> None:
    browser, admin = await boss(gateway), await gateway.admin()
    page = f"/analyses/{(await admin.analyze()).json()['id']}"
    agreed = await fields(gateway, page, f"{page}/assessment", browser)

    async def sent() -> httpx.Response:
        return await gateway.http.post(f"{page}/assessment", data=agreed, headers=browser)

    answers = [*await asyncio.gather(sent(), sent()), await sent()]

    led_to = [(answer.status_code, answer.headers.get("Location")) for answer in answers]
    assert led_to == [(303, f"{page}#assessment")] * 3
    steps = (await admin("GET", f"/v1{page}/assessments")).json()["items"]
    assert [step["verdict"] for step in steps] == ["nv"]


async def test_another_assessment_by_a_form_of_before_is_shown_beside_what_is_there(
    gateway: Gateway,
) -> None:
    """As from a page that a browser has kept, to which somebody came back."""
    browser, admin = await boss(gateway), await gateway.admin()
    page = f"/analyses/{(await admin.analyze()).json()['id']}"
    path = f"{page}/assessment"
    agreed = await fields(gateway, page, path, browser)
    await gateway.http.post(path, data=agreed, headers=browser)

    other = agreed | {"verdict": "mel", "reason": "it grew"}
    answer = await gateway.http.post(path, data=other, headers=browser)
    again = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', answer.text))
    kept = await gateway.http.post(path, data=other | again, headers=browser)

    assert answer.status_code == 422
    assert "it grew" in answer.text
    assert kept.status_code == 303
    steps = (await admin("GET", f"/v1{page}/assessments")).json()["items"]
    assert [step["verdict"] for step in steps] == ["mel", "nv"]
