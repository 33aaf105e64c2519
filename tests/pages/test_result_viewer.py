"""The picture of a result: layers, zoom and pan change what is seen."""

import io
import time
import unicodedata
from collections.abc import Callable
from typing import Any

import pypdf
import pytest
from playwright.sync_api import Page, expect

from tests import specimens
from tests.pages.conftest import PATIENCE_MS, PHONE, Person
from tests.pages.results import analyzed

People = Callable[..., Person]


@pytest.fixture
def made() -> dict[str, Any]:
    """The analysis that is shown."""
    return {}


@pytest.fixture
def page(person: People, made: dict[str, Any]) -> Page:
    """A result with all its layers."""
    return opened(person(), made)


def opened(somebody: Person, made: dict[str, Any]) -> Page:
    made.update(analyzed(somebody))
    somebody.goto(f"/analyses/{made['id']}")
    expect(somebody.page.locator("#viewer[data-layers=loaded]")).to_be_visible()
    return somebody.page


def stage(page: Page) -> Any:
    return page.locator(".stage").first


def view(page: Page, pane: int = 0) -> tuple[float, float, float]:
    """How much the picture is magnified, and how far it is moved."""
    return tuple(
        page.locator(".sheet")
        .nth(pane)
        .evaluate(
            "each => { const m = new DOMMatrix(each.style.transform); return [m.a, m.e, m.f] }"
        )
    )


def under(page: Page, x: float, y: float) -> tuple[float, float]:
    """Which point of the picture, 0..1, lies where on the page."""
    box = page.locator(".sheet img.picture").first.bounding_box()
    assert box is not None
    return (x - box["x"]) / box["width"], (y - box["y"]) / box["height"]


def middle(page: Page) -> tuple[float, float]:
    box = stage(page).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_outline_lies_around_the_lesion_and_can_be_taken_away(
    page: Page, made: dict[str, Any]
) -> None:
    line = page.locator(".outline .line").first
    drawn = line.evaluate(
        "each => { const b = each.getBBox(); return [b.x, b.y, b.width, b.height] }"
    )
    assert drawn == pytest.approx(made["segmentation"]["bounding_box"], abs=3)
    expect(line).to_be_visible()
    page.get_by_label("Outline", exact=True).uncheck()
    expect(page.locator(".outline").first).to_have_css("visibility", "hidden")
    page.get_by_label("Outline", exact=True).check()
    expect(page.locator(".outline").first).to_have_css("visibility", "visible")


def test_the_explanation_is_laid_over_as_strongly_as_the_slider_says(page: Page) -> None:
    heat = page.locator(".layer.explanation")
    expect(heat).to_be_hidden()
    before = stage(page).screenshot()
    page.get_by_label("Explanation", exact=True).check()
    expect(heat).to_have_css("opacity", "0.8")
    assert stage(page).screenshot() != before
    slider = page.get_by_label("Opacity of the explanation")
    slider.fill("30")
    expect(heat).to_have_css("opacity", "0.3")
    slider.press("ArrowRight")
    expect(heat).to_have_css("opacity", "0.35")
    page.get_by_label("Explanation", exact=True).uncheck()
    expect(heat).to_be_hidden()


def test_moving_the_slider_shows_the_explanation(page: Page) -> None:
    page.get_by_label("Opacity of the explanation").fill("50")
    expect(page.get_by_label("Explanation", exact=True)).to_be_checked()
    expect(page.locator(".layer.explanation")).to_have_css("opacity", "0.5")


def test_side_by_side_both_pictures_move_together(page: Page) -> None:
    button = page.get_by_role("button", name="Side by side")
    expect(page.locator(".pane.second")).to_be_hidden()
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    second = page.get_by_role("img", name="heat map")
    expect(second).to_be_visible()
    expect(second).to_have_js_property("naturalWidth", specimens.SIZE[0])
    page.get_by_role("button", name="Zoom in").click()
    assert view(page, 0) == view(page, 1)
    assert view(page)[0] > 1
    button.click()
    expect(page.locator(".pane.second")).to_be_hidden()


def test_buttons_zoom_in_and_out_and_show_all_again(page: Page) -> None:
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Zoom in").click()
    near, x, y = view(page)
    assert near == pytest.approx(1.25**2)
    assert x < 0
    assert y < 0
    page.get_by_role("button", name="Zoom out").click()
    assert view(page)[0] == pytest.approx(1.25)
    page.get_by_role("button", name="Fit").click()
    assert view(page) == (1, 0, 0)


def test_at_100_percent_a_pixel_of_the_picture_is_one_of_the_page_and_stays_sharp(
    page: Page,
) -> None:
    page.get_by_role("button", name="100 %").click()
    picture = page.locator(".sheet img.picture").first
    box = picture.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == pytest.approx(specimens.SIZE, abs=0.01)
    expect(picture).to_have_css("image-rendering", "pixelated")
    expect(page.locator("output")).to_have_text("100 %")
    page.get_by_role("button", name="Zoom in").click()
    expect(picture).to_have_css("image-rendering", "auto")


def test_keys_zoom_and_move(page: Page) -> None:
    stage(page).focus()
    for key in ("+", "=", "+"):
        page.keyboard.press(key)
    zoom, x, y = view(page)
    assert zoom == pytest.approx(1.25**3, rel=1e-4)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert view(page) == pytest.approx((zoom, x - 60, y - 60))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    assert view(page) == pytest.approx((zoom, x, y))
    page.keyboard.press("-")
    assert view(page)[0] == pytest.approx(1.25**2, rel=1e-4)
    page.keyboard.press("0")
    assert view(page) == (1, 0, 0)
    page.keyboard.press("1")
    expect(page.locator("output")).to_have_text("100 %")


