"""What people send instead of a picture: each has its status, its sentence, and leaves nothing."""

import io
import struct
import zlib

import pytest
from PIL import ExifTags, Image

from tests import specimens
from tests.gateway import ways_in
from tests.gateway.conftest import Client, Gateway
from tests.gateway.counterparts import opened
from tests.gateway.ways_in import Picture

MIB = 1024 * 1024
JPEG = specimens.lesion_jpeg()
SMALL = specimens.lesion_jpeg((64, 48))


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


async def is_nothing_kept(gateway: Gateway, client: Client, *failed: str | None) -> bool:
    """Say whether nothing is kept but the word about files of batches that have failed."""
    listed = await ways_in.listed(client)
    is_empty = gateway.kept_files() == [] and gateway.inference.requests == []
    is_told = {ways_in.at(each) for each in listed} == {*failed} - {None}
    return is_empty and is_told and {each["image"] for each in listed} <= {None}


@pytest.mark.parametrize("way", ways_in.ALL)
async def test_what_is_not_one_good_picture_is_refused(either: Gateway, way: str) -> None:
    alice = await either.signed_in()

    outcomes = await ways_in.ALL[way](
        alice, [Picture(what, content) for what, (content, *_) in REFUSED.items()]
    )

    for what, (_, status, words) in REFUSED.items():
        assert outcomes[what].status == status, (what, outcomes[what])
        assert words in outcomes[what].detail, what
    assert await is_nothing_kept(either, alice, *(each.path for each in outcomes.values()))


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
    "a phone's JPEG with a film behind it": (JPEG + b"ftyp\xff\xda" * 1000, specimens.SIZE),
    "a JPEG with a huge color profile": (
        specimens.encoded(specimens.lesion((64, 64)), icc_profile=b"\xff\xda" * 100_000),
        (64, 64),
    ),
    "one pixel": (specimens.encoded(Image.new("RGB", (1, 1)), "PNG"), (1, 1)),
    "exactly 16 MiB": (JPEG + bytes(16 * MIB - len(JPEG)), specimens.SIZE),
}


@pytest.mark.parametrize("way", ways_in.ALL)
async def test_unusual_pictures_are_taken_and_kept_as_plain_rgb(either: Gateway, way: str) -> None:
    alice = await either.signed_in()

    outcomes = await ways_in.ALL[way](
        alice, [Picture(what, content) for what, (content, _) in ACCEPTED.items()]
    )

    for what, (_, size) in ACCEPTED.items():
        assert outcomes[what].status in {201, 202}, (what, outcomes[what])
        kept = opened((await alice("GET", f"{outcomes[what].path}/image")).content)
        assert (kept.mode, kept.size) == ("RGB", size), what


async def test_sixteen_bits_keep_their_brightness_and_transparency_is_white(
    alice: Client,
) -> None:
    gray = specimens.lesion((64, 64)).convert("L")

    async def kept(content: bytes) -> Image.Image:
        answer = await alice.analyze(content)
        return opened((await alice("GET", f"{answer.headers['Location']}/image")).content)

    assert (await kept(sixteen_bit())).convert("L").tobytes() == gray.tobytes()
    assert (await kept(transparent())).getextrema() == ((255, 255),) * 3


CONTRADICTORY = [
    Picture("scan.png", SMALL, "image/jpeg"),
    Picture("MOLE.PNG", SMALL, "application/octet-stream"),
    Picture("scan.jpg", still("PNG"), "image/png"),
    Picture("both.jpg", still("PNG"), "image/jpeg"),
    Picture("page.html", SMALL, "image/jpeg"),
    Picture("program.jpg.exe", SMALL, "image/jpeg"),
    Picture("program.jpg.exe. ", SMALL, "image/jpeg"),
    Picture("packed.jpg.gz", SMALL, "image/jpeg"),
    Picture("packed.jpg.Z", SMALL, "image/jpeg"),
    Picture("packed.svgz", SMALL, "image/jpeg"),
    Picture("a folder.png/scan.html", SMALL, "image/jpeg"),
]
BY_TYPE_ALONE = [
    Picture("a PNG", SMALL, "image/png"),
    Picture("a page", SMALL, "text/html"),
    Picture("a drawing", still("PNG"), "image/svg+xml"),
    Picture("as.jpg", SMALL, "image/png"),
    Picture("data:image/jpeg,page.html", SMALL, "image/jpeg"),
]
"""No member of an archive has a type, nor such a name as the last."""


