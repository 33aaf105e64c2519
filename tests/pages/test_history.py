"""The history: narrowed, sorted and paged by plain links and forms."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Person
from tests.pages.results import analyzed

People = Callable[..., Person]
OURS = {"Sec-Fetch-Site": "same-origin"}
HOSTILE = "</a><script>alert(1)</script> \u202e\u05e9\u05dc\u05d5\u05dd 'x' {{ 7 * 7 }}"


def lists(page: Page, *ids: str) -> None:
    """See that these are listed, in this order."""
    links = page.locator("li.analysis > a")
    expect(links).to_have_count(len(ids))
    for place, each in enumerate(ids):
        expect(links.nth(place)).to_have_attribute("href", f"/analyses/{each}")


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def somebody(person: People, request: pytest.FixtureRequest) -> Person:
    return person(java_script_enabled=request.param)


def test_the_history_is_narrowed_and_the_back_button_goes_back(somebody: Person) -> None:
    arm = analyzed(somebody, patient_id="made up 7", body_site="left arm")
    leg = analyzed(somebody, patient_id=HOSTILE[:60], body_site=HOSTILE)
    somebody.goto("/analyses")
    page = somebody.page
    lists(page, leg["id"], arm["id"])

    page.get_by_label("Patient's number").fill("made up 7")
    page.get_by_role("button", name="Show").click()
    lists(page, arm["id"])
    expect(page.get_by_label("Patient's number")).to_have_value("made up 7")
    page.go_back()
    lists(page, leg["id"], arm["id"])

    page.get_by_label("Body site").fill(HOSTILE)
    page.get_by_label("Sort by").select_option("Oldest first")
    page.get_by_role("button", name="Show").click()
    lists(page, leg["id"])
    expect(page.locator("li.analysis")).to_contain_text("{{ 7 * 7 }}")
    page.get_by_role("link", name="Show all").first.click()
    page.get_by_label("To").fill("1999-12-31")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("No analysis is like that.")).to_be_visible()


def test_pages_of_the_history_go_on_where_the_one_before_ended(person: People) -> None:
    somebody = person()
    made = [analyzed(somebody)["id"] for _ in range(26)]
    somebody.goto("/analyses?sort=created_at")
    page = somebody.page

    lists(page, *made[:24])
    page.get_by_role("link", name="Next page").click()
    lists(page, *made[24:])
    page.get_by_role("link", name="First page").click()
    lists(page, *made[:24])


def test_what_cannot_be_asked_for_is_said_and_the_newest_are_shown(person: People) -> None:
    somebody = person()
    made = analyzed(somebody)

    for query in ("label=melanoma", "since=yesterday", "cursor=nonsense", "sort=note"):
        answer = somebody.page.goto(f"{somebody.services.rest}/analyses?{query}")
        assert answer is not None
        assert answer.status == 422
        expect(somebody.page.get_by_role("alert")).to_be_visible()
        lists(somebody.page, made["id"])


def test_an_analysis_that_was_removed_in_another_tab_is_a_page_that_says_so(
    person: People,
) -> None:
    somebody = person()
    made = analyzed(somebody)
    somebody.goto("/analyses")
    somebody.api("DELETE", f"/v1/analyses/{made['id']}", headers=OURS)

    somebody.page.locator("li.analysis > a").click()

    expect(somebody.page.get_by_role("heading", name="Not found")).to_be_visible()
    somebody.page.get_by_role("link", name="To the history").click()
    expect(somebody.page.get_by_text("There is nothing yet.")).to_be_visible()


def test_the_history_keeps_nobody_out(person: People, axe: Callable[[Page], None]) -> None:
    somebody = person()
    analyzed(somebody, patient_id="made up 8", patient_name=HOSTILE, body_site="head/neck")
    analyzed(somebody)
    somebody.goto("/analyses")
    axe(somebody.page)
