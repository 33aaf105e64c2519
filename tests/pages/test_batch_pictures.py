"""The pictures of a batch: with what failed and why, page by page, and their report."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.batches import PICTURES, at_a_standstill, done, send
from tests.pages.conftest import Person
from tests.stack import Stack

People = Callable[..., Person]


def test_names_from_right_to_left_and_of_markup_are_shown_as_names(person: People) -> None:
    somebody = person()
    names = ["<b>x</b>.jpg", "تجربة.jpg", "a" * 200 + ".jpg"]
    files = [("images", (name, PICTURES[0])) for name in names]
    headers = {"Sec-Fetch-Site": "same-origin"}
    made = somebody.api("POST", "/v1/batches", files=files, headers=headers).json()

    done(somebody, f"/batches/{made['id']}")

    for name in names:
        expect(somebody.page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert somebody.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_what_failed_says_why_and_the_others_are_there(person: People) -> None:
    somebody = person()
    page = somebody.page
    done(somebody, send(somebody, PICTURES[0], b"no picture", PICTURES[1]))

    expect(page.get_by_role("listitem").filter(has_text="picture 1.jpg")).to_contain_text(
        "not a JPEG or PNG"
    )
    expect(page.get_by_role("link", name="picture 0.jpg")).to_be_visible()
    page.get_by_role("link", name="Failed (1)").click()
    expect(page.get_by_role("link", name="picture 0.jpg")).to_have_count(0)
    expect(page.get_by_text("picture 1.jpg")).to_be_visible()


def test_of_many_pictures_those_that_are_most_likely_malignant_are_found_first(
    person: People,
) -> None:
    somebody = person()
    done(somebody, send(somebody, *PICTURES))

    somebody.page.get_by_role("link", name="Most likely malignant first").click()

    shares = somebody.page.locator(".facts-of .hint", has_text="Malignant probability")
    expect(shares).to_have_count(3)
    found = [float(re.sub(r"[^\d.]", "", each)) for each in shares.all_inner_texts()]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize(("name", "language"), [("Report (PDF)", "en"), ("Bericht (PDF)", "de")])
def test_the_report_is_one_click_away(person: People, name: str, language: str) -> None:
    somebody = person()
    done(somebody, send(somebody, PICTURES[0]))
    address = somebody.page.get_by_role("link", name=name).get_attribute("href")

    answer = somebody.context.request.get(f"{somebody.services.rest}{address}")

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-language"] == language


@pytest.mark.parametrize("scripts", [True, False])
def test_what_waits_can_be_cancelled(person: People, services: Stack, *, scripts: bool) -> None:
    somebody = person(java_script_enabled=scripts)
    page = somebody.page
    with at_a_standstill(services):
        somebody.goto(send(somebody, *PICTURES * 8))
        page.get_by_role("button", name="Cancel what waits").click()
        expect(page.get_by_role("button", name="Cancel what waits")).to_have_count(0)
    expect(page.get_by_text("was cancelled before").first).to_be_visible()


def test_many_pictures_are_shown_page_by_page(person: People) -> None:
    somebody = person()
    done(somebody, send(somebody, *[PICTURES[0]] * 26))

    somebody.page.get_by_role("link", name="More pictures").click()

    expect(somebody.page.get_by_role("link", name="picture 25.jpg")).to_be_visible()
    expect(somebody.page.get_by_role("link", name="picture 0.jpg")).to_have_count(0)
    somebody.page.get_by_role("link", name="First pictures").click()
    expect(somebody.page.get_by_role("link", name="picture 0.jpg")).to_be_visible()


def test_the_page_of_a_batch_keeps_nobody_out(
    person: People, services: Stack, axe: Callable[[Page], None]
) -> None:
    somebody = person()
    with at_a_standstill(services):
        path = send(somebody, PICTURES[0], b"no picture")
        somebody.goto(path)
        axe(somebody.page)
    done(somebody, path)
    axe(somebody.page)
