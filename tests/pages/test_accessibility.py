"""That nobody is kept out: every page there is, with the keyboard alone, enlarged, by any role.

Pages are found by their routes, so a new one is looked at as soon as it is there.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests import specimens
from tests.pages.conftest import DESKTOP, PASSWORD, PHONE, Person
from tests.pages.every_page import PUBLIC, VIEWER, Filled, filled, paths
from tests.pages.sending import looked_at
from tests.stack import Stack

People = Callable[..., Person]
Axe = Callable[[Page], None]

# As large as 1440 by 900 is at 200 %.
ZOOMED = {"width": 720, "height": 450}

# As large as 1280 by 1024 is at 400 % (WCAG 2.2, 1.4.10).
REFLOWED = {"width": 320, "height": 256}

# What readers may set (WCAG 2.2, 1.4.12); a sheet that a script makes is no style in the page.
SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: .12em !important;
    word-spacing: .16em !important; } p { margin-bottom: 2em !important; }`);
  document.adoptedStyleSheets = [sheet];
}"""

# Words that are cut off; a name that is too long for the head of the page ends in an ellipsis.
CUT_OFF = """() => [...document.querySelectorAll("main *, footer *, nav a")]
  .filter((each) => each.checkVisibility() && !each.closest(".visually-hidden")
    && !["auto", "scroll", "visible"].includes(getComputedStyle(each).overflowX)
    && each.matches(":not(img, svg, svg *, input, select, textarea, progress, .stage)")
    && (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1))
  .map((each) => each.outerHTML.slice(0, 80))"""

# Within a field of a date the browser itself marks which part has the focus.
FOCUS = """() => {
  const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
  const shown = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const marked = shown || at === document.body || at.matches("[type=date]");
  return [at.outerHTML.slice(0, 90), marked, at === document.body,
    box.width > 0 && box.height > 0];
}"""


@pytest.fixture(scope="module")
def shown(services: Stack) -> Filled:
    """Records for pages to show."""
    return filled(services)


@pytest.mark.parametrize("name", paths())
def test_a_page_keeps_nobody_out(admin: People, shown: Filled, axe: Axe, name: str) -> None:
    somebody = admin()
    somebody.goto(shown.path(name))

    axe(somebody.page)


@pytest.mark.parametrize("name", PUBLIC)
def test_nor_does_it_before_signing_in(visitor: People, shown: Filled, axe: Axe, name: str) -> None:
    somebody = visitor()
    somebody.goto(shown.path(name))

    axe(somebody.page)


def test_who_may_only_look_and_has_nothing_to_look_at_is_kept_out_of_nothing_either(
    visitor: People, shown: Filled, axe: Axe
) -> None:
    somebody = visitor()
    somebody.context.request.post(
        f"{somebody.services.rest}/sign-in", form={"username": VIEWER, "password": PASSWORD}
    )
    for name, path in paths().items():
        if "{" not in path and not path.startswith("/admin") and name not in PUBLIC:
            somebody.goto(shown.path(name))
            axe(somebody.page)


def test_no_page_scrolls_sideways_enlarged_or_on_a_phone(admin: People, shown: Filled) -> None:
    somebody = admin(viewport=ZOOMED)

    wide = {}
    for name in paths():
        somebody.goto(shown.path(name))
        for size, text in (
            (ZOOMED, "100%"),
            (DESKTOP, "200%"),
            (PHONE, "100%"),
            (REFLOWED, "100%"),
        ):
            somebody.page.set_viewport_size(size)  # type: ignore[arg-type]
            reached = somebody.page.evaluate(
                "(size) => { const root = document.documentElement;"
                " root.style.fontSize = size; return root.scrollWidth; }",
                text,
            )
            if reached > size["width"]:
                wide[name, size["width"], text] = reached

    assert wide == {}


def test_letters_words_and_lines_may_be_further_apart(admin: People, shown: Filled) -> None:
    somebody = admin(viewport=REFLOWED)

    lost = {}
    for name in paths():
        somebody.goto(shown.path(name))
        somebody.page.evaluate(SPACED)
        wide = somebody.page.evaluate("document.documentElement.scrollWidth")
        cut = somebody.page.evaluate(CUT_OFF)
        if wide > REFLOWED["width"] or cut:
            lost[name] = wide, cut

    assert lost == {}


def test_whatever_the_keyboard_reaches_shows_that_it_is_there(admin: People, shown: Filled) -> None:
    somebody = admin()

    unseen = {}
    for name in paths():
        somebody.goto(shown.path(name))
        for _ in range(40):
            somebody.page.keyboard.press("Tab")
            element, seen, is_over, has_size = somebody.page.evaluate(FOCUS)
            if is_over:
                break
            if not (seen and has_size):
                unseen[name] = element

    assert unseen == {}


def test_every_page_begins_with_a_way_past_what_all_have(admin: People, shown: Filled) -> None:
    somebody = admin()

    for name in paths():
        somebody.goto(shown.path(name))
        somebody.page.evaluate("document.activeElement.blur()")
        somebody.page.locator("body").press("Tab")
        skip = somebody.page.get_by_role("link", name="Skip to the content")
        if name not in {"page_sign_in", "page_sign_up"}:  # where one begins in the first field
            expect(skip).to_be_focused()
            somebody.page.keyboard.press("Enter")
            expect(somebody.page.get_by_role("main")).to_be_focused()


def test_nothing_moves_for_who_wants_no_motion(admin: People, shown: Filled) -> None:
    somebody = admin(reduced_motion="reduce")

    moving = {}
    for name in paths():
        somebody.goto(shown.path(name))
        moving[name] = somebody.page.evaluate(
            "document.getAnimations().filter((each) => each.playState === 'running').length"
        )

    assert set(moving.values()) == {0}, moving


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until what is wanted has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", wanted):
            return
    pytest.fail(f"Tab leads nowhere near {wanted}")


def test_from_signing_in_to_the_report_and_out_again_the_keyboard_is_enough(
    visitor: People,
) -> None:
    somebody = visitor()
    page = somebody.page
    somebody.goto("/sign-in")
    expect(page.locator("[name=username]")).to_be_focused()
    page.keyboard.type("admin")
    tab_to(page, "[name=password]")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("Analyze")
    tab_to(page, "#choose")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": specimens.lesion_jpeg()}
    )
    looked_at(somebody)
    tab_to(page, "#send")
    page.keyboard.press("Enter")
    expect(page.locator("li a[href^='/analyses/']")).to_be_visible()
    tab_to(page, "li a[href^='/analyses/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/analyses/*")
    expect(page.get_by_role("heading", level=1)).to_contain_text("uspicious")

    tab_to(page, "a[href*='report.pdf']")
    reports: list[APIResponse] = []

    def read(route: Route) -> None:
        # A browser that is closed while its own viewer opens may never close.
        reports.append(route.fetch())
        route.fulfill(status=204)

    page.route("**/report.pdf*", read)
    with page.expect_response("**/report.pdf*"):
        page.keyboard.press("Enter")
    (report,) = reports
    assert report.headers["content-type"] == "application/pdf"
    assert report.body().startswith(b"%PDF-")

    tab_to(page, "form[action='/sign-out'] button")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()
    somebody.goto("/analyses")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
