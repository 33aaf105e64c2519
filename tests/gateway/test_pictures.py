"""The files of an analysis, as a browser gets them."""

import asyncio
from typing import Any

import pytest
from PIL import Image, ImageChops

from services import layers
from services.gateway.analyses import THUMBNAIL_PX
from services.pb import inference_pb2 as pb
from tests import specimens
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.counterparts import assessed, cannot_assess, opened

KINDS = {
    "image": "image/jpeg",
    "mask.png": "image/png",
    "overlay.png": "image/png",
    "explanation.png": "image/png",
    "report.pdf": "application/pdf",
}


async def analyzed(client: Client, **fields: str) -> str:
    answer = await client.analyze(**fields)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


@pytest.mark.parametrize("name", KINDS)
async def test_every_file_has_its_type_and_is_kept_by_nobody_on_the_way(
    either: Gateway, name: str
) -> None:
    alice = await either.signed_in()
    where = await analyzed(alice)

    answer = await alice("GET", f"{where}/{name}")

    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == KINDS[name]
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("inline;")
    assert (await either.anonymous("GET", f"{where}/{name}")).status_code == 401


async def test_who_asks_for_a_part_of_a_file_gets_all_of_it(gateway: Gateway) -> None:
    alice = await gateway.signed_in()
    where = await analyzed(alice)
    for name in ("image", "thumbnail.jpeg", "mask.png"):
        whole = await alice("GET", f"{where}/{name}")

        answer = await alice("GET", f"{where}/{name}", headers={"Range": "bytes=0-9"})

        # RFC 9110, section 14.2: a server may ignore it.
        assert (answer.status_code, answer.content) == (200, whole.content)
        assert not {"accept-ranges", "content-range"} & answer.headers.keys()


async def test_a_thumbnail_is_small_and_is_asked_for_anew_by_who_may_still_see_it(
    gateway: Gateway,
) -> None:
    alice, bob = await gateway.signed_in(), await gateway.signed_in("bob")
    where = f"{await analyzed(alice)}/thumbnail.jpeg"

    first = await alice("GET", where)
    same = {"If-None-Match": first.headers["ETag"]}
    again = await alice("GET", where, headers=same)
    other = await alice("GET", where, headers={"If-None-Match": '"another"'})

    assert max(opened(first.content).size) == THUMBNAIL_PX
    assert (first.headers["Content-Type"], len(first.content) < 32_000) == ("image/jpeg", True)
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert (again.status_code, again.content) == (304, b"")
    assert (other.status_code, other.content) == (200, first.content)
    assert (await bob("GET", where, headers=same)).status_code == 404


async def test_a_page_of_thumbnails_comes_at_once_though_few_are_drawn_at_a_time(
    gateway: Gateway,
) -> None:
    alice = await gateway.signed_in()
    where = f"{await analyzed(alice)}/thumbnail.jpeg"

    answers = await asyncio.gather(*(alice("GET", where) for _ in range(50)))

    assert {answer.status_code for answer in answers} == {200}


async def test_mask_and_layers_show_what_inference_found(either: Gateway) -> None:
    alice = await either.signed_in()
    where = await analyzed(alice)
    found = assessed()

    async def picture(name: str) -> Any:
        return opened((await alice("GET", f"{where}/{name}")).content)

    image = await picture("image")
    mask = opened(found.segmentation.mask_png)
    weights = opened(found.classification.explanation_png)
    answer = await alice("GET", f"{where}/mask.png")
    assert answer.content == found.segmentation.mask_png
    overlay = await picture("overlay.png")
    assert overlay.tobytes() == layers.outline(image, mask).tobytes()
    assert layers.OUTLINE_COLOR in {color for _, color in overlay.getcolors(1 << 20)}
    explanation = await picture("explanation.png")
    assert explanation.tobytes() == layers.heat(image, weights).tobytes()
    changed = ImageChops.difference(explanation, image.convert("RGB")).getbbox()
    assert changed == (150, 112, 300, 225)


