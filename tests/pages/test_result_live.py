"""Results that change while they are looked at."""

import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests import specimens
from tests.pages.conftest import PATIENCE_MS, Person
from tests.pages.results import analyzed
from tests.pages.sending import choose, picture, send
from tests.stack import Stack

People = Callable[..., Person]
Axe = Callable[[Page], None]
A_RESULT = re.compile(r"/v1/analyses/[0-9a-f]+$")


@contextmanager
def stopped(services: Stack) -> Iterator[None]:
    """Let nothing be analyzed meanwhile."""
    inference = services.processes["inference"]
    inference.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        inference.send_signal(signal.SIGCONT)


def taken_in(somebody: Person) -> str:
    """Send a picture to be analyzed later, and return where it is shown."""
    answer = somebody.api(
        "POST",
        "/v1/analyses",
        files={"image": ("picture", specimens.lesion_jpeg())},
        headers={"Prefer": "respond-async"},
    )
    assert answer.status_code == 202, answer.text
    return f"/analyses/{answer.json()['id']}"


def ended(somebody: Person, address: str) -> None:
    """Wait until a picture that was sent is analyzed."""
    until = time.monotonic() + PATIENCE_MS / 1000
    while (found := somebody.api("GET", f"/v1{address}").json())["status"] != "succeeded":
        assert found["status"] != "failed", found
        assert time.monotonic() < until, found
        somebody.page.wait_for_timeout(50)


def stand_still(page: Page) -> None:
    """Let no time pass on the pages to come: none looks by itself whether there are news."""
    page.clock.install()
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))


@contextmanager
def listening(somebody: Person, address: str) -> Iterator[None]:
    """Wait until a page whose clock stands hears events: it looks once it does."""
    with somebody.page.expect_response(f"**/v1{address}"):
        yield


def heading(page: Page) -> Any:
    return page.get_by_role("heading", level=1)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_result_that_is_waited_for_comes_by_itself(
    person: People, services: Stack, *, scripts: bool
) -> None:
    somebody = person(java_script_enabled=scripts)
    with stopped(services):
        address = taken_in(somebody)
        if scripts:
            stand_still(somebody.page)
        with listening(somebody, address) if scripts else nullcontext():
            somebody.goto(address)
        expect(heading(somebody.page)).to_have_text("In line")
        expect(somebody.page.get_by_role("progressbar")).to_be_visible()
        expect(somebody.page.get_by_role("link", name="Report")).to_have_count(0)
    expect(heading(somebody.page)).to_contain_text("uspicious")


def test_the_page_that_sent_a_picture_is_told_that_it_is_done(
    person: People, services: Stack
) -> None:
    somebody = person()
    stand_still(somebody.page)
    looks: list[str] = []
    somebody.page.on(
        "response",
        lambda came: looks.append(came.url) if A_RESULT.search(came.url) else None,
    )
    somebody.goto("/analyze")
    with stopped(services):
        choose(somebody, picture())
        send(somebody)
        until = time.monotonic() + PATIENCE_MS / 1000
        while len(looks) < 2:  # at once, and when it hears events
            assert time.monotonic() < until
            somebody.page.wait_for_timeout(50)
    expect(somebody.page.locator("#summary")).to_have_text("1 done")


def test_whoever_waits_is_kept_out_by_nothing(person: People, services: Stack, axe: Axe) -> None:
    somebody = person()
    with stopped(services):
        somebody.goto(taken_in(somebody))
        axe(somebody.page)


def test_a_result_that_is_waited_for_and_removed_elsewhere_says_so_at_once(
    person: People, services: Stack
) -> None:
    somebody = person()
    stand_still(somebody.page)
    with stopped(services):
        address = taken_in(somebody)
        with listening(somebody, address):
            somebody.goto(address)
        assert somebody.api("DELETE", f"/v1{address}").status_code == 204
        expect(somebody.page.get_by_role("alert")).to_contain_text("was removed")


def test_a_result_comes_to_a_page_that_is_refused_all_events(
    person: People, services: Stack
) -> None:
    somebody = person()
    somebody.page.clock.install()
    somebody.page.route("**/v1/events", lambda route: route.fulfill(status=503))
    with stopped(services):
        address = taken_in(somebody)
        somebody.goto(address)
        expect(heading(somebody.page)).to_have_text("In line")
    ended(somebody, address)
    somebody.page.clock.fast_forward(15_000)
    expect(heading(somebody.page)).to_contain_text("uspicious")


