"""Whoever clicks twice where once is meant, in a real browser."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import APIResponse, Error, Page, Route, expect

from tests.pages.conftest import PASSWORD, Person
from tests.pages.results import analyzed, attached
from tests.pages.test_webhooks import OURS, boss, make, tried_out

__all__ = ["boss"]

People = Callable[..., Person]

TWICE = """button => {
  button.click();
  setTimeout(() => button.click(), 200);
  setTimeout(() => window.clickedTwice(), 400);
}"""


@dataclass
class Held:
    """What two clicks sent, and what came back."""

    sent: list[str] = field(default_factory=list)
    answers: list[tuple[Route, APIResponse]] = field(default_factory=list)

    def hold(self, route: Route) -> None:
        """Let a request through, and keep its answer back."""
        if route.request.method != "POST":
            route.continue_()
            return
        # A second one may be on its way still when the first is answered.
        self.sent.append(route.request.url)
        self.answers.append((route, route.fetch(max_redirects=0)))

    def statuses(self) -> list[int]:
        """Of all answers."""
        return [answer.status for _, answer in self.answers]


def clicked_twice(page: Page, where: str, button: str) -> Held:
    """Click twice on a button that sends a form; the answer comes after the second click.

    In the page itself: clicks from outside would wait for the answer to the first one.
    """
    held = Held()
    clicked: list[bool] = []
    page.expose_function("clickedTwice", lambda: clicked.append(True))
    page.route(where, held.hold)
    page.get_by_role("main").get_by_role("button", name=button).evaluate(TWICE)
    while not (clicked and held.answers):
        page.wait_for_timeout(10)
    for route, answer in held.answers:
        with suppress(Error):  # of one that the browser has given up
            route.fulfill(response=answer)
    return held


@pytest.mark.parametrize("kind", ["analyses", "lesions", "patients"])
def test_two_clicks_on_a_removal_remove_once_and_lead_to_a_calm_page(
    person: People, kind: str
) -> None:
    """The second comes when the first has removed it and its answer is still on its way."""
    somebody = person()
    lesion = attached(somebody, identifier="made up 9")
    made = analyzed(somebody, None, **lesion)
    removed = {"analyses": made["id"], "lesions": lesion["lesion"], "patients": made["patient"]}
    led_to = {"lesions": f"patients/{made['patient']}"}.get(kind, kind)
    page = somebody.page
    somebody.goto(f"/{kind}/{removed[kind]}/remove")

    held = clicked_twice(page, f"**/{removed[kind]}/remove?*", "Remove")

    expect(page).to_have_url(f"{somebody.services.rest}/{led_to}")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Not found")
    assert len(held.sent) == 1
    assert held.statuses() == [303]
    assert somebody.api("GET", f"/v1/{kind}/{removed[kind]}").status_code == 404


def test_two_clicks_on_the_removal_of_a_webhook_remove_once_and_say_so(boss: People) -> None:
    somebody = boss()
    page = somebody.page
    make(somebody, "http://127.0.0.1:9/hook", "clicked away")
    tried_out(page)
    page.get_by_role("link", name="Remove …").click()
    page.wait_for_url("**/remove")

    held = clicked_twice(page, "**/remove?*", "Remove")

    expect(page.get_by_role("status")).to_contain_text("removed")
    assert len(held.sent) == 1
    assert held.statuses() == [303]


def test_two_clicks_make_one_webhook_and_its_secret_is_shown(boss: People) -> None:
    somebody = boss()
    page = somebody.page
    somebody.goto("/admin/webhooks")
    page.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    page.get_by_label("What it is (optional)").fill("clicked twice")

    held = clicked_twice(page, "**/admin/webhooks?page_of=*", "Make the webhook")

    expect(page.locator("#secret")).to_be_visible()
    assert len(held.sent) == 1
    expect(page.get_by_role("link", name="clicked twice")).to_have_count(1)


def test_two_clicks_make_one_key_and_it_is_shown(admin: People) -> None:
    somebody = admin()
    page = somebody.page
    service = {"username": "clicked.twice", "password": PASSWORD, "role": "service"}
    made = somebody.api("POST", "/v1/users", json=service, headers=OURS)
    assert made.status_code == 201, made.text
    somebody.goto("/admin/keys")
    page.get_by_label("Service").select_option(made.json()["id"])
    page.get_by_label("Name").fill("clicked twice")
    page.get_by_label("records:read").check()

    held = clicked_twice(page, "**/admin/keys?page_of=*", "Make the key")

    expect(page.locator("#key")).to_be_visible()
    assert len(held.sent) == 1


def test_two_clicks_make_one_patient_and_lead_to_it(person: People) -> None:
    somebody = person()
    page = somebody.page
    somebody.goto("/patients/new")
    page.get_by_label("Number").fill("two clicks")
    page.get_by_label("Name").fill("Clicked Twice")

    held = clicked_twice(page, "**/patients?page_of=*", "Keep")

    expect(page.get_by_role("heading", level=1)).to_have_text("Clicked Twice")
    assert len(held.sent) == 1
    assert held.statuses() == [303]


def test_two_clicks_make_one_lesion_and_lead_to_it(person: People) -> None:
    somebody = person()
    page = somebody.page
    made = somebody.api("POST", "/v1/patients", json={"identifier": "twice"}, headers=OURS)
    somebody.goto(f"/patients/{made.json()['id']}")
    page.get_by_text("New lesion").click()
    page.get_by_label("Body site").select_option("palms/soles")

    held = clicked_twice(page, "**/lesions?page_of=*", "Keep the lesion")

    expect(page.get_by_role("heading", level=1)).to_have_text("Palms/soles")
    assert len(held.sent) == 1
    assert held.statuses() == [303]


def test_two_clicks_make_one_account(admin: People) -> None:
    somebody = admin()
    page = somebody.page
    somebody.goto("/admin/users")
    page.get_by_label("Username").fill("made.by.two.clicks")
    page.get_by_label("First password").fill(PASSWORD)

    held = clicked_twice(page, "**/admin/users?page_of=*", "Make the account")

    made = page.get_by_role("listitem").filter(has_text="made.by.two.clicks")
    expect(made).to_have_count(1)
    assert len(held.sent) == 1
    assert held.statuses() == [303]


def test_two_clicks_send_a_message_again_once(boss: People) -> None:
    somebody = boss()
    page = somebody.page
    make(somebody, "http://127.0.0.1:9/hook", "sent again")
    tried_out(page)
    page.get_by_role("button", name="Send a test message").click()
    expect(page.get_by_role("status")).to_contain_text("on its way")

    held = clicked_twice(page, "**/replay?*", "Send again")

    expect(page.get_by_role("status")).to_contain_text("sent again")
    assert len(held.sent) == 1
    assert held.statuses() == [303]


def test_two_clicks_on_an_assessment_keep_it_once(person: People) -> None:
    somebody = person()
    page = somebody.page
    somebody.goto(f"/analyses/{analyzed(somebody)['id']}")

    held = clicked_twice(page, "**/assessment?*", "I agree")

    expect(page.locator("#assessment")).to_contain_text("Agrees:")
    assert len(held.sent) == 1
    assert held.statuses() == [303]


def test_two_clicks_end_a_sign_in_once(person: People) -> None:
    somebody = person()
    page = somebody.page
    other: dict[str, str | float | bool]
    other = {"username": somebody.username, "password": PASSWORD}
    somebody.context.request.post(f"{somebody.services.rest}/v1/auth/token", form=other)
    somebody.goto("/account")

    held = clicked_twice(page, "**/end?*", "End")

    expect(page.get_by_text("Another browser or program")).to_have_count(0)
    assert len(held.sent) == 1
    assert held.statuses() == [303]


def test_a_form_on_its_way_says_so_until_somebody_comes_back_to_it(boss: People) -> None:
    somebody = boss()
    page = somebody.page
    somebody.goto("/admin/webhooks")
    form = page.locator("main form")
    # It stays: what is looked at is the page that has sent it.
    form.evaluate("form => addEventListener('submit', event => event.preventDefault())")
    page.get_by_label("Address").fill("http://127.0.0.1:9/hook")

    # Looked at from within: seen from outside, it might have given up waiting by itself.
    sent, back = form.evaluate("""form => {
      form.querySelector("button").click();
      const sent = form.getAttribute("aria-busy");
      dispatchEvent(new PageTransitionEvent("pageshow", {persisted: true}));
      return [sent, form.getAttribute("aria-busy")];
    }""")

    assert sent == "true"
    assert back is None


def test_a_form_that_went_nowhere_can_be_sent_again_ten_seconds_later(boss: People) -> None:
    somebody = boss()
    page = somebody.page
    page.clock.install()
    somebody.goto("/admin/webhooks")
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    form = page.locator("main form")
    form.evaluate("form => addEventListener('submit', event => event.preventDefault())")
    page.get_by_label("Address").fill("http://127.0.0.1:9/hook")
    page.get_by_role("button", name="Make the webhook").click()

    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: false}))")
    page.clock.run_for(9_999)
    expect(form).to_have_attribute("aria-busy", "true")
    page.clock.run_for(1)
    expect(form).not_to_have_attribute("aria-busy", "true")
