"""What goes wrong is a page for people, and a problem for programs."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from tests.pages.conftest import Person
from tests.stack import Stack

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_there_is_a_way_on_from_an_address_where_nothing_is(
    visitor: Callable[..., Person],
) -> None:
    somebody = visitor()
    somebody.goto("/nowhere")
    expect(somebody.page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    somebody.page.get_by_role("link", name="Home").first.click()
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/")


def test_who_may_not_see_a_page_is_told_who_can_change_that(person: Callable[..., Person]) -> None:
    somebody = person()
    somebody.goto("/admin")
    said = somebody.page.get_by_role("main")
    expect(said).to_contain_text("Your role, clinician, does not allow this")
    expect(said).to_contain_text("An administrator can give you another role.")


@pytest.mark.parametrize(
    ("path", "status"), [("/nowhere", 404), ("/sign-in?next=elsewhere", 422), ("/v1/nowhere", 404)]
)
def test_who_asks_for_html_gets_a_page_with_the_same_status(
    services: Stack, path: str, status: int
) -> None:
    page = httpx.get(f"{services.rest}{path}", headers=BROWSER, timeout=60)
    problem = httpx.get(f"{services.rest}{path}", timeout=60)
    assert page.status_code == problem.status_code == status
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert problem.headers["content-type"] == "application/problem+json"
    assert page.headers["x-request-id"] in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_who_is_signed_out_is_led_to_the_form_and_not_led_in_circles(services: Stack) -> None:
    led = httpx.get(f"{services.rest}/account", headers=BROWSER, follow_redirects=True, timeout=60)
    assert [step.status_code for step in led.history] == [303]
    assert led.status_code == 200
    assert led.url.path == "/sign-in"