@pytest.mark.parametrize("way", ways_in.NAMED)
async def test_a_file_that_is_another_kind_than_is_said_of_it_is_refused(
    either: Gateway, way: str
) -> None:
    alice = await either.signed_in()
    pictures = [*CONTRADICTORY, *([] if way == "a zip" else BY_TYPE_ALONE)]

    outcomes = await ways_in.NAMED[way](alice, pictures)

    assert outcomes.keys() == {each.name for each in pictures}
    for name, outcome in outcomes.items():
        assert (outcome.status, "and something else by its" in outcome.detail) == (422, True), name
    assert await is_nothing_kept(either, alice, *(each.path for each in outcomes.values()))


@pytest.mark.parametrize("way", ways_in.NAMED)
async def test_usual_names_and_types_of_a_picture_are_taken(either: Gateway, way: str) -> None:
    alice = await either.signed_in()
    pictures = [
        Picture("IMG_0001.JPG", SMALL, "image/jpg"),
        Picture("scan.jpeg", SMALL, "application/octet-stream"),
        Picture("scan.png", still("PNG"), "image/png; charset=binary"),
        Picture("page.html.jpg", SMALL),
        Picture("patient 4.5", SMALL, ""),
        Picture(".png", SMALL),
    ]

    outcomes = await ways_in.NAMED[way](alice, pictures)

    assert outcomes.keys() == {each.name for each in pictures}
    assert {each.status for each in outcomes.values()} <= {201, 202}, outcomes


@pytest.mark.parametrize(("kind", "picture"), [("image/png", JPEG), ("image/jpeg", still("PNG"))])
async def test_a_body_that_is_another_kind_than_its_content_type_is_refused(
    gateway: Gateway, alice: Client, kind: str, picture: bytes
) -> None:
    answer = await alice("POST", "/v1/analyses", content=picture, headers={"Content-Type": kind})

    assert answer.status_code == 422
    assert "something else by its type" in answer.json()["detail"]
    assert await is_nothing_kept(gateway, alice)


def located(kind: str) -> bytes:
    """A picture that lies on its side and says where it was taken, as phones write them."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Model] = "Planted Phone"
    exif[ExifTags.IFD.GPSInfo] = {
        ExifTags.GPS.GPSLatitudeRef: "N",
        ExifTags.GPS.GPSLatitude: (52.0, 31.0, 12.0),
        ExifTags.GPS.GPSLongitudeRef: "E",
        ExifTags.GPS.GPSLongitude: (13.0, 24.0, 18.0),
        ExifTags.GPS.GPSDateStamp: "2026:03:01",
    }
    return specimens.encoded(specimens.lesion((64, 48)), kind, exif=exif)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
async def test_where_a_picture_was_taken_is_neither_kept_nor_passed_on(
    gateway: Gateway, alice: Client, kind: str
) -> None:
    sent = located(kind)
    assert opened(sent).getexif().get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] == "N"

    answer = await alice.analyze(sent)

    (asked,) = gateway.inference.requests
    shown = (await alice("GET", f"{answer.headers['Location']}/image")).content
    for content in (asked.image, shown, *(path.read_bytes() for path in gateway.kept_files())):
        assert not dict(opened(content).getexif())
        assert b"Exif" not in content
        assert b"Planted" not in content
        assert b"2026:03:01" not in content
    # Turned upright before the word about it was dropped.
    assert opened(shown).size == (48, 64)
