import contextlib
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from services import picture
from tests import specimens


def gray16_png() -> bytes:
    ramp = np.linspace(0, 65535, 64 * 64, dtype=np.uint16).reshape(64, 64)
    return specimens.encoded(Image.fromarray(ramp), "PNG")


def animated_png() -> bytes:
    frames = [Image.new("RGB", (64, 64), color) for color in ("red", "blue")]
    return specimens.encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])


def palette_png(*ancillary: tuple[bytes, bytes]) -> bytes:
    """A PNG with colors by number, as it comes from a writer that mixes up their list."""
    head = struct.pack(">IIBBBBB", 30, 20, 8, 3, 0, 0, 0)
    rows = zlib.compress(bytes(20 * 31))
    chunks = ((b"IHDR", head), *ancillary, (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


@pytest.mark.parametrize(
    ("encoded", "sentence"),
    [
        (b"", "empty"),
        (b"a letter, renamed to lesion.jpg", "not a JPEG or PNG"),
        (specimens.lesion_jpeg()[:4000], "damaged or cut off"),
        (specimens.encoded(specimens.lesion(), "PNG")[:4000], "damaged or cut off"),
        (specimens.encoded(specimens.lesion(), "GIF"), "not a JPEG or PNG"),
        (animated_png(), "animated"),
        (palette_png(), "damaged or cut off"),
        (palette_png((b"PLTE", bytes(30)), (b"tRNS", bytes(300))), "damaged or cut off"),
    ],
    ids=[
        "empty",
        "text",
        "truncated-jpeg",
        "truncated-png",
        "gif",
        "animated",
        "no-palette",
        "transparency-beyond-the-palette",
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(encoded: bytes, sentence: str) -> None:
    with pytest.raises(picture.PictureError, match=sentence) as refused:
        picture.read(encoded)
    assert not isinstance(refused.value, picture.PictureTooLargeError)


@pytest.mark.parametrize(
    "encoded",
    [specimens.png_header(20_000, 20_000), b"\xff\xd8" + bytes(picture.MAX_BYTES)],
    ids=["pixels", "bytes"],
)
def test_what_is_too_large_is_refused_before_it_is_decoded(encoded: bytes) -> None:
    with pytest.raises(picture.PictureTooLargeError, match="send at most"):
        picture.read(encoded)


def test_a_png_whose_checksum_is_wrong_is_refused_and_not_shown_with_wrong_pixels() -> None:
    png = bytearray(specimens.encoded(specimens.lesion(), "PNG"))
    png[png.index(b"IDAT") + 40] ^= 0xFF
    with pytest.raises(picture.PictureError, match="damaged or cut off"):
        picture.read(bytes(png))


def test_sixteen_bit_values_are_scaled_not_clipped() -> None:
    values = np.asarray(picture.read(gray16_png()).pixels)[..., 0]
    assert values.min() == 0
    assert values.max() == 255
    assert abs(float(values.mean()) - 127.5) < 1


def test_cmyk_becomes_rgb() -> None:
    source = specimens.lesion()
    read = picture.read(specimens.encoded(source.convert("CMYK"), "JPEG", quality=95))
    difference = np.asarray(read.pixels, np.int16) - np.asarray(source, np.int16)
    assert read.pixels.mode == "RGB"
    assert np.abs(difference).mean() < 6


def test_a_palette_keeps_its_colors() -> None:
    read = picture.read(
        specimens.encoded(Image.new("RGB", (8, 8), (200, 40, 90)).quantize(4), "PNG")
    )
    assert read.pixels.getpixel((3, 3)) == (200, 40, 90)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparent_pixels_are_shown_over_white(mode: str) -> None:
    clear = Image.new(mode, (8, 8), 0)
    read = picture.read(specimens.encoded(clear, "PNG"))
    assert read.pixels.getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize("at_least", [None, 64])
def test_exif_orientation_turns_the_picture_upright(at_least: int | None) -> None:
    source = Image.new("RGB", (320, 200), "black")
    source.paste("white", (0, 0, 320, 100))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned clockwise
    read = picture.read(specimens.encoded(source, "JPEG", exif=exif), at_least=at_least)
    assert (read.width, read.height) == (200, 320)
    assert read.pixels.width < read.pixels.height
    values = np.asarray(read.pixels)
    assert values[20, -5].min() > 200
    assert values[20, 5].max() < 50


def test_a_large_jpeg_shrinks_while_decoding_and_keeps_its_size_on_paper() -> None:
    read = picture.read(specimens.lesion_jpeg((2400, 1800)), at_least=448)
    assert (read.width, read.height) == (2400, 1800)
    assert 448 <= read.pixels.height < 1800


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_no_metadata_leaves_with_the_pixels(kind: str) -> None:
    notes = PngInfo()
    notes.add_text("Comment", "patient 4711")
    options = {"comment": b"patient 4711", "icc_profile": b"patient 4711", "pnginfo": notes}
    encoded = specimens.encoded(specimens.lesion(), kind, **options)
    assert b"4711" in encoded
    read = picture.read(encoded)
    assert read.pixels.info == {}
    assert b"4711" not in specimens.encoded(read.pixels, kind)


def test_a_nearly_square_picture_keeps_its_sides_in_order_when_it_shrinks() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    source = Image.new("RGB", (1200, 1199), "brown")
    read = picture.read(specimens.encoded(source, "JPEG", exif=exif), at_least=100)
    assert (read.width, read.height) == (1199, 1200)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("tag", [0x011A, 0x0100], ids=["resolution", "width"])
def test_a_cameras_broken_notes_do_not_refuse_its_picture(tag: int) -> None:
    short, text = 3, 2
    broken = struct.pack("<HHI4s", tag, text, 4, b"abc\0")
    upright = struct.pack("<HHIHH", 0x0112, short, 1, 6, 0)
    entries = struct.pack("<H", 2) + b"".join(sorted([broken, upright])) + bytes(4)
    exif = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + entries
    read = picture.read(specimens.encoded(specimens.lesion(), "JPEG", exif=exif))
    assert (read.width, read.height) == (450, 600)


def test_a_jpeg_of_endless_scans_is_refused_before_it_is_decoded() -> None:
    progressive = specimens.encoded(Image.new("RGB", (64, 64), "brown"), "JPEG", progressive=True)
    last = progressive.rindex(b"\xff\xda")
    bomb = progressive[:last] + progressive[last:-2] * 1000 + progressive[-2:]
    with pytest.raises(picture.PictureError, match="too many scans"):
        picture.read(bomb)
    assert picture.read(progressive).width == 64


def test_what_looks_like_scans_and_is_none_refuses_no_picture() -> None:
    like_scans = b"\xff\xda" * 1000
    progressive = specimens.encoded(specimens.lesion(), "JPEG", progressive=True)
    profiled = specimens.encoded(specimens.lesion(), "JPEG", icc_profile=like_scans * 70)

    for each in (progressive + like_scans, profiled, profiled + like_scans):
        assert picture.read(each).width == 600


@pytest.mark.parametrize(
    "hidden_behind", [b"\xff\xd0", b"\xff\x02\xff\xff", b"\xff\xff", b"\xff\0"]
)
def test_scans_are_counted_whatever_lies_between_them(hidden_behind: bytes) -> None:
    progressive = specimens.encoded(Image.new("RGB", (64, 64), "brown"), "JPEG", progressive=True)
    last = progressive.rindex(b"\xff\xda")
    scan = hidden_behind + progressive[last:-2]
    with pytest.raises(picture.PictureError, match="too many scans"):
        picture.read(progressive[:last] + scan * 5000 + progressive[-2:])


@pytest.mark.parametrize(
    "segment",
    [b"\xff\xe2\0\2", b"\xff\xfe\0\0", b"\xff\xd9", b"\xff\xf0", b"\xff\xd0", b"\xff", b"\xff\0"],
)
def test_a_jpeg_of_endless_segments_is_refused_before_it_is_opened(
    segment: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "open", None)
    sound = specimens.lesion_jpeg()
    for content in (sound[:2] + segment * 20_000 + sound[2:], sound[:2] + segment * 20_000):
        with pytest.raises(picture.PictureError, match="too many segments"):
            picture.read(content)


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_a_png_of_endless_chunks_is_refused_before_it_is_opened(
    before: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = specimens.encoded(specimens.lesion((64, 48)), "PNG")
    place = sound.rindex(before) - 4
    empty = struct.pack(">I4sI", 0, b"prVt", zlib.crc32(b"prVt"))
    taken = sound[:place] + empty * 20_000 + sound[place:]
    assert picture.read(taken + bytes(2_000_000)).width == 64
    monkeypatch.setattr(Image, "open", None)
    with pytest.raises(picture.PictureError, match="too many chunks"):
        picture.read(sound[:place] + empty * 100_000 + sound[place:])


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_a_large_png_shrinks_by_averaging(mode: str) -> None:
    stripes = np.zeros((400, 400, 3), np.uint8)
    stripes[:, ::2] = 200
    source = Image.fromarray(stripes).convert(mode)
    read = picture.read(specimens.encoded(source, "PNG"), at_least=100)
    assert (read.width, read.height) == (400, 400)
    assert read.pixels.size == (100, 100)
    assert np.asarray(read.pixels).std() < 2


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, about broken EXIF
def test_whatever_happens_to_the_bytes_the_answer_is_a_picture_or_a_sentence() -> None:
    rng = np.random.default_rng(11)
    exif = Image.Exif()
    exif[0x0112] = 6
    small = specimens.lesion((48, 36))
    originals = [
        specimens.encoded(small, "JPEG", exif=exif),
        specimens.encoded(small, "JPEG", progressive=True),
        specimens.encoded(small, "PNG", exif=exif),
        specimens.encoded(small.quantize(8), "PNG"),
    ]
    for original in originals:
        for _ in range(400):
            broken = bytearray(original)
            for place in rng.integers(0, len(broken), rng.integers(1, 6)):
                broken[place] = rng.integers(0, 256)
            with contextlib.suppress(picture.PictureError):
                picture.read(bytes(broken[: rng.integers(1, len(broken) + 1)]), at_least=16)
