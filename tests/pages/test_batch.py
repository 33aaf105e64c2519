"""A batch, followed while it is analyzed."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import APIResponse, Route, expect

from tests.pages.batches import PICTURES, at_a_standstill, send
from tests.pages.conftest import PATIENCE_MS, Person
from tests.stack import Stack

People = Callable[..., Person]

_HEARD = """window.EventSource = class extends EventSource {
  constructor(...all) {
    super(...all);
    this.addEventListener("batch.finished", () => {
      document.documentElement.dataset.heard = "yes";
    });
  }
};"""
"""Notes that the page itself was told that its batch has finished."""

_SILENT = "window.EventSource = class extends EventTarget { close() {} };"
"""Has connections for events seem to hold, and say nothing."""

_CONNECTIONS = 6
"""So many a browser keeps to a host."""

_OUT_OF_SIGHT = """() => {
  Object.defineProperty(document, "hidden", { value: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
"""Tells a page that it is in the background: to a browser without a window all are in front."""


def test_a_batch_is_followed_without_loading_the_page_again(
    person: People, services: Stack
) -> None:
    somebody = person()
    page = somebody.page
    with at_a_standstill(services):
        path = send(somebody, *PICTURES)
        somebody.goto(path)
        expect(page.get_by_text("0 of 3 done.")).to_be_visible()
        page.evaluate("window.stayed = true")

    # What was at work when all stood still is tried again some seconds later.
    expect(page.get_by_text("All done.", exact=True)).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_js_property("value", 3)
    assert page.evaluate("window.stayed")
    expect(page.get_by_role("link", name="Report (PDF)")).to_be_visible()
    expect(page.get_by_text("Waits")).to_have_count(0)


def test_what_ends_while_the_page_is_read_again_is_shown_too(
    person: People, services: Stack
) -> None:
    somebody = person()
    page = somebody.page
    page.add_init_script(_HEARD)
    held: list[tuple[Route, APIResponse]] = []

    def hold_the_first(route: Route) -> None:
        if route.request.resource_type != "fetch" or held:
            route.continue_()
        else:
            held.append((route, route.fetch()))

    with at_a_standstill(services):
        path = send(somebody, *PICTURES)
        page.route(f"**{path}", hold_the_first)
        somebody.goto(path)
        until = time.monotonic() + PATIENCE_MS / 1000
        while not held:
            assert time.monotonic() < until
            page.wait_for_timeout(10)
    expect(page.locator("html[data-heard]")).to_be_attached()
    ((route, answer),) = held
    assert "0 of 3 done." in answer.text()
    route.fulfill(response=answer)

    expect(page.get_by_text("All done.", exact=True)).to_be_visible()


def test_a_lost_connection_loses_nothing_of_what_happened_meanwhile(
    person: People, services: Stack
) -> None:
    somebody = person()
    with at_a_standstill(services):
        path = send(somebody, *PICTURES)
        somebody.goto(path)
        expect(somebody.page.get_by_text("0 of 3 done.")).to_be_visible()
        somebody.context.set_offline(True)
    elsewhere = somebody.api("GET", f"/v1{path}").json()
    while not elsewhere["finished"]:
        elsewhere = somebody.api("GET", f"/v1{path}").json()
    expect(somebody.page.get_by_text("0 of 3 done.")).to_be_visible()

    somebody.context.set_offline(False)

    expect(somebody.page.get_by_text("All done.", exact=True)).to_be_visible()


def test_a_page_that_hears_nothing_looks_now_and_then(person: People, services: Stack) -> None:
    somebody = person()
    page = somebody.page
    page.clock.install()
    page.add_init_script(_SILENT)
    with at_a_standstill(services):
        path = send(somebody, *PICTURES)
        somebody.goto(path)
        expect(page.get_by_text("0 of 3 done.")).to_be_visible()
    while not somebody.api("GET", f"/v1{path}").json()["finished"]:
        pass
    page.clock.fast_forward(15_000)

    expect(page.get_by_text("All done.", exact=True)).to_be_visible()


def test_pages_that_nobody_sees_keep_nobody_from_the_others(
    person: People, services: Stack
) -> None:
    somebody = person()
    with at_a_standstill(services):
        path = send(somebody, *PICTURES)
        for _ in range(_CONNECTIONS):
            with somebody.page.expect_response("**/v1/events"):
                somebody.goto(path)
            somebody.page.evaluate(_OUT_OF_SIGHT)
            somebody.page = somebody.context.new_page()
        somebody.goto(path)

        expect(somebody.page.get_by_text("0 of 3 done.")).to_be_visible()


def test_a_batch_that_is_removed_while_it_is_looked_at_is_gone(
    person: People, services: Stack
) -> None:
    somebody = person()
    with at_a_standstill(services):
        path = send(somebody, *PICTURES)
        somebody.goto(path)
        expect(somebody.page.get_by_text("0 of 3 done.")).to_be_visible()
        headers = {"Sec-Fetch-Site": "same-origin"}
        assert somebody.api("DELETE", f"/v1{path}", headers=headers).status_code == 204

        expect(somebody.page.get_by_role("heading", name="Batch")).to_have_count(0)
    expect(somebody.page.get_by_text("There is no batch of this id")).to_be_visible()


def test_what_fails_while_one_looks_at_the_failed_ones_stands_where_it_came(
    person: People, services: Stack
) -> None:
    somebody = person()
    names = somebody.page.locator("#pictures h3")
    with at_a_standstill(services):
        path = send(somebody, *PICTURES * 2, b"no picture", *PICTURES * 2)
        somebody.goto(f"{path}?status=failed")
        expect(names).to_have_text(["picture 6.jpg"])
        headers = {"Sec-Fetch-Site": "same-origin"}
        assert somebody.api("POST", f"/v1{path}/cancel", headers=headers).is_success

        expect(names.last).to_have_text("picture 12.jpg")
    shown = [int(re.sub(r"\D", "", name)) for name in names.all_inner_texts()]
    assert shown == sorted(shown)
    assert len(shown) > 6


def test_a_page_that_cannot_be_brought_up_to_date_says_so(person: People, services: Stack) -> None:
    somebody = person()
    said = somebody.page.get_by_text("This may be out of date")
    with at_a_standstill(services):
        somebody.goto(send(somebody, *PICTURES))
        expect(somebody.page.get_by_text("0 of 3 done.")).to_be_visible()
        expect(said).to_be_hidden()
        somebody.context.set_offline(True)
        expect(said).to_be_visible()
        somebody.context.set_offline(False)
        expect(said).to_be_hidden()
    expect(somebody.page.get_by_text("All done.", exact=True)).to_be_visible()
    somebody.context.set_offline(True)
    somebody.page.evaluate("new Promise((later) => setTimeout(later, 1_500))")  # twice its pause
    expect(said).to_be_hidden()


def test_what_has_become_of_a_batch_is_said_to_who_cannot_see_it(
    person: People, services: Stack
) -> None:
    somebody = person()
    with at_a_standstill(services):
        somebody.goto(send(somebody, PICTURES[0], b"no picture"))

    expect(somebody.page.locator("#announced")).to_have_text("All done. 1 analyzed, 1 failed.")
