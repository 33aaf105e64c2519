"""Results, comparisons and lists say whose picture it is: nobody is taken for somebody else."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests import specimens
from tests.pages.conftest import Person
from tests.pages.looking import seen
from tests.pages.results import analyzed, attached, unassessable

People = Callable[..., Person]


def test_a_result_says_above_the_answer_whose_it_is_and_of_where(person: People) -> None:
    somebody = person(viewport={"width": 1366, "height": 768})
    to = attached(somebody, identifier="made up 4", name="Ada Madeup")
    made = analyzed(somebody, None, **to)
    somebody.goto(f"/analyses/{made['id']}")

    whose = somebody.page.locator(".answer .whose")
    expect(whose).to_contain_text("Ada Madeup, made up 4")
    expect(whose).to_contain_text("posterior torso")
    expect(whose).to_be_in_viewport()


def test_a_result_of_nobody_in_particular_names_nobody(person: People) -> None:
    somebody = person()
    somebody.goto(f"/analyses/{analyzed(somebody)['id']}")

    expect(somebody.page.get_by_role("heading", level=1)).to_be_visible()
    expect(somebody.page.locator(".whose")).to_have_count(0)


def test_a_comparison_of_two_patients_says_so_and_whose_each_picture_is(person: People) -> None:
    somebody = person()
    one = analyzed(somebody, None, **attached(somebody, identifier="first 1", name="Ada Madeup"))
    other = analyzed(somebody, None, **attached(somebody, identifier="second 2"))
    somebody.goto(f"/comparison?first={one['id']}&second={other['id']}")

    figures = somebody.page.locator("figure")
    expect(figures.nth(0)).to_contain_text("Ada Madeup, first 1")
    expect(figures.nth(1)).to_contain_text("second 2")
    expect(somebody.page.get_by_text("pictures of two patients")).to_be_visible()


def test_a_patient_whose_number_was_corrected_is_no_other_one(person: People) -> None:
    somebody = person()
    to = attached(somebody, identifier="mistyped 6")
    one = analyzed(somebody, None, **to)
    correct = {"identifier": "made up 6"}
    patient = f"/v1/patients/{one['patient']}"
    somebody.api("PATCH", patient, json=correct, headers={"If-Match": "*"}).raise_for_status()
    other = analyzed(somebody, None, **to)
    somebody.goto(f"/comparison?first={one['id']}&second={other['id']}")

    figures = somebody.page.locator("figure")
    expect(figures.nth(0)).to_contain_text("mistyped 6")
    expect(figures.nth(1)).to_contain_text("made up 6")
    expect(somebody.page.get_by_text("pictures of two patients")).to_have_count(0)


@pytest.mark.parametrize("kept_as", ["lesion", "patient"])
def test_another_picture_in_place_of_one_that_cannot_be_assessed_is_of_the_same(
    person: People, kept_as: str
) -> None:
    somebody = person()
    to = attached(somebody, identifier="made up 5")
    if kept_as == "patient":
        to = {"patient": somebody.api("GET", "/v1/patients").json()["items"][0]["id"]}
    made = analyzed(somebody, unassessable(), **to)
    somebody.goto(f"/analyses/{made['id']}")
    somebody.page.get_by_role("link", name="Send another picture").click()

    expect(somebody.page.locator(f"#{kept_as}")).to_have_value(to[kept_as])


def test_the_history_tells_pictures_of_a_batch_apart_by_their_files(person: People) -> None:
    somebody = person()
    whose = attached(somebody, identifier="made up 7")
    file = ("left arm.jpg", specimens.lesion_jpeg())
    sent = somebody.api("POST", "/v1/batches", files=[("images", file)], data=whose)
    sent.raise_for_status()
    somebody.goto("/analyses")

    row = somebody.page.get_by_role("listitem").filter(has_text="left arm.jpg")
    seen(somebody.page, row.get_by_text("Malignant probability"))
