"""Pictures in a zip archive: looked at before anything is unpacked, and never unpacked to disk.

The format is that of PKWARE's APPNOTE 6.3.10. What is unusual in it and of no use for pictures is
refused with the whole archive: it is how archives are made that open in another way elsewhere, or
that become very large (OWASP ASVS 5.0, 5.2.3; D. Fifield, "A better zip bomb", WOOT 2019).
"""

import errno
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from services.gateway import errors
from services.gateway.text import FILE_NAME_LENGTH, is_file_name

_END = struct.Struct("<4s4H2LH")
"""The record at the end of an archive: signature, four counts, size and place of the directory,
length of a comment."""
_END_SIGNATURE = b"PK\x05\x06"
_LOCATOR_SIGNATURE = b"PK\x06\x07"
_LOCATOR_BYTES = 20
_ARCHIVES = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"Rar!",
    b"7z\xbc\xaf",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
)
_ENTRY_BYTES = 1024
"""What an entry of the directory may take on average, its name included."""

_ENCRYPTED = 0x1 | 0x40 | 0x2000
_UTF8 = 0x800
_MAX_RATIO = 200
_RATIO_FROM_BYTES = 64 * 1024
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_PORTS = {f"{name}{number}" for name in ("com", "lpt") for number in range(10)}
_DEVICES = {"con", "prn", "aux", "nul", *_PORTS}
_LITTER = ("__macosx/",)
_LITTER_NAMES = {".ds_store", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    name: str
    info: zipfile.ZipInfo


class Archive:
    """A zip archive in a file that we wrote."""

    def __init__(
        self, file: IO[bytes], max_files: int, max_bytes: int, max_file_bytes: int
    ) -> None:
        """Open an archive and look at all that it says of itself; takes no more memory than that.

        Args:
            file: the archive.
            max_files: that may be in it.
            max_bytes: that they may have together.
            max_file_bytes: that are read of a file; of a longer one nothing is.

        Raises:
            InvalidArchiveError: it is not one, or not one that is taken.
            TooLargeError: there are too many files in it, or too many bytes.

        """
        _see_the_end(file, max_files)
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
            raise errors.InvalidArchiveError("The archive is damaged. Make it anew.") from error
        self._max_file_bytes = max_file_bytes
        self.members = _checked(self._zip.infolist())
        if len(self.members) > max_files:
            raise _too_many(max_files)
        if sum(member.info.file_size for member in self.members) > max_bytes:
            raise _too_large(max_bytes)

    def read(self, member: Member) -> bytes:
        """Return the content of a file.

        Raises:
            InvalidPictureError: it is damaged.
            InvalidArchiveError: it is an archive itself, or larger than it says.
            TooLargeError: it has too many bytes.
            OSError: the disk does not give it.

        """
        if member.info.file_size > self._max_file_bytes:
            raise errors.TooLargeError(
                f"The picture has too many bytes. Send at most {self._max_file_bytes:,}."
            )
        try:
            with self._zip.open(member.info) as opened:
                content = opened.read(self._max_file_bytes + 1)
        # A name where a file begins may be no UTF-8, other than in the directory: a ValueError.
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
            raise _damaged() from error
        except OSError as error:
            # No file is so long as to have the place where it begins.
            if error.errno != errno.EINVAL:
                raise
            raise _damaged() from error
        except (NotImplementedError, RuntimeError) as error:
            raise _refused(member.name, "cannot be read") from error
        if content.startswith(_ARCHIVES):
            raise _refused(member.name, "is an archive itself: pack the pictures into one")
        return content


def _damaged() -> errors.InvalidPictureError:
    return errors.InvalidPictureError(
        "The picture is damaged within the archive. Make the archive anew."
    )


def _see_the_end(file: IO[bytes], max_files: int) -> None:
    """See that the directory is small and described in the one usual way, before it is read."""
    size = file.seek(0, 2)
    if size < _END.size:
        raise errors.InvalidArchiveError("The body is not a zip archive.")
    tail = min(size, _END.size + _LOCATOR_BYTES)
    file.seek(size - tail)
    last = file.read(tail)
    signature, disk, first_disk, _, count, length, place, comment = _END.unpack(last[-_END.size :])
    if signature != _END_SIGNATURE or comment:
        raise errors.InvalidArchiveError(
            "The body does not end as a zip archive does. Archives with a comment, or with "
            "something behind them, are not taken."
        )
    if last.startswith(_LOCATOR_SIGNATURE) or disk or first_disk:
        raise errors.InvalidArchiveError("Archives in parts, and zip64 ones, are not taken.")
    # Folders have an entry of their own.
    if count > 2 * max_files or length > 2 * max_files * _ENTRY_BYTES:
        raise _too_many(max_files)
    if place + length + _END.size != size:
        raise errors.InvalidArchiveError("The archive is damaged, or has something before it.")


def _checked(entries: Iterable[zipfile.ZipInfo]) -> list[Member]:
    members, seen = [], set()
    for info in entries:
        name = _name(info)
        _see_what_it_is(name, info)
        same = unicodedata.normalize("NFC", name).casefold()
        if same in seen:
            raise _refused(name, "is there more than once")
        seen.add(same)
        if not info.is_dir() and not _is_litter(same):
            members.append(Member(name, info))
    return members


def _name(info: zipfile.ZipInfo) -> str:
    """Return the name of an entry, which must be a plain path below the archive."""
    raw = info.orig_filename
    if not info.flag_bits & _UTF8:
        try:
            # Some write UTF-8 and do not say so; zipfile took it for code page 437.
            raw = raw.encode("cp437").decode()
        except UnicodeError as error:
            raise errors.InvalidArchiveError(
                "A name in the archive is not UTF-8. Rename the pictures, or use another program."
            ) from error
    if not is_file_name(raw):
        raise errors.InvalidArchiveError(
            f"A name in the archive is empty, longer than {FILE_NAME_LENGTH} characters, or has "
            "control characters."
        )
    steps = raw.removesuffix("/").split("/")
    if "\\" in raw or ":" in raw or not all(steps) or {".", ".."} & {*steps}:
        raise _refused(raw, "leads out of the archive, or is no plain path")
    if any(step.partition(".")[0].strip().casefold() in _DEVICES for step in steps):
        raise _refused(raw, "is the name of a device")
    return raw


def _see_what_it_is(name: str, info: zipfile.ZipInfo) -> None:
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise _refused(name, "is a link or something else that is no file")
    if info.flag_bits & _ENCRYPTED:
        raise _refused(name, "is encrypted")
    if info.compress_type not in _METHODS:
        raise _refused(name, "is compressed in an unusual way: use deflate")
    packed = max(info.compress_size, 1)
    if info.file_size > _RATIO_FROM_BYTES and info.file_size > packed * _MAX_RATIO:
        raise _refused(name, "becomes far larger than it is")


def _is_litter(folded: str) -> bool:
    """Say whether a file is one that systems put into archives by themselves."""
    return folded.startswith(_LITTER) or folded.rpartition("/")[2] in _LITTER_NAMES


def _refused(name: str, why: str) -> errors.InvalidArchiveError:
    return errors.InvalidArchiveError(f"The archive is not taken: {name[:64]!r} {why}.")


def _too_many(limit: int) -> errors.TooLargeError:
    return errors.TooLargeError(f"There are too many pictures. Send at most {limit:,} at once.")


def _too_large(limit: int) -> errors.TooLargeError:
    return errors.TooLargeError(
        f"The pictures have too many bytes together. Send at most {limit:,} at once."
    )