def test_everything_of_the_picture_is_reached_by_the_keyboard(page: Page) -> None:
    stage(page).focus()
    seen = "each => each.matches(':focus-visible') ? each.name : 'nothing to be seen'"
    names = []
    for _ in range(8):
        page.keyboard.press("Tab")
        names.append(page.locator(":focus").evaluate(seen))
    assert names == [
        "outline",
        "explanation",
        "opacity",
        "side-by-side",
        "out",
        "in",
        "fit",
        "whole",
    ]


def test_the_wheel_zooms_around_what_is_under_the_pointer(page: Page) -> None:
    x, y = middle(page)
    x, y = x - 120, y + 60
    before = under(page, x, y)
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    expect(page.locator(".stage.zoomed").first).to_be_visible()
    assert view(page)[0] > 1.5
    assert under(page, x, y) == pytest.approx(before, abs=0.005)


def test_the_wheel_scrolls_the_page_while_the_whole_picture_is_shown(page: Page) -> None:
    page.mouse.move(*middle(page))
    page.evaluate("addEventListener('scroll', () => document.body.classList.add('scrolled'))")
    page.mouse.wheel(0, 200)
    expect(page.locator("body.scrolled")).to_be_visible()
    assert view(page) == (1, 0, 0)


def test_dragging_moves_the_picture_and_never_out_of_sight(page: Page) -> None:
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").click()
    zoom, x, y = view(page)
    at_x, at_y = middle(page)
    page.mouse.move(at_x, at_y)
    page.mouse.down()
    page.mouse.move(at_x + 40, at_y - 30, steps=3)
    assert view(page) == pytest.approx((zoom, x + 40, y - 30), abs=1)
    page.mouse.move(at_x + 5000, at_y + 5000)
    assert view(page) == pytest.approx((zoom, 0, 0))
    page.mouse.up()
    page.mouse.move(at_x, at_y)
    assert view(page) == pytest.approx((zoom, 0, 0))


def test_two_fingers_zoom_on_a_phone(person: People) -> None:
    somebody = person(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)
    page = opened(somebody, {})
    x, y = middle(page)
    before = under(page, x, y)
    touch = somebody.context.new_cdp_session(page)

    def fingers(kind: str, *apart: float) -> None:
        points = [{"x": x + by, "y": y, "id": at} for at, by in enumerate(apart)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", -30)
    fingers("touchStart", -30, 30)
    for reach in (45, 60, 75, 90):
        fingers("touchMove", -reach, reach)
    fingers("touchEnd")
    expect(page.locator(".stage.held")).to_have_count(0)
    assert view(page)[0] == pytest.approx(3, rel=0.05)
    assert under(page, x, y) == pytest.approx(before, abs=0.02)


def test_the_picture_can_be_used_before_its_layers_are_there(person: People) -> None:
    somebody = person()
    made = analyzed(somebody)
    held = []
    for layer in ("mask.png", "explanation.png"):
        somebody.page.route(f"**/v1/analyses/*/{layer}", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks it
    somebody.goto(f"/analyses/{made['id']}")
    somebody.page.get_by_role("button", name="Zoom in").click()
    assert view(somebody.page)[0] > 1
    until = time.monotonic() + PATIENCE_MS / 1000
    while len(held) < 2:
        assert time.monotonic() < until
        somebody.page.wait_for_timeout(10)
    held[0].abort()
    expect(somebody.page.get_by_text("could not be loaded")).to_be_visible()
    held[1].continue_()
    expect(somebody.page.locator("#viewer[data-layers=loaded]")).to_be_visible()


def test_nothing_jumps_and_no_script_holds_up_the_page(page: Page) -> None:
    moved = page.evaluate(
        """() => new Promise(done => new PerformanceObserver(list => done(
            list.getEntries().reduce((sum, each) => sum + each.value, 0)))
            .observe({type: 'layout-shift', buffered: true})
            || setTimeout(() => done(0), 100))"""
    )
    assert moved < 0.01
    assert page.locator("script:not([type=module])").count() == 0
    for picture in page.locator("img.picture, img.layer").all():
        assert picture.get_attribute("width") == str(specimens.SIZE[0])
        assert picture.get_attribute("height") == str(specimens.SIZE[1])


def test_on_paper_the_outline_stands_beside_the_explanation_without_any_tools(
    page: Page,
) -> None:
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_label("Outline", exact=True).uncheck()
    page.emulate_media(media="print", color_scheme="light")
    outline, explanation = page.locator(".pane .stage").all()
    left, right = outline.bounding_box(), explanation.bounding_box()
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    for sheet in page.locator(".sheet").all():
        expect(sheet).to_have_css("transform", "none")
    expect(page.locator(".outline").first).to_have_css("visibility", "visible")
    for gone in (".tools", ".files", ".top nav"):
        expect(page.locator(gone)).to_be_hidden()
    expect(page.get_by_text("Not a diagnosis.")).to_be_visible()

    paper = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4")))
    assert len(paper.pages) <= 2
    said = unicodedata.normalize("NFKC", " ".join(each.extract_text() for each in paper.pages))
    for words in ("uspicious", "Malignant probability", "classifier 1", "Not a diagnosis."):
        assert words in said
