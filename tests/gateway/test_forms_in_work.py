"""Forms of pages that come again while they are still being worked on."""

import asyncio
import re
from typing import Any

import httpx
import pytest

from services.gateway.dependencies import SESSION_COOKIE
from tests.gateway.conftest import ADMIN_PASSWORD, PASSWORD, Gateway
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
    if kind == "patient":
        return "/patients", {"identifier": "made up 4"}, parts.patients, "create"
    return f"/admin/webhooks/{await webhook(gateway)}/test", {}, parts.deliveries, "test"


@pytest.mark.parametrize("kind", ["webhook", "key", "user", "patient", "test message"])
async def test_a_form_that_comes_again_while_it_is_worked_on_stays_the_same_form(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    browser = await boss(gateway)
    path, fields, maker, name = await asked(gateway, kind)
    field = "key" if kind == "patient" else "form"
    begun, go = asyncio.Event(), asyncio.Event()
    work, made = getattr(maker, name), []

    async def held(*values: Any, **named: Any) -> Any:
        begun.set()
        await go.wait()
        made.append(await work(*values, **named))
        return made[-1]

    async def sent() -> httpx.Response:
        return await gateway.http.post(path, data=fields | {field: FORM}, headers=browser)

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
    assert re.findall(rf'name="{field}" value="(\w+)"', second.text)[:1] == [FORM]
    assert "still being worked on" in second.text
    assert "Idempotency" not in second.text
    assert done.status_code in (201, 303), done.text
    assert third.status_code == done.status_code
    assert len(made) == 1


async def test_a_form_with_something_else_in_it_is_refused_in_words_of_the_page(
    gateway: Gateway,
) -> None:
    browser = await boss(gateway)
    form = {"url": "http://127.0.0.1:9/hook", "form": FORM}
    await gateway.http.post("/admin/webhooks", data=form, headers=browser)

    other = form | {"url": "http://127.0.0.1:9/other"}
    answer = await gateway.http.post("/admin/webhooks", data=other, headers=browser)

    assert answer.status_code == 422
    assert "sent before with something else in it" in answer.text
    assert "Idempotency" not in answer.text
    assert f'value="{FORM}"' not in answer.text
