"""What happens to a list of pictures when something comes in between."""

import itertools
import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.pages.conftest import PASSWORD, Person
from tests.pages.sending import analyses, choose, picture, pictures, row, send

People = Callable[..., Person]
SESSION = "__Host-dermserve-session"


@pytest.fixture
def sender(person: People) -> Person:
    """Somebody at the page."""
    somebody = person()
    somebody.goto("/analyze")
    return somebody


def finished(sender: Person, count: int) -> None:
    """See that so many are done."""
    expect(sender.page.locator("#summary")).to_have_text(f"{count} done", timeout=120_000)


def remembered(sender: Person) -> None:
    """Have the page remember all that it says of its pictures, however briefly."""
    sender.page.evaluate("""() => {
        window.said = "";
        const list = document.getElementById("list");
        new MutationObserver(() => (window.said += list.textContent))
            .observe(list, { subtree: true, childList: true, characterData: true });
    }""")


def test_pictures_go_on_when_the_network_is_back_each_analyzed_once(sender: Person) -> None:
    choose(sender, *pictures(6))
    expect(sender.page.locator("#send")).to_have_text("Analyze 6 pictures")
    sender.context.set_offline(True)
    send(sender)
    expect(row(sender, "lesion 1.jpg").locator(".state")).to_contain_text("No connection")
    sender.context.set_offline(False)
    finished(sender, 6)
    assert len(analyses(sender)) == 6


def test_a_picture_whose_answer_was_lost_is_not_analyzed_twice(sender: Person) -> None:
    lost = itertools.count()

    def lose_the_first(route: Route) -> None:
        if next(lost):
            route.continue_()
            return
        route.fetch()
        route.abort()

    sender.page.route("**/v1/analyses", lose_the_first)
    choose(sender, picture())
    send(sender)
    finished(sender, 1)
    assert next(lost) > 1
    assert len(analyses(sender)) == 1


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_what_is_refused_for_now_is_tried_again_when_it_may(sender: Person, status: int) -> None:
    asked = itertools.count()

    def refuse_the_first(route: Route) -> None:
        if next(asked):
            route.continue_()
        else:
            problem = {"type": "/docs/problems#unavailable", "detail": "Busy."}
            route.fulfill(status=status, headers={"Retry-After": "1"}, json=problem)

    sender.page.route("**/v1/analyses", refuse_the_first)
    remembered(sender)
    choose(sender, picture())
    send(sender)
    finished(sender, 1)
    assert "busy" in sender.page.evaluate("window.said")
    assert len(analyses(sender)) == 1


def test_a_picture_that_nobody_takes_or_answers_is_sent_again(sender: Person) -> None:
    sender.page.clock.install()
    sender.page.reload()
    held = threading.Event()
    asked = itertools.count()

    def hold_the_first(route: Route) -> None:
        if next(asked):
            route.continue_()
        else:
            held.set()

    sender.page.route("**/v1/analyses", hold_the_first)
    choose(sender, picture())
    expect(row(sender, "lesion.jpg").locator(".state")).to_have_text("Ready")
    with sender.page.expect_request("**/v1/analyses"):
        send(sender)
    sender.page.clock.fast_forward(29_000)
    expect(row(sender, "lesion.jpg").locator(".state")).not_to_contain_text("No connection")
    sender.page.clock.fast_forward(2_000)
    finished(sender, 1)
    assert held.is_set()
    assert len(analyses(sender)) == 1


def test_a_page_that_is_loaded_anew_in_the_middle_makes_nothing_twice(sender: Person) -> None:
    for _ in range(2):
        choose(sender, *pictures(3))
        expect(sender.page.locator("#send")).to_have_text("Analyze 3 pictures")
        send(sender)
        finished(sender, 3)
        sender.page.reload()
    assert len(analyses(sender)) == 3


def test_what_scripts_keep_names_neither_picture_nor_patient(sender: Person) -> None:
    sender.page.get_by_label("Patient name").fill("Nobody, Anna")
    choose(sender, picture(name="anna.jpg"))
    send(sender)
    finished(sender, 1)
    kept = sender.page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])").lower()
    assert "analyze:" in kept
    assert "anna" not in kept
    assert "nobody" not in kept


def test_a_session_that_ends_in_the_middle_keeps_the_list_and_goes_on_after_signing_in(
    sender: Person,
) -> None:
    choose(sender, *pictures(3))
    expect(sender.page.locator("#send")).to_have_text("Analyze 3 pictures")
    sender.api("POST", "/sign-out")
    send(sender)
    expect(sender.page.get_by_role("alert")).to_contain_text("Your pictures are still here")
    sender.page.get_by_role("button", name="Continue").click()
    expect(sender.page.locator("#still-expired")).to_contain_text("still signed out")

    with sender.context.expect_page() as opened:
        sender.page.get_by_role("link", name="Sign in in a new tab").click()
    tab = opened.value
    tab.get_by_label("Username").fill(sender.username)
    tab.get_by_label("Password").fill(PASSWORD)
    tab.get_by_role("button", name="Sign in").click()
    expect(tab).to_have_url(f"{sender.services.rest}/account")
    tab.close()

    sender.page.get_by_role("button", name="Continue").click()
    finished(sender, 3)
    expect(sender.page.locator("#expired")).to_be_hidden()
    assert len(analyses(sender)) == 3


