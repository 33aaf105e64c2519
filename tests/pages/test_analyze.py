"""Sending a picture without scripts: a form that any browser has."""

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from services.gateway.web.body_map import BODY_SITES, REGIONS
from tests import specimens
from tests.pages.conftest import Person
from tests.pages.sending import HOSTILE, analyses, picture, send

People = Callable[..., Person]
RESULT = re.compile("/analyses/[0-9a-f]{32}$")


@pytest.fixture
def plain(person: People) -> Person:
    """Somebody whose browser runs no scripts, at the form."""
    somebody = person(java_script_enabled=False)
    somebody.goto("/analyze")
    return somebody


def region(somebody: Person, name: str) -> Locator:
    """The shape of a region in the drawing."""
    radio = somebody.page.get_by_role("radio", name=name, exact=True)
    return somebody.page.locator("label").filter(has=radio).locator("path")


def test_a_picture_is_sent_with_what_is_said_of_it_and_leads_to_its_result(plain: Person) -> None:
    plain.page.get_by_label("Dermoscopic picture").set_input_files(picture())
    plain.page.get_by_label("Patient number").fill("made up 7")
    plain.page.get_by_label("Patient name").fill("Nobody, Anna")
    plain.page.get_by_label("Lesion number").fill("L1")
    region(plain, "left shoulder").click()
    plain.page.get_by_label("Note").fill("new since spring")
    send(plain)
    expect(plain.page).to_have_url(RESULT)
    (made,) = analyses(plain)
    expect(plain.page).to_have_url(f"{plain.services.rest}/analyses/{made['id']}")
    assert made["status"] == "succeeded"
    said = {name: made[name] for name in ("patient_id", "patient_name", "lesion_id", "note")}
    assert said == {
        "patient_id": "made up 7",
        "patient_name": "Nobody, Anna",
        "lesion_id": "L1",
        "note": "new since spring",
    }
    assert made["body_site"] == "left shoulder"


def test_a_patient_and_a_lesion_of_ones_own_are_chosen(person: People) -> None:
    somebody = person(java_script_enabled=False)
    patient = somebody.api(
        "POST", "/v1/patients", json={"identifier": "made up 8", "name": HOSTILE}
    ).json()
    lesion = somebody.api("POST", "/v1/lesions", json={"patient": patient["id"]}).json()
    somebody.goto(f"/analyze?lesion={lesion['id']}&patient={patient['id']}")
    expect(somebody.page.get_by_label("Patient", exact=True)).to_have_value(patient["id"])
    expect(somebody.page.get_by_label("Known lesion")).to_have_value(lesion["id"])
    somebody.page.get_by_label("Dermoscopic picture").set_input_files(picture())
    send(somebody)
    expect(somebody.page).to_have_url(RESULT)
    (made,) = analyses(somebody)
    assert (made["patient"], made["lesion"]) == (patient["id"], lesion["id"])
    assert made["patient_name"] == HOSTILE


def test_a_known_lesion_is_offered_however_many_newer_ones_others_have(person: People) -> None:
    somebody = person(java_script_enabled=False)
    patient, other = (
        somebody.api("POST", "/v1/patients", json={"identifier": f"made up {number}"}).json()["id"]
        for number in (11, 12)
    )
    known = somebody.api("POST", "/v1/lesions", json={"patient": patient}).json()["id"]
    for _ in range(100):
        somebody.api("POST", "/v1/lesions", json={"patient": other})
    somebody.goto(f"/analyze?patient={patient}")
    somebody.page.get_by_label("Known lesion").select_option(known)


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"", "empty.jpg", "empty"),
        (b"GIF89a and no more", "moving.jpg", "not a JPEG or PNG"),
        (specimens.lesion_jpeg()[:2000], "half.jpg", "send it again"),
        (specimens.png_header(20_000, 20), "wide.png", "pixels"),
    ],
)
def test_a_picture_that_is_refused_is_told_why_and_what_was_said_is_kept(
    plain: Person, content: bytes, name: str, told: str
) -> None:
    said = {"Patient number": "made up 9", "Patient name": HOSTILE, "Note": HOSTILE}
    for label, text in said.items():
        plain.page.get_by_label(label).fill(text)
    region(plain, "chest").click()
    plain.page.get_by_label("Dermoscopic picture").set_input_files(picture(content, name))
    send(plain)
    expect(plain.page.get_by_role("alert")).to_contain_text(told)
    for label, text in said.items():
        expect(plain.page.get_by_label(label)).to_have_value(text)
    expect(plain.page.get_by_role("radio", name="chest")).to_be_checked()
    assert analyses(plain) == []


def test_a_patient_is_either_chosen_or_typed(person: People) -> None:
    somebody = person(java_script_enabled=False)
    patient = somebody.api("POST", "/v1/patients", json={"identifier": "made up 3"}).json()
    somebody.goto(f"/analyze?patient={patient['id']}")
    somebody.page.get_by_label("Patient number").fill("another")
    somebody.page.get_by_label("Dermoscopic picture").set_input_files(picture())
    send(somebody)
    expect(somebody.page.get_by_role("alert")).to_contain_text("not both")
    assert analyses(somebody) == []


def test_the_same_form_sent_twice_makes_one_analysis(plain: Person) -> None:
    key = plain.page.locator("input[name=key]").input_value()
    form = {"key": key, "note": "twice"}
    jar = {each["name"]: each["value"] for each in plain.context.cookies()}
    with httpx.Client(base_url=plain.services.rest, cookies=jar, timeout=120) as client:
        places = [
            client.post("/analyze", data=form, files={"image": ("a.jpg", specimens.lesion_jpeg())})
            for _ in range(2)
        ]
    assert [answer.status_code for answer in places] == [303, 303]
    assert len({answer.headers["location"] for answer in places}) == 1
    assert len(analyses(plain)) == 1


def test_whoever_goes_back_and_sends_another_picture_has_both(plain: Person) -> None:
    for seed in (1, 2):
        chosen = picture(specimens.lesion_jpeg(seed=seed))
        plain.page.get_by_label("Dermoscopic picture").set_input_files(chosen)
        send(plain)
        expect(plain.page).to_have_url(RESULT)
        plain.page.go_back()
    assert len(analyses(plain)) == 2


def test_each_region_of_the_drawing_has_a_word_of_its_own_and_a_click_chooses_it(
    person: People,
) -> None:
    assert len(set(BODY_SITES)) == len(BODY_SITES)
    somebody = person(java_script_enabled=False)
    somebody.goto("/analyze")
    for each in REGIONS[::7]:
        region(somebody, each.name).click()
        expect(somebody.page.get_by_role("radio", name=each.name, exact=True)).to_be_checked()


def test_the_page_keeps_nobody_out(person: People, axe: Callable[[Page], None]) -> None:
    somebody = person()
    patient = somebody.api("POST", "/v1/patients", json={"identifier": "made up 4"}).json()
    somebody.api("POST", "/v1/lesions", json={"patient": patient["id"]})
    somebody.goto("/analyze")
    axe(somebody.page)
