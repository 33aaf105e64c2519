"""Pictures of every odd kind at the real door: the right status, and a sentence that helps."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING

import grpc
import numpy as np
import pytest
from grpc import aio
from PIL import Image, ImageCms

from services import picture, rpc
from services.pb import inference_pb2 as pb
from tests import specimens

if TYPE_CHECKING:  # the asynchronous stub is a type only
    from services.pb.inference_pb2_grpc import InferenceServiceAsyncStub as Stub

LESION = specimens.lesion((320, 240))
JPEG = specimens.encoded(LESION, "JPEG")
PNG = specimens.encoded(LESION, "PNG")


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return specimens.encoded(LESION, "JPEG", exif=exif)


def interlaced() -> bytes:
    """An 8 x 8 gray PNG whose pixels come in Adam7's seven passes, which Pillow never writes."""
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)]
    passes += [(2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = [row for y, x, dy, dx in passes for row in pixels[y::dy, x::dx]]
    return png_of(b"".join(b"\0" + row.tobytes() for row in rows), (8, 8), interlace=1)


def png_of(scanlines: bytes, size: tuple[int, int], interlace: int = 0, depth: int = 8) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", *size, depth, 0, 0, 0, interlace)
    body = chunk(b"IDAT", zlib.compress(scanlines, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body


def zipped() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("payload.sh", "rm -rf /")
    return archive.getvalue()


def with_broken_checksum() -> bytes:
    place = PNG.index(b"IDAT") + 40
    return PNG[:place] + bytes([PNG[place] ^ 0xFF]) + PNG[place + 1 :]


def animated(kind: str) -> bytes:
    frames = [LESION, LESION.transpose(Image.Transpose.ROTATE_180)]
    return specimens.encoded(frames[0], kind, save_all=True, append_images=frames[1:])


def endless_scans() -> bytes:
    progressive = specimens.encoded(Image.new("RGB", (64, 64), "brown"), "JPEG", progressive=True)
    last = progressive.rindex(b"\xff\xda")
    return progressive[:last] + progressive[last:-2] * 1000 + progressive[-2:]


GRAY16 = Image.fromarray(np.asarray(LESION.convert("L"), np.uint16) * 257)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

GOOD = {
    "baseline": (JPEG, (320, 240)),
    "progressive": (specimens.encoded(LESION, "JPEG", progressive=True), (320, 240)),
    "CMYK": (specimens.encoded(LESION.convert("CMYK"), "JPEG"), (320, 240)),
    "gray JPEG": (specimens.encoded(LESION.convert("L"), "JPEG"), (320, 240)),
    "color profile": (specimens.encoded(LESION, "JPEG", icc_profile=PROFILE), (320, 240)),
    "several pictures in one JPEG": (animated("MPO"), (320, 240)),
    "16 bit": (specimens.encoded(GRAY16, "PNG"), (320, 240)),
    "1 bit": (specimens.encoded(LESION.convert("1"), "PNG"), (320, 240)),
    "palette": (specimens.encoded(LESION.quantize(16), "PNG"), (320, 240)),
    "transparent": (specimens.encoded(LESION.convert("RGBA"), "PNG"), (320, 240)),
    "gray and transparent": (specimens.encoded(LESION.convert("LA"), "PNG"), (320, 240)),
    "interlaced": (interlaced(), (8, 8)),
    "one pixel": (specimens.encoded(Image.new("RGB", (1, 1)), "PNG"), (1, 1)),
    "very wide": (specimens.encoded(Image.new("RGB", (9000, 1)), "PNG"), (9000, 1)),
    "very tall": (specimens.encoded(Image.new("RGB", (1, 9000)), "JPEG"), (1, 9000)),
    "an archive behind it": (JPEG + zipped(), (320, 240)),
    "a page behind it": (PNG + b"<script>alert(1)</script>", (320, 240)),
    **{f"turned {number}": (turned(number), (320, 240)) for number in (1, 2, 3, 4)},
    **{f"turned {number}": (turned(number), (240, 320)) for number in (5, 6, 7, 8)},
}

UNUSABLE = {
    "nothing": (b"", "empty"),
    "zeros": (bytes(5000), "not a JPEG or PNG"),
    "text": (b"a letter, renamed to lesion.jpg", "not a JPEG or PNG"),
    "GIF": (specimens.encoded(LESION, "GIF"), "not a JPEG or PNG"),
    "WebP": (specimens.encoded(LESION, "WEBP"), "not a JPEG or PNG"),
    "TIFF": (specimens.encoded(LESION, "TIFF"), "not a JPEG or PNG"),
    "BMP": (specimens.encoded(LESION, "BMP"), "not a JPEG or PNG"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500), "not a JPEG or PNG"),
    "SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a JPEG or PNG"),
    "PDF with a JPEG inside": (b"%PDF-1.7\n" + JPEG, "not a JPEG or PNG"),
    "an archive before it": (zipped() + JPEG, "not a JPEG or PNG"),
    "half a JPEG": (JPEG[: len(JPEG) // 2], "damaged or cut off"),
    "half a PNG": (PNG[: len(PNG) // 2], "damaged or cut off"),
    "only a head": (PNG[:33], "not a JPEG or PNG"),
    "broken checksum": (with_broken_checksum(), "damaged or cut off"),
    "animated PNG": (animated("PNG"), "animated"),
    "endless scans": (endless_scans(), "too many scans"),
    "fewer pixels than it claims": (specimens.png_header(500, 500), "damaged or cut off"),
}

TOO_LARGE = {
    "claims to be huge": (specimens.png_header(60_000, 60_000), "megapixels"),
    "claims the largest number": (specimens.png_header(2**31 - 1, 2**31 - 1), "megapixels"),
    "is huge once unpacked": (
        png_of(bytes(2501 * 20_000), (20_000, 20_000), depth=1),
        "megapixels",
    ),
    "too long a side": (specimens.encoded(Image.new("1", (40_000, 1)), "PNG"), "a side"),
    "too many bytes": (JPEG + bytes(picture.MAX_BYTES), "send at most 16,777,216"),
}


def cases(table: dict[str, tuple[bytes, object]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("file", "expected"), table.values(), ids=table.keys())


async def refusal(stub: Stub, file: bytes) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as refused:
        await stub.Analyze(pb.AnalyzeRequest(image=file), timeout=60)
    return refused.value


@cases({**GOOD})
async def test_an_odd_picture_that_can_be_read_is_answered(
    stub: Stub, file: bytes, expected: tuple[int, int]
) -> None:
    answer = await stub.Analyze(pb.AnalyzeRequest(image=file), timeout=60)
    assert (answer.image.width_px, answer.image.height_px) == expected
    assert answer.notice


@cases({**UNUSABLE})
async def test_what_cannot_be_read_is_the_callers_fault_and_the_sentence_says_why(
    stub: Stub, file: bytes, expected: str
) -> None:
    refused = await refusal(stub, file)
    assert refused.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert expected in str(refused.details())
    assert rpc.reason_in(refused.trailing_metadata()) == "unusable_picture"


@cases({**TOO_LARGE})
async def test_what_is_too_large_is_refused_with_the_limit(
    stub: Stub, file: bytes, expected: str
) -> None:
    refused = await refusal(stub, file)
    assert refused.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert expected in str(refused.details())
    assert rpc.reason_in(refused.trailing_metadata()) == "too_large"


async def test_the_odd_ones_in_one_stream_are_answered_each_in_its_own_way(stub: Stub) -> None:
    files = {name: file for name, (file, _) in {**GOOD, **UNUSABLE, **TOO_LARGE}.items()}
    requests = [
        pb.AnalyzeStreamRequest(id=name, request=pb.AnalyzeRequest(image=file))
        for name, file in files.items()
    ]
    answers = {each.id: each async for each in stub.AnalyzeStream(iter(requests))}
    assert answers.keys() == files.keys()
    reasons = {name: each.error.reason for name, each in answers.items() if each.error.code}
    assert reasons == {
        **dict.fromkeys(UNUSABLE, "unusable_picture"),
        **dict.fromkeys(TOO_LARGE, "too_large"),
    }
