"""Sending pictures with scripts: many at once, from anywhere, with results as they come."""

import re
from collections.abc import Callable

import pytest
from PIL import ImageFilter
from playwright.sync_api import Page, expect

from tests import specimens
from tests.pages.conftest import PHONE, Person
from tests.pages.sending import (
    HOSTILE,
    analyses,
    choose,
    hand_over,
    looked_at,
    picture,
    pictures,
    row,
    send,
)

People = Callable[..., Person]
MARK = re.compile("suspicious|Cannot assess", re.IGNORECASE)


HOLD = """holds => {
    const look = window.createImageBitmap;
    const released = new Promise(resolve => (window.release = resolve));
    let looked = 0;
    window.createImageBitmap = async (...all) => {
        looked += 1;
        if (looked >= holds) await released;
        return look.call(window, ...all);
    };
}"""
"""Takes as long to look at a picture, and at all after it, as until it is released."""


@pytest.fixture
def sender(person: People) -> Person:
    """Somebody at the page."""
    somebody = person()
    somebody.goto("/analyze")
    return somebody


def test_a_picture_shows_its_result_in_the_list_and_leads_to_it(sender: Person) -> None:
    sender.page.get_by_label("Patient name").fill(HOSTILE)
    sender.page.get_by_label("Note").fill(HOSTILE)
    choose(sender, picture())
    send(sender)
    shown = row(sender, "lesion.jpg")
    expect(shown.locator(".mark")).to_contain_text(MARK)
    (made,) = analyses(sender)
    assert (made["patient_name"], made["note"]) == (HOSTILE, HOSTILE)
    found = made["classification"]
    expect(shown.locator(".finding")).to_contain_text(f"{found['label_name']} ({found['label']})")
    shown.get_by_role("link", name="Open").click()
    expect(sender.page).to_have_url(f"{sender.services.rest}/analyses/{made['id']}")


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_pictures_are_dropped_and_pasted(sender: Person, event: str) -> None:
    hand_over(sender, event, picture(name=f"{event}ped.jpg"))
    expect(row(sender, f"{event}ped.jpg").locator(".state")).to_have_text("Ready")
    send(sender)
    expect(row(sender, f"{event}ped.jpg").locator(".mark")).to_contain_text(MARK)
    assert len(analyses(sender)) == 1


def test_what_cannot_be_used_says_why_and_the_others_go_on(sender: Person) -> None:
    choose(
        sender,
        *pictures(2),
        picture(b"%PDF-1.7", "letter.jpg"),
        picture(b"\0\0\0\x18ftypheic", "phone.jpg"),
        picture(specimens.png_header(20_000, 20), "wide.png"),
        picture(specimens.lesion_jpeg()[:200], "half.jpg"),
        picture(b"", f"{HOSTILE}.jpg"),
    )
    # Made in the browser: it is a lot to hand over.
    sender.page.evaluate("""() => {
        const transfer = new DataTransfer();
        transfer.items.add(new File([new Uint8Array(17 << 20)], "large.jpg"));
        dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
    }""")
    for name, told in {
        "letter.jpg": "PDF document. Export it as JPEG or PNG",
        "phone.jpg": "HEIC",
        "large.jpg": "Export it smaller",
        "wide.png": "20000 × 20 pixels",  # noqa: RUF001 - as sizes are written
        "half.jpg": "damaged, or only a part",
        HOSTILE: "empty",
    }.items():
        expect(row(sender, name)).to_contain_text(told)
    send(sender)
    expect(sender.page.locator("#summary")).to_have_text("2 done, 6 not analyzed")
    assert len(analyses(sender)) == 2


def test_blur_is_hinted_at_and_refuses_nothing(sender: Person) -> None:
    sharp = specimens.lesion()
    blurred = sharp.filter(ImageFilter.GaussianBlur(12))
    choose(
        sender,
        picture(specimens.encoded(sharp), "sharp.jpg"),
        picture(specimens.encoded(blurred), "blurred.jpg"),
    )
    expect(row(sender, "blurred.jpg")).to_contain_text("may be blurred")
    expect(row(sender, "sharp.jpg").locator(".state")).to_have_text("Ready")
    expect(row(sender, "sharp.jpg")).not_to_contain_text("blurred")
    send(sender)
    expect(sender.page.locator("#summary")).to_have_text("2 done")


