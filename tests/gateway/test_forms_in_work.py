"""Forms of pages that come again while they are still being worked on."""

import asyncio
import re
from typing import Any

import httpx
import pytest

from services.gateway.dependencies import SESSION_COOKIE
from tests.gateway.conftest import PASSWORD, Gateway
from tests.gateway.installation import ADMIN_PASSWORD
from tests.gateway.test_page_sessions import PAGE

FORM = "ab" * 16
"""What a form is known by."""


async def boss(gateway: Gateway) -> dict[str, str]:
    """Sign the administrator in at the page, and return the headers of a browser that did."""
    form = {"username": "admin", "password": ADMIN_PASSWORD}
    answer = await gateway.http.post("/sign-in", data=form, headers=PAGE)
    assert answer.status_code == 303, answer.text
    session = answer.cookies[SESSION_COOKIE]
    gateway.http.cookies.clear()
    return PAGE | {"Cookie": f"{SESSION_COOKIE}={session}"}


async def service(gateway: Gateway) -> str:
    new = {"username": "robot", "password": PASSWORD, "role": "service"}
    made = await (await gateway.admin())("POST", "/v1/users", json=new)
    return str(made.json()["id"])


async def patient(gateway: Gateway) -> str:
    made = await (await gateway.admin())("POST", "/v1/patients", json={"identifier": "made up 5"})
    return str(made.json()["id"])


async def webhook(gateway: Gateway) -> str:
    new = {"url": "http://127.0.0.1:9/hook"}
    made = await (await gateway.admin())("POST", "/v1/webhooks", json=new)
    return str(made.json()["id"])


async def asked(gateway: Gateway, kind: str) -> tuple[str, dict[str, str], Any, str]:
    """Return where a form goes, what is in it, and who makes what it asks for."""
    parts = gateway.parts
    if kind == "webhook":
        return "/admin/webhooks", {"url": "http://127.0.0.1:9/hook"}, parts.webhooks, "create"
    if kind == "key":
        key = {"user_id": await service(gateway), "name": "n", "days": "9"}
        return "/admin/keys", key | {"permissions": "records:read"}, parts.api_keys, "create"
    if kind == "user":
        user = {"username": "carol", "password": PASSWORD, "role": "clinician"}
        return "/admin/users", user, parts.accounts, "create"
    if kind == "lesion":
        lesion = {"patient": await patient(gateway), "body_site": "palms/soles", "note": "small"}
        return "/lesions", lesion, parts.lesions, "create"
    if kind == "patient":
        return "/patients", {"identifier": "made up 4"}, parts.patients, "create"
    return f"/admin/webhooks/{await webhook(gateway)}/test", {}, parts.deliveries, "test"


@pytest.mark.parametrize("kind", ["webhook", "key", "user", "patient", "lesion", "test message"])
async def test_a_form_that_comes_again_while_it_is_worked_on_stays_the_same_form(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    browser = await boss(gateway)
    path, fields, maker, name = await asked(gateway, kind)
    begun, go = asyncio.Event(), asyncio.Event()
    work, made = getattr(maker, name), []

    async def held(*values: Any, **named: Any) -> Any:
        begun.set()
        await go.wait()
        made.append(await work(*values, **named))
        return made[-1]

    async def sent() -> httpx.Response:
        return await gateway.http.post(path, data=fields | {"form": FORM}, headers=browser)

    monkeypatch.setattr(maker, name, held)
    first = asyncio.create_task(sent())
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait({first, waiting}, return_when=asyncio.FIRST_COMPLETED)
    assert begun.is_set(), first.result().text
    second = await sent()
    go.set()
    done = await first
    third = await sent()

    assert second.status_code == 409
    assert re.findall(r'name="form" value="(\w+)"', second.text)[:1] == [FORM]
    assert "still being worked on" in second.text
    assert "Idempotency" not in second.text
    assert done.status_code in (201, 303), done.text
    assert third.status_code == done.status_code
    assert len(made) == 1


OTHERWISE = {"webhook": {"url": "http://127.0.0.1:9/other"}, "lesion": {"note": "not so small"}}
"""What comes with the same form the second time, where one may be told from another by it."""


@pytest.mark.parametrize("kind", ["webhook", "lesion"])
async def test_a_form_with_something_else_in_it_is_refused_in_words_of_the_page(
    gateway: Gateway, kind: str
) -> None:
    browser = await boss(gateway)
    path, fields, _, _ = await asked(gateway, kind)
    form = fields | {"form": FORM}
    await gateway.http.post(path, data=form, headers=browser)

    answer = await gateway.http.post(path, data=form | OTHERWISE[kind], headers=browser)

    assert answer.status_code == 422
    assert "sent before with something else in it" in answer.text
    assert "Idempotency" not in answer.text
    assert f'value="{FORM}"' not in answer.text
    assert next(iter(OTHERWISE[kind].values())) in answer.text


@pytest.mark.parametrize("kind", ["key", "lesion", "patient", "webhook"])
async def test_a_form_whose_work_was_removed_since_comes_again_as_another_form(
    gateway: Gateway, kind: str
) -> None:
    browser = await boss(gateway)
    path, fields, _, _ = await asked(gateway, kind)
    form = fields | {"form": FORM}
    made = await gateway.http.post(path, data=form, headers=browser)
    assert made.status_code in (201, 303), made.text
    await nothing_is_left(gateway, kind)

    again = await gateway.http.post(path, data=form, headers=browser)

    assert again.status_code == 409
    assert "was removed since" in again.text
    assert "Idempotency" not in again.text
    (another,) = set(re.findall(r'name="form" value="(\w+)"', again.text))
    assert another != FORM
    anew = await gateway.http.post(path, data=form | {"form": another}, headers=browser)
    assert anew.status_code == made.status_code


async def nothing_is_left(gateway: Gateway, kind: str) -> None:
    """Remove whatever there is of a kind."""
    admin = await gateway.admin()
    all_of = {"key": "/v1/api-keys", "webhook": "/v1/webhooks"}.get(kind, f"/v1/{kind}s")
    for each in (await admin("GET", all_of)).json()["items"]:
        path = f"{all_of}/{each['id']}"
        gone = await admin("DELETE", path, headers={"If-Match": "*"})
        assert gone.status_code == 204, gone.text


async def test_a_lesion_that_is_refused_keeps_what_was_written(gateway: Gateway) -> None:
    browser = await boss(gateway)
    path, fields, _, _ = await asked(gateway, "lesion")
    form = fields | {"note": "x" * 2001, "form": FORM}

    answer = await gateway.http.post(path, data=form, headers=browser)

    assert answer.status_code == 422
    assert "Note: " in answer.text
    assert "x" * 2001 in answer.text
    assert "<option selected>palms/soles</option>" in answer.text
