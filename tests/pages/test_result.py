"""What the page of a result says, with scripts and without."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests import specimens
from tests.pages.conftest import DESKTOP, PASSWORD, PHONE, Person
from tests.pages.looking import seen
from tests.pages.results import analyzed, attached, unassessable

People = Callable[..., Person]
Axe = Callable[[Page], None]

HOSTILE = "<script>document.title='broken in'</script>{{ 7*7 }} \u202etxet"


@pytest.mark.parametrize("scripts", [True, False])
def test_the_answer_is_said_in_words_and_figures(person: People, *, scripts: bool) -> None:
    somebody = person(java_script_enabled=scripts)
    made = analyzed(somebody)
    found = made["classification"]
    somebody.goto(f"/analyses/{made['id']}")

    said = "Suspicious" if found["suspicious"] else "Not suspicious"
    expect(somebody.page.get_by_role("heading", level=1)).to_have_text(said)
    main = somebody.page.get_by_role("main")
    expect(main).to_contain_text(f"{100 * found['malignant_probability']:.1f} %")
    expect(main).to_contain_text(f"threshold of {100 * found['suspicious_threshold']:.1f} %")
    ranked = sorted(found["probabilities"].items(), key=lambda each: -each[1])
    rows = somebody.page.locator(".bars li")
    expect(rows).to_have_count(7)
    for row, (label, share) in zip(rows.all(), ranked, strict=True):
        expect(row.locator(".code")).to_contain_text(label)
        if 0.001 <= share <= 0.999:
            expect(row.locator(".value")).to_have_text(f"{100 * share:.1f} %")
    expect(somebody.page.get_by_text("Not a diagnosis.")).to_be_in_viewport()


def test_the_operating_point_is_explained_with_the_figures_of_the_evaluation(
    person: People,
) -> None:
    somebody = person()
    somebody.goto(f"/analyses/{analyzed(somebody)['id']}")
    worth = somebody.page.get_by_role("region", name="What that is worth")
    # Inference has a second to tell them, and is not asked again for half a minute.
    seen(somebody.page, worth.get_by_text("sensitivity"))
    expect(worth).to_contain_text("Of 100 malignant lesions, 91 reached the threshold and 9 were")
    expect(worth).to_contain_text("(sensitivity 91.2 %, 95 % interval 88.1 % to 94.0 %)")
    expect(worth).to_contain_text("Of 100 others, 63 stayed below and 37 were flagged")
    expect(worth).to_contain_text("(specificity 63.4 %, 95 % interval 60.2 % to 66.1 %)")
    expect(worth).to_contain_text("Measured on nothing: made for tests")


def test_without_scripts_the_outline_stands_beside_the_explanation(person: People) -> None:
    somebody = person(java_script_enabled=False)
    somebody.goto(f"/analyses/{analyzed(somebody)['id']}")
    outline = somebody.page.get_by_role("img", name="outline of the lesion")
    explanation = somebody.page.get_by_role("img", name="heat map")
    for picture in (outline, explanation):
        expect(picture).to_be_visible()
        expect(picture).to_have_js_property("naturalWidth", specimens.SIZE[0])
    left, right = outline.bounding_box(), explanation.bounding_box()
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    expect(somebody.page.get_by_role("button", name="Zoom in")).to_be_hidden()


def test_every_measure_has_its_value_and_its_meaning(person: People) -> None:
    somebody = person()
    made = analyzed(somebody)
    measured = made["segmentation"]
    somebody.goto(f"/analyses/{made['id']}")
    rows = somebody.page.locator(".measures > div")
    expect(rows).to_have_count(4)
    for name, value in (
        ("Area", f"{100 * measured['area_fraction']:.1f} %"),
        ("Asymmetry", f"{measured['asymmetry']:.2f}"),
        ("Border", f"{measured['border_irregularity']:.2f}"),
        ("Colours", f"{measured['color_variegation']:.2f}"),
    ):
        row = rows.filter(has_text=name)
        expect(row.locator(".value")).to_have_text(value)
        expect(row.locator(".hint")).not_to_be_empty()


def test_the_receipt_names_models_thresholds_and_hashes(person: People) -> None:
    somebody = person()
    made = analyzed(somebody)
    somebody.goto(f"/analyses/{made['id']}")
    somebody.page.get_by_text("How this answer was made").click()
    receipt = somebody.page.locator(".receipt")
    for model in made["models"]:
        for said in (model["name"], model["version"], model["sha256"], model["precision"]):
            expect(receipt).to_contain_text(said)
    expect(receipt).to_contain_text(made["image"]["sha256"])
    expect(receipt).to_contain_text(made["method"]["preprocessing"])
    expect(receipt).to_contain_text(str(made["method"]["thresholds"]["suspicious"]))


def test_what_cannot_be_assessed_says_why_and_what_would_help(person: People) -> None:
    somebody = person()
    made = analyzed(somebody, unassessable())
    assert made["outcome"] == "cannot_assess"
    somebody.goto(f"/analyses/{made['id']}")
    expect(somebody.page.get_by_role("heading", level=1)).to_have_text("Cannot assess")
    reasons = somebody.page.locator(".reasons li")
    expect(reasons).to_have_count(len(made["quality"]["reasons"]))
    expect(reasons.first).to_contain_text("nearly all of one colour")
    expect(reasons.first).to_contain_text("dermatoscope is switched on")
    expect(somebody.page.locator(".bars")).to_have_count(0)
    expect(somebody.page.get_by_role("link", name="Send another picture")).to_be_visible()


def test_what_was_said_of_a_picture_is_shown_as_it_was_said(person: People) -> None:
    somebody = person()
    made = analyzed(
        somebody,
        patient_id=f"9 {HOSTILE}"[:64],
        patient_name=HOSTILE,
        body_site=HOSTILE,
        lesion_id="مثال ٤",
        note=f"first line\n{HOSTILE}",
    )
    somebody.goto(f"/analyses/{made['id']}")
    said = somebody.page.get_by_role("region", name="Sent with it")
    expect(said.locator("dd")).to_have_text(
        [made[name] for name in ("patient_id", "patient_name", "lesion_id", "body_site", "note")]
    )
    expect(somebody.page).to_have_title(re.compile(r"^(Not s|S)uspicious · dermserve$"))
    for shown in said.locator("dd").all():
        assert shown.get_attribute("dir") == "auto"
        assert shown.evaluate("each => getComputedStyle(each).unicodeBidi") == "isolate"


def test_a_result_leads_to_its_patient_and_its_lesion(person: People) -> None:
    somebody = person()
    to = attached(somebody, identifier="made up 4", name="Ada Madeup")
    made = analyzed(somebody, None, **to)
    somebody.goto(f"/analyses/{made['id']}")
    patient = somebody.page.get_by_role("link", name="The patient")
    lesion = somebody.page.get_by_role("link", name="The lesion over time")
    expect(patient).to_have_attribute("href", f"/patients/{made['patient']}")
    expect(lesion).to_have_attribute("href", f"/lesions/{to['lesion']}")


@pytest.mark.parametrize("scripts", [True, False])
def test_checking_again_says_that_the_answer_is_the_same(person: People, *, scripts: bool) -> None:
    somebody = person(java_script_enabled=scripts)
    made = analyzed(somebody)
    somebody.goto(f"/analyses/{made['id']}")
    somebody.page.get_by_role("button", name="Check again").click()
    said = somebody.page.get_by_role("status").first
    expect(said).to_contain_text("the answer is the same")
    expect(said).to_contain_text(re.compile(r"to its last digit|more than 0\.\d*[1-9]"))
    somebody.page.go_back()
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/analyses/{made['id']}")
    expect(somebody.page.get_by_text("Checked again")).to_have_count(0)
    assert somebody.api("GET", f"/v1/analyses/{made['id']}").json() == made


@pytest.mark.parametrize("scripts", [True, False])
def test_a_result_is_removed_once_that_is_confirmed(person: People, *, scripts: bool) -> None:
    somebody = person(java_script_enabled=scripts)
    address = f"/analyses/{analyzed(somebody)['id']}"
    somebody.goto(address)
    somebody.page.get_by_role("link", name="Remove").click()
    somebody.page.get_by_role("link", name="Keep it").click()
    expect(somebody.page).to_have_url(f"{somebody.services.rest}{address}")
    somebody.page.get_by_role("link", name="Remove").click()
    somebody.page.get_by_role("button", name="Remove it").click()
    expect(somebody.page).to_have_url(f"{somebody.services.rest}/analyses")
    assert somebody.api("GET", f"/v1{address}").status_code == 404
    somebody.goto(address)
    expect(somebody.page.get_by_role("heading", level=1)).to_have_text("Not found")


def test_somebody_elses_result_is_a_page_that_says_not_found(person: People) -> None:
    address = f"/analyses/{analyzed(person())['id']}"
    stranger = person()
    answers = [
        stranger.context.request.get(f"{stranger.services.rest}{address}{end}")
        for end in ("", "/remove")
    ]
    changes = [
        stranger.context.request.post(f"{stranger.services.rest}{address}{end}")
        for end in ("/remove", "/replay")
    ]
    assert [answer.status for answer in answers + changes] == [404] * 4
    stranger.goto(address)
    expect(stranger.page.get_by_role("heading", level=1)).to_have_text("Not found")
    missing = stranger.context.request.get(f"{stranger.services.rest}/analyses/{'0' * 32}")
    assert missing.status == 404


def test_who_may_only_look_is_offered_no_change(person: People, admin: People) -> None:
    somebody = person()
    address = f"/analyses/{analyzed(somebody)['id']}"
    them = somebody.api("GET", "/v1/me").json()["id"]
    changed = admin().api(
        "PATCH", f"/v1/users/{them}", json={"role": "viewer"}, headers={"If-Match": "*"}
    )
    assert changed.status_code == 200, changed.text
    somebody.goto(address)
    expect(somebody.page.get_by_role("link", name="Report (PDF)")).to_be_visible()
    expect(somebody.page.get_by_role("button", name="Check again")).to_have_count(0)
    expect(somebody.page.get_by_role("link", name="Remove")).to_have_count(0)
    post = somebody.context.request.post
    for end in ("/remove", "/replay"):
        assert post(f"{somebody.services.rest}{address}{end}").status == 403


def test_outline_explanation_and_report_are_three_actions_away_from_signing_in(
    person: People, visitor: People
) -> None:
    somebody = person()
    made = analyzed(somebody)
    again = visitor()
    again.goto(f"/analyses/{made['id']}")
    again.page.get_by_label("Username").fill(somebody.username)
    again.page.get_by_label("Password").fill(PASSWORD)
    again.page.get_by_role("button", name="Sign in").click()

    expect(again.page.locator("#viewer[data-layers=loaded]")).to_be_visible()
    expect(again.page.locator(".outline .line").first).to_have_attribute("d", re.compile("^M"))
    again.page.get_by_label("Explanation", exact=True).check()
    expect(again.page.locator(".layer.explanation")).to_be_visible()
    report = again.page.get_by_role("link", name="Report (PDF)")
    expect(report).to_be_in_viewport()
    answer = again.context.request.get(f"{again.services.rest}{report.get_attribute('href')}")
    assert answer.headers["content-type"] == "application/pdf"
    mask = again.page.get_by_role("link", name="Mask").get_attribute("href")
    assert again.context.request.get(f"{again.services.rest}{mask}").body()[:4] == b"\x89PNG"


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_report_is_had_in_the_language_of_the_button(person: People, language: str) -> None:
    somebody = person()
    somebody.goto(f"/analyses/{analyzed(somebody)['id']}")
    link = somebody.page.locator(f".files a[href$='report.pdf?language={language}']")
    answer = somebody.context.request.get(
        f"{somebody.services.rest}{link.get_attribute('href')}",
    )
    assert answer.headers["content-language"] == language
    assert answer.body().startswith(b"%PDF")


@pytest.mark.parametrize("picture", ["assessable", "unassessable"])
def test_results_keep_nobody_out(person: People, axe: Axe, picture: str) -> None:
    somebody = person()
    sent = None if picture == "assessable" else unassessable()
    made = analyzed(somebody, sent, note="n" * 200, **attached(somebody, identifier="made up 5"))
    somebody.goto(f"/analyses/{made['id']}")
    for each in somebody.page.locator("summary").all():
        each.click()
    axe(somebody.page)


def test_the_page_that_asks_before_removing_keeps_nobody_out(person: People, axe: Axe) -> None:
    somebody = person()
    somebody.goto(f"/analyses/{analyzed(somebody)['id']}/remove")
    axe(somebody.page)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_nothing_is_cut_off_or_scrolls_sideways_at_twice_the_size(
    person: People, size: dict[str, int]
) -> None:
    # What zooming in by the browser does to a page: half of the CSS pixels, each twice as large.
    half = {name: value // 2 for name, value in size.items()}
    somebody = person(viewport=half, device_scale_factor=2)
    somebody.goto(f"/analyses/{analyzed(somebody, note='n' * 200)['id']}")
    wide = somebody.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= half["width"]
