"""Whoever sent a form that was refused is back in it, at what was wrong, and hears why."""

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.pages.conftest import PASSWORD, Person
from tests.pages.test_second_factor import begin, confirm, show_both, sign_in
from tests.pages.test_users import make_user

People = Callable[..., Person]
Axe = Callable[[Page], None]


def is_told_at(field: Locator, axe: Axe) -> None:
    """See that somebody stands in a field, and that it says what is wrong with it."""
    page = field.page
    sentence = page.get_by_role("alert").inner_text()
    expect(page).to_have_title(re.compile("^That did not work"))
    expect(field).to_be_focused()
    expect(page.locator("[aria-invalid]")).to_have_count(1)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile(re.escape(sentence)))
    axe(page)


def test_after_a_wrong_password_one_is_back_in_the_password(visitor: People, axe: Axe) -> None:
    somebody = visitor()
    somebody.username = "nobody"
    sign_in(somebody)

    is_told_at(somebody.page.get_by_label("Password"), axe)


def test_whose_name_is_taken_is_back_in_the_name(visitor: People, axe: Axe) -> None:
    somebody = visitor()
    somebody.goto("/sign-up")
    somebody.page.get_by_label("Username").fill("admin")
    somebody.page.get_by_label("Password").fill(PASSWORD)
    somebody.page.get_by_role("button", name="Make the account").click()

    is_told_at(somebody.page.get_by_label("Username"), axe)


def test_whose_new_password_is_a_common_one_is_back_in_the_password(
    visitor: People, axe: Axe
) -> None:
    somebody = visitor()
    somebody.goto("/sign-up")
    somebody.page.get_by_label("Username").fill("newcomer")
    somebody.page.get_by_label("Password").fill("password123")
    somebody.page.get_by_role("button", name="Make the account").click()

    is_told_at(somebody.page.get_by_label("Password"), axe)


def test_whose_code_for_another_password_is_none_is_back_in_the_code(
    visitor: People, axe: Axe
) -> None:
    somebody = visitor()
    somebody.goto("/sign-in/reset")
    somebody.page.get_by_label("Code").fill("no code")
    somebody.page.get_by_label("New password").fill(PASSWORD)
    somebody.page.get_by_role("button", name="Choose the password").click()

    is_told_at(somebody.page.get_by_label("Code"), axe)


def test_whose_current_password_is_wrong_is_back_in_that_one(person: People, axe: Axe) -> None:
    somebody = person()
    somebody.goto("/account")
    section = somebody.page.get_by_role("region", name="Password")
    section.get_by_label("Current password").fill("another one")
    section.get_by_label("New password").fill(PASSWORD)
    section.get_by_role("button", name="Change the password").click()

    is_told_at(section.get_by_label("Current password"), axe)


def test_who_makes_a_user_that_there_is_is_back_in_the_name(admin: People, axe: Axe) -> None:
    somebody = admin()
    make_user(somebody, "admin")

    form = somebody.page.get_by_role("region", name="New user")
    is_told_at(form.get_by_label("Username"), axe)


def test_whose_code_of_a_second_factor_is_refused_is_back_where_it_is_asked_for(
    person: People, visitor: People, axe: Axe
) -> None:
    somebody = person()
    page = somebody.page
    begin(somebody)
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Put it in force").click()
    is_told_at(page.get_by_label("Code", exact=True), axe)

    recovery, *_ = confirm(somebody, begin(somebody).now())
    somebody.goto("/account")
    section = page.get_by_role("region", name="Second factor")
    section.get_by_text("Remove it", exact=True).click()
    show_both(section, "abcd-efgh").press("Enter")
    is_told_at(section.get_by_label("Code", exact=True).filter(visible=True), axe)

    for code in (recovery, recovery):
        again = visitor()
        again.username = somebody.username
        sign_in(again)
        again.page.get_by_label("Code", exact=True).fill(code)
        again.page.get_by_role("button", name="Sign in").click()
    expect(again.page.get_by_role("alert")).to_contain_text("used already")
    is_told_at(again.page.get_by_label("Code", exact=True), axe)
