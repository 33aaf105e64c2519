"""The form that sends a picture without scripts, refused: what was written is shown again."""

import asyncio
import html
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from tests import specimens
from tests.gateway.conftest import Gateway, Start
from tests.gateway.test_page_sessions import entered
from tests.gateway.test_upload_bounds import Endless
from tests.gateway.test_uploads import MIB

SAID = {
    "key": "ab" * 16,
    "patient_id": "made up 7",
    "patient_name": "Nobody, <Anna>",
    "lesion_id": "L1",
    "body_site": "left shoulder",
    "note": "new since spring",
}
FORM = "multipart/form-data; boundary=x"


def part(name: str, text: str) -> bytes:
    """A text field of a form, as browsers send it."""
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
    return f"{head}{text}\r\n".encode()


TEXTS = b"".join(part(name, text) for name, text in SAID.items())
FILE = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.jpg"\r\n\r\n'


def shows(answer: httpx.Response) -> dict[str, str]:
    """Return what a form that is shown again has in its fields."""
    page = html.unescape(answer.text)
    values = dict(re.findall(r'<input[^>]* name="(\w+)" type="text" value="([^"]*)"', page))
    chosen = re.findall(r'name="body_site" value="([^"]+)" checked', page)
    (note,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)
    return {"key": SAID["key"], **values, "body_site": "".join(chosen), "note": note}


def kept(answer: httpx.Response) -> dict[str, str]:
    """Return what was chosen and is kept, each for whoever looks to see and to untick."""
    box = r'<label class="kept"><input type="checkbox" name="(\w+)" value="(\w+)" checked> '
    found = re.findall(box + r"<span>The (\w+) you had chosen is kept", answer.text)
    assert all(name == told for name, _, told in found)
    return {name: value for name, value, _ in found}


async def sent(
    gateway: Gateway, browser: dict[str, str], content: bytes | AsyncIterator[bytes]
) -> httpx.Response:
    headers = browser | {"Content-Type": FORM}
    return await gateway.http.post("/analyze", content=content, headers=headers)


def is_whole(answer: httpx.Response) -> bool:
    """Say whether all of the form is there again, and what cannot be is asked for."""
    return (
        shows(answer) == SAID
        and "choose it again" in answer.text
        and "could be read" not in answer.text
    )


@pytest.mark.parametrize(
    ("file", "status", "told"),
    [
        (("a.jpg", bytes(17 * MIB), "image/jpeg"), 413, "too many bytes"),
        (("a.png", specimens.lesion_jpeg(), "image/png"), 422, "something else by its type"),
        (("a.jpg", b"GIF89a", "image/gif"), 422, "not a JPEG or PNG"),
        ((None, b"no file"), 422, "has no file"),
    ],
    ids=["too large", "another kind", "no picture", "no file"],
)
async def test_a_form_whose_picture_is_refused_keeps_what_was_written(
    gateway: Gateway, file: tuple[str | None, bytes], status: int, told: str
) -> None:
    await gateway.signed_in()
    browser = await entered(gateway)

    answer = await gateway.http.post("/analyze", data=SAID, files={"image": file}, headers=browser)

    assert answer.status_code == status, answer.text
    assert told in answer.text
    assert is_whole(answer)


async def test_a_form_in_which_nothing_was_chosen_keeps_what_was_written(gateway: Gateway) -> None:
    await gateway.signed_in()
    nothing = FILE.replace(b"a.jpg", b"") + b"\r\n--x--\r\n"

    answer = await sent(gateway, await entered(gateway), TEXTS + nothing)

    assert answer.status_code == 422
    assert "empty" in answer.text
    assert is_whole(answer)


