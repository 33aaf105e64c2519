"""What a clinician says of a result, by the form beside it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Person
from tests.pages.results import analyzed
from tests.pages.test_history import HOSTILE, OURS

People = Callable[..., Person]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_clinician_agrees_changes_their_mind_and_withdraws(
    person: People, *, scripts: bool
) -> None:
    somebody = person(java_script_enabled=scripts)
    path = f"/analyses/{analyzed(somebody)['id']}"
    somebody.goto(path)
    page = somebody.page

    page.get_by_role("button", name="I agree").click()
    said = page.locator("#assessment .message")
    expect(said).to_contain_text("Agrees")
    expect(said).to_contain_text(somebody.username)

    page.get_by_text("Change the assessment").click()
    page.get_by_label("I take it for").select_option("df")
    page.get_by_label("Why").fill("")
    page.get_by_role("button", name="Change it").click()
    expect(page.get_by_role("alert")).to_contain_text("say why you do not agree")
    expect(page.get_by_label("I take it for")).to_have_value("df")
    page.get_by_label("Why").fill(HOSTILE)
    page.get_by_role("button", name="Change it").click()
    expect(said).to_contain_text("{{ 7 * 7 }}")
    expect(said).to_contain_text("Dermatofibroma")

    page.get_by_role("button", name="Withdraw it").click()
    expect(said).to_have_count(0)


def test_who_saw_an_older_one_is_shown_both(person: People, axe: Callable[[Page], None]) -> None:
    somebody = person()
    made = analyzed(somebody)
    somebody.goto(f"/analyses/{made['id']}")
    elsewhere = {"verdict": "mel", "reason": "Seen in another tab."}
    somebody.api(
        "PUT",
        f"/v1/analyses/{made['id']}/assessment",
        json=elsewhere,
        headers=OURS | {"If-None-Match": "*"},
    )
    page = somebody.page

    page.get_by_text("Say something else").click()
    page.get_by_label("I take it for").select_option("bkl")
    page.get_by_label("Why").fill("Mine.")
    page.get_by_role("button", name="Keep it").click()

    expect(page.get_by_role("alert")).to_contain_text("changed since you saw it")
    expect(page.get_by_text("Seen in another tab.")).to_be_visible()
    expect(page.get_by_label("Why")).to_have_value("Mine.")
    axe(page)
    page.get_by_role("button", name="Change it").click()
    expect(page.locator("#assessment .message")).to_contain_text("Mine.")


def test_what_is_half_written_stays_when_the_session_ends_meanwhile(person: People) -> None:
    somebody = person()
    somebody.goto(f"/analyses/{analyzed(somebody)['id']}")
    somebody.page.get_by_text("Say something else").click()
    reason = somebody.page.get_by_label("Why")
    reason.fill("half of a sentence")
    somebody.api("POST", "/sign-out", headers={"Sec-Fetch-Site": "same-origin"})

    somebody.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    expect(somebody.page.locator("#ended")).to_be_visible()
    expect(reason).to_have_value("half of a sentence")
