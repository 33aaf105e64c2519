"""A lesion over time, and two analyses beside and over each other."""

import re
from collections.abc import Callable

from PIL import Image
from playwright.sync_api import Page, expect

from tests import specimens
from tests.pages.conftest import PHONE, Person
from tests.pages.results import analyzed, attached, unassessable
from tests.pages.test_history import OURS

People = Callable[..., Person]


def turned() -> bytes:
    """The same lesion, as it looks a quarter turn later."""
    return specimens.encoded(specimens.lesion().transpose(Image.Transpose.ROTATE_90))


def test_a_lesion_is_shown_over_time_aligned_with_what_has_changed(
    person: People, axe: Callable[[Page], None]
) -> None:
    somebody = person()
    lesion = attached(somebody, identifier="made up 1", name="Ann Madeup")
    first = analyzed(somebody, None, **lesion)
    second = analyzed(somebody, turned(), **lesion)
    analyzed(somebody, unassessable(), **lesion)
    somebody.goto(f"/lesions/{lesion['lesion']}")
    page = somebody.page

    expect(page.locator(".times li")).to_have_count(3)
    expect(page.locator(".times li").nth(1)).to_contain_text("Aligned")
    expect(page.locator("svg.laid image").nth(1)).to_have_attribute(
        "transform", re.compile("matrix")
    )
    cells = page.locator("tbody tr").nth(1).get_by_role("cell")
    share = second["segmentation"]["area_fraction"] / first["segmentation"]["area_fraction"] - 1
    grown = round(100 * share)
    expect(cells.nth(3)).to_have_text(f"{grown:+d} %" if grown else "0 %")
    expect(page.locator("tbody tr").nth(2)).to_contain_text("Cannot assess")
    axe(page)

    page.get_by_role("link", name="Compare with the one before").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Comparison")


def test_the_report_of_a_lesion_is_one_click_away_once_there_is_something_to_report(
    person: People,
) -> None:
    somebody = person()
    lesion = attached(somebody, identifier="made up 2", name="Ben Madeup")
    report = somebody.page.get_by_role("link", name="Report (PDF)")
    somebody.goto(f"/lesions/{lesion['lesion']}")
    expect(report).to_have_count(0)
    analyzed(somebody, None, **lesion)
    somebody.goto(f"/lesions/{lesion['lesion']}")

    answer = somebody.context.request.get(f"{somebody.services.rest}{report.get_attribute('href')}")

    assert answer.headers["content-type"] == "application/pdf"


def test_two_analyses_are_chosen_compared_and_blended(
    person: People, axe: Callable[[Page], None]
) -> None:
    somebody = person()
    older, newer = analyzed(somebody), analyzed(somebody, turned())
    somebody.goto("/analyses")
    page = somebody.page
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Compare the two chosen ones").click()

    expect(page).to_have_url(
        f"{somebody.services.rest}/comparison?first={older['id']}&second={newer['id']}"
    )
    above = page.locator("[data-above]")
    expect(above).to_have_attribute("opacity", "0.5")
    page.get_by_label("How much of the second picture shows").fill("80")
    expect(above).to_have_attribute("opacity", "0.8")
    expect(page.get_by_text("not known to be pictures of one lesion")).to_be_visible()
    axe(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    figures = page.get_by_role("region", name="Figures")
    assert figures.evaluate("(it) => it.scrollWidth <= it.clientWidth")


def test_a_comparison_works_without_scripts_and_says_what_cannot_be(person: People) -> None:
    somebody = person(java_script_enabled=False)
    one, other = analyzed(somebody), analyzed(somebody, unassessable())
    page = somebody.page

    somebody.goto(f"/comparison?first={one['id']}&second={one['id']}")
    expect(page.locator("[data-above]")).to_have_attribute("opacity", "0.5")
    expect(page.get_by_label("How much of the second")).to_be_hidden()
    somebody.goto(f"/comparison?first={one['id']}&second={other['id']}")
    expect(page.get_by_text("cannot be laid over each other")).to_be_visible()
    somebody.goto(f"/comparison?of={one['id']}")
    expect(page.get_by_text("choose two analyses")).to_be_visible()
    somebody.api("DELETE", f"/v1/analyses/{other['id']}", headers=OURS)
    somebody.goto(f"/comparison?first={one['id']}&second={other['id']}")
    expect(page.get_by_role("heading", name="Not found")).to_be_visible()


def test_what_has_become_less_has_a_minus_that_is_read_out(person: People) -> None:
    somebody = person()
    to = attached(somebody, identifier="made up 8")
    one, other = (analyzed(somebody, each, **to) for each in (turned(), specimens.lesion_jpeg()))
    told = []
    for first, second in ((one, other), (other, one)):
        somebody.goto(f"/comparison?first={first['id']}&second={second['id']}")
        told += somebody.page.locator("td.figure:last-child").all_inner_texts()

    assert [each for each in told if "-" in each] == []
    assert [each for each in told if each.startswith("\N{MINUS SIGN}")]


def test_the_first_picture_of_a_lesion_has_changed_from_nothing(person: People) -> None:
    somebody = person()
    to = attached(somebody, identifier="made up 9")
    analyzed(somebody, None, **to)
    somebody.goto(f"/lesions/{to['lesion']}")

    row = somebody.page.get_by_role("row").last
    expect(row.get_by_role("cell").nth(3)).to_have_text("\N{EN DASH}")
