"""Sessions of browsers: where they lead to, and how they end."""

import httpx
import pytest

from services.gateway.dependencies import SESSION_COOKIE
from tests.gateway.conftest import PASSWORD, Gateway, Start

PAGE = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}


async def entered(gateway: Gateway, username: str = "alice", former: str = "") -> dict[str, str]:
    """Sign in at the page, and return the headers of a browser that did."""
    headers = PAGE | ({"Cookie": f"{SESSION_COOKIE}={former}"} if former else {})
    form = {"username": username, "password": PASSWORD}
    answer = await gateway.http.post("/sign-in", data=form, headers=headers)
    assert answer.status_code == 303, answer.text
    session = answer.cookies[SESSION_COOKIE]
    gateway.http.cookies.clear()
    return PAGE | {"Cookie": f"{SESSION_COOKIE}={session}"}


def is_forgotten(answer: httpx.Response) -> bool:
    """Say whether a browser keeps nothing of a session after an answer."""
    gone = f'{SESSION_COOKIE}=""' in answer.headers.get("Set-Cookie", "")
    return answer.status_code == 303 and gone and "Clear-Site-Data" in answer.headers


@pytest.mark.parametrize(("role", "home"), [("viewer", "/analyses"), ("clinician", "/analyze")])
async def test_whoever_signs_in_is_led_to_what_they_may_do(
    gateway: Gateway, role: str, home: str
) -> None:
    admin = await gateway.admin()
    new = {"username": "vera", "password": PASSWORD, "role": role}
    assert (await admin("POST", "/v1/users", json=new)).status_code == 201
    browser = await entered(gateway, "vera")

    led = await gateway.http.get("/sign-in", headers=browser)
    shown = await gateway.http.get(led.headers["Location"], headers=browser)
    landing = await gateway.http.get("/", headers=browser)

    assert (led.headers["Location"], shown.status_code) == (home, 200)
    for page in (shown, landing):
        assert ('href="/analyze"' in page.text) == (home == "/analyze")


async def test_a_browser_forgets_a_session_that_has_ended_already(gateway: Gateway) -> None:
    await gateway.signed_in()
    browser = await entered(gateway)
    answers = [await gateway.http.post("/sign-out", headers=browser) for _ in range(2)]

    assert all(map(is_forgotten, answers))


@pytest.mark.usefixtures("quotas_last")
async def test_a_spent_quota_keeps_nobody_from_signing_out_at_the_page(start: Start) -> None:
    async with start(caller_quota=6) as gateway:
        await gateway.signed_in()
        browser = await entered(gateway)
        looks = [
            (await gateway.http.get("/account", headers=browser)).status_code
            for _ in range(gateway.settings.caller_quota + 1)
        ]
        assert looks[-1] == 429
        assert is_forgotten(await gateway.http.post("/sign-out", headers=browser))
        program = browser | {"Accept": "application/json"}
        assert (await gateway.http.get("/v1/me", headers=program)).status_code == 401


async def test_an_address_with_other_letters_is_come_back_to_after_signing_in(
    gateway: Gateway,
) -> None:
    asked = await gateway.http.get("/patients/%C3%A9", headers=PAGE)
    assert asked.headers["Location"] == "/sign-in?next=%2Fpatients%2F%25C3%25A9"
    assert (await gateway.http.get(asked.headers["Location"], headers=PAGE)).status_code == 200
