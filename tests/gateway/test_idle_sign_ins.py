"""Sign-ins that nobody uses end before their time."""

from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update
from sqlmodel import col

from services.gateway.boot import open_records
from services.gateway.identity.last_use import PRECISION
from services.gateway.records import SignIn, now
from tests.gateway.conftest import PASSWORD, Gateway, Start
from tests.gateway.test_page_sessions import PAGE, entered
from tests.gateway.test_sessions import sessions, signed_in_again
from tests.gateway.watching import PATIENCE_S, Watch, on_a_socket, watching

IDLE_S = 1800
ACCESS_S = 600
MOMENT = PRECISION - timedelta(seconds=5)
IDLE = timedelta(seconds=IDLE_S)
UNSEEN = timedelta(seconds=ACCESS_S)
SHORT = {"idle_s": IDLE_S, "access_token_s": ACCESS_S}


async def unused(gateway: Gateway, for_: timedelta) -> None:
    """Let all sign-ins have been used last so long ago."""
    then = update(SignIn).values(used_at=now() - for_)
    async with open_records(gateway.settings) as records:
        await records.write(lambda session: session.execute(then))


async def last_uses(gateway: Gateway) -> list[Any]:
    async with open_records(gateway.settings) as records:
        kept = select(col(SignIn.used_at)).order_by(col(SignIn.created_at))
        return await records.read(lambda session: list(session.scalars(kept)))


async def looked(gateway: Gateway, browser: dict[str, str]) -> httpx.Response:
    return await gateway.http.get("/account", headers=browser)


async def test_a_session_that_is_not_used_ends_and_leads_to_the_sign_in(start: Start) -> None:
    async with start(**SHORT) as gateway:
        await gateway.signed_in()
        browser = await entered(gateway)

        await unused(gateway, IDLE - MOMENT)
        assert (await looked(gateway, browser)).status_code == 200
        await unused(gateway, IDLE + MOMENT)
        led = await looked(gateway, browser)

        assert (led.status_code, led.headers["Location"][:8]) == (303, "/sign-in")
        program = browser | {"Accept": "application/json"}
        assert (await gateway.http.get("/v1/me", headers=program)).status_code == 401


async def test_whoever_uses_a_session_keeps_it(start: Start) -> None:
    async with start(**SHORT) as gateway:
        await gateway.signed_in()
        browser = await entered(gateway)

        for _ in range(3):
            await unused(gateway, IDLE - MOMENT)
            assert (await looked(gateway, browser)).status_code == 200
            await gateway.parts.access._last_use.close()
            assert now() - (await last_uses(gateway))[-1] < PRECISION


async def test_a_refresh_token_that_is_not_used_is_good_for_as_long_after_its_access_token(
    start: Start, database_url: str
) -> None:
    async with start(database_url=database_url, **SHORT) as gateway:
        await gateway.signed_in()
        client, token = await signed_in_again(gateway)

        await unused(gateway, IDLE + UNSEEN - MOMENT)
        refreshed = await client("POST", "/v1/auth/refresh", json={"refresh_token": token})
        assert refreshed.status_code == 200
        assert now() - (await last_uses(gateway))[-1] < PRECISION
        await unused(gateway, IDLE + UNSEEN + MOMENT)
        body = {"refresh_token": refreshed.json()["refresh_token"]}
        assert (await client("POST", "/v1/auth/refresh", json=body)).status_code == 401


async def test_ended_ones_are_no_more_among_ones_own(start: Start) -> None:
    async with start(**SHORT) as gateway:
        await gateway.signed_in()
        await unused(gateway, IDLE + UNSEEN + MOMENT)
        client, _ = await signed_in_again(gateway)

        assert [each["current"] for each in await sessions(client)] == [True]


async def test_a_stream_of_events_ends_with_them(start: Start) -> None:
    async with start(**SHORT) as gateway, on_a_socket(gateway) as url:
        alice = await gateway.signed_in()
        async with watching(url, alice) as watch:
            await unused(gateway, IDLE + UNSEEN + MOMENT)
            (end,) = await watch.events(2)

    assert end.data == {"kind": "stream.ended", "reason": "signed_out"}


async def test_to_open_a_stream_of_events_is_no_use_of_a_session(start: Start) -> None:
    async with start(**SHORT) as gateway:
        await gateway.signed_in()
        browser = await entered(gateway)
        page = browser | {"Accept": "text/event-stream"}
        opened = partial(gateway.http.get, "/v1/events?follow=false", headers=page)
        await unused(gateway, IDLE - MOMENT)

        assert (await opened()).status_code == 200
        await gateway.parts.access._last_use.close()

        assert now() - (await last_uses(gateway))[-1] > IDLE - MOMENT
        await unused(gateway, IDLE + MOMENT)
        assert (await opened()).status_code == 401


async def test_the_stream_of_a_browser_ends_as_late_as_that_of_a_token(start: Start) -> None:
    async with start(**SHORT) as gateway, on_a_socket(gateway) as url:
        await gateway.signed_in()
        browser = await entered(gateway)
        async with (
            httpx.AsyncClient(base_url=url, headers=browser, timeout=PATIENCE_S) as http,
            http.stream("GET", "/v1/events") as answer,
        ):
            watch = Watch(answer)
            await watch.next()
            await unused(gateway, IDLE + UNSEEN + MOMENT)
            (end,) = await watch.all()

    assert end.data == {"kind": "stream.ended", "reason": "signed_out"}


@pytest.mark.parametrize(("hours", "status"), [(7.9, 200), (8.1, 303)])
async def test_unless_set_it_is_eight_hours(gateway: Gateway, hours: float, status: int) -> None:
    await gateway.signed_in()
    browser = await entered(gateway)

    await unused(gateway, timedelta(hours=hours))

    assert (await looked(gateway, browser)).status_code == status
    form = {"username": "alice", "password": PASSWORD}
    assert (await gateway.http.post("/sign-in", data=form, headers=PAGE)).status_code == 303
