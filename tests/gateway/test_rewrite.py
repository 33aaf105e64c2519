"""Pictures written anew: upright, the same pixels, and nothing else."""

import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from PIL.JpegImagePlugin import get_sampling

from services.gateway import errors
from services.gateway.uploads import rewrite
from tests import specimens
from tests.gateway.counterparts import opened

LIMITS = (16 * 1024 * 1024, 64_000_000, 16_384)
SECRET = b"Jane Doe, 52.5200N"
JPEG = specimens.lesion_jpeg((40, 30))
PNG = specimens.encoded(specimens.lesion((40, 30)), "PNG")


def with_secrets(kind: str) -> bytes:
    """A picture that carries a name and a position wherever a file can."""
    picture = specimens.lesion((80, 60))
    exif = picture.getexif()
    exif[0x010E] = SECRET.decode()
    options: dict[str, object] = {"exif": exif, "icc_profile": b"profile of " + SECRET}
    if kind == "JPEG":
        options["comment"] = SECRET
    else:
        text = PngImagePlugin.PngInfo()
        text.add_text("Author", SECRET.decode())
        text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        options["pnginfo"] = text
    return specimens.encoded(picture, kind, **options) + SECRET


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_nothing_but_pixels_is_left(kind: str) -> None:
    uploaded = with_secrets(kind)
    assert uploaded.count(SECRET) >= 4

    written = rewrite(uploaded, *LIMITS).encoded

    assert SECRET not in written
    assert not opened(written).getexif()
    assert opened(written).info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_png_keeps_every_pixel() -> None:
    written = rewrite(PNG, *LIMITS)

    assert opened(written.encoded).tobytes() == opened(PNG).tobytes()
    assert written.format == "png"
    assert written.sha256 == hashlib.sha256(written.encoded).hexdigest()


@pytest.mark.parametrize("sampling", [0, 1, 2])
def test_a_jpeg_keeps_its_colors_in_the_resolution_that_they_came_in(sampling: int) -> None:
    uploaded = specimens.encoded(specimens.lesion((48, 32)), quality=92, subsampling=sampling)

    written = opened(rewrite(uploaded, *LIMITS).encoded)

    assert get_sampling(written) == sampling
    before, after = opened(uploaded).tobytes(), written.tobytes()
    assert sum(abs(a - b) for a, b in zip(before, after, strict=True)) / len(before) < 2


def test_a_jpeg_that_is_turned_keeps_its_colors_in_full_resolution() -> None:
    sideways = specimens.lesion((48, 32))
    exif = sideways.getexif()
    exif[0x0112] = 6

    written = rewrite(specimens.encoded(sideways, subsampling=2, exif=exif), *LIMITS)

    assert get_sampling(opened(written.encoded)) == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_ends_upright(orientation: int) -> None:
    # One quarter is bright: the upper left one, once the picture is upright.
    upright = Image.new("RGB", (64, 32), "black")
    upright.paste("white", (0, 0, 32, 16))
    backwards = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    stored = upright
    for step in backwards.get(orientation, []):
        stored = stored.transpose(step)
    exif = stored.getexif()
    exif[0x0112] = orientation

    written = rewrite(specimens.encoded(stored, "PNG", exif=exif), *LIMITS)

    assert (written.width, written.height) == (64, 32)
    assert opened(written.encoded).tobytes() == upright.tobytes()


def test_a_side_that_is_too_long_is_refused() -> None:
    strip = specimens.encoded(Image.new("RGB", (200, 2)), "PNG")

    with pytest.raises(errors.TooLargeError, match="side"):
        rewrite(strip, LIMITS[0], LIMITS[1], 199)
    assert rewrite(strip, LIMITS[0], LIMITS[1], 200).width == 200


def test_a_file_that_grows_is_packed_harder_before_it_is_refused() -> None:
    picture = specimens.lesion((300, 200))
    small = specimens.encoded(picture, quality=60)
    plain = len(rewrite(small, *LIMITS).encoded)

    packed = rewrite(small, plain - 1, *LIMITS[1:])

    assert len(small) < len(packed.encoded) < plain
    with pytest.raises(errors.TooLargeError):
        rewrite(small, len(small), *LIMITS[1:])


@settings(max_examples=120, deadline=None)
@given(
    original=st.sampled_from([JPEG, PNG]),
    place=st.floats(0, 1, exclude_max=True),
    junk=st.binary(min_size=1, max_size=12),
    cut=st.booleans(),
)
def test_damaged_files_are_read_or_refused_but_never_crash(
    original: bytes, place: float, junk: bytes, *, cut: bool
) -> None:
    at = int(place * len(original))
    damaged = original[:at] + junk + (b"" if cut else original[at + len(junk) :])

    try:
        written = rewrite(damaged, *LIMITS)
    except (errors.InvalidPictureError, errors.TooLargeError) as refused:
        assert str(refused).endswith(".")  # noqa: PT017 - either outcome is right
    else:
        assert Image.open(io.BytesIO(written.encoded)).mode == "RGB"
