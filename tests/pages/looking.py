"""Looking again: many pages show how something was when they were asked for."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

_WITHIN_S = 120


def seen(page: Page, wanted: Locator) -> None:
    """Look at the page again until what is wanted is there."""
    until(page, lambda: wanted.count() > 0)


def until(page: Page, so_it_is: Callable[[], bool]) -> None:
    """Look at the page again until something is so."""
    late = time.monotonic() + _WITHIN_S
    while not so_it_is():
        assert time.monotonic() < late, page.content()
        page.goto(page.url.split("?")[0])


def followed(page: Page, link: str, to: str) -> str:
    """Click on a link, and return the path of the page that it has led to.

    Args:
        page: has the link.
        link: its name.
        to: a regular expression of the path.

    """
    page.get_by_role("link", name=link).click()
    expect(page).to_have_url(re.compile(f"//[^/]+{to}$"))
    found = re.search(f"//[^/]+({to})$", page.url)
    assert found is not None
    return found[1]
