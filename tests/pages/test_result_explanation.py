"""What spoke for the label: as colours over the picture, with what they mean, or beside it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Person
from tests.pages.results import analyzed


@pytest.fixture
def page(person: Callable[..., Person]) -> Page:
    """A result with all its layers."""
    somebody = person()
    somebody.goto(f"/analyses/{analyzed(somebody)['id']}")
    expect(somebody.page.locator("#viewer[data-layers=loaded]")).to_be_visible()
    return somebody.page


def test_what_the_colours_mean_is_said_while_the_explanation_is_shown(page: Page) -> None:
    caption = page.locator(".pane").first.locator("figcaption")
    expect(caption.locator(".scale")).to_be_hidden()
    page.get_by_label("Explanation", exact=True).check()
    expect(caption.get_by_text("What spoke for")).to_be_visible()
    expect(caption.locator(".scale")).to_be_visible()
    page.get_by_label("Explanation", exact=True).uncheck()
    expect(caption.locator(".scale")).to_be_hidden()


def test_side_by_side_the_plain_picture_lies_beside_the_explanation(page: Page) -> None:
    over = page.get_by_label("Explanation", exact=True)
    button = page.get_by_role("button", name="Side by side")
    over.check()
    button.click()
    expect(page.locator(".layer.explanation")).to_be_hidden()
    expect(over).not_to_be_checked()
    button.click()
    expect(page.locator(".layer.explanation")).to_be_visible()
