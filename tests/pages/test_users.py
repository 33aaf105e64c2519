"""The users of an organisation, at the pages for administrators."""

import itertools
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.pages.conftest import PASSWORD, Person

People = Callable[..., Person]
_names = itertools.count()


def make_user(admin: Person, username: str, role: str = "clinician") -> None:
    admin.goto("/admin/users")
    form = admin.page.get_by_role("region", name="New user")
    form.get_by_label("Username").fill(username)
    form.get_by_label("First password").fill(PASSWORD)
    form.get_by_label("Role").select_option(role)
    form.get_by_role("button", name="Make the account").click()


def row_of(admin: Person, username: str) -> Locator:
    return admin.page.get_by_role("listitem").filter(
        has=admin.page.get_by_text(username, exact=True)
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_an_administrator_makes_a_user_changes_their_role_and_keeps_them_out(
    admin: People, *, scripts: bool
) -> None:
    somebody = admin(java_script_enabled=scripts)
    name = f"made.{next(_names)}"
    make_user(somebody, name)
    expect(somebody.page.get_by_role("status")).to_have_text("The account is made.")

    row = row_of(somebody, name)
    row.get_by_label(f"Role of {name}").select_option("viewer")
    row.get_by_role("button", name="Save").click()
    expect(row).to_contain_text("Viewer, since")

    row.get_by_role("button", name="Disable").click()
    expect(row).to_contain_text("disabled")
    with httpx.Client(base_url=somebody.services.rest, timeout=60) as client:
        form = {"username": name, "password": PASSWORD}
        assert client.post("/v1/auth/token", data=form).status_code == 401

        row.get_by_role("button", name="Enable").click()
        expect(row).not_to_contain_text("disabled")
        assert client.post("/v1/auth/token", data=form).status_code == 200


def test_the_same_form_sent_twice_makes_one_user(admin: People) -> None:
    somebody = admin()
    somebody.goto("/admin/users")
    form = somebody.page.locator("input[name=form]").get_attribute("value")
    values: dict[str, str | float | bool] = {
        "username": "sent.twice",
        "password": PASSWORD,
        "role": "viewer",
        "form": form or "",
    }
    answers = [
        somebody.context.request.post(
            f"{somebody.services.rest}/admin/users", form=values, max_redirects=0
        )
        for _ in range(2)
    ]
    assert [answer.status for answer in answers] == [303, 303]
    somebody.goto("/admin/users")
    expect(row_of(somebody, "sent.twice")).to_have_count(1)


@pytest.mark.parametrize(
    ("username", "told"),
    [
        ("admin", "taken"),
        ("<img src=x onerror=alert(1)>", "letters"),
        ("\u202eegnarts", "letters"),
    ],
)
def test_a_name_that_cannot_be_is_refused_beside_the_form(
    admin: People, username: str, told: str
) -> None:
    somebody = admin()
    make_user(somebody, username)
    expect(somebody.page.get_by_role("alert")).to_contain_text(told)
    new = somebody.page.get_by_role("region", name="New user")
    expect(new.get_by_label("Username")).to_have_value(username)
    expect(new.get_by_label("First password")).to_have_value("")


def test_the_last_administrator_stays_one(admin: People) -> None:
    somebody = admin()
    somebody.goto("/admin/users")
    page = somebody.page
    disable = page.get_by_role("button", name="Disable admin", exact=True)
    while not disable.count():  # the oldest of all: other tests have made users meanwhile
        with page.expect_navigation():
            page.get_by_role("link", name="Older ones").click()
    disable.click()
    expect(somebody.page.get_by_role("alert")).to_contain_text("last administrator")


@pytest.mark.parametrize(
    "path", ["/admin", "/admin/models", "/admin/users", "/admin/keys", "/admin/audit"]
)
def test_who_is_no_administrator_is_refused_in_words(person: People, path: str) -> None:
    somebody = person()
    answer = somebody.page.goto(f"{somebody.services.rest}{path}")
    assert answer is not None
    assert answer.status == 403
    expect(somebody.page.get_by_role("heading", name="Not allowed")).to_be_visible()
    expect(somebody.page.get_by_role("link", name="Administration")).to_have_count(0)


@pytest.mark.parametrize("scripts", [True, False])
def test_who_forgot_their_password_chooses_another_with_a_code_of_the_administrator(
    admin: People, visitor: People, axe: Callable[[Page], None], *, scripts: bool
) -> None:
    somebody, other = admin(java_script_enabled=scripts), visitor(java_script_enabled=scripts)
    name = f"forgot.{next(_names)}"
    make_user(somebody, name)
    row_of(somebody, name).get_by_role("button", name="Password forgotten").click()
    code = somebody.page.locator("#code").inner_text()

    page = other.page
    other.goto("/sign-in")
    page.get_by_role("link", name="Forgotten password").click()
    for given, told in (("not a code", "missing, expired, used or not valid"), (code, "")):
        page.get_by_label("Code").fill(given)
        page.get_by_label("New password").fill("quite another teapot")
        page.get_by_role("button", name="Choose the password").click()
        if told:
            expect(page.get_by_role("alert")).to_contain_text(told)
    expect(page.get_by_role("status")).to_contain_text("The password is changed")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("quite another teapot")
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{other.services.rest}/analyze")
    if scripts:
        axe(somebody.page)
        other.context.clear_cookies()
        other.goto("/sign-in/reset")
        axe(page)


def test_nobody_is_kept_out_of_the_users(admin: People, axe: Callable[[Page], None]) -> None:
    somebody = admin()
    make_user(somebody, f"seen.{next(_names)}")
    axe(somebody.page)