def test_a_page_that_was_refused_events_for_a_while_hears_them_again(
    person: People, services: Stack
) -> None:
    somebody = person()
    asked: list[str] = []

    def refuse_the_first(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            route.continue_()
        else:
            route.fulfill(status=503)

    stand_still(somebody.page)
    somebody.page.route("**/v1/events", refuse_the_first)
    with stopped(services):
        address = taken_in(somebody)
        with somebody.page.expect_response("**/v1/events"):
            somebody.goto(address)
        with listening(somebody, address):
            until = time.monotonic() + PATIENCE_MS / 1000
            # When the page has heard that it was refused is not to be seen from here.
            while len(asked) == 1:
                assert time.monotonic() < until
                somebody.page.wait_for_timeout(500)
                somebody.page.clock.fast_forward(3_000)
                somebody.page.wait_for_timeout(500)
    expect(heading(somebody.page)).to_contain_text("uspicious")


def test_who_is_signed_out_while_waiting_is_asked_to_sign_in(
    person: People, services: Stack
) -> None:
    somebody = person()
    somebody.page.clock.install()
    with stopped(services):
        somebody.goto(taken_in(somebody))
        expect(heading(somebody.page)).to_have_text("In line")
        somebody.context.clear_cookies()
        somebody.page.clock.fast_forward(15_000)
        expect(somebody.page.get_by_label("Password")).to_be_visible()


def test_a_page_of_a_removed_result_asks_no_more(person: People, services: Stack) -> None:
    """Else it would keep its session from ending for as long as it is open."""
    somebody = person()
    page = somebody.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.install()
    with stopped(services):
        address = taken_in(somebody)
        with page.expect_response("**/v1/events"):
            somebody.goto(address)
        assert somebody.api("DELETE", f"/v1{address}").status_code == 204
        expect(page.get_by_role("alert")).to_contain_text("was removed")
        asked.clear()
        page.clock.run_for(120_000)
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        page.clock.run_for(120_000)
    assert asked == []


def test_a_result_that_was_removed_in_another_tab_says_so_when_one_comes_back(
    person: People,
) -> None:
    somebody = person()
    address = f"/analyses/{analyzed(somebody)['id']}"
    somebody.goto(address)
    expect(somebody.page.locator("#viewer[data-layers=loaded]")).to_be_visible()
    expect(somebody.page.get_by_role("alert")).to_have_count(0)

    other = somebody.context.new_page()
    other.goto(f"{somebody.services.rest}{address}/remove")
    other.get_by_role("button", name="Remove it").click()
    expect(other).to_have_url(f"{somebody.services.rest}/analyses")
    other.close()
    somebody.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(somebody.page.get_by_role("alert")).to_contain_text("was removed")


@pytest.mark.parametrize("scripts", [True, False])
def test_acting_on_a_removed_result_leads_to_a_page_with_a_way_on(
    person: People, *, scripts: bool
) -> None:
    somebody = person(java_script_enabled=scripts)
    address = f"/analyses/{analyzed(somebody)['id']}"
    somebody.goto(address)
    assert somebody.api("DELETE", f"/v1{address}").status_code == 204
    somebody.page.get_by_role("button", name="Check again").click()
    expect(heading(somebody.page)).to_have_text("Not found")
    expect(somebody.page.get_by_role("link", name="To the history")).to_be_visible()


def test_two_tabs_show_the_same_result_and_each_has_a_view_of_its_own(person: People) -> None:
    somebody = person()
    address = f"/analyses/{analyzed(somebody)['id']}"
    somebody.goto(address)
    other = somebody.context.new_page()
    other.goto(f"{somebody.services.rest}{address}")
    other.get_by_role("button", name="Zoom in").click()
    expect(other.locator(".stage.zoomed").first).to_be_visible()
    expect(heading(other)).to_have_text(heading(somebody.page).inner_text())
    expect(somebody.page.locator(".stage.zoomed")).to_have_count(0)


def test_a_picture_that_failed_says_why_and_what_to_do(person: People, axe: Axe) -> None:
    somebody = person()
    files = [("images", ("<b>broken</b>.jpg", b"no picture at all"))]
    batch = somebody.api("POST", "/v1/batches", files=files)
    assert batch.status_code == 202, batch.text
    listed = somebody.api("GET", f"/v1/analyses?batch={batch.json()['id']}").json()
    somebody.goto(f"/analyses/{listed['items'][0]['id']}")
    expect(heading(somebody.page)).to_have_text("The picture cannot be used")
    main = somebody.page.get_by_role("main")
    expect(main).to_contain_text("not a JPEG or PNG")
    expect(main).to_contain_text("<b>broken</b>.jpg")
    expect(main.get_by_role("link", name="What to do about it")).to_be_visible()
    expect(main.get_by_role("link", name="Send another picture")).to_be_visible()
    expect(main.get_by_role("link", name="Report (PDF)")).to_have_count(0)
    axe(somebody.page)
    main.get_by_role("link", name="What to do about it").click()
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/docs/problems#invalid-picture")
