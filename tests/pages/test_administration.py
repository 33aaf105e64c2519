"""Overview, API keys and audit trail, at the pages for administrators."""

import json
from collections.abc import Callable

import httpx
from playwright.sync_api import Page, expect

from tests.pages.conftest import PASSWORD, Person
from tests.pages.looking import until

People = Callable[..., Person]
_OURS = {"Sec-Fetch-Site": "same-origin"}
_NAME = "<script>alert(1)</script> \u202eegdirb"


def with_service(admin: Person, name: str) -> None:
    user = {"username": name, "password": PASSWORD, "role": "service"}
    answer = admin.api("POST", "/v1/users", json=user, headers=_OURS)
    assert answer.status_code == 201, answer.text


def make_key(admin: Person, service: str) -> None:
    admin.goto("/admin/keys")
    admin.page.get_by_label("Service").select_option(service)
    admin.page.get_by_label("Name").fill(_NAME)
    admin.page.get_by_label("records:read").check()
    admin.page.get_by_label("records:write").check()
    admin.page.get_by_role("button", name="Make the key").click()


def test_the_overview_says_how_everything_is_and_what_roles_may_do(admin: People) -> None:
    somebody = admin()
    somebody.goto("/admin")
    health = somebody.page.get_by_role("region", name="Health").get_by_role("listitem")

    def says_what_the_api_says() -> bool:
        checks = somebody.api("GET", "/v1/system").json()["checks"]
        told = [" ".join(each.split()) for each in health.all_inner_texts()]
        return told == [f"{name.capitalize()} {how}" for name, how in checks.items()]

    # Whatever takes a second to answer counts as down at that moment.
    until(somebody.page, says_what_the_api_says)
    for model in somebody.api("GET", "/v1/models").json()["items"]:
        card = somebody.page.get_by_role("article", name=model["name"])
        expect(card).to_contain_text(model["sha256"][:16])
    manages = somebody.page.get_by_role("row", name="users:manage")
    expect(manages.get_by_role("cell")).to_have_text(["yes", "no", "no", "no"])


def test_the_figures_of_a_model_stand_beside_their_intervals(admin: People) -> None:
    somebody = admin()
    somebody.goto("/admin")
    card = somebody.page.get_by_role("article", name="Classifier")
    row = card.get_by_role("row", name="Suspicious sensitivity")
    expect(row.get_by_role("cell")).to_have_text(["0.912", "0.881 to 0.940"])
    segmenter = somebody.page.get_by_role("article", name="Segmenter")
    expect(segmenter).to_contain_text("without figures of an evaluation")


def test_a_key_is_shown_once_works_and_is_no_good_when_revoked(admin: People) -> None:
    somebody = admin()
    with_service(somebody, "a.bridge")
    make_key(somebody, "a.bridge")
    key = somebody.page.locator("#key").inner_text()
    asked = {"Authorization": f"Bearer {key}"}
    me = f"{somebody.services.rest}/v1/me"
    assert httpx.get(me, headers=asked, timeout=60).json()["username"] == "a.bridge"

    somebody.goto("/admin/keys")
    row = somebody.page.get_by_role("listitem").filter(has_text=key[:8])
    expect(row).to_contain_text(_NAME)
    assert key not in somebody.page.content()
    row.get_by_role("button", name="Revoke").click()
    expect(row).to_have_count(0)
    assert httpx.get(me, headers=asked, timeout=60).status_code == 401


def test_the_same_form_sent_twice_makes_one_key_and_says_so(admin: People) -> None:
    somebody = admin()
    with_service(somebody, "b.bridge")
    make_key(somebody, "b.bridge")
    expect(somebody.page.locator("#key")).to_be_visible()
    somebody.page.reload()
    expect(somebody.page.get_by_role("status")).to_contain_text("has made the key")
    expect(somebody.page.locator("#key")).to_have_count(0)
    rows = somebody.page.get_by_role("listitem").filter(has_text="Of b.bridge")
    expect(rows).to_have_count(1)


def test_a_key_that_allows_nothing_is_refused_beside_the_form(admin: People) -> None:
    somebody = admin()
    with_service(somebody, "c.bridge")
    somebody.goto("/admin/keys")
    somebody.page.get_by_label("Name").fill("for nothing")
    somebody.page.get_by_role("button", name="Make the key").click()
    expect(somebody.page.get_by_role("alert")).to_contain_text("Permissions")
    expect(somebody.page.get_by_label("Name")).to_have_value("for nothing")


def test_the_audit_trail_is_narrowed_and_exported(admin: People, person: People) -> None:
    looked_at = person()
    looked_at.goto("/account")
    somebody = admin()
    somebody.goto("/admin/audit")
    somebody.page.get_by_label("User").fill(looked_at.username)
    somebody.page.get_by_label("Action").fill("sign_ins.read")
    somebody.page.get_by_role("button", name="Show").click()
    rows = somebody.page.locator("tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(looked_at.username)

    with somebody.page.expect_download() as loading:
        somebody.page.get_by_role("link", name="Export").click()
    (line,) = loading.value.path().read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["action"] == "sign_ins.read"


def test_a_long_audit_trail_goes_on_with_the_same_filter(admin: People) -> None:
    somebody = admin()
    for _ in range(51):
        somebody.api("GET", "/v1/users")
    somebody.goto("/admin/audit?action=users.read")
    somebody.page.get_by_role("link", name="Older ones").click()
    rows = somebody.page.locator("tbody tr")
    expect(rows.first).to_contain_text("users.read")
    expect(somebody.page.get_by_label("Action")).to_have_value("users.read")


def test_an_audit_trail_of_nobody_is_refused_beside_the_form(admin: People) -> None:
    somebody = admin()
    somebody.goto("/admin/audit?user=%3Cb%3E&since=soon")
    expect(somebody.page.get_by_role("alert")).to_contain_text("That did not work.")
    expect(somebody.page.get_by_label("User")).to_have_value("<b>")


def test_nobody_is_kept_out_of_administration(admin: People, axe: Callable[[Page], None]) -> None:
    somebody = admin()
    with_service(somebody, "d.bridge")
    make_key(somebody, "d.bridge")
    axe(somebody.page)
    for path in ("/admin", "/admin/audit"):
        somebody.goto(path)
        axe(somebody.page)