async def test_a_form_for_a_lesion_that_is_gone_keeps_what_was_written(gateway: Gateway) -> None:
    await gateway.signed_in()
    browser = await entered(gateway)
    said = {name: text for name, text in SAID.items() if not name.startswith("patient")}
    files = {"image": ("a.jpg", specimens.lesion_jpeg())}

    answer = await gateway.http.post(
        "/analyze", data=said | {"lesion": "cd" * 16}, files=files, headers=browser
    )

    assert answer.status_code == 422
    assert "lesion: there is none" in answer.text
    assert {name: shows(answer)[name] for name in said} == said


async def test_the_page_puts_all_that_is_written_before_the_picture(gateway: Gateway) -> None:
    await gateway.signed_in()
    form = (await gateway.http.get("/analyze", headers=await entered(gateway))).text

    names = re.findall(r' name="(\w+)"', form.partition('id="analyze"')[2])

    assert [*dict.fromkeys(names)] == [*SAID, "image"]


async def test_a_picture_without_end_is_given_up_and_what_came_before_it_is_kept(
    gateway: Gateway,
) -> None:
    await gateway.signed_in()
    body = Endless(TEXTS + FILE)

    answer = await sent(gateway, await entered(gateway), aiter(body))

    assert answer.status_code == 413
    assert body.sent <= 17 * MIB
    assert is_whole(answer)


async def test_a_form_that_has_its_picture_first_says_that_not_all_was_read(
    gateway: Gateway,
) -> None:
    await gateway.signed_in()
    body = Endless(part("patient_id", "made up 7") + FILE)

    answer = await sent(gateway, await entered(gateway), aiter(body))

    assert answer.status_code == 413
    assert shows(answer)["patient_id"] == "made up 7"
    assert "Not all that you wrote could be read" in answer.text


async def test_a_form_that_comes_too_slowly_keeps_what_had_come(start: Start) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield TEXTS + FILE
        await asyncio.Event().wait()

    async with start() as before:
        await before.signed_in()
        browser = await entered(before)
    async with start(upload_timeout_s=2) as gateway:
        answer = await sent(gateway, browser, slow())

    assert answer.status_code == 408
    assert is_whole(answer)


async def test_a_form_that_there_is_no_room_for_is_shown_again_and_its_picture_not_taken_in(
    start: Start,
) -> None:
    async with start(max_pictures=1) as gateway:
        alice = await gateway.signed_in()
        browser = await entered(gateway)
        gateway.inference.may_answer.clear()
        first = asyncio.create_task(alice.analyze())
        await gateway.inference.arrived()
        body = Endless(TEXTS + FILE)

        answer = await sent(gateway, browser, aiter(body))

        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) >= 1
        assert body.sent <= MIB
        assert is_whole(answer)
        gateway.inference.may_answer.set()
        assert (await first).status_code == 201


@pytest.mark.parametrize("chosen", ["patient", "lesion"])
async def test_nobody_is_typed_beside_a_patient_or_a_lesion_that_was_chosen(
    gateway: Gateway, chosen: str
) -> None:
    alice = await gateway.signed_in()
    patient = (await alice("POST", "/v1/patients", json={"identifier": "made up 9"})).json()
    lesion = (await alice("POST", "/v1/lesions", json={"patient": patient["id"]})).json()
    ids = {"patient": patient["id"], "lesion": lesion["id"]}
    files = {"image": ("a.jpg", specimens.lesion_jpeg())}

    answer = await gateway.http.post(
        "/analyze",
        data={chosen: ids[chosen], "patient_id": "another"},
        files=files,
        headers=await entered(gateway),
    )

    assert answer.status_code == 422
    assert "not both" in answer.text
    assert gateway.inference.requests == []


async def test_text_that_no_page_can_have_is_refused_on_a_page(gateway: Gateway) -> None:
    await gateway.signed_in()
    headers = await entered(gateway) | {"Content-Type": f"{FORM}; charset=utf-7"}
    body = part("note", "+2AA-") + FILE + b"GIF89a\r\n--x--\r\n"

    answer = await gateway.http.post("/analyze", content=body, headers=headers)

    assert answer.status_code == 422
    assert shows(answer)["note"] == "?"
