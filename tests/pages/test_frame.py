"""What sticks to the bottom of the window lies over nothing that somebody needs."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import PHONE, Person

People = Callable[..., Person]

TWICE_THE_SIZE = {"width": 683, "height": 384}
"""What is left of a laptop's window at 200 %."""

HIDDEN = """() => {
    const it = document.activeElement;
    const bars = [...document.querySelectorAll(".notice, .sticks")];
    const reached = "a, button, select, textarea, input:not([type=radio])";
    if (!it.closest("main") || !it.matches(reached)) return "";
    if (bars.some((each) => each.contains(it))) return "";
    const top = Math.min(...bars.map((each) => each.getBoundingClientRect().top));
    const { top: begin, height } = it.getBoundingClientRect();
    // Of a text area, browsers show the line that is written in.
    const needed = it.matches("textarea") ? Math.min(height, 40) : height;
    return begin + needed > top + 1 ? it.outerHTML.slice(0, 80) : "";
}"""
"""What has the focus, if some of it lies behind a bar."""


def edge(page: Page, selector: str, side: str) -> float:
    """Return where a side of something is in the window."""
    where: float = page.locator(selector).evaluate(
        "(it, side) => it.getBoundingClientRect()[side]", side
    )
    return where


@pytest.mark.parametrize("letters", ["100%", "150%"])
def test_the_notice_lies_below_the_button_that_sends_however_many_lines_it_has(
    person: People, letters: str
) -> None:
    somebody = person(viewport=PHONE)
    somebody.goto("/analyze")
    page = somebody.page
    # What is measured in a frame holds from the next one on.
    page.evaluate(
        "(size) => { document.documentElement.style.fontSize = size;"
        " return new Promise((seen) =>"
        " requestAnimationFrame(() => requestAnimationFrame(seen))); }",
        letters,
    )

    assert edge(page, "#send", "bottom") <= edge(page, ".notice", "top")
    expect(page.locator("#send")).to_be_in_viewport(ratio=1)


def test_the_notice_takes_two_lines_of_a_phone_and_no_more(person: People) -> None:
    somebody = person(viewport=PHONE)
    somebody.goto("/analyze")

    height = edge(somebody.page, ".notice", "bottom") - edge(somebody.page, ".notice", "top")

    assert height <= 3.5 * 16


@pytest.mark.parametrize("path", ["/analyze", "/patients/new", "/statistics"])
def test_nothing_that_has_the_focus_lies_behind_what_sticks_to_the_bottom(
    person: People, path: str
) -> None:
    somebody = person(viewport=TWICE_THE_SIZE)
    somebody.goto(path)
    somebody.page.wait_for_load_state("networkidle")

    hidden = []
    for _ in range(40):
        somebody.page.keyboard.press("Tab")
        hidden.append(somebody.page.evaluate(HIDDEN))

    assert [each for each in hidden if each] == []
