"""A picture that is refused, in a browser without scripts: the form comes back as it was."""

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests import specimens
from tests.pages.conftest import PHONE, Person
from tests.pages.sending import HOSTILE, analyses, picture, send

People = Callable[..., Person]

MIB = 1024 * 1024


def test_a_form_whose_picture_is_too_large_comes_back_and_is_sent_with_another(
    person: People,
) -> None:
    somebody = person(java_script_enabled=False)
    page = somebody.page
    made = somebody.api("POST", "/v1/patients", json={"identifier": "made up 21"}).json()
    lesion = somebody.api("POST", "/v1/lesions", json={"patient": made["id"]}).json()
    somebody.goto("/analyze")
    page.get_by_label("Patient", exact=True).select_option(made["id"])
    page.get_by_label("Known lesion").select_option(lesion["id"])
    page.get_by_label("Note").fill(HOSTILE)
    page.get_by_role("radio", name="right ear").check()
    page.get_by_label("Dermoscopic picture").set_input_files(picture(bytes(17 * MIB)))

    send(somebody)

    expect(page.get_by_role("alert")).to_contain_text("too many bytes")
    expect(page.get_by_role("alert")).to_contain_text("choose it again")
    expect(page.get_by_label("Patient", exact=True)).to_have_value(made["id"])
    expect(page.get_by_label("Known lesion")).to_have_value(lesion["id"])
    expect(page.get_by_label("Note")).to_have_value(HOSTILE)
    page.get_by_label("Dermoscopic picture").set_input_files(picture(specimens.lesion_jpeg()))
    send(somebody)
    expect(page).to_have_url(re.compile(r"/analyses/[0-9a-f]+$"))
    (kept,) = analyses(somebody)
    expect(page).to_have_url(f"{somebody.services.rest}/analyses/{kept['id']}")
    assert (kept["lesion"], kept["note"], kept["body_site"]) == (lesion["id"], HOSTILE, "right ear")


def test_with_scripts_pictures_come_first_for_eyes_and_for_the_keyboard(person: People) -> None:
    somebody = person()
    page = somebody.page
    somebody.goto("/analyze")
    expect(page.locator("#choose")).to_be_visible()

    first = page.locator("#analyze > section").first
    assert first.get_attribute("class") == "pictures"
    for size in ({"width": 1440, "height": 900}, {"width": 390, "height": 844}):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        pictures, about = (page.locator(each).bounding_box() for each in (".pictures", ".about"))
        assert pictures is not None
        assert about is not None
        assert (pictures["y"], pictures["x"]) <= (about["y"], about["x"])


def test_the_form_is_no_wider_than_a_phone_without_scripts(person: People) -> None:
    somebody = person(java_script_enabled=False, viewport=PHONE)
    somebody.goto("/analyze")
    assert somebody.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
