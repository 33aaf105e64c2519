"""Patients at the pages: made, changed, removed, whoever else does so meanwhile."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Person
from tests.pages.results import analyzed, attached
from tests.pages.test_history import HOSTILE, OURS

People = Callable[..., Person]


@pytest.mark.parametrize("scripts", [True, False])
def test_a_patient_is_made_found_changed_and_removed(person: People, *, scripts: bool) -> None:
    somebody = person(java_script_enabled=scripts)
    somebody.goto("/patients")
    page = somebody.page
    page.get_by_role("link", name="New patient").click()
    page.get_by_label("Number").fill("made up 1")
    page.get_by_label("Name").fill(HOSTILE)
    page.get_by_label("Born").fill("1961-05-17")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE)

    page.get_by_role("link", name="Patients").click()
    page.get_by_label("Number").fill("made up 1")
    page.get_by_role("button", name="Find by number").click()
    page.locator("main li a").click()
    page.get_by_role("link", name="Change").click()
    page.get_by_label("Name").fill("Ann Madeup")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann Madeup")

    page.get_by_text("New lesion").click()
    page.get_by_label("Body site").select_option("palms/soles")
    page.get_by_role("button", name="Keep the lesion").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Palms/soles")
    page.get_by_role("link", name="Ann Madeup").click()
    page.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove the patient").click()
    expect(page.get_by_text("There are no patients yet.")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_patient_is_found_by_name_and_no_address_has_it(
    person: People, axe: Callable[[Page], None], *, scripts: bool
) -> None:
    somebody = person(java_script_enabled=scripts)
    names = [f"Anna Müller {number}" for number in range(51)] + ["Zoë Madeup"]
    for number, name in enumerate(names):
        new = {"identifier": f"made up {number}", "name": name}
        assert somebody.api("POST", "/v1/patients", json=new, headers=OURS).status_code == 201
    somebody.goto("/patients")
    page = somebody.page

    def found() -> list[str]:
        return page.locator("main li strong").all_text_contents()

    def look_for(name: str) -> None:
        page.get_by_label("Name", exact=True).fill(name)
        page.get_by_role("button", name="Find by name").click()
        expect(page.get_by_label("Name", exact=True)).to_have_value(name)

    look_for("zoe")
    assert found() == ["Zoë Madeup"]
    look_for("MULL ann")
    assert found() == names[50:0:-1]
    page.get_by_role("button", name="Next page").click()
    expect(page.get_by_role("button", name="Next page")).to_have_count(0)
    assert found() == names[:1]
    assert page.url.partition("?")[0].endswith("/patient-search")
    assert "mull" not in page.url.lower()
    look_for("nobody")
    expect(page.get_by_text("No patient has this name.")).to_be_visible()
    look_for("z")
    expect(page.get_by_role("alert")).to_contain_text("at least 2 characters")
    if scripts:
        axe(page)
    page.get_by_role("link", name="Show all").click()
    expect(page.get_by_text("Zoë Madeup")).to_be_visible()


def test_what_is_wrong_with_a_patient_is_said_and_what_was_written_stays(person: People) -> None:
    somebody = person()
    somebody.goto("/patients/new")
    page = somebody.page
    page.get_by_label("Number").fill("made up 2")
    page.get_by_label("Name").fill("x" * 200)
    page.get_by_label("Born").fill("1066-10-14")
    page.get_by_role("button", name="Keep").click()

    expect(page.get_by_role("alert")).to_contain_text("between 1850 and today")
    expect(page.get_by_label("Name")).to_have_value("x" * 200)
    page.get_by_label("Born").fill("")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("x" * 200)
    somebody.goto("/patients/new")
    page.get_by_label("Number").fill("made up 2")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_role("alert")).to_contain_text("already")


def test_a_form_of_a_patient_that_is_sent_twice_makes_one(person: People) -> None:
    somebody = person()
    somebody.goto("/patients/new")
    token = somebody.page.locator("input[name=form]").get_attribute("value") or ""
    form: dict[str, str | float | bool] = {
        "identifier": "made up 6",
        "name": HOSTILE,
        "form": token,
    }
    sent = [
        somebody.context.request.post(
            f"{somebody.services.rest}/patients", form=form, headers=OURS, max_redirects=0
        )
        for _ in range(2)
    ]

    assert [answer.status for answer in sent] == [303, 303]
    assert sent[0].headers["location"] == sent[1].headers["location"]
    assert len(somebody.api("GET", "/v1/patients").json()["items"]) == 1


def test_two_tabs_that_change_one_patient_are_shown_both_versions(
    person: People, axe: Callable[[Page], None]
) -> None:
    somebody = person()
    made = somebody.api("POST", "/v1/patients", json={"identifier": "made up 3"}, headers=OURS)
    path = f"/patients/{made.json()['id']}"
    page, other = somebody.page, somebody.context.new_page()
    for tab, name in ((page, "Here"), (other, "There")):
        tab.goto(f"{somebody.services.rest}{path}/change")
        tab.get_by_label("Name").fill(name)

    other.get_by_role("button", name="Keep").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("There")
    page.get_by_role("button", name="Keep").click()
    kept = page.get_by_role("row", name="Name")
    expect(kept).to_contain_text("There")
    expect(kept).to_contain_text("Here")
    axe(page)
    page.get_by_role("button", name="Keep what I wrote").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Here")


def test_a_form_of_a_patient_who_was_removed_meanwhile_says_so(person: People) -> None:
    somebody = person()
    made = somebody.api("POST", "/v1/patients", json={"identifier": "made up 4"}, headers=OURS)
    patient = made.json()["id"]
    somebody.goto(f"/patients/{patient}/change")
    somebody.api("DELETE", f"/v1/patients/{patient}", headers=OURS | {"If-Match": "*"})

    somebody.page.get_by_role("button", name="Keep").click()

    expect(somebody.page.get_by_role("heading", name="Not found")).to_be_visible()


def test_a_lesion_that_is_refused_is_written_on_where_it_was(
    person: People, axe: Callable[[Page], None]
) -> None:
    somebody = person()
    made = somebody.api("POST", "/v1/patients", json={"identifier": "made up 7"}, headers=OURS)
    somebody.goto(f"/patients/{made.json()['id']}")
    page = somebody.page
    page.get_by_text("New lesion").click()
    page.get_by_label("Body site").select_option("palms/soles")
    note = page.get_by_label("Note")
    note.evaluate("note => note.removeAttribute('maxlength')")
    note.fill("x" * 2001)
    page.get_by_role("button", name="Keep the lesion").click()

    expect(page.get_by_role("alert")).to_contain_text("Note: ")
    expect(note).to_have_value("x" * 2001)
    expect(page.get_by_label("Body site")).to_have_value("palms/soles")
    axe(page)
    note.fill("small")
    page.get_by_role("button", name="Keep the lesion").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Palms/soles")


def test_a_form_of_a_lesion_that_is_sent_twice_makes_one(person: People) -> None:
    somebody = person()
    made = somebody.api("POST", "/v1/patients", json={"identifier": "made up 5"}, headers=OURS)
    form = {"patient": made.json()["id"], "form": "0" * 31 + "7", "note": HOSTILE}
    send = [
        somebody.context.request.post(
            f"{somebody.services.rest}/lesions", form=form, headers=OURS, max_redirects=0
        )
        for _ in range(2)
    ]

    assert [answer.status for answer in send] == [303, 303]
    assert send[0].headers["location"] == send[1].headers["location"]
    somebody.goto(send[0].headers["location"])
    expect(somebody.page.get_by_text("{{ 7 * 7 }}").first).to_be_visible()


def test_the_pages_of_patients_keep_nobody_out(person: People, axe: Callable[[Page], None]) -> None:
    somebody = person()
    lesion = attached(somebody, identifier=HOSTILE[:60], name=HOSTILE)
    patient = str(analyzed(somebody, None, **lesion)["patient"])
    for path in (
        "/patients",
        "/patients/new",
        f"/patients/{patient}",
        f"/patients/{patient}/remove",
    ):
        somebody.goto(path)
        axe(somebody.page)
