"""Whoever clicks twice where once is meant, in a real browser."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import APIResponse, Error, Route, expect

from tests.pages.conftest import Person
from tests.pages.results import analyzed, attached

People = Callable[..., Person]

TWICE = """button => {
  button.click();
  setTimeout(() => button.click(), 200);
  setTimeout(() => window.clickedTwice(), 400);
}"""


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
    answers: list[tuple[Route, APIResponse]] = []
    clicked: list[bool] = []

    def hold(route: Route) -> None:
        answers.append((route, route.fetch(max_redirects=0)))

    page = somebody.page
    page.expose_function("clickedTwice", lambda: clicked.append(True))
    page.route(f"**/{removed[kind]}/remove?*", hold)
    somebody.goto(f"/{kind}/{removed[kind]}/remove")
    # In the page itself: clicks from outside would wait for the answer to the first one.
    page.get_by_role("main").get_by_role("button", name="Remove").evaluate(TWICE)
    while not (clicked and answers):
        page.wait_for_timeout(10)
    for route, answer in answers:
        with suppress(Error):  # of one that the browser has given up
            route.fulfill(response=answer)

    expect(page).to_have_url(f"{somebody.services.rest}/{led_to}")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Not found")
    assert [answer.status for _, answer in answers] == [303]
    assert somebody.api("GET", f"/v1/{kind}/{removed[kind]}").status_code == 404
