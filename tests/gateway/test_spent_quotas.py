"""Forms of whoever has spent their quota: kept, and few of them read at once."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import get_args

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from services.gateway import routes
from services.gateway.dependencies import SenderDep
from services.gateway.web import ROUTERS
from tests import specimens
from tests.gateway.conftest import Gateway, Start
from tests.gateway.test_analyze_form import FILE, FORM, SAID, TEXTS, is_whole, kept, sent, shows
from tests.gateway.test_page_sessions import entered

_, SENDER = get_args(SenderDep)


async def overspent(gateway: Gateway) -> dict[str, str]:
    """Return the headers of a browser in which somebody has spent their quota."""
    browser = await entered(gateway)
    looks = [
        (await gateway.http.get("/account", headers=browser)).status_code
        for _ in range(gateway.settings.caller_quota + 1)
    ]
    assert looks[-1] == 429
    return browser


@pytest.mark.usefixtures("quotas_last")
async def test_a_spent_quota_keeps_what_was_written_and_chosen(start: Start) -> None:
    async with start(caller_quota=60) as gateway:
        alice = await gateway.signed_in()
        made = await alice("POST", "/v1/patients", json={"identifier": "made up 9"})
        browser = await overspent(gateway)
        said = {name: text for name, text in SAID.items() if not name.startswith("patient")}
        files = {"image": ("a.jpg", specimens.lesion_jpeg())}

        answer = await gateway.http.post(
            "/analyze", data=said | {"patient": made.json()["id"]}, files=files, headers=browser
        )

        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) >= 1
        assert "Wait a minute" in answer.text
        assert "choose it again" in answer.text
        assert {name: shows(answer)[name] for name in said} == said
        assert kept(answer) == {"patient": made.json()["id"]}
        assert gateway.inference.requests == []


def senders() -> list[tuple[str, str]]:
    """Return the method and path of every route that is asked though a quota is spent."""

    def asks(dependant: Dependant) -> bool:
        return dependant.call is SENDER.dependency or any(map(asks, dependant.dependencies))

    return [
        (method, re.sub(r"{\w+}", "ab" * 16, route.path))
        for router in (*routes.ALL, *ROUTERS)
        for route in router.routes
        if isinstance(route, APIRoute) and asks(route.dependant)
        for method in route.methods or ()
    ]


@pytest.mark.usefixtures("quotas_last")
async def test_whatever_is_asked_though_a_quota_is_spent_sees_that_itself(start: Start) -> None:
    async with start(caller_quota=60) as gateway:
        await gateway.signed_in()
        headers = await overspent(gateway) | {"Content-Type": FORM}

        asked = {
            each: await gateway.http.request(*each, content=TEXTS, headers=headers)
            for each in senders()
        }

    assert ("POST", "/analyze") in asked
    assert {answer.status_code for answer in asked.values()} == {429}


@pytest.mark.usefixtures("quotas_last")
async def test_only_so_many_forms_of_whoever_has_spent_their_quota_are_read_at_once(
    start: Start,
) -> None:
    go_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield TEXTS + FILE
        await go_on.wait()

    async with start(caller_quota=60, upload_timeout_s=600) as gateway:
        await gateway.signed_in()
        browser = await overspent(gateway)
        all_sent = [asyncio.create_task(sent(gateway, browser, slow())) for _ in range(10)]

        early, read = await asyncio.wait(all_sent, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        go_on.set()
        answers = await asyncio.gather(*all_sent)

    assert early
    assert read
    assert {answer.status_code for answer in answers} == {429}
    for answer in (each.result() for each in early):
        assert set(shows(answer).values()) == {SAID["key"], ""}
        assert "Not all that you wrote could be read" in answer.text
    assert sum(map(is_whole, answers)) == 8
