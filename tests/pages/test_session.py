"""Signing up, in and out at the pages."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import PASSWORD, Person
from tests.stack import Stack

People = Callable[..., Person]
SESSION = "__Host-dermserve-session"


def sign_up(somebody: Person, username: str) -> None:
    somebody.goto("/")
    somebody.page.get_by_role("link", name="Make an account").click()
    somebody.page.get_by_label("Username").fill(username)
    somebody.page.get_by_label("Password").fill(PASSWORD)
    somebody.page.get_by_role("button", name="Make the account").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_whoever_makes_an_account_is_signed_in_until_they_sign_out(
    visitor: People, *, scripts: bool
) -> None:
    somebody = visitor(java_script_enabled=scripts)
    sign_up(somebody, f"ada.{scripts}")
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/analyze")

    somebody.goto("/account")
    somebody.page.get_by_role("button", name="Sign out").click()
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/")
    somebody.goto("/account")
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/sign-in?next=%2Faccount")


def test_an_ended_session_is_good_for_nothing_though_its_cookie_is_kept(person: People) -> None:
    somebody = person()
    (cookie,) = [each for each in somebody.context.cookies() if each["name"] == SESSION]
    somebody.goto("/account")
    somebody.page.get_by_role("button", name="Sign out").click()
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/")

    jar = {SESSION: cookie["value"]}
    answer = httpx.get(f"{somebody.services.rest}/v1/me", cookies=jar, timeout=60)
    assert answer.status_code == 401


def test_the_cookie_of_a_session_is_out_of_reach_of_scripts_and_of_other_sites(
    person: People,
) -> None:
    somebody = person()
    (cookie,) = [each for each in somebody.context.cookies() if each["name"] == SESSION]
    assert cookie["httpOnly"]
    assert cookie["secure"]
    assert cookie["sameSite"] == "Lax"
    assert cookie["expires"] == -1


def test_a_session_is_good_for_the_api_and_for_changes_only_from_our_own_pages(
    person: People,
) -> None:
    somebody = person()
    jar = {each["name"]: each["value"] for each in somebody.context.cookies()}
    with httpx.Client(base_url=somebody.services.rest, cookies=jar, timeout=60) as client:
        patient = {"identifier": "made up 1"}
        assert client.get("/v1/me").json()["username"] == somebody.username
        for site in ("cross-site", "same-site"):
            refused = client.post("/v1/patients", json=patient, headers={"Sec-Fetch-Site": site})
            assert refused.status_code == 403
            assert refused.json()["type"].endswith("#cross-origin")
        ours = {"Sec-Fetch-Site": "same-origin"}
        assert client.post("/v1/patients", json=patient, headers=ours).status_code == 201


def test_a_session_and_a_refresh_token_are_no_good_for_each_other(person: People) -> None:
    somebody = person()
    rest = somebody.services.rest
    (cookie,) = [each for each in somebody.context.cookies() if each["name"] == SESSION]
    asked = httpx.post(
        f"{rest}/v1/auth/refresh", json={"refresh_token": cookie["value"]}, timeout=60
    )
    assert asked.status_code == 401

    form = {"username": somebody.username, "password": PASSWORD}
    token = httpx.post(f"{rest}/v1/auth/token", data=form, timeout=60).json()["refresh_token"]
    assert httpx.get(f"{rest}/v1/me", cookies={SESSION: token}, timeout=60).status_code == 401
    assert somebody.api("GET", "/v1/me").status_code == 200


def test_whoever_signs_in_again_leaves_no_session_behind(person: People) -> None:
    somebody = person()
    rest = somebody.services.rest
    (before,) = [each for each in somebody.context.cookies() if each["name"] == SESSION]
    somebody.context.request.post(
        f"{rest}/sign-in", form={"username": "admin", "password": PASSWORD}, max_redirects=0
    )

    assert somebody.api("GET", "/v1/me").json()["username"] == "admin"
    old = httpx.get(f"{rest}/v1/me", cookies={SESSION: before["value"]}, timeout=60)
    assert old.status_code == 401


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/sign-out", "/account/password"])
def test_no_form_of_another_site_is_taken(services: Stack, path: str) -> None:
    for asked in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        answer = httpx.post(f"{services.rest}{path}", data={}, headers=asked, timeout=60)
        assert answer.status_code == 403
        assert answer.json()["type"].endswith("#cross-origin")


def test_after_signing_in_one_is_where_one_wanted_to_be(visitor: People, services: Stack) -> None:
    somebody = visitor()
    somebody.goto("/account?changed=password")
    somebody.page.get_by_label("Username").fill("admin")
    somebody.page.get_by_label("Password").fill(PASSWORD)
    somebody.page.get_by_role("button", name="Sign in").click()
    expect(somebody.page).to_have_url(f"{services.rest}/account?changed=password")


@pytest.mark.parametrize("onward", ["https://elsewhere.example", "//elsewhere.example", r"/\x"])
def test_nobody_is_sent_to_another_site_after_signing_in(services: Stack, onward: str) -> None:
    form = {"username": "admin", "password": PASSWORD, "next": onward}
    answer = httpx.post(f"{services.rest}/sign-in", data=form, timeout=60)
    assert answer.status_code == 422
    assert "location" not in answer.headers


def test_a_wrong_password_is_told_beside_the_form_and_the_name_is_kept(visitor: People) -> None:
    somebody = visitor()
    somebody.goto("/sign-in")
    somebody.page.get_by_label("Username").fill("nobody <b>\u202e")
    somebody.page.get_by_label("Password").fill("wrong, as it happens")
    somebody.page.get_by_role("button", name="Sign in").click()
    expect(somebody.page.get_by_role("alert")).to_contain_text("username or the password is wrong")
    expect(somebody.page.get_by_label("Username")).to_have_value("nobody <b>\u202e")
    expect(somebody.page.get_by_label("Password")).to_be_focused()


@pytest.mark.parametrize("path", ["/sign-in", "/sign-up", "/account"])
def test_fields_of_passwords_hide_them_and_take_what_a_manager_pastes(
    person: People, visitor: People, path: str
) -> None:
    somebody = person() if path == "/account" else visitor()
    somebody.goto(path)
    for field in somebody.page.locator("input[name$=password]").all():
        expect(field).to_have_attribute("type", "password")
        expect(field).to_have_attribute("autocomplete", re.compile("^(current|new)-password$"))
        field.evaluate("""field => {
            field.focus();
            document.execCommand("insertText", false, "pasted by a manager");
        }""")
        expect(field).to_have_value("pasted by a manager")


def test_after_signing_out_the_way_back_shows_nothing(person: People) -> None:
    somebody = person()
    somebody.goto("/account")
    somebody.page.get_by_role("button", name="Sign out").click()
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/")
    somebody.page.go_back()
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/sign-in?next=%2Faccount")


@pytest.mark.parametrize(
    ("username", "password", "told"),
    [
        ("admin", PASSWORD, "taken"),
        ("<script>alert(1)</script>", PASSWORD, "letters"),
        ("new.one", "password1", "among the first"),
    ],
)
def test_an_account_that_cannot_be_made_is_told_beside_the_form(
    visitor: People, username: str, password: str, told: str
) -> None:
    somebody = visitor()
    somebody.goto("/sign-up")
    somebody.page.get_by_label("Username").fill(username)
    somebody.page.get_by_label("Password").fill(password)
    somebody.page.get_by_role("button", name="Make the account").click()
    expect(somebody.page.get_by_role("alert")).to_contain_text(told)
    expect(somebody.page.get_by_label("Username")).to_have_value(username)


def test_a_changed_password_ends_all_other_sign_ins(person: People, visitor: People) -> None:
    somebody = person()
    elsewhere = visitor()
    elsewhere.goto("/sign-in")
    elsewhere.page.get_by_label("Username").fill(somebody.username)
    elsewhere.page.get_by_label("Password").fill(PASSWORD)
    elsewhere.page.get_by_role("button", name="Sign in").click()
    expect(elsewhere.page).to_have_url(f"{somebody.services.rest}/analyze")

    somebody.goto("/account")
    expect(somebody.page.get_by_text("Another browser or program")).to_be_visible()
    somebody.page.get_by_label("Current password").fill(PASSWORD)
    somebody.page.get_by_label("New password").fill("another yellow teapot")
    somebody.page.get_by_role("button", name="Change the password").click()
    expect(somebody.page.get_by_role("status")).to_contain_text("is changed")
    expect(somebody.page.get_by_text("Another browser or program")).to_have_count(0)

    elsewhere.goto("/account")
    expect(elsewhere.page).to_have_url(f"{somebody.services.rest}/sign-in?next=%2Faccount")


def test_one_ends_a_sign_in_of_ones_own_elsewhere(person: People) -> None:
    somebody = person()
    token = {"username": somebody.username, "password": PASSWORD}
    signed_in = httpx.post(f"{somebody.services.rest}/v1/auth/token", data=token, timeout=60).json()
    somebody.goto("/account")
    somebody.page.get_by_role("button", name="End the sign-in").click()
    expect(somebody.page.get_by_role("button", name="End the sign-in")).to_have_count(0)
    bearer = {"Authorization": f"Bearer {signed_in['access_token']}"}
    assert (
        httpx.get(f"{somebody.services.rest}/v1/me", headers=bearer, timeout=60).status_code == 401
    )


@pytest.mark.parametrize("path", ["/", "/sign-in", "/sign-up", "/nowhere"])
def test_pages_for_everybody_keep_nobody_out(
    visitor: People, axe: Callable[[Page], None], path: str
) -> None:
    somebody = visitor()
    somebody.goto(path)
    axe(somebody.page)


def test_the_account_page_keeps_nobody_out(person: People, axe: Callable[[Page], None]) -> None:
    somebody = person()
    somebody.goto("/account")
    axe(somebody.page)
