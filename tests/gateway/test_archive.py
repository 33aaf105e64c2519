"""Archives that are not taken, and those that are, whatever made them."""

import errno
import io
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from services.gateway import errors
from services.gateway.uploads import Archive
from tests import specimens
from tests.gateway.conftest import Gateway
from tests.gateway.test_batches import sent_zip, zipped

BOUNDS = (10, 1_000_000, 100_000)


def built(fill: Callable[[zipfile.ZipFile], object], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        fill(archive)
    return file.getvalue()


def holding(*names: str, content: bytes = b"x") -> bytes:
    def fill(archive: zipfile.ZipFile) -> None:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), content)

    return built(fill)


def with_mode(mode: int) -> bytes:
    info = zipfile.ZipInfo("picture.jpg")
    info.external_attr = mode << 16
    return built(lambda archive: archive.writestr(info, "/etc/passwd"))


def flagged(flags: int) -> bytes:
    """Set flags in the local and in the central header of the only file."""
    content = bytearray(holding("picture.jpg"))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.index(signature) + offset
        content[at : at + 2] = struct.pack("<H", flags)
    return bytes(content)


def renamed(old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    return holding(old.decode()).replace(old, new)


def end_changed(offset: int, value: bytes) -> bytes:
    content = bytearray(holding("picture.jpg"))
    at = len(content) - 22 + offset
    content[at : at + len(value)] = value
    return bytes(content)


REFUSED = {
    "nothing": b"",
    "no archive": b"GIF89a" * 10,
    "its end missing": holding("picture.jpg")[:-5],
    "something behind it": holding("picture.jpg") + b"x",
    "something before it": b"MZ" + holding("picture.jpg"),
    "a comment": built(lambda archive: setattr(archive, "comment", b"hello")),
    "several disks": end_changed(4, b"\x01\x00"),
    "a directory that is not there": end_changed(16, b"\xff\xff\xff\x7f"),
    "a way up": holding("../picture.jpg"),
    "a way up, further down": holding("a/../../picture.jpg"),
    "a root": holding("/etc/picture.jpg"),
    "a drive": holding("C:/picture.jpg"),
    "a share": renamed(b"aahost/picture.jpg", b"\\\\host/picture.jpg"),
    "backslashes": renamed(b"..Apicture.jpg", b"..\\picture.jpg"),
    "a device": holding("sub/NUL.jpg"),
    "a port": holding("com1"),
    "the same twice": holding("a.jpg", "b.jpg", "A.JPG"),
    "a link": with_mode(stat.S_IFLNK | 0o777),
    "a pipe": with_mode(stat.S_IFIFO | 0o666),
    "encrypted": flagged(0x1),
    "strongly encrypted": flagged(0x41),
    "masked": flagged(0x2001),
    "a NUL in a name": renamed(b"pictureA.jpg", b"picture\0.jpg"),
    "a bell in a name": holding("picture\x07.jpg"),
    "a long name": holding("a" * 300),
    "a name that is not UTF-8": renamed(b"pictureA.jpg", b"picture\xff.jpg"),
    "an unusual compression": built(
        lambda archive: archive.writestr("a.jpg", b"x" * 99), zipfile.ZIP_BZIP2
    ),
    "a bomb": built(lambda archive: archive.writestr("a.jpg", bytes(90_000))),
}


def opened(content: bytes) -> Archive:
    return Archive(io.BytesIO(content), *BOUNDS)


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_an_archive_is_not_taken_that_has(content: bytes) -> None:
    with pytest.raises(errors.InvalidArchiveError):
        opened(content)


async def test_a_batch_in_such_an_archive_is_refused_and_leaves_nothing(either: Gateway) -> None:
    alice = await either.signed_in()
    sound = specimens.lesion_jpeg((64, 48))
    nested = {"a.jpg": sound, "b.jpg": holding("c.jpg")}
    for why, content in {**REFUSED, "an archive in it": zipped(nested)}.items():
        answer = await sent_zip(alice, content)

        assert answer.status_code == 422, (why, answer.text)
        assert answer.json()["type"] == "/docs/problems#invalid-archive", why
    assert (await alice("GET", "/v1/batches")).json()["items"] == []
    assert (await alice("GET", "/v1/analyses")).json()["items"] == []
    assert either.kept_files() == []
    assert [*either.settings.data_dir.parent.rglob("*.jpg")] == []
    assert (await sent_zip(alice, holding("a.jpg", content=sound))).status_code == 202


def test_too_many_files_are_refused_before_the_directory_is_read() -> None:
    with pytest.raises(errors.TooLargeError):
        opened(holding(*(f"{number}.jpg" for number in range(11))))
    with pytest.raises(errors.TooLargeError):
        opened(end_changed(12, b"\xff\xff\xff\x7f"))


def test_files_that_are_too_large_together_are_refused_by_what_they_say() -> None:
    def fill(archive: zipfile.ZipFile) -> None:
        for number in range(9):
            archive.writestr(f"{number}.jpg", bytes(120_000))

    with pytest.raises(errors.TooLargeError):
        opened(built(fill, zipfile.ZIP_STORED))


def test_a_file_that_is_larger_than_it_says_is_not_read_beyond_it() -> None:
    content = bytearray(holding("a.jpg", content=b"y" * 5000))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(signature) + offset
        content[at : at + 4] = struct.pack("<I", 10)
    archive = opened(bytes(content))

    with pytest.raises(errors.InvalidPictureError):
        archive.read(archive.members[0])


@pytest.mark.parametrize("place", [2**40, 2**62, 2**64 - 1])
def test_a_file_that_begins_where_no_file_is_so_long_is_damaged(tmp_path: Path, place: int) -> None:
    content = bytearray(holding("a.jpg"))
    at = content.index(b"PK\x01\x02")
    content[at + 42 : at + 46] = b"\xff" * 4
    extra = struct.pack("<HHQ", 1, 8, place)
    content[at + 30 : at + 32] = struct.pack("<H", len(extra))
    end = len(content) - 22
    content[end:end] = extra
    content[end + len(extra) + 12 : end + len(extra) + 16] = struct.pack("<I", end + 12 - at)
    (tmp_path / "archive").write_bytes(content)
    with (tmp_path / "archive").open("rb") as file:
        archive = Archive(file, *BOUNDS)

        with pytest.raises(errors.InvalidPictureError):
            archive.read(archive.members[0])


def test_a_disk_that_does_not_give_a_file_damages_none() -> None:
    class Disk(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.ill:
                raise OSError(errno.EIO, "")
            return super().read(size)

        ill = False

    disk = Disk(holding("a.jpg"))
    archive = Archive(disk, *BOUNDS)
    disk.ill = True

    with pytest.raises(OSError, match=str(errno.EIO)):
        archive.read(archive.members[0])


def test_a_file_that_is_too_large_is_not_read_at_all() -> None:
    archive = opened(
        built(lambda archive: archive.writestr("a.jpg", bytes(100_001)), zipfile.ZIP_STORED),
    )

    with pytest.raises(errors.TooLargeError):
        archive.read(archive.members[0])


@pytest.mark.parametrize("content", [holding("a.jpg"), b"\x1f\x8b\x08", b"7z\xbc\xaf\x27\x1c"])
def test_an_archive_in_an_archive_is_not_taken(content: bytes) -> None:
    archive = opened(holding("nested.jpg", content=content))

    with pytest.raises(errors.InvalidArchiveError):
        archive.read(archive.members[0])


def test_names_of_all_scripts_are_kept_and_what_systems_add_is_left_out() -> None:
    names = ["series/ümlaut.jpg", "תמונה.png", "👩‍⚕️.jpg"]
    litter = ["__MACOSX/series/._ümlaut.jpg", "series/.DS_Store", "Thumbs.db", "series/"]

    archive = opened(holding(*names, *litter))

    assert [member.name for member in archive.members] == names
    assert archive.read(archive.members[0]) == b"x"


def test_utf_8_that_does_not_say_so_is_read_as_such() -> None:
    content = renamed("ümlaut.jpg".encode(), "ümlaut.jpg".encode())
    at = content.index(b"PK\x01\x02") + 8
    plain = bytearray(content)
    plain[at : at + 2] = b"\0\0"
    plain[6:8] = b"\0\0"

    assert [member.name for member in opened(bytes(plain)).members] == ["ümlaut.jpg"]
