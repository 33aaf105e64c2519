"""Several pictures that are sent together: what is said of all, and what they come to."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.pages.conftest import Person
from tests.pages.results import unassessable
from tests.pages.sending import analyses, choose, picture, pictures, send

People = Callable[..., Person]


@pytest.fixture
def sender(person: People) -> Person:
    """Somebody at the page."""
    somebody = person()
    somebody.goto("/analyze")
    return somebody


def test_who_chooses_several_is_told_that_all_of_them_are_sent_with_what_is_written(
    sender: Person,
) -> None:
    told = sender.page.get_by_role("status").get_by_text("is said of each chosen picture")
    choose(sender, *pictures(1))
    expect(sender.page.locator("#summary")).to_have_text("1 ready")
    expect(told).to_be_hidden()
    choose(sender, *pictures(3)[1:])
    expect(sender.page.locator("#summary")).to_have_text("3 ready")
    expect(told).to_be_visible()


def test_what_several_pictures_come_to_is_counted_once_all_are_done(sender: Person) -> None:
    outcomes = sender.page.locator("#outcomes")
    choose(sender, *pictures(3), picture(unassessable(), "skin.jpg"))
    expect(outcomes).to_have_text("")
    send(sender)
    expect(sender.page.locator("#summary")).to_have_text("4 done")

    found = [each["classification"] for each in analyses(sender) if each["classification"]]
    suspicious = sum(each["suspicious"] for each in found)
    counts = {
        "suspicious": suspicious,
        "not suspicious": len(found) - suspicious,
        "cannot assess": 4 - len(found),
    }
    expect(outcomes).to_have_text(
        ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    )
    assert counts["cannot assess"] >= 1
