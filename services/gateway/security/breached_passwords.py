"""Passwords that became public in breaches, in a file that the operator keeps.

The file is what Have I Been Pwned's downloader writes: a line each, the SHA-1 of a password in
hexadecimal, a colon and how often it was met, in the order of the digests. It has tens of
gigabytes, so it is searched where it lies: with some forty small reads, nothing in memory, and
nobody else who learns what was looked for.
"""

import hashlib
import os
import re
from pathlib import Path
from typing import Self

_LINE = re.compile(rb"([0-9A-Fa-f]{40})(?::\d{1,20})?(?:\r?\n|\Z)")
_LONGEST = 64
"""Bytes, more than such a line has: so only the last one of the file ends without an end."""
_SAMPLES = 64
"""Lines that are looked at when the gateway starts."""


class UnusableFileError(Exception):
    """The file has lines of another form, or in another order; the message says where."""


class BreachedPasswords:
    """The passwords whose digests a file has."""

    def __init__(self, path: Path) -> None:
        """Look into the file, here and there and at its end.

        It is opened anew each time it is asked, so that a newer one may be moved into its place.

        Args:
            path: of the file.

        Raises:
            OSError: it cannot be read.
            UnusableFileError: it is no such file.

        """
        self._path = path
        with _File(path) as file:
            spread = {file.size * part // _SAMPLES for part in range(_SAMPLES)}
            places = sorted(spread | {max(0, file.size - _LONGEST)})
            lines = [line for place in places if (line := file.line_from(place)) is not None]
            # To the end, where a file is cut off whose download was.
            while lines and (line := file.line_from(lines[-1][1])) is not None:
                lines.append(line)
        digests = [digest for _, _, digest in lines]
        if not digests:
            raise UnusableFileError("it is empty")
        if digests != sorted(digests):
            raise UnusableFileError("its lines are not in the order of their digests")

    def has(self, password: str) -> bool:
        """Say whether a password is among them, exactly as it is written.

        Raises:
            OSError: the file cannot be read any more.
            UnusableFileError: another file is in its place.

        """
        # What the file is made with; nothing here rests on the strength of SHA-1.
        sought = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
        with _File(self._path) as file:
            low, high = 0, file.size
            while low < high:
                middle = (low + high) // 2
                line = file.line_from(middle)
                if line is None or line[0] >= high:
                    high = middle
                    continue
                _, end, digest = line
                if digest == sought:
                    return True
                low, high = (end, high) if digest < sought else (low, middle)
        return False


class _File:
    """A file of lines that is read anywhere."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self.size = os.fstat(self._file.fileno()).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def line_from(self, place: int) -> tuple[int, int, bytes] | None:
        """Return the first line that begins there or later: its begin, its end, its digest."""
        begin = place
        if place > 0:
            before = os.pread(self._file.fileno(), _LONGEST, place - 1)
            newline = before.find(b"\n")
            if newline < 0 and place - 1 + len(before) < self.size:
                raise UnusableFileError(f"it has no line of a digest around byte {place}")
            begin = place + newline if newline >= 0 else self.size
        if begin >= self.size:
            return None
        found = _LINE.match(os.pread(self._file.fileno(), _LONGEST, begin))
        if found is None:
            raise UnusableFileError(f"it has no line of a digest at byte {begin}")
        return begin, begin + found.end(), found[1].upper()