def test_progress_is_shown_while_a_picture_is_sent(sender: Person) -> None:
    sender.page.evaluate("""() => {
        window.seen = [];
        new MutationObserver(() => {
            const bar = document.querySelector("#list progress");
            if (bar && !bar.hidden && bar.hasAttribute("value")) window.seen.push(bar.value);
        }).observe(document.getElementById("list"),
            { subtree: true, attributes: true, childList: true });
    }""")
    choose(sender, picture(specimens.encoded(specimens.lesion((1500, 1500)), "PNG"), "l.png"))
    expect(sender.page.locator("#summary")).to_have_text("1 ready")
    send(sender)
    expect(sender.page.locator("#summary")).to_have_text("1 done")
    seen = sender.page.evaluate("window.seen")
    assert seen[0] == 0
    assert max(seen) == 1
    assert seen == sorted(seen)


def test_a_button_pressed_twice_and_a_picture_chosen_twice_make_one_analysis(
    sender: Person,
) -> None:
    choose(sender, picture())
    expect(row(sender, "lesion.jpg").locator(".state")).to_have_text("Ready")
    sender.page.locator("#send").dblclick()
    expect(sender.page.locator("#summary")).to_have_text("1 done")
    choose(sender, picture())
    expect(row(sender, "lesion.jpg").nth(1).locator(".state")).to_have_text("Ready")
    send(sender)
    expect(sender.page.locator("#summary")).to_have_text("2 done")
    assert len(analyses(sender)) == 1


def test_a_click_sends_what_is_ready_and_then_what_is_still_looked_at(sender: Person) -> None:
    sender.page.evaluate(HOLD, 2)
    choose(sender, *pictures(3))
    expect(row(sender, "lesion 1.jpg").locator(".state")).to_have_text("Ready")
    expect(sender.page.locator("#send")).to_have_text("Analyze 3 pictures")

    sender.page.locator("#send").click()

    expect(row(sender, "lesion 1.jpg").locator(".mark")).to_contain_text(MARK)
    for each in ("lesion 2.jpg", "lesion 3.jpg"):
        state = row(sender, each).locator(".state")
        expect(state).to_have_text("Looking at it; it is sent then")
    sender.page.evaluate("release()")
    expect(sender.page.locator("#summary")).to_have_text("3 done")
    assert len(analyses(sender)) == 3


def test_a_picture_that_is_looked_at_is_sent_with_what_is_said_at_the_click(
    sender: Person,
) -> None:
    sender.page.evaluate(HOLD, 1)
    choose(sender, picture())
    sender.page.get_by_label("Note").fill("at the click")
    sender.page.locator("#send").click()
    sender.page.get_by_label("Note").fill("after it")
    choose(sender, picture(b"%PDF-1.7", "letter.jpg"), *pictures(1))

    sender.page.evaluate("release()")

    # What was chosen after the click waits for another one.
    expect(sender.page.locator("#summary")).to_have_text("1 ready, 1 done, 1 not analyzed")
    (made,) = analyses(sender)
    assert made["note"] == "at the click"


def test_a_picture_that_waits_is_taken_off_the_list(sender: Person) -> None:
    choose(sender, *pictures(2))
    row(sender, "lesion 1.jpg").get_by_role("button", name="Remove").click()
    expect(row(sender, "lesion 1.jpg")).to_have_count(0)
    send(sender)
    expect(sender.page.locator("#summary")).to_have_text("1 done")
    assert len(analyses(sender)) == 1


