"""Two of a list are chosen to be compared, and nobody is sent away for another number."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.pages.conftest import Person
from tests.pages.results import analyzed, attached

People = Callable[..., Person]


@pytest.fixture
def somebody(person: People) -> Person:
    """Somebody with three pictures of a lesion, at the history."""
    somebody = person()
    to = attached(somebody, identifier="made up 6")
    for _ in range(3):
        analyzed(somebody, None, **to)
    somebody.goto("/analyses")
    return somebody


def test_another_number_than_two_is_said_where_one_chooses(somebody: Person) -> None:
    page = somebody.page
    said = page.get_by_role("form", name="Analyses").get_by_role("status")
    compare = page.get_by_role("button", name="Compare the two chosen ones")
    boxes = page.get_by_role("checkbox").all()

    compare.click()
    expect(said).to_have_text("Choose two analyses first.")
    boxes[0].check()
    expect(said).to_have_text("1 chosen: choose one more.")
    compare.click()
    expect(page).to_have_url(f"{somebody.services.rest}/analyses")
    boxes[1].check()
    expect(said).to_have_text("")
    boxes[2].check()
    expect(said).to_have_text("3 chosen: two can be compared.")
    boxes[0].uncheck()
    compare.click()
    expect(page.get_by_role("heading", name="Comparison")).to_be_visible()


def test_the_button_that_compares_is_in_sight_wherever_the_list_is(somebody: Person) -> None:
    somebody.page.set_viewport_size({"width": 1366, "height": 560})

    expect(somebody.page.get_by_role("listitem").last).not_to_be_in_viewport(ratio=0.9)
    compare = somebody.page.get_by_role("button", name="Compare the two chosen ones")
    expect(compare).to_be_in_viewport(ratio=1)


def test_what_the_list_is_sorted_by_is_read_to_its_end(somebody: Person) -> None:
    page = somebody.page
    page.set_viewport_size({"width": 1366, "height": 768})
    sort = page.get_by_label("Sort by")
    sort.select_option("malignant_probability")

    # As wide as its longest option asks for, with the arrow.
    room, needed = sort.evaluate(
        "it => { const wide = it.clientWidth; it.style.width = 'auto';"
        " it.style.display = 'inline-block'; return [wide, it.clientWidth]; }"
    )
    assert room >= needed


def test_in_the_narrowest_window_the_filters_stand_below_each_other(person: People) -> None:
    somebody = person(viewport={"width": 320, "height": 640})
    somebody.goto("/analyses")
    fields = somebody.page.locator(".filters .field:visible").all()
    edges = {round(box["x"]) for each in fields if (box := each.bounding_box())}

    assert len(fields) > 1
    assert len(edges) == 1
