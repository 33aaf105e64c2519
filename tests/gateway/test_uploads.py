"""What people send instead of a picture: each has its status, its sentence, and leaves nothing."""

import asyncio
import io
import struct
import zlib
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from tests import specimens
from tests.gateway.conftest import Client, Gateway, Start
from tests.gateway.counterparts import opened

MIB = 1024 * 1024
JPEG = specimens.lesion_jpeg()


def png_header(width: int, height: int) -> bytes:
    """A small file that claims to be a large picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def animated(kind: str) -> bytes:
    frames = [Image.new("RGB", (64, 64), color) for color in ("red", "green")]
    file = io.BytesIO()
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


def still(kind: str) -> bytes:
    return specimens.encoded(specimens.lesion((64, 64)), kind)


REFUSED = {
    "an empty file": (b"", 422, "empty"),
    "text renamed to .jpg": (b"Dear doctor, this is not a picture.", 422, "JPEG or PNG"),
    "a JPEG that was cut off": (JPEG[: len(JPEG) // 2], 422, "again"),
    "a PNG that was cut off": (still("PNG")[:-400], 422, "again"),
    "the first bytes of a JPEG": (JPEG[:20], 422, "JPEG or PNG"),
    "an animated PNG": (animated("PNG"), 422, "one still picture"),
    "an animated GIF": (animated("GIF"), 422, "JPEG or PNG"),
    "a GIF": (still("GIF"), 422, "JPEG or PNG"),
    "a BMP": (still("BMP"), 422, "JPEG or PNG"),
    "a WEBP": (still("WEBP"), 422, "JPEG or PNG"),
    "a decompression bomb": (png_header(20_000, 20_000), 413, "at most 64 megapixels"),
    "a very long strip": (png_header(65_000, 900), 413, "a side"),
    "17 MB": (JPEG + bytes(17 * MIB), 413, "at most"),
    "a byte more than allowed": (JPEG + bytes(16 * MIB + 1 - len(JPEG)), 413, "at most"),
}


@pytest.fixture
async def alice(gateway: Gateway) -> Client:
    return await gateway.signed_in()


async def nothing_is_kept(gateway: Gateway, client: Client) -> bool:
    listed = (await client("GET", "/v1/analyses")).json()["items"]
    return listed == [] and gateway.kept_files() == []


@pytest.mark.parametrize("what", REFUSED)
async def test_what_is_not_one_good_picture_is_refused(
    gateway: Gateway, alice: Client, what: str
) -> None:
    content, status, words = REFUSED[what]

    answer = await alice.analyze(content)

    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert words in answer.json()["detail"]
    assert gateway.inference.requests == []
    assert await nothing_is_kept(gateway, alice)


def sixteen_bit() -> bytes:
    gray = specimens.lesion((64, 64)).convert("L")
    wide = Image.frombytes("I;16", gray.size, b"".join(bytes((0, v)) for v in gray.tobytes()))
    return specimens.encoded(wide, "PNG")


def transparent() -> bytes:
    picture = specimens.lesion((64, 64)).convert("RGBA")
    picture.putalpha(0)
    return specimens.encoded(picture, "PNG")


ACCEPTED = {
    "a 16-bit PNG": (sixteen_bit(), (64, 64)),
    "a CMYK JPEG": (specimens.encoded(specimens.lesion((64, 64)).convert("CMYK")), (64, 64)),
    "a gray JPEG": (specimens.encoded(specimens.lesion((64, 64)).convert("L")), (64, 64)),
    "a palette PNG": (
        specimens.encoded(specimens.lesion((64, 64)).convert("P"), "PNG"),
        (64, 64),
    ),
    "a PNG with alpha": (transparent(), (64, 64)),
    "a phone's JPEG with a second picture behind it": (
        specimens.encoded(
            specimens.lesion((64, 48)),
            "MPO",
            save_all=True,
            append_images=[specimens.lesion((32, 24))],
        ),
        (64, 48),
    ),
    "one pixel": (specimens.encoded(Image.new("RGB", (1, 1)), "PNG"), (1, 1)),
    "exactly 16 MiB": (JPEG + bytes(16 * MIB - len(JPEG)), specimens.SIZE),
}


@pytest.mark.parametrize("what", ACCEPTED)
async def test_unusual_pictures_are_taken_and_kept_as_plain_rgb(alice: Client, what: str) -> None:
    content, size = ACCEPTED[what]

    answer = await alice.analyze(content)

    assert answer.status_code == 201, answer.text
    kept = opened((await alice("GET", f"{answer.headers['Location']}/image")).content)
    assert (kept.mode, kept.size) == ("RGB", size)


async def test_sixteen_bits_keep_their_brightness_and_transparency_is_white(
    alice: Client,
) -> None:
    gray = specimens.lesion((64, 64)).convert("L")

    async def kept(content: bytes) -> Image.Image:
        answer = await alice.analyze(content)
        return opened((await alice("GET", f"{answer.headers['Location']}/image")).content)

    assert (await kept(sixteen_bit())).convert("L").tobytes() == gray.tobytes()
    assert (await kept(transparent())).getextrema() == ((255, 255),) * 3


async def test_the_wrong_field_name_is_told_the_right_one(gateway: Gateway, alice: Client) -> None:
    for form in (
        {"files": {"picture": JPEG}},
        {"files": {"file": JPEG}, "data": {"image": "not a file"}},
    ):
        answer = await alice("POST", "/v1/analyses", **form)

        assert answer.status_code == 422
        assert "'image'" in answer.json()["detail"]
    assert await nothing_is_kept(gateway, alice)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"patient_id": "x" * 65}, "patient_id"),
        ({"note": "x" * 2001}, "note"),
        ({"lesion_id": "L\0"}, "lesion_id"),
        ({"body_sight": "arm"}, "body_sight"),
    ],
)
async def test_text_that_does_not_keep_the_rules_is_named(
    gateway: Gateway, alice: Client, fields: dict[str, str], words: str
) -> None:
    answer = await alice.analyze(**fields)

    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert gateway.inference.requests == []
    assert await nothing_is_kept(gateway, alice)


async def test_text_comes_back_as_it_was_sent_and_blank_is_nothing(alice: Client) -> None:
    answer = await alice.analyze(
        patient_id="P 7", patient_name="Zoë Ångström 山田", lesion_id="  ", note="two\nlines"
    )

    analysis = answer.json()
    assert analysis["patient_name"] == "Zoë Ångström 山田"
    assert (analysis["lesion_id"], analysis["note"]) == (None, "two\nlines")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("image/gif", b"GIF89a"),
        ("", JPEG),
        ("application/x-www-form-urlencoded", b"image=x"),
    ],
)
async def test_other_kinds_of_body_are_refused(alice: Client, kind: str, body: bytes) -> None:
    answer = await alice("POST", "/v1/analyses", content=body, headers={"Content-Type": kind})

    assert answer.status_code == 415
    assert "multipart/form-data" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n"),
        ("multipart/form-data; boundary=x", b"no boundary here"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n' + JPEG,
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nA\r\n' * 2
            + b"--x--\r\n",
        ),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nA\r\n' * 20 + b"--x--\r\n",
        ),
        (
            "multipart/form-data; boundary=x; charset=undefined",
            b'--x\r\nContent-Disposition: form-data; name="note"\r\n\r\nA\r\n--x--\r\n',
        ),
    ],
    ids=[
        "no boundary named",
        "no boundary",
        "broken off",
        "two pictures",
        "many fields",
        "no such charset",
    ],
)
async def test_a_form_that_cannot_be_read_is_refused(
    gateway: Gateway, alice: Client, kind: str, body: bytes
) -> None:
    answer = await alice("POST", "/v1/analyses", content=body, headers={"Content-Type": kind})

    assert answer.status_code == 422, answer.text
    assert "image" in answer.json()["detail"]
    assert await nothing_is_kept(gateway, alice)


class Endless:
    """A body without a length, larger than anything that is allowed."""

    def __init__(self, head: bytes = b"") -> None:
        self.head = head
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.head
        while self.sent < 64 * MIB:
            self.sent += MIB
            yield bytes(MIB)


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        ("image/jpeg", b""),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n',
        ),
        ("multipart/form-data; boundary=x", b"--x\r\n"),
    ],
)
async def test_a_body_is_refused_as_soon_as_it_is_too_large(
    alice: Client, kind: str, head: bytes
) -> None:
    body = Endless(head)

    answer = await alice(
        "POST",
        "/v1/analyses",
        content=body,
        headers={"Content-Type": kind, "Content-Length": "1000"},
    )

    assert answer.status_code in {413, 422}
    assert body.sent <= 17 * MIB
    if answer.status_code == 413:
        assert "Send at most 16,777,216." in answer.json()["detail"]


async def test_a_long_text_is_refused_before_it_fills_the_memory(alice: Client) -> None:
    answer = await alice.analyze(note="x" * 100_000)

    assert answer.status_code == 422
    assert "form" in answer.json()["detail"]


async def test_a_body_that_comes_too_slowly_is_given_up(start: Start) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield JPEG[:100]
        await asyncio.Event().wait()

    async with start(upload_timeout_s=0.05) as gateway:
        alice = await gateway.signed_in()
        answer = await alice(
            "POST", "/v1/analyses", content=slow(), headers={"Content-Type": "image/jpeg"}
        )

    assert answer.status_code == 408


async def test_more_pictures_than_there_is_room_for_are_refused_at_the_door(start: Start) -> None:
    async with start(max_pictures=1) as gateway:
        alice = await gateway.signed_in()
        gateway.inference.may_answer.clear()
        first = asyncio.create_task(alice.analyze())
        await gateway.inference.arrived()

        second = await alice.analyze()

        assert second.status_code == 503
        assert int(second.headers["Retry-After"]) >= 1
        gateway.inference.may_answer.set()
        assert (await first).status_code == 201
        assert (await alice.analyze()).status_code == 201


async def test_strangers_are_turned_away_before_their_picture_is_read(gateway: Gateway) -> None:
    body = Endless()

    answer = await gateway.anonymous(
        "POST", "/v1/analyses", content=body, headers={"Content-Type": "image/jpeg"}
    )

    assert answer.status_code == 401
    assert body.sent == 0
