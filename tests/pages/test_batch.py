"""A batch: followed while it is analyzed, with what failed and why, and its report."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests import specimens
from tests.pages.conftest import PATIENCE_MS, Person
from tests.stack import Stack

People = Callable[..., Person]
PICTURES = [specimens.lesion_jpeg((320, 240), seed=seed) for seed in range(3)]

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


@contextlib.contextmanager
def at_a_standstill(services: Stack) -> Iterator[None]:
    """Let nothing be analyzed."""
    pid = services.processes["inference"].pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def send(somebody: Person, *contents: bytes) -> str:
    files = [("images", (f"picture {n}.jpg", each)) for n, each in enumerate(contents)]
    headers = {"Sec-Fetch-Site": "same-origin"}
    answer = somebody.api("POST", "/v1/batches", files=files, headers=headers)
    assert answer.status_code == 202, answer.text
    return f"/batches/{answer.json()['id']}"


def done(somebody: Person, path: str) -> None:
    """Look at a batch until it is finished."""
    somebody.goto(path)
    expect(somebody.page.get_by_text("All done.")).to_be_visible()


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
    expect(page.get_by_text("All done.")).to_be_visible()
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

    expect(page.get_by_text("All done.")).to_be_visible()


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

    expect(somebody.page.get_by_text("All done.")).to_be_visible()


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

    expect(page.get_by_text("All done.")).to_be_visible()


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


def test_names_from_right_to_left_and_of_markup_are_shown_as_names(person: People) -> None:
    somebody = person()
    names = ["<b>x</b>.jpg", "تجربة.jpg", "a" * 200 + ".jpg"]
    files = [("images", (name, PICTURES[0])) for name in names]
    headers = {"Sec-Fetch-Site": "same-origin"}
    made = somebody.api("POST", "/v1/batches", files=files, headers=headers).json()

    done(somebody, f"/batches/{made['id']}")

    for name in names:
        expect(somebody.page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert somebody.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_failed_says_why_and_the_others_are_there(person: People) -> None:
    somebody = person()
    page = somebody.page
    done(somebody, send(somebody, PICTURES[0], b"no picture", PICTURES[1]))

    expect(page.get_by_role("listitem").filter(has_text="picture 1.jpg")).to_contain_text(
        "not a JPEG or PNG"
    )
    expect(page.get_by_role("link", name="picture 0.jpg")).to_be_visible()
    page.get_by_role("link", name="Failed (1)").click()
    expect(page.get_by_role("link", name="picture 0.jpg")).to_have_count(0)
    expect(page.get_by_text("picture 1.jpg")).to_be_visible()


@pytest.mark.parametrize(("name", "language"), [("Report (PDF)", "en"), ("Bericht (PDF)", "de")])
def test_the_report_is_one_click_away(person: People, name: str, language: str) -> None:
    somebody = person()
    done(somebody, send(somebody, PICTURES[0]))
    address = somebody.page.get_by_role("link", name=name).get_attribute("href")

    answer = somebody.context.request.get(f"{somebody.services.rest}{address}")

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-language"] == language


@pytest.mark.parametrize("scripts", [True, False])
def test_what_waits_can_be_cancelled(person: People, services: Stack, *, scripts: bool) -> None:
    somebody = person(java_script_enabled=scripts)
    page = somebody.page
    with at_a_standstill(services):
        somebody.goto(send(somebody, *PICTURES * 8))
        page.get_by_role("button", name="Cancel what waits").click()
        expect(page.get_by_role("button", name="Cancel what waits")).to_have_count(0)
    expect(page.get_by_text("was cancelled before").first).to_be_visible()


def test_many_pictures_are_shown_page_by_page(person: People) -> None:
    somebody = person()
    done(somebody, send(somebody, *[PICTURES[0]] * 26))

    somebody.page.get_by_role("link", name="More pictures").click()

    expect(somebody.page.get_by_role("link", name="picture 25.jpg")).to_be_visible()
    expect(somebody.page.get_by_role("link", name="picture 0.jpg")).to_have_count(0)


def test_the_page_of_a_batch_keeps_nobody_out(
    person: People, services: Stack, axe: Callable[[Page], None]
) -> None:
    somebody = person()
    with at_a_standstill(services):
        path = send(somebody, PICTURES[0], b"no picture")
        somebody.goto(path)
        axe(somebody.page)
    done(somebody, path)
    axe(somebody.page)
