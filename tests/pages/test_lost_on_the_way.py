"""Pages of which a part did not arrive claim nothing that is not there."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.pages.conftest import Person
from tests.pages.results import analyzed

People = Callable[..., Person]

OUTLINED = "Picture with the outline of the lesion"
FILL = "(it) => getComputedStyle(it).fill"


@pytest.mark.parametrize("lost", ["**/mask.png", "**/*.js"])
def test_no_outline_is_claimed_where_none_has_come(person: People, lost: str) -> None:
    somebody = person()
    page = somebody.page
    path = f"/analyses/{analyzed(somebody)['id']}"
    caption = page.locator("figcaption").first
    somebody.goto(path)
    expect(caption).to_have_text(OUTLINED, use_inner_text=True)

    page.route(lost, lambda route: route.abort())
    with page.expect_event("requestfailed"):
        somebody.goto(path)

    expect(caption).to_have_text("Picture", use_inner_text=True)


def test_without_scripts_the_outline_is_there_and_claimed(person: People) -> None:
    somebody = person(java_script_enabled=False)
    somebody.goto(f"/analyses/{analyzed(somebody)['id']}")

    expect(somebody.page.get_by_alt_text("The same with the outline")).to_be_visible()
    caption = somebody.page.locator("figcaption").first
    expect(caption).to_have_text(OUTLINED, use_inner_text=True)


def test_a_picture_that_has_not_come_is_missed(person: People) -> None:
    somebody = person()
    page = somebody.page
    page.route("**/{image,mask.png}", lambda route: route.abort())
    somebody.goto(f"/analyses/{analyzed(somebody)['id']}")

    expect(page.locator(".trouble")).to_contain_text("Could not be loaded: picture, outline.")


def test_without_styles_no_bar_is_full_and_no_drawing_fills_a_page(person: People) -> None:
    somebody = person()
    page = somebody.page
    page.route("**/*.css", lambda route: route.abort())
    somebody.goto(f"/analyses/{analyzed(somebody)['id']}")

    gauge = page.locator(".gauge")
    whole, part = (gauge.locator(each).evaluate(FILL) for each in (".whole", ".part"))
    assert whole != part
    assert page.locator(".outline .line").first.evaluate(FILL) == "none"
    somebody.goto("/analyze")
    region = page.locator("label svg").first.bounding_box()
    assert region is not None
    assert region["height"] < 150