@pytest.mark.parametrize(
    ("name", "what"),
    [("mask.png", "mask"), ("overlay.png", "outline"), ("explanation.png", "explanation")],
)
async def test_what_was_not_made_is_missing_and_the_sentence_says_why(
    either: Gateway, name: str, what: str
) -> None:
    either.inference.answer = cannot_assess(pb.REASON_TOO_DARK, pb.REASON_NO_LESION)
    alice = await either.signed_in()
    where = await analyzed(alice)

    answer = await alice("GET", f"{where}/{name}")

    assert answer.status_code == 404
    assert answer.json()["detail"] == (
        f"This analysis has no {what}: the picture could not be assessed (too dark, no lesion)."
    )
    assert (await alice("GET", f"{where}/image")).status_code == 200


@pytest.mark.parametrize("name", KINDS)
async def test_a_picture_removed_while_its_record_was_read_is_missing(
    either: Gateway, name: str
) -> None:
    alice = await either.signed_in()
    where = await analyzed(alice)
    for path in either.kept_files():
        path.unlink()

    answer = await alice("GET", f"{where}/{name}")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no analysis of this id among yours."


async def test_more_pictures_than_there_is_room_for_are_refused_also_on_their_way_out(
    start: Start,
) -> None:
    async with start(max_pictures=1, report_timeout_s=600) as gateway:
        alice = await gateway.signed_in()
        where = await analyzed(alice)
        gateway.reports.may_answer.clear()
        held = asyncio.create_task(alice("GET", f"{where}/report.pdf"))
        await gateway.reports.arrived()

        refused = [await alice("GET", f"{where}/{name}") for name in KINDS]
        refused.append(await alice.analyze())

        assert {answer.status_code for answer in refused} == {503}
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
        assert (await alice("GET", where)).status_code == 200
        # Who may not see it is told so, full or not.
        assert (await gateway.anonymous("GET", f"{where}/image")).status_code == 401
        gateway.reports.may_answer.set()
        assert (await held).status_code == 200
        assert (await alice("GET", f"{where}/image")).status_code == 200


async def test_pictures_on_their_way_out_leave_places_to_those_that_come_in(start: Start) -> None:
    async with start(max_pictures=4, report_timeout_s=600) as gateway:
        users = [await gateway.signed_in(name) for name in ("alice", "bob", "carol")]
        places = [await analyzed(user) for user in users]
        gateway.reports.may_answer.clear()
        held = [
            asyncio.create_task(user("GET", f"{where}/report.pdf"))
            for user, where in zip(users[:2], places[:2], strict=True)
        ]
        await gateway.reports.arrived(len(held))

        refused = await users[2]("GET", f"{places[2]}/image")
        taken = await users[2].analyze()

        gateway.reports.may_answer.set()
        assert {answer.status_code for answer in await asyncio.gather(*held)} == {200}
        assert (refused.status_code, taken.status_code) == (503, 201)


async def test_large_pictures_are_made_small_before_anything_is_drawn_on_them(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (4800, 3600)
    drawn_on: list[tuple[int, int]] = []

    def outline(picture: Image.Image, mask: Image.Image) -> Image.Image:
        drawn_on.extend([picture.size, mask.size])
        return draw(picture, mask)

    draw = layers.outline
    monkeypatch.setattr(layers, "outline", outline)
    async with start(analysis_timeout_s=600) as gateway:
        gateway.inference.answer = assessed(size)
        alice = await gateway.signed_in()
        sent = await alice.analyze(specimens.encoded(specimens.lesion(size)))
        overlay = await alice("GET", f"{sent.headers['Location']}/overlay.png")
    drawn = opened(overlay.content)

    assert drawn_on == [(2400, 1800), (1600, 1200)]
    assert drawn.size == (1600, 1200)
    assert layers.OUTLINE_COLOR in {color for _, color in drawn.getcolors(1 << 22) or []}


async def test_a_png_comes_back_as_a_png(either: Gateway) -> None:
    alice = await either.signed_in()
    sent = await alice.analyze(specimens.encoded(specimens.lesion((64, 48)), "PNG"))

    answer = await alice("GET", f"{sent.headers['Location']}/image")

    assert answer.headers["Content-Type"] == "image/png"
    assert opened(answer.content).tobytes() == specimens.lesion((64, 48)).tobytes()