def test_the_keyboard_goes_on_where_a_picture_was_taken_off(sender: Person) -> None:
    choose(sender, *pictures(3))
    expect(sender.page.get_by_text("Ready", exact=True)).to_have_count(3)
    remove = sender.page.get_by_role("button", name="Remove")
    remove.nth(1).press("Enter")
    expect(row(sender, "lesion 3.jpg").get_by_role("button", name="Remove")).to_be_focused()
    remove.nth(1).press("Enter")
    expect(row(sender, "lesion 1.jpg").get_by_role("button", name="Remove")).to_be_focused()
    remove.press("Enter")
    expect(sender.page.get_by_role("button", name="Choose pictures")).to_be_focused()


def test_whoever_leaves_with_pictures_that_are_not_sent_is_asked(sender: Person) -> None:
    choose(sender, picture())
    expect(row(sender, "lesion.jpg").locator(".state")).to_have_text("Ready")
    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    sender.page.on("dialog", stay)
    sender.goto("/account")
    assert asked == ["beforeunload"]


def test_a_chosen_patient_is_not_typed_as_well_and_has_only_their_lesions(person: People) -> None:
    somebody = person()
    made = [
        somebody.api("POST", "/v1/patients", json={"identifier": f"made up {each}"}).json()["id"]
        for each in (1, 2)
    ]
    theirs = [
        somebody.api("POST", "/v1/lesions", json={"patient": patient}).json()["id"]
        for patient in made
    ]
    somebody.goto("/analyze")
    somebody.page.get_by_label("Patient number").fill("typed")
    somebody.page.get_by_label("Known lesion").select_option(theirs[1])
    expect(somebody.page.get_by_label("Patient", exact=True)).to_have_value(made[1])
    expect(somebody.page.get_by_label("Patient number")).to_be_hidden()
    somebody.page.get_by_label("Patient", exact=True).select_option(made[0])
    expect(somebody.page.get_by_label("Known lesion")).to_have_value("")
    choose(somebody, picture())
    send(somebody)
    expect(somebody.page.locator("#summary")).to_have_text("1 done")
    (analysis,) = analyses(somebody)
    assert (analysis["patient"], analysis["lesion"]) == (made[0], None)
    assert analysis["patient_id"] == "made up 1"


def test_the_next_patient_begins_with_an_empty_form(sender: Person) -> None:
    sender.page.get_by_label("Patient number").fill("made up 5")
    choose(sender, picture())
    send(sender)
    sender.page.get_by_role("link", name="Next patient").click()
    expect(sender.page.get_by_label("Patient number")).to_have_value("")
    expect(sender.page.locator("#list > li")).to_have_count(0)


def test_a_phone_offers_its_camera(person: People) -> None:
    somebody = person(viewport=PHONE, has_touch=True, is_mobile=True)
    somebody.goto("/analyze")
    with somebody.page.expect_file_chooser() as opened:
        somebody.page.get_by_role("button", name="Take a photo").tap()
    assert opened.value.element.get_attribute("capture") == "environment"
    opened.value.set_files(picture(name="photo.jpg"))
    send(somebody)
    expect(row(somebody, "photo.jpg").locator(".mark")).to_contain_text(MARK)


def test_the_keyboard_suffices(sender: Person) -> None:
    focus = sender.page.locator("#choose")
    focus.focus()
    with sender.page.expect_file_chooser() as opened:
        sender.page.keyboard.press("Enter")
    opened.value.set_files(picture())
    looked_at(sender)
    radio = sender.page.get_by_role("radio", name="not said")
    radio.focus()
    sender.page.keyboard.press("ArrowDown")
    expect(sender.page.get_by_role("radio", name="scalp")).to_be_checked()
    sender.page.keyboard.press("Tab")
    expect(sender.page.get_by_label("Note")).to_be_focused()
    sender.page.keyboard.press("Tab")
    sender.page.keyboard.press("Enter")
    expect(sender.page.locator("#summary")).to_have_text("1 done")
    assert analyses(sender)[0]["body_site"] == "scalp"


def test_a_list_with_results_and_refusals_keeps_nobody_out(
    sender: Person, axe: Callable[[Page], None]
) -> None:
    choose(sender, picture(), picture(b"no", "no.jpg"))
    send(sender)
    expect(sender.page.locator("#summary")).to_have_text("1 done, 1 not analyzed")
    axe(sender.page)
