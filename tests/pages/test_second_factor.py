"""A second factor at the pages: set up with a telephone, asked for, and taken away."""

import re
from collections.abc import Callable

import cv2
import numpy as np
import pyotp
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.pages.conftest import PASSWORD, Person
from tests.pages.test_double_clicks import clicked_twice
from tests.pages.test_users import row_of

People = Callable[..., Person]
Axe = Callable[[Page], None]


def scanned(page: Page) -> str:
    """Read the QR code off a page, as the camera of a telephone does."""
    shot = page.get_by_role("img", name="QR code").screenshot()
    picture = cv2.imdecode(np.frombuffer(shot, np.uint8), cv2.IMREAD_COLOR)
    said, *_ = cv2.QRCodeDetector().detectAndDecode(picture)
    return said


def begin(somebody: Person) -> pyotp.TOTP:
    """Set one up until the page shows the key."""
    somebody.goto("/account")
    section = somebody.page.get_by_role("region", name="Second factor")
    section.get_by_label("Your password").fill(PASSWORD)
    section.get_by_role("button", name="Set up a second factor").click()
    return telephone_of(somebody.page)


def telephone_of(page: Page) -> pyotp.TOTP:
    """Type the key that a page shows into an app."""
    return pyotp.TOTP(page.locator("#secret").inner_text())


def confirm(somebody: Person, code: str) -> list[str]:
    """Put it in force; return the recovery codes."""
    somebody.page.get_by_label("Code", exact=True).fill(code)
    somebody.page.get_by_role("button", name="Put it in force").click()
    expect(somebody.page.get_by_role("status")).to_contain_text("in force")
    return somebody.page.locator("#codes code").all_inner_texts()


def sign_in(somebody: Person, path: str = "/sign-in") -> None:
    somebody.goto(path)
    somebody.page.get_by_label("Username").fill(somebody.username)
    somebody.page.get_by_label("Password").fill(PASSWORD)
    somebody.page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_whoever_sets_one_up_is_asked_for_a_code_when_they_sign_in(
    person: People, visitor: People, *, scripts: bool
) -> None:
    somebody = person(java_script_enabled=scripts)
    telephone = begin(somebody)
    recovery, *others = confirm(somebody, telephone.now())
    assert len({recovery, *others}) == 10
    somebody.page.get_by_role("link", name="I have them").click()
    section = somebody.page.get_by_role("region", name="Second factor")
    expect(section).to_contain_text("10 recovery codes are left")

    again = visitor(java_script_enabled=scripts)
    again.username = somebody.username
    sign_in(again, "/sign-in?next=%2Fstatistics")
    expect(again.page.get_by_role("heading", level=1)).to_have_text("One more step")
    assert PASSWORD not in again.page.content()
    again.page.get_by_label("Code", exact=True).fill("abcd-efgh")
    again.page.get_by_role("button", name="Sign in").click()
    expect(again.page.get_by_role("alert")).to_contain_text("The code is wrong")
    again.page.get_by_label("Code", exact=True).fill(recovery)
    again.page.get_by_role("button", name="Sign in").click()
    expect(again.page).to_have_url(f"{again.services.rest}/statistics")
    again.goto("/account")
    expect(again.page.get_by_role("region", name="Second factor")).to_contain_text("9 recovery")


def test_a_telephone_that_scans_the_page_or_opens_its_link_gets_the_key_and_the_name(
    person: People,
) -> None:
    somebody = person()
    telephone = begin(somebody)
    somebody.page.emulate_media(color_scheme="dark")

    said = scanned(somebody.page)
    link = somebody.page.get_by_role("link", name="open it in the app")
    heard = pyotp.parse_uri(said)

    assert link.get_attribute("href") == said
    assert isinstance(heard, pyotp.TOTP)
    assert (heard.secret, heard.name) == (telephone.secret, somebody.username)
    assert (heard.digits, heard.interval, heard.issuer) == (6, 30, "dermserve")


def show_both(section: Locator, code: str) -> Locator:
    """Fill the form that is open; return its last field."""
    section.get_by_label("Your password").filter(visible=True).fill(PASSWORD)
    field = section.get_by_label("Code", exact=True).filter(visible=True)
    field.fill(code)
    return field


@pytest.mark.parametrize("scripts", [True, False])
def test_whoever_removes_it_shows_the_password_and_a_code(person: People, *, scripts: bool) -> None:
    somebody = person(java_script_enabled=scripts)
    first, second, *_ = confirm(somebody, begin(somebody).now())
    somebody.goto("/account")
    section = somebody.page.get_by_role("region", name="Second factor")
    section.get_by_text("Remove it", exact=True).click()
    show_both(section, "abcd-efgh")
    section.get_by_role("button", name="Remove the second factor").click()
    expect(section.get_by_role("alert")).to_contain_text("The code is wrong")
    expect(section.get_by_role("button", name="Remove the second factor")).to_be_visible()
    expect(section.get_by_role("button", name="Make new recovery codes")).to_be_hidden()

    somebody.goto("/account")
    section.get_by_text("New recovery codes", exact=True).click()
    show_both(section, first)
    section.get_by_role("button", name="Make new recovery codes").click()
    expect(somebody.page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    renewed = somebody.page.locator("#codes code").all_inner_texts()
    assert len(renewed) == 10
    assert second not in renewed

    somebody.goto("/account")
    section.get_by_text("Remove it", exact=True).click()
    show_both(section, renewed[0]).press("Enter")
    expect(section.get_by_role("status")).to_contain_text("The second factor is removed")
    expect(section.get_by_role("button", name="Set up a second factor")).to_be_visible()


def test_an_administrator_takes_it_away_from_whoever_has_lost_it(
    admin: People, person: People
) -> None:
    somebody = person()
    confirm(somebody, begin(somebody).now())
    ruler = admin()
    ruler.goto("/admin/users")
    row = row_of(ruler, somebody.username)
    expect(row).to_contain_text("second factor")
    row.get_by_role("button", name=re.compile("Remove the second factor")).click()

    expect(ruler.page.get_by_role("status")).to_contain_text("The second factor is removed")
    expect(row).not_to_contain_text("second factor")
    somebody.goto("/account")
    sign_in(somebody)
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/analyze")


def test_its_pages_keep_nobody_out(person: People, visitor: People, axe: Axe) -> None:
    somebody = person()
    telephone = begin(somebody)
    axe(somebody.page)
    confirm(somebody, telephone.now())
    axe(somebody.page)
    somebody.goto("/account")
    somebody.page.get_by_text("New recovery codes", exact=True).click()
    somebody.page.get_by_text("Remove it", exact=True).click()
    axe(somebody.page)
    again = visitor()
    again.username = somebody.username
    sign_in(again)
    expect(again.page.get_by_role("heading", level=1)).to_have_text("One more step")
    axe(again.page)


def test_two_clicks_put_it_in_force_once_and_show_the_recovery_codes(person: People) -> None:
    somebody = person()
    page, code = somebody.page, begin(somebody).now()
    page.get_by_label("Code", exact=True).fill(code)

    held = clicked_twice(page, "**/second-factor/confirm?*", "Put it in force")

    expect(page.locator("#codes code")).to_have_count(10)
    assert held.statuses() == [200]