def test_pictures_do_not_go_on_for_somebody_else_who_signed_in(
    sender: Person, person: People
) -> None:
    choose(sender, picture())
    expect(row(sender, "lesion.jpg").locator(".state")).to_have_text("Ready")
    sender.api("POST", "/sign-out")
    send(sender)
    expect(sender.page.get_by_role("alert")).to_contain_text("Your pictures are still here")
    other = person()
    (theirs,) = [each["value"] for each in other.context.cookies() if each["name"] == SESSION]
    sender.context.add_cookies(
        [
            {
                "name": SESSION,
                "value": theirs,
                "domain": "127.0.0.1",
                "path": "/",
                "secure": True,
            }
        ]
    )
    sender.page.get_by_role("button", name="Continue").click()
    expect(sender.page.locator("#still-expired")).to_contain_text(f"signed in as {other.username}")
    assert analyses(other) == []


def test_results_are_told_by_events_and_found_again_when_these_break_off(sender: Person) -> None:
    streams = itertools.count()
    let_go = threading.Event()

    def break_off_the_first(route: Route) -> None:
        if next(streams):
            let_go.set()
            route.continue_()
        else:
            route.fulfill(status=503, body="")

    sender.page.route("**/v1/events", break_off_the_first)
    looked = itertools.count()

    def nothing_yet(route: Route) -> None:
        answer = route.fetch()
        found = answer.json()
        # As if it took until the events are there again.
        if next(looked) < 1 or not let_go.is_set():
            found |= {"status": "running"}
        route.fulfill(response=answer, json=found)

    sender.page.route("**/v1/analyses/*", nothing_yet)
    choose(sender, picture())
    send(sender)
    finished(sender, 1)
    assert let_go.is_set()


def test_the_back_button_leads_back_to_an_empty_form_and_nothing_is_sent_again(
    sender: Person,
) -> None:
    choose(sender, picture())
    send(sender)
    finished(sender, 1)
    row(sender, "lesion.jpg").get_by_role("link", name="Open").click()
    expect(sender.page).not_to_have_url(f"{sender.services.rest}/analyze")
    sender.page.go_back()
    expect(sender.page.locator("#send")).to_have_text("Analyze")
    assert len(analyses(sender)) == 1


def test_two_tabs_send_beside_each_other(sender: Person) -> None:
    other = Person(sender.services, sender.context, sender.context.new_page(), sender.username)
    other.goto("/analyze")
    for somebody, each in zip((sender, other), pictures(2), strict=True):
        choose(somebody, each)
        send(somebody)
    finished(sender, 1)
    finished(other, 1)
    assert len(analyses(sender)) == 2


def test_pictures_of_one_are_not_sent_as_those_of_another_who_signed_in_in_another_tab(
    sender: Person,
) -> None:
    sender.page.get_by_label("Patient name").fill("Made Up")
    choose(sender, picture())
    expect(row(sender, "lesion.jpg").locator(".state")).to_have_text("Ready")
    enter(sender, "/sign-up", other := f"{sender.username}.next")
    send(sender)
    expect(sender.page.get_by_role("alert")).to_contain_text("Somebody else has signed in")
    sender.page.get_by_role("button", name="Continue").click()
    expect(sender.page.locator("#still-expired")).to_contain_text(f"signed in as {other}")
    assert analyses(sender) == []

    enter(sender, "/sign-in", sender.username)
    sender.page.get_by_role("button", name="Continue").click()
    finished(sender, 1)
    assert len(analyses(sender)) == 1


def test_a_form_of_one_is_not_taken_for_another_who_signed_in_in_another_tab(
    person: People,
) -> None:
    sender = person(java_script_enabled=False)
    sender.goto("/analyze")
    sender.page.get_by_label("Patient name").fill("Made Up")
    sender.page.locator("#image").set_input_files([picture()])
    enter(sender, "/sign-up", f"{sender.username}.next")
    sender.page.locator("#send").click()
    expect(sender.page.get_by_role("heading", level=1)).to_have_text("Somebody else has signed in")
    expect(sender.page.get_by_role("main")).to_contain_text("Nothing was changed")
    assert analyses(sender) == []


def enter(somebody: Person, path: str, username: str) -> None:
    """Sign in, or up, in another tab of the same browser."""
    form: dict[str, str | float | bool] = {"username": username, "password": PASSWORD}
    address = f"{somebody.services.rest}{path}"
    answer = somebody.context.request.post(address, form=form, max_redirects=0)
    assert answer.status == 303, answer.text()
